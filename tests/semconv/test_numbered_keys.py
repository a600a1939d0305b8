"""Keys that differ in their numbers alone are asked for once: what is known of each must be what asking for it would say."""

from hypothesis import given, settings

from semconv.view import SpanView
from tests.semconv.strategies import KEYS, TRANSLATOR
from tests.semconv.test_words import translated
from tests.tools.examples import times

PLANNER = TRANSLATOR._spans
ANY = settings(max_examples=times(3))


def facts(known):
    rows = {at: [(order, id(entry), holes) for order, entry, holes in found] for at, found in known.rows.items()}
    return known.marks, rows, known.concept, known.owners


@given(KEYS)
@ANY
def test_what_is_known_of_a_kind_of_keys_is_known_of_each(key):
    assert facts(PLANNER._learn(key)) == facts(PLANNER._ask(key))


def test_a_number_a_table_names_is_another_key_than_other_numbers():
    rows = b"  - {key: mine.0.x, lost: user_defined}\n  - {key: 'mine.{i}.x', lost: internal_id}\n"
    found = translated(rows, {"mine.0.x": 1, "mine.1.x": 1})
    assert {loss.path: loss.reason for loss in found.loss} == {"mine.0.x": "user_defined", "mine.1.x": "internal_id"}


def test_a_family_that_begins_with_a_number_is_another_than_others():
    rows = b"  - {key: 'mine.0.*', lost: user_defined}\n  - {key: 'mine.{i}.x', lost: internal_id}\n"
    found = translated(rows, {"mine.0.x": 1, "mine.1.x": 1})
    assert {loss.path: loss.reason for loss in found.loss} == {"mine.0.x": "user_defined", "mine.1.x": "internal_id"}


def test_a_key_as_deep_as_no_tree_goes_is_read_all_the_same():
    keys = {f"llm.input_messages.0.message{'.a' * depth}": "x" for depth in (1, 60, 70, 20_000)}
    translation = TRANSLATOR.span(SpanView(name="x", attributes={"openinference.span.kind": "LLM", **keys}))
    assert translation.tally.balanced
