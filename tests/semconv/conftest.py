import pytest

from semconv.translate import Translator
from tests.semconv.golden import translate
from tests.tools.translators import loaded


@pytest.fixture(scope="session", params=["gen-ai-dev", "core-1.41.1"])
def any_translator(request: pytest.FixtureRequest) -> Translator:
    return loaded(request.param)


@pytest.fixture(scope="session")
def translator() -> Translator:
    return loaded()


@pytest.fixture
def translated(translator):
    """What becomes of a recorded span."""
    return lambda item: translate(translator, item)
