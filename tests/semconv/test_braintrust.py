"""Braintrust's ingestion contract: what its overrides become, and why. No recording is at hand."""

import pytest

from semconv.value import document
from semconv.view import SpanView
from tests.semconv.golden import lost

CLIENT, INTERNAL = 3, 1


@pytest.fixture
def logged(translator):
    return lambda attributes: translator.span(SpanView(name="logged", kind=INTERNAL, attributes=attributes))


@pytest.mark.parametrize("key", ["braintrust.span_attributes", "braintrust.span_attributes.type"])
def test_a_model_s_span_has_messages_metrics_and_the_request_s_metadata(logged, key):
    found = logged(
        {
            key: "llm" if key.endswith("type") else '{"type":"llm"}',
            "braintrust.parent": "project_name:x",
            "braintrust.input_json": '[{"role": "user", "content": "Hi"}]',
            "braintrust.output_json": '[{"message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]',
            "braintrust.metadata": '{"model": "gpt-4o", "provider": "openai", "temperature": 0.5, "team": "a"}',
            "braintrust.metrics": '{"prompt_tokens": 3, "completion_tokens": 4, "tokens": 7, "prompt_cached_tokens": 1}',
        }
    )
    assert (found.name, found.kind) == ("chat gpt-4o", CLIENT)
    assert document(found.attributes["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "Hi"}]}
    ]
    assert document(found.attributes["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "Hello"}], "finish_reason": "stop"}
    ]
    assert found.attributes["gen_ai.provider.name"] == "openai"
    assert found.attributes["gen_ai.request.temperature"] == 0.5
    assert found.attributes["gen_ai.usage.input_tokens"] == 3
    assert found.attributes["gen_ai.usage.cache_read.input_tokens"] == 1
    assert {"braintrust.metrics", "braintrust.input_json"} <= {*found.removed}
    assert lost(found) == {
        "@name": "name_changed",
        "braintrust.parent": "vendor_internal",
        "braintrust.metadata#/team": "user_defined",
    }


def test_a_tool_has_arguments_and_result(logged):
    found = logged(
        {"braintrust.span_attributes.type": "tool", "braintrust.input_json": '{"x": 1}', "braintrust.output_json": "2"}
    )
    assert found.attributes["gen_ai.tool.call.arguments"] == '{"x": 1}'
    assert found.attributes["gen_ai.tool.call.result"] == "2"


def test_an_evaluation_s_task_is_no_operation_and_its_scores_have_no_home_on_a_span(logged):
    found = logged(
        {
            "braintrust.span_attributes": '{"type":"task"}',
            "braintrust.input_json": '{"question": "?"}',
            "braintrust.expected": '"!"',
            "braintrust.scores": '{"exact": 1}',
            "braintrust.metrics": '{"prompt_tokens": 3}',
        }
    )
    assert not found.attributes
    assert lost(found) == {
        "braintrust.span_attributes": "enum_no_equivalent",
        "braintrust.input_json": "unstructured",
        "braintrust.expected": "no_concept",
        "braintrust.scores": "no_concept",
        "braintrust.metrics": "aggregate",
    }


def test_what_the_instrumentation_says_of_the_model_s_messages_stands(logged):
    """An override and an attribute of the conventions on one span: the conventions' own is heard first."""
    own = '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]'
    found = logged(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": own,
            "braintrust.input_json": '[{"role": "user", "content": "Other"}]',
        }
    )
    assert "gen_ai.input.messages" not in found.attributes
    assert lost(found)["braintrust.input_json"] == "superseded"
