"""Names that no producer uses: the translator looks at them, and what it does is still in the books."""

import pytest

from semconv.view import EventView, SpanView
from tests.semconv.strategies import TRANSLATOR

OPENINFERENCE = {"openinference.span.kind": "LLM"}
LEGACY = {"gen_ai.system": "openai"}

NAMES = {
    "segments_without_end": "llm.input_messages" + ".0" * 20_000,
    "named_segments_without_end": "llm.input_messages.0.message" + ".a" * 20_000,
    "prompt_segments_without_end": "gen_ai.prompt" + ".0.a" * 20_000,
    "as_deep_as_is_read": "llm.input_messages.0.message" + ".a" * 60,
    "number_without_end": f"llm.input_messages.{'9' * 20_000}.message.role",
    "number_of_another_script": "llm.input_messages.\u0663.message.role",
    "only_dots": "." * 20_000,
    "empty": "",
    "like_a_path_of_ours": "@name",
    "a_name_without_end": "gen_ai." + "x" * 200_000,
    "nul": "gen_ai.\x00",
}


@pytest.mark.parametrize("base", [OPENINFERENCE, LEGACY], ids=["openinference", "legacy"])
@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_translated_like_any_other(base, name):
    """Beside others, beside a shorter one that it begins like, and as an event's."""
    attributes = {**base, NAMES[name]: "v", NAMES[name][:40]: "w", "llm.input_messages.0.message.role": "user"}
    view = SpanView(
        name="s",
        attributes=attributes,
        scope_name="openinference.instrumentation.openai",
        events=[EventView(NAMES[name][:99], {NAMES[name]: "v"}, 0, 0)],
    )
    translation = TRANSLATOR.span(view)
    assert translation.tally.balanced
    assert translation == TRANSLATOR.span(view)
