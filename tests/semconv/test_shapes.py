"""The message model: every known shape comes out in the target's, checked by JSON Schemas written from the conventions."""

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semconv import table
from semconv.messages.conformity import conforms
from semconv.messages.messages import read
from semconv.messages.shapes import Shapes
from semconv.value import document
from tests.semconv.golden import translate
from tests.semconv.recorded import recorded
from tests.semconv.strategies import ENVELOPE, MESSAGE, PART
from tests.tools.examples import times

SHAPES = table.read(table.builtin("tables", "messages.yaml"), "messages.yaml", Shapes.from_table)

# From the conventions' own description of the values, independent of the code: known part types against their own shape
# first, any other object with a type last.
TEXT = {"type": ["string", "null"]}


def part(kind: str, required: list[str], **properties: object) -> dict:
    return {
        "if": {"properties": {"type": {"const": kind}}, "required": ["type"]},
        "then": {"properties": properties, "required": required},
    }


PART_SCHEMA = {
    "type": "object",
    "required": ["type"],
    "properties": {"type": {"type": "string"}},
    "allOf": [
        part("text", ["content"], content={"type": "string"}),
        part("tool_call", ["name"], name={"type": "string"}, id=TEXT),
        part("tool_call_response", ["response"], id=TEXT),
        part("reasoning", ["content"], content={"type": "string"}),
        part("blob", ["modality", "content"], modality={"type": "string"}, content={"type": "string"}, mime_type=TEXT),
        part("uri", ["modality", "uri"], modality={"type": "string"}, uri={"type": "string"}, mime_type=TEXT),
        part("file", ["modality", "file_id"], modality={"type": "string"}, file_id={"type": "string"}, mime_type=TEXT),
    ],
}
MESSAGES_SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["role", "parts"],
        "properties": {
            "role": {"type": "string"},
            "parts": {"type": "array", "items": PART_SCHEMA},
            "name": TEXT,
            "finish_reason": TEXT,
        },
    },
}
DEFINITIONS_SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["type", "name"],
        "properties": {"type": {"type": "string"}, "name": {"type": "string"}, "description": TEXT},
        "not": {"required": ["function"]},
    },
}
SCHEMAS = {
    "gen_ai.input.messages": jsonschema.Draft202012Validator(MESSAGES_SCHEMA),
    "gen_ai.output.messages": jsonschema.Draft202012Validator(MESSAGES_SCHEMA),
    "gen_ai.system_instructions": jsonschema.Draft202012Validator({"type": "array", "items": PART_SCHEMA}),
    "gen_ai.tool.definitions": jsonschema.Draft202012Validator(DEFINITIONS_SCHEMA),
    "gen_ai.retrieval.documents": jsonschema.Draft202012Validator({"type": "array", "items": {"type": "object"}}),
}


SILENCE = {"'content' is a required property", "'response' is a required property", "None is not of type 'string'"}


def test_every_structure_written_for_a_recorded_span_is_valid(translator):
    checked = silent = 0
    for item in recorded("traces"):
        translation = translate(translator, item)
        for key in SCHEMAS.keys() & translation.attributes.keys():
            body = document(translation.attributes[key])
            errors = {error.message for error in SCHEMAS[key].iter_errors(body)}
            # Where content was not captured, or is encrypted, a part says nothing, and nothing is invented.
            assert errors <= SILENCE, (str(item), key, errors)
            silent += bool(errors)
            checked += 1
    assert checked > 700
    assert silent < 20


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("hi", [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]),
        (["a", "b"], [{"role": "user", "parts": [{"type": "text", "content": text}]} for text in "ab"]),
        ([["human", "hi"]], [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]),
        (
            [{"role": "model", "parts": [{"text": "a"}, {"functionCall": {"name": "f", "args": {"x": 1}}}]}],
            [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "text", "content": "a"},
                        {"type": "tool_call", "name": "f", "arguments": {"x": 1}},
                    ],
                }
            ],
        ),
        (
            [
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}],
                }
            ],
            [{"role": "assistant", "parts": [{"type": "tool_call", "id": "c", "name": "f", "arguments": {"x": 1}}]}],
        ),
        (
            [{"role": "tool", "tool_call_id": "c", "content": "42", "name": "f"}],
            [{"role": "tool", "parts": [{"type": "tool_call_response", "response": "42", "id": "c"}], "name": "f"}],
        ),
        (
            [
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": "c", "content": "42", "is_error": True}],
                }
            ],
            [
                {
                    "role": "tool",
                    "parts": [{"type": "tool_call_response", "id": "c", "response": "42", "is_error": True}],
                }
            ],
        ),
        (
            [
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "hm", "signature": "sig"},
                        {"type": "redacted_thinking", "data": "x"},
                    ],
                }
            ],
            [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "reasoning", "content": "hm", "signature": "sig"},
                        {"type": "redacted_thinking", "data": "x"},
                    ],
                }
            ],
        ),
        (
            [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "look", "cache_control": {"type": "ephemeral"}},
                        {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
                    ],
                }
            ],
            [
                {
                    "role": "user",
                    "parts": [
                        {"type": "text", "content": "look", "cache_control": {"type": "ephemeral"}},
                        {"type": "uri", "modality": "image", "uri": "https://x/y.png", "image_url": {"detail": "low"}},
                    ],
                }
            ],
        ),
        (
            [
                {
                    "role": "user",
                    "content": [
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}
                    ],
                }
            ],
            [
                {
                    "role": "user",
                    "parts": [
                        {
                            "type": "blob",
                            "mime_type": "image/png",
                            "modality": "image",
                            "content": "aGk=",
                            "source": {"type": "base64"},
                        }
                    ],
                }
            ],
        ),
        (
            {
                "choices": [
                    {"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": "a"}}
                ]
            },
            [
                {
                    "role": "assistant",
                    "parts": [{"type": "text", "content": "a"}],
                    "finish_reason": "tool_call",
                    "index": 0,
                }
            ],
        ),
        (
            [{"lc": 1, "type": "constructor", "id": ["m"], "kwargs": {"content": "a", "type": "ai", "id": "r"}}],
            [
                {
                    "role": "assistant",
                    "parts": [{"type": "text", "content": "a"}],
                    "id": "r",
                    "lc": 1,
                    "source_type": "constructor",
                    "source_id": ["m"],
                }
            ],
        ),
        (
            [
                {"type": "function_call", "call_id": "c", "id": "fc", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c", "output": "1"},
            ],
            [
                {
                    "role": "assistant",
                    "parts": [{"type": "tool_call", "id": "c", "name": "f", "arguments": {}, "source_id": "fc"}],
                },
                {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c", "response": "1"}]},
            ],
        ),
        ([{"role": "developer", "content": "d"}], [{"role": "developer", "parts": [{"type": "text", "content": "d"}]}]),
        (
            [{"role": "user", "parts": [{"type": "of_the_future", "x": 1}]}],
            [{"role": "user", "parts": [{"type": "of_the_future", "x": 1}]}],
        ),
    ],
)
def test_messages_of_every_kind(body, expected):
    reading = read("input_messages", body, SHAPES)
    assert reading is not None
    assert reading.value == expected
    assert conforms("input_messages", reading.value, SHAPES)


@pytest.mark.parametrize("octets", [[104, 105], {"type": "Buffer", "data": [104, 105]}])
@pytest.mark.parametrize(("type_", "member"), [("image", "image"), ("image", "data"), ("file", "data")])
def test_bytes_that_are_written_as_numbers_are_a_blob(octets, type_, member):
    (message,) = read(
        "input_messages",
        [{"role": "user", "content": [{"type": type_, member: octets, "mediaType": "image/png"}]}],
        SHAPES,
    ).value
    assert message["parts"] == [{"type": "blob", "mime_type": "image/png", "modality": "image", "content": "aGk="}]


@pytest.mark.parametrize(
    "numbers", [[], [256], [-1], [1.0], [True], ["a"], {"type": "Buffer"}, {"type": "Other", "data": [1]}]
)
def test_numbers_that_are_no_bytes_stay_as_they_are(numbers):
    (message,) = read(
        "input_messages", [{"role": "user", "content": [{"type": "image", "image": numbers}]}], SHAPES
    ).value
    assert message["parts"] == [{"type": "image", "image": numbers}]


@pytest.mark.parametrize("body", [[1], [[1, 2]], [{"odd": True}], 7, None, True, [None]])
def test_a_body_of_no_known_shape_is_none(body):
    assert read("input_messages", body, SHAPES) is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            [{"name": "f", "description": "d", "input_schema": {"type": "object"}}],
            {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}},
        ),
        (
            [{"type": "function", "function": {"name": "f", "parameters": {}, "strict": True}}],
            {"type": "function", "name": "f", "parameters": {}, "strict": True},
        ),
        (
            [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}],
            {"type": "function", "name": "f", "parameters": {"type": "object"}},
        ),
        (
            [{"function_declarations": [{"name": "f", "parameters_json_schema": {}}]}],
            {"type": "function", "name": "f", "parameters": {}},
        ),
        (['{"name": "f"}'], {"type": "function", "name": "f"}),
        ([{"type": "web_search"}], {"type": "web_search", "name": "web_search"}),
        (
            [{"name": "f", "json_schema": '{"type": "object", "properties": {}}'}],
            {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}},
        ),
    ],
)
def test_tool_definitions_of_every_kind(body, expected):
    reading = read("tool_definitions", body, SHAPES)
    assert reading is not None
    assert reading.value == [expected]


def test_finish_reasons_keep_the_source_s_word_beside_the_target_s():
    reading = read("output_messages", [{"role": "assistant", "content": "a", "finish_reason": "end_turn"}], SHAPES)
    assert reading.value[0]["finish_reason"] == "stop"
    assert reading.finish_reasons == ["end_turn"]


def test_a_call_that_stands_twice_is_told_once():
    call = {"id": "c", "name": "f", "arguments": '{"x": 1}'}
    body = [
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {"x": 1}}],
            "tool_calls": [call],
        }
    ]
    reading = read("output_messages", body, SHAPES)
    assert reading.value[0]["parts"] == [{"type": "tool_call", "id": "c", "name": "f", "arguments": {"x": 1}}]
    assert reading.derivable == 3


def test_the_order_of_text_and_calls_is_noted_as_unknown_where_it_is():
    body = [{"role": "assistant", "content": "a", "tool_calls": [{"id": "c", "name": "f"}]}]
    assert read("output_messages", body, SHAPES).notes == {"order_unknown"}


BODIES = st.one_of(MESSAGE, ENVELOPE, st.lists(MESSAGE, max_size=3), st.lists(PART, max_size=3), st.text(max_size=5))
ANY = settings(max_examples=times(1.5))


@pytest.mark.parametrize(
    "shape", ["input_messages", "output_messages", "system_instructions", "tool_definitions", "retrieval_documents"]
)
@given(body=BODIES)
@ANY
def test_what_was_read_once_reads_as_itself(shape, body):
    """read(read(x)) == read(x), for any body a shape is read from."""
    reading = read(shape, body, SHAPES)
    if reading is None:
        return
    again = read(shape, reading.value, SHAPES)
    assert again is not None
    assert again.value == reading.value


@given(body=BODIES)
@ANY
def test_reading_never_changes_what_it_reads(body):
    import copy

    before = copy.deepcopy(body)
    for shape in ("input_messages", "system_instructions", "tool_definitions", "retrieval_documents"):
        read(shape, body, SHAPES)
    assert body == before
