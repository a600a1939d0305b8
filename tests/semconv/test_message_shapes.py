"""Messages, tools and documents as providers and frameworks write them, each beside what it reads as."""

import copy
import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semconv import otlp_json, table
from semconv.messages.conformity import conforms
from semconv.messages.messages import read
from semconv.messages.shapes import Shapes
from semconv.python_repr import parse_repr
from semconv.value import JSON_DEPTH_MAX, document
from tests.semconv.strategies import TRANSLATOR
from tests.semconv.test_shapes import SCHEMAS
from tests.tools.examples import times

SHAPES = table.read(table.builtin("tables", "messages.yaml"), "messages.yaml", Shapes.from_table)
CASES = [
    pytest.param(case, id=f"{group}: {name}")
    for group, cases in yaml.safe_load(
        (Path(__file__).parent / "message_shapes.yaml").read_text(encoding="utf-8")
    ).items()
    for name, case in cases.items()
]
KEYS = {
    "input_messages": "gen_ai.input.messages",
    "output_messages": "gen_ai.output.messages",
    "system_instructions": "gen_ai.system_instructions",
    "tool_definitions": "gen_ai.tool.definitions",
    "retrieval_documents": "gen_ai.retrieval.documents",
}
WORD = re.compile(r"\w+")
TOLD = {"none", "true", "false", "data", "base64"}
"""Words that are how a thing is written."""


def reading(case):
    role = "assistant" if case["shape"] == "output_messages" else "user"
    return read(case["shape"], case["body"], SHAPES, role=role)


def words(value):
    """Every word of every value in a document."""
    if isinstance(value, dict):
        return {word for member in value.values() for word in words(member)}
    if isinstance(value, list):
        return {word for item in value for word in words(item)}
    found = (document(value) or parse_repr(value)) if isinstance(value, str) else None
    return words(found) if found is not None else {word.lower() for word in WORD.findall(str(value))}


def vocabulary():
    """The words that the table gives a meaning: said in the target's words, they need not be said again."""
    known = [*SHAPES.roles, *SHAPES.finish_reasons, *SHAPES.message.kinds, *SHAPES.by_type, *SHAPES.mime_types]
    return TOLD | {word.lower() for name in known for word in WORD.findall(name)} | {"chatmessage", "textcontent"}


@pytest.mark.parametrize("case", CASES)
def test_a_body_reads_as_written_beside_it(case):
    found = reading(case)
    if case["reads"] is None:
        assert found is None
        return
    assert found is not None
    assert found.value == case["reads"]
    assert found.rest == case.get("rest", {})
    assert sorted(found.notes) == case.get("notes", [])


@pytest.mark.parametrize("case", [case for case in CASES if case.values[0]["reads"]])
def test_what_a_body_reads_as_is_valid_and_reads_as_itself(case):
    assert not [error.message for error in SCHEMAS[KEYS[case["shape"]]].iter_errors(case["reads"])]
    again = reading({**case, "body": case["reads"]})
    assert again is not None
    assert again.value == case["reads"]
    assert not again.rest


@pytest.mark.parametrize("case", [case for case in CASES if case.values[0]["reads"]])
def test_every_word_of_a_body_is_in_its_reading_or_its_rest(case):
    written = json.dumps(
        [case["reads"], case.get("rest", {})]
    )  # with names: those in a text of Python's become members
    assert words(case["body"]) - vocabulary() <= {word.lower() for word in WORD.findall(written)}


# ------------------------------------------------------------------ whatever the table can be asked

SPECS = sorted(
    {spec for specs in (*SHAPES.by_type.values(), *SHAPES.by_member.values()) for spec in specs},
    key=lambda spec: spec.place,
)
KINDS = sorted(SHAPES.by_type)


def put(item, path, value):
    """The value at a path of an object, unless something else is in the way."""
    for step in path[:-1]:
        item = item.setdefault(step, {})
        if not isinstance(item, dict):
            return
    item.setdefault(path[-1], value)


@st.composite
def parts(draw, nesting=1):
    """A part made of fields some row of the table asks for, of its kind or another, with what it never heard of."""
    item = {}
    if draw(st.booleans()):
        item[draw(st.sampled_from(SHAPES.part_types))] = draw(st.sampled_from(KINDS) | st.just("unheard_of"))
    for spec in draw(st.lists(st.sampled_from(SPECS), min_size=1, max_size=2)):
        for path, value in draw(st.lists(st.sampled_from(spec.when), max_size=2)) if spec.when else ():
            put(item, path, value)
        for _, paths in draw(st.lists(st.sampled_from(spec.fields), max_size=4)) if spec.fields else ():
            value = st.just("word") | st.none() | st.just(7)
            value |= st.lists(parts(nesting=nesting - 1) if nesting else st.just("word"), max_size=2)
            put(item, draw(st.sampled_from(paths)), draw(value))
    item.update(draw(st.dictionaries(st.sampled_from(["x", "id", "name", "status"]), st.just("word"), max_size=2)))
    return item


@st.composite
def messages(draw):
    """A message made of fields the table asks for."""
    spec = SHAPES.message
    item = draw(
        st.fixed_dictionaries(
            {},
            optional={"role": st.sampled_from([*SHAPES.roles, "developer", ""]), "extra": st.just("word") | st.none()},
        )
    )
    texts = (*spec.name, *spec.finish_reason, *spec.answers, *spec.kind, *spec.speaker)
    for path in draw(st.lists(st.sampled_from(texts), max_size=2)):
        put(item, path, draw(st.sampled_from(["word", "stop", "tool_calls", "human", "AIMessage"]) | st.just(7)))
    held = (*spec.parts, *spec.further_parts, *[path for path, _ in (*spec.before, *spec.after)])
    for path in draw(st.lists(st.sampled_from(held), max_size=3)):
        put(item, path, draw(st.just("word") | st.none() | parts() | st.lists(parts() | st.just("word"), max_size=2)))
    for _, inside, _ in draw(st.lists(st.sampled_from(SHAPES.wrappers), max_size=1)):
        item = {inside: item, "type": draw(st.sampled_from(["human", "constructor"])), "lc": 1}
    return item


def told_apart(body):
    """The body with each `word` another word, and how many there are."""
    count = 0

    def renamed(value):
        nonlocal count
        if isinstance(value, dict):
            return {name: renamed(member) for name, member in value.items()}
        if isinstance(value, list):
            return [renamed(item) for item in value]
        if value == "word":
            count += 1
            return f"word{count}"
        return value

    return renamed(body), count


ANY = settings(max_examples=times(0.8), suppress_health_check=list(HealthCheck))
BODY = st.lists(messages() | parts(), min_size=1, max_size=2) | st.builds(
    lambda name, body: {name: body, "beside": "word"},
    st.sampled_from(SHAPES.envelopes),
    st.lists(messages(), max_size=2),
)


@pytest.mark.parametrize("shape", ["output_messages", "system_instructions"])
@given(body=BODY)
@ANY
def test_whatever_the_table_asks_for_is_read_without_loss_and_once(shape, body):
    """Total; nothing is changed; no word disappears; what was read reads as itself."""
    body, count = told_apart(body)
    before = copy.deepcopy(body)
    found = read(shape, body, SHAPES)
    assert body == before
    if found is None:
        return
    written = json.dumps([found.value, found.rest])
    missing = [f"word{number}" for number in range(1, count + 1) if f'"word{number}"' not in written]
    assert not missing, (missing, found.value, found.rest)
    again = read(shape, found.value, SHAPES)
    assert again is not None
    assert again.value == found.value


def test_parts_inside_each_other_without_end_are_read_all_the_same():
    part = {"type": "text", "content": "word"}
    for _ in range(2000):
        part = {"type": "thinking", "thinking": [part]}
    body = [{"role": "assistant", "content": [part]}]
    found = read("output_messages", body, SHAPES)
    assert found.value[0]["role"] == "assistant"


def test_envelopes_inside_each_other_are_opened_a_few_times_only():
    body = {"role": "user", "content": "hi"}
    for _ in range(JSON_DEPTH_MAX * 100):
        body = {"messages": [body]}
    assert read("input_messages", body, SHAPES) is None


# ------------------------------------------------------------------ the target's own key

MINE = [{"role": "assistant", "parts": [{"type": "text", "content": "hi"}], "finish_reason": "stop"}]


@pytest.mark.parametrize(
    ("change", "reads"),
    [
        ({"finish_reason": "end_turn"}, {"finish_reason": "stop"}),
        ({"role": "model"}, {"role": "assistant"}),
        ({"parts": [{"type": "thinking", "content": "hm"}]}, {"parts": [{"type": "reasoning", "content": "hm"}]}),
        (
            {"parts": [{"type": "tool-f", "toolCallId": "c", "input": {}}]},
            {"parts": [{"type": "tool_call", "id": "c", "name": "f", "arguments": {}}]},
        ),
    ],
)
def test_a_word_of_another_s_in_messages_that_are_right_otherwise_is_said_in_the_target_s(change, reads):
    assert conforms("output_messages", MINE, SHAPES)
    body = [{**MINE[0], **change}]
    assert not conforms("output_messages", body, SHAPES)
    assert read("output_messages", body, SHAPES).value == [{**MINE[0], **reads}]


def test_the_provider_s_own_word_for_an_end_is_kept_beside_the_messages():
    view = otlp_json.span_view(
        {
            "attributes": otlp_json.key_values(
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.output.messages": json.dumps([{**MINE[0], "finish_reason": "end_turn"}]),
                }
            )
        },
        otlp_json.surroundings({}, {}),
    )
    found = TRANSLATOR.span(view).attributes
    assert json.loads(found["gen_ai.output.messages"]) == MINE
    assert found["gen_ai.response.finish_reasons"] == ["end_turn"]


def test_a_list_of_parts_that_is_the_text_of_a_flat_attribute_is_these_parts():
    blocks = [{"type": "text", "text": "look"}, {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}]
    attributes = {
        "openinference.span.kind": "LLM",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": json.dumps(blocks),
        "llm.input_messages.1.message.role": "assistant",
        "llm.input_messages.1.message.tool_calls.0.tool_call.id": "c",
        "llm.input_messages.1.message.tool_calls.0.tool_call.function.name": "f",
        "llm.input_messages.1.message.tool_calls.0.tool_call.function.arguments": '{"x": 1}',
        "llm.input_messages.2.message.role": "user",
        "llm.input_messages.2.message.content": '[{"a": 1}]',
    }
    view = otlp_json.span_view({"attributes": otlp_json.key_values(attributes)}, otlp_json.surroundings({}, {}))
    messages = json.loads(TRANSLATOR.span(view).attributes["gen_ai.input.messages"])
    assert [part["type"] for part in messages[0]["parts"]] == ["text", "uri"]
    assert messages[1]["parts"] == [{"type": "tool_call", "id": "c", "name": "f", "arguments": {"x": 1}}]
    assert messages[2]["parts"] == [{"type": "text", "content": '[{"a": 1}]'}]
