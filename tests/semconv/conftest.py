import pytest

from semconv.translate import Translator
from tests.semconv.golden import translate


@pytest.fixture(scope="session", params=["gen-ai-dev", "core-1.41.1"])
def any_translator(request: pytest.FixtureRequest) -> Translator:
    return Translator.load(request.param)


@pytest.fixture(scope="session")
def translator() -> Translator:
    return Translator.load()


@pytest.fixture
def translated(translator):
    """What becomes of a recorded span."""
    return lambda item: translate(translator, item)
