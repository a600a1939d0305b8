"""The laws of translation over spans nobody recorded."""

import copy
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from semconv import otlp_json
from semconv.account.account import Account
from semconv.apply import apply_json
from semconv.messages.conformity import conforms
from semconv.translate import Translator
from semconv.value import document, exactly
from tests.semconv.strategies import TRANSLATOR, VALUES, logs, metrics, spans
from tests.semconv.translated import said_of_everything
from tests.tools.examples import times

SHAPED = {
    "gen_ai.input.messages": "input_messages",
    "gen_ai.output.messages": "output_messages",
    "gen_ai.system_instructions": "system_instructions",
    "gen_ai.tool.definitions": "tool_definitions",
}


def translated(span, scope):
    return TRANSLATOR.span(otlp_json.span_view(span, otlp_json.surroundings({}, scope)))


def lost_keys(translation):
    return {loss.path.partition("#/")[0] for loss in translation.loss}


@given(spans())
def test_any_span_balances(given_span):
    """atoms_in == kept + renamed + converted + folded + derived_only + dropped, and no bucket is negative."""
    translation = translated(*given_span)
    tally = translation.tally
    assert tally.balanced, tally
    assert min(tally.kept, tally.renamed, tally.converted, tally.folded, tally.derived_only, tally.dropped) >= 0
    assert sum(loss.atoms for loss in translation.loss) == tally.dropped


@given(spans())
def test_any_span_translates_once(given_span):
    """T(T(x)) = T(x), and no key loses anything the second time that lost nothing the first.

    The reason may be another one: a span whose marks were carried away may no longer be known for what it was.
    """
    span, scope = given_span
    first = translated(span, scope)
    second = translated(apply_json(span, first), scope)
    assert not second.changed, second.to_json()
    assert lost_keys(second) <= lost_keys(first)


@given(spans(), st.randoms(use_true_random=False))
def test_order_of_attributes_says_nothing(given_span, random):
    """A shuffled span has the same translation."""
    span, scope = given_span
    shuffled = {**span, "attributes": random.sample(span["attributes"], len(span["attributes"]))}
    first, second = translated(span, scope), translated(shuffled, scope)
    assert first.to_json() == second.to_json()
    assert first.tally == second.tally


@given(spans())
def test_what_comes_out_has_the_shape_and_type_the_target_asks_for(given_span):
    """Every attribute the translation writes is of its registry type, and every structure of its shape."""
    translation = translated(*given_span)
    for key, value in translation.attributes.items():
        kind = TRANSLATOR.target.type_of(key)
        expected = {"string": str, "int": int, "double": float, "boolean": bool, "string[]": list}.get(kind, object)
        assert isinstance(value, expected), (key, value)
        if key in SHAPED:
            body = document(value)
            assert isinstance(body, list), (key, value)


@given(spans())
def test_the_evidence_form_is_json_that_can_be_written_again(given_span):
    """to_json holds JSON types only and sorted lists, so that its canonical form exists and is stable."""
    form = translated(*given_span).to_json()
    assert orjson.loads(orjson.dumps(form)) == form
    for paths in form.get("loss", {}).values():
        assert paths == sorted(paths)
    mapped = form.get("mapped", {})
    keys = [pair["key"] for pair in mapped.get("attributes", [])]
    assert keys == sorted(keys)
    assert mapped.get("removed", []) == sorted(mapped.get("removed", []))


@given(st.lists(spans(), max_size=6))
@settings(max_examples=times(0.5))
def test_accounts_of_parts_add_up_to_the_account_of_the_whole(many):
    """merge(account(a), account(b)) reports what account(a + b) reports."""
    whole, parts = Account(), [Account(), Account()]
    for at, (span, scope) in enumerate(many):
        view = otlp_json.span_view(span, otlp_json.surroundings({}, scope))
        translation = TRANSLATOR.span(view)
        whole.add(view, translation)
        parts[at * 2 // max(1, len(many))].add(view, translation)
    parts[0].merge(parts[1])
    assert parts[0].report() == whole.report()


@given(logs())
def test_any_log_record_is_translated_and_balances(view):
    translation = TRANSLATOR.log(view)
    assert translation.tally.balanced, translation.tally
    assert sum(loss.atoms for loss in translation.loss) == translation.tally.dropped
    assert orjson.loads(orjson.dumps(translation.to_json())) == translation.to_json()


@given(metrics())
def test_any_metric_is_translated_and_balances(view):
    translation = TRANSLATOR.metric(view)
    assert translation.tally.balanced, translation.tally
    assert sum(loss.atoms for loss in translation.loss) == translation.tally.dropped
    assert orjson.loads(orjson.dumps(translation.to_json())) == translation.to_json()


@given(spans(), logs(), metrics())
def test_no_view_is_written_to(given_span, log, metric):
    span, scope = given_span
    views = [
        (TRANSLATOR.span, otlp_json.span_view(span, otlp_json.surroundings({}, scope))),
        (TRANSLATOR.log, log),
        (TRANSLATOR.metric, metric),
    ]
    for translate, view in views:
        before = copy.deepcopy(asdict(view))
        translation = translate(view)
        for values in (translation.attributes, *(point.attributes for point in translation.points)):
            values.clear()  # what comes out is the caller's: not a part of the input, nor of a table
        assert exactly(asdict(view), before)


@given(spans(), logs(), metrics(), st.permutations(TRANSLATOR.profiles))
@settings(max_examples=times(0.4))
def test_the_order_of_profiles_says_nothing_and_neither_does_what_came_before(given_span, log, metric, profiles):
    """A translator that was given its profiles in another order, and has seen nothing, says the same."""
    span, scope = given_span
    view = otlp_json.span_view(span, otlp_json.surroundings({}, scope))
    other = Translator(TRANSLATOR.target, profiles, TRANSLATOR.message_shapes)
    assert exactly(asdict(other.span(view)), asdict(TRANSLATOR.span(view)))
    assert exactly(asdict(other.log(log)), asdict(TRANSLATOR.log(log)))
    assert exactly(asdict(other.metric(metric)), asdict(TRANSLATOR.metric(metric)))


def test_neither_the_order_of_sets_nor_the_process_changes_a_translation():
    """Strings hash otherwise in every process: what is said may not depend on it, to the order of every list."""
    code = "from tests.semconv.translated import said_of_everything; print(said_of_everything())"
    root = Path(__file__).parents[2]
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code], cwd=root, env={"PYTHONHASHSEED": seed}, stdout=subprocess.PIPE, text=True
        )
        for seed in ("0", "1")
    ]
    said = {run.communicate(timeout=100)[0].strip() for run in runs}
    assert said == {said_of_everything()}


@given(VALUES)
def test_otlp_json_gives_back_the_value(value):
    """plain(any_value(v)) == v; NaN equals nothing, so it is compared by its form."""
    again = otlp_json.plain(otlp_json.any_value(value))
    assert otlp_json.any_value(again) == otlp_json.any_value(value)
    assert type(again) is type(value)


def test_messages_read_once_read_as_themselves():
    """What the translation writes conforms to the target's shape whenever its source said enough to."""
    span = {
        "name": "x",
        "attributes": otlp_json.key_values(
            {
                "openinference.span.kind": "LLM",
                "llm.input_messages.0.message.role": "user",
                "llm.input_messages.0.message.contents.0.message_content.type": "image",
                "llm.input_messages.0.message.contents.0.message_content.image.image.url": "data:image/png;base64,aGk=",
            }
        ),
    }
    messages = document(translated(span, {}).attributes["gen_ai.input.messages"])
    assert messages == [
        {"role": "user", "parts": [{"type": "blob", "mime_type": "image/png", "modality": "image", "content": "aGk="}]}
    ]
    assert conforms("input_messages", messages, TRANSLATOR.message_shapes)
