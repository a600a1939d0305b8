"""The way back: where a translation says `lossless`, the original is computed from its result and the tables."""

from collections import Counter
from dataclasses import asdict, replace

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from semconv import otlp_json
from semconv.apply import applied
from semconv.errors import NotReversibleError
from semconv.ops import OPS, Scope, compiled, run
from semconv.plan.inverse import INVERSES, undo
from semconv.profile.profile import Row
from semconv.reverse import reverse
from semconv.translate import Translator
from semconv.translation import IRREVERSIBLE, LOSSLESS, NEEDS_PROVENANCE, REVERSALS
from semconv.value import Value, exactly
from tests.semconv.recorded import recorded
from tests.semconv.strategies import TRANSLATOR, VALUES, logs, metrics, spans
from tests.semconv.translated import SIGNALS
from tests.tools.examples import times


def there_and(signal, translator, item, around):
    """The view of an item, its translation, and the view of the translated item."""
    view, verb, apply = SIGNALS[signal]
    before = view(item, around)
    translation = getattr(translator, verb)(before)
    return before, translation, view(apply(item, translation), around)


def is_same(left, right):
    return type(left) is type(right) and exactly(asdict(left), asdict(right))


def holds(translator, before, translation, after):
    """The promise, whichever of the three it is."""
    if translation.reversal == LOSSLESS:
        assert is_same(reverse(translator, after, translation), before), (before, translation.to_json())
    else:
        with pytest.raises(NotReversibleError, match=translation.reversal):
            reverse(translator, after, translation)
    assert translation.changed or translation.reversal == LOSSLESS, "what did not change needs no way back"
    if translation.reversal != IRREVERSIBLE and translation.changed:
        lost = {loss.path for loss in translation.loss}
        replaced = {"@name": translation.name, "@kind": translation.kind}
        assert not lost.intersection(translation.removed)
        assert not [path for path, new in replaced.items() if path in lost and new is not None]
        assert not translation.events_removed


@pytest.mark.parametrize("signal", SIGNALS)
def test_every_recorded_item_that_says_lossless_comes_back_exactly(any_translator, signal):
    """Values, their types, name, kind and events; nothing is kept from before the translation."""
    seen = Counter()
    for item in recorded(signal):
        before, translation, after = there_and(
            signal, any_translator, item.item, otlp_json.surroundings(item.resource, item.scope)
        )
        holds(any_translator, before, translation, after)
        seen[translation.reversal, translation.changed] += 1
    assert seen[LOSSLESS, True] > 50, seen


FEW: st.SearchStrategy[Value] = st.sampled_from(
    ["a", "b", "7", "0.5", "true", "", 7, 0, 7.0, -0.0, 0.5, True, False, ["a"], ["a", "b"], [7], [], {"a": 7}, {"a": 7.0}, b"a", None,
     '["a"]', '["a","b"]', '{"a":7}', '{"a": 7}', '[{"role":"user","parts":[{"type":"text","content":"a"}]}]', "tool:a@", "tool:a"]
)  # fmt: skip
FITTING: dict[str, st.SearchStrategy[Value]] = {
    "string": st.sampled_from(["a", "b", "7"]),
    "int": st.sampled_from([7, 0, "7"]),
    "double": st.sampled_from([0.5, 7.0, "0.5"]),
    "boolean": st.sampled_from([True, False, "true"]),
    "string[]": st.sampled_from([["a"], "a", ["a", "b"], '["a","b"]']),
}
"""Few enough for two keys to say the same often, and each beside what operations would make of it or make it of."""


@st.composite
def spans_of_one_convention(draw):
    """Spans of which most attributes have a key in the target: what the tables translate, and what may go back."""
    profile = draw(st.sampled_from([each for each in TRANSLATOR.profiles if each.exact]))
    rows = {key: [entry for _, entry in entries if isinstance(entry, Row)] for key, entries in profile.exact.items()}
    claims = sorted(key for key, several in rows.items() if any(row.to or row.sum_of or row.same_as for row in several))
    keys = draw(st.lists(st.sampled_from([*claims, *sorted(TRANSLATOR.target.attributes)]), max_size=6))
    marks = [
        mark for mark in profile.marks if mark.kind in ("keys", "values") and not set("*{").intersection(mark.pattern)
    ]
    attributes = {mark.pattern: mark.value or "a" for mark in draw(st.permutations(marks))[:1]}
    for key in keys:
        words = [
            pair
            for row in rows.get(key, ())
            for step in row.ops
            if step.name == "enum"
            for pair in step.argument[0].items()
        ]
        said = sorted({side for pair in words for side in pair})
        target = next((TRANSLATOR.target.key_of(row.to) for row in rows.get(key, ()) if row.to), key) or key
        fitting = FITTING.get(TRANSLATOR.target.type_of(target), FEW)
        attributes[key] = draw(st.sampled_from(said) if said else draw(st.sampled_from([fitting, fitting, FEW])))
    scopes = [mark.pattern.rstrip("*") for mark in profile.marks if mark.kind == "scopes"]
    named = [f"{row.prefix}{'a' if row.to else ''}{row.suffix}" for row in profile.names]
    span = {
        "name": draw(st.sampled_from(["a", "execute_tool a", "chat", *named])),
        "kind": draw(st.sampled_from([1, 1, 3, 0])),
        "attributes": otlp_json.key_values(attributes),
    }
    return span, {"name": draw(st.sampled_from(["", *scopes]))}


@given(spans() | spans_of_one_convention() | spans_of_one_convention())
@settings(max_examples=times(4))
def test_any_span_that_says_lossless_comes_back_exactly(given_span):
    span, scope = given_span
    before, translation, after = there_and("traces", TRANSLATOR, span, otlp_json.surroundings({}, scope))
    event(f"{translation.reversal}, {'changed' if translation.changed else 'unchanged'}")
    holds(TRANSLATOR, before, translation, after)


@given(logs())
def test_any_log_record_that_says_lossless_comes_back_exactly(before):
    translation = TRANSLATOR.log(before)
    holds(TRANSLATOR, before, translation, applied(before, translation))


@given(metrics())
def test_any_metric_that_says_lossless_comes_back_exactly(before):
    translation = TRANSLATOR.metric(before)
    holds(TRANSLATOR, before, translation, applied(before, translation))


@given(spans())
def test_an_item_of_another_translation_is_refused_or_leads_to_it_all_the_same(given_span):
    """What is given back always translates into what was asked about: a wrong original is never made up."""
    span, scope = given_span
    _, translation, after = there_and("traces", TRANSLATOR, span, otlp_json.surroundings({}, scope))
    other = replace(after, attributes={**after.attributes, "gen_ai.operation.name": "chat"}, kind=3)
    try:
        found = reverse(TRANSLATOR, other, translation)
    except NotReversibleError:
        return
    if translation.changed:
        assert TRANSLATOR.span(found).to_json() == translation.to_json()


def span_of(attributes, **more):
    return {"name": "x", "kind": 1, "attributes": otlp_json.key_values(attributes), **more}


OPENINFERENCE = {"openinference.span.kind": "TOOL", "tool.name": "add"}


@pytest.mark.parametrize(
    ("reversal", "attributes", "more"),
    [
        (LOSSLESS, {"http.method": "GET"}, {}),
        (LOSSLESS, OPENINFERENCE, {"name": "add"}),
        (LOSSLESS, {**OPENINFERENCE, "metadata": '{"a": 1}'}, {"name": "add"}),
        (LOSSLESS, {"gen_ai.system": "openai", "gen_ai.operation.name": "chat"}, {"name": "chat", "kind": 3}),
        (NEEDS_PROVENANCE, {"gen_ai.system": "OpenAI", "gen_ai.operation.name": "chat"}, {"name": "chat", "kind": 3}),
        (NEEDS_PROVENANCE, {**OPENINFERENCE, "input.mime_type": "text/plain"}, {"name": "add"}),
        (NEEDS_PROVENANCE, {"openinference.span.kind": "TOOL", "tool.name": 7}, {"name": "7"}),
        (IRREVERSIBLE, OPENINFERENCE, {"name": "something else"}),
        (NEEDS_PROVENANCE, OPENINFERENCE, {"name": "add", "kind": 5}),
        (IRREVERSIBLE, {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "add"}, {"name": "execute_tool add", "kind": 5}),
    ],
    ids=[
        "nothing of ours", "renamed", "lost but still there", "a word that is the target's own", "a word of many", "derivable",
        "another type", "a name without a home",
        "a kind where kinds say nothing", "a kind without a home",
    ],
)  # fmt: skip
def test_what_each_word_is_said_of(reversal, attributes, more):
    item = span_of(attributes, **more)
    before, translation, after = there_and("traces", TRANSLATOR, item, otlp_json.surroundings({}, {}))
    assert translation.reversal == reversal, translation
    holds(TRANSLATOR, before, translation, after)


def test_a_key_that_came_twice_is_gone_once_it_is_renamed():
    item = span_of(OPENINFERENCE, name="add")
    item["attributes"].insert(0, {"key": "tool.name", "value": {"stringValue": "first"}})
    _, translation, after = there_and("traces", TRANSLATOR, item, otlp_json.surroundings({}, {}))
    assert translation.reversal == IRREVERSIBLE
    assert after.duplicate_keys == 0


def test_an_event_that_became_a_message_has_no_time_any_longer():
    made = {"name": "gen_ai.user.message", "timeUnixNano": "7", "attributes": otlp_json.key_values({"content": "hi"})}
    item = span_of({"gen_ai.system": "openai", "gen_ai.operation.name": "chat"}, name="chat", kind=3, events=[made])
    _, translation, after = there_and("traces", TRANSLATOR, item, otlp_json.surroundings({}, {}))
    assert not after.events
    assert translation.reversal == IRREVERSIBLE


def test_tables_without_the_profile_cannot_lead_back():
    _, translation, after = there_and(
        "traces", TRANSLATOR, span_of(OPENINFERENCE, name="add"), otlp_json.surroundings({}, {})
    )
    few = Translator(TRANSLATOR.target, [], TRANSLATOR.message_shapes)
    with pytest.raises(NotReversibleError, match="no profile .*openinference"):
        reverse(few, after, translation)


# ------------------------------------------------------------------ operations

ENUMS = {"one": {"LLM": "chat", "TOOL": "execute_tool"}, "many": {"a": "x", "b": "x", "c": "y"}}


@pytest.mark.parametrize(
    ("op", "source"),
    [
        ("int", "7"), ("float", "0.5"), ("bool", "true"), ("strings", '["a","b"]'), ("parse_json", '{"a":[1]}'),
        ("json_text", {"a": [1]}), ({"enum": "one"}, "LLM"), ({"enum": "one"}, "other"), ({"enum": "many"}, "x"),
        ({"enum": "many"}, "c"), ({"trim": {"prefix": "tool:", "suffix": "@"}}, "tool:add@"), ({"affix": {"suffix": "s"}}, "add"),
        ({"scale": [1, 1000]}, 1500.0), ("wrap_list", "stop"), ("unwrap_list", ["a"]), ("filled", "a"), ("lower", "a"),
        ([{"before": "@"}, "lower", {"enum": "many"}], "x"),
    ],
    ids=str,
)  # fmt: skip
def test_an_operation_is_undone_to_its_source(op, source):
    steps = compiled(op, (), ENUMS)
    assert exactly(undo(steps, run(steps, source, Scope({}))), source)


@pytest.mark.parametrize(
    ("op", "source"),
    [
        ("int", 7), ("int", "+7"), ("float", 1.0), ("bool", "True"), ("strings", '["a", "b"]'), ("parse_json", '{"a": [1]}'),
        ({"enum": "one"}, "chat"), ({"enum": "many"}, "a"), ("wrap_list", ["stop"]), ("lower", "A"), ({"scale": [1, 1000]}, 1500),
    ],
    ids=str,
)  # fmt: skip
def test_of_all_that_an_operation_makes_the_same_only_one_is_its_source(op, source):
    steps = compiled(op, (), ENUMS)
    assert not exactly(undo(steps, run(steps, source, Scope({}))), source)


ANY_STEPS = st.sampled_from(
    [
        compiled(op, (), ENUMS)
        for op in [
            *(name for name in OPS if OPS[name].argument.__name__ == "_none"),
            {"enum": "one"}, {"enum": "many"}, {"trim": {"prefix": "a"}}, {"affix": {"prefix": "a"}}, {"scale": [3, 1000]},
        ]
    ]
)  # fmt: skip


def test_every_operation_that_names_its_inverse_is_undone():
    named = {name for name, op in OPS.items() if op.inverse not in (None, "keep")}
    assert named <= INVERSES.keys()
    assert OPS.keys() >= INVERSES.keys()


@given(ANY_STEPS, VALUES)
def test_undoing_is_total(steps, value):
    undo(steps, value)


def test_the_words_go_from_the_best_to_the_worst():
    """Accounts and metrics take the worst of several."""
    assert REVERSALS == (LOSSLESS, NEEDS_PROVENANCE, IRREVERSIBLE)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, 1.0, False), (True, 1, False), (0.0, -0.0, False), (float("nan"), float("nan"), True), ([1], [1.0], False),
        ({"a": [1]}, {"a": [1]}, True), ({"a": 1}, {"a": 1, "b": 1}, False), ("1", 1, False), (None, None, True), ([1], [1, 2], False),
    ],
)  # fmt: skip
def test_exactly_is_equality_of_types_too(left, right, same):
    assert exactly(left, right) is same
    assert exactly(right, left) is same
