"""Laminar: spans made by hand from the source of lmnr 0.7.60. There is no recording of it."""

import json

from tests.semconv.golden import lost, made, new
from tests.semconv.lawful import translate

AROUND = {
    "lmnr.span.path": ["run", "look"],
    "lmnr.span.ids_path": ["00000000-0000-0000-0000-000000000001"],
    "lmnr.span.instrumentation_source": "python",
    "lmnr.span.sdk_version": "0.7.60",
    "lmnr.span.language_version": "python@3.11",
}
AROUND_LOST = {
    "lmnr.span.path": "derivable",
    "lmnr.span.ids_path": "internal_id",
    "lmnr.span.instrumentation_source": "vendor_internal",
    "lmnr.span.sdk_version": "vendor_internal",
    "lmnr.span.language_version": "vendor_internal",
}


def test_an_observed_tool_takes_its_name_from_the_span(translator):
    attributes = {**AROUND, "lmnr.span.type": "TOOL", "lmnr.span.input": '{"x":1}', "lmnr.span.output": '"a cat"'}
    found = translate(translator, made("lmnr.tracer", "look", attributes))
    assert found.name == "execute_tool look"
    assert found.attributes == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "look",
        "gen_ai.tool.call.arguments": '{"x":1}',
        "gen_ai.tool.call.result": '"a cat"',
    }
    assert lost(found) == AROUND_LOST


def test_a_model_call_written_by_hand(translator):
    attributes = {
        **AROUND,
        "lmnr.span.type": "LLM",
        "lmnr.span.input": json.dumps([{"role": "user", "content": "Hi"}]),
        "lmnr.span.output": json.dumps([{"role": "assistant", "content": "Ho"}]),
        "lmnr.association.properties.session_id": "s-1",
        "lmnr.association.properties.user_id": "u-1",
        "lmnr.association.properties.tags": ["a"],
        "lmnr.association.properties.metadata.region": "eu",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 2,
        "llm.usage.total_tokens": 5,
        "gen_ai.usage.cache_read_input_tokens": 1,
        "gen_ai.usage.cost": 0.1,
    }
    found = translate(translator, made("lmnr.tracer", "call", attributes))
    assert (found.name, found.kind) == ("chat gpt-5", 3)  # of its own spans it sets no kind
    assert new(found) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}],
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "Ho"}]}],
        "gen_ai.conversation.id": "s-1",
        "gen_ai.usage.cache_read.input_tokens": 1,
        "user.id": "u-1",
    }
    assert "llm.usage.total_tokens" in found.removed
    assert lost(found) == {
        **AROUND_LOST,
        "@name": "name_changed",
        "gen_ai.usage.cost": "no_concept",
        "lmnr.association.properties.metadata.region": "user_defined",
        "lmnr.association.properties.tags": "user_defined",
    }
    assert not found.unknown


def test_the_arguments_of_any_function_are_no_messages(translator):
    found = translate(translator, made("lmnr.tracer", "step", {"lmnr.span.type": "DEFAULT", "lmnr.span.input": "{}"}))
    assert not found.changed
    assert lost(found) == {"lmnr.span.type": "enum_no_equivalent", "lmnr.span.input": "unstructured"}
    found = translate(translator, made("lmnr.tracer", "ask", {"lmnr.span.type": "LLM", "lmnr.span.input": '{"q":1}'}))
    assert lost(found)["lmnr.span.input"] == "unstructured"


def test_its_instrumentations_write_the_keys_of_openllmetry(translator):
    attributes = {
        **AROUND,
        "llm.request.type": "chat",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": "Hi",
    }
    scope = "lmnr.opentelemetry_lib.opentelemetry.instrumentation.openai.v1"
    found = translate(translator, made(scope, "openai.chat", attributes, kind=3))
    assert set(found.profiles) >= {"laminar", "openllmetry"}
    assert found.name == "chat gpt-5"
    assert new(found)["gen_ai.input.messages"] == [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]
    assert not found.unknown
