"""MLflow tracing: what recorded calls become, and why."""

from semconv.value import document
from semconv.view import SpanView
from tests.semconv.golden import lost
from tests.semconv.recorded import span

MLFLOW = "mlflow-openai@*"
CLIENT = 3


def test_a_call_is_its_request_and_its_answer(translated):
    """Both are recorded whole: messages, parameters, usage and identity each go where the target has them."""
    found = translated(span(MLFLOW, "structured_output", "Completions"))
    assert (found.name, found.kind) == ("chat gpt-4o-mini", CLIENT)
    answers = document(found.attributes.pop("gen_ai.output.messages"))
    assert [(message["index"], message["finish_reason"]) for message in answers] == [(0, "stop"), (1, "stop")]
    assert answers[1]["parts"] == [{"type": "text", "content": '{"city": "Paris", "confidence": 25}'}]
    assert found.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o-mini",  # without the quotes of its JSON
        "gen_ai.request.choice.count": 2,
        "gen_ai.output.type": "json",
        "gen_ai.response.id": "chatcmpl-efed35b762344a4d96f5daa2",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.response.finish_reasons": ["stop", "stop"],
        "openai.response.service_tier": "default",
        "openai.response.system_fingerprint": "fp_44709d6fcb",
        "gen_ai.usage.input_tokens": 34,
        "gen_ai.usage.output_tokens": 9,
        "gen_ai.usage.cache_read.input_tokens": 17,
        "gen_ai.usage.reasoning.output_tokens": 0,
        "gen_ai.usage.audio.input_tokens": 0,
        "gen_ai.usage.audio.output_tokens": 0,
        "gen_ai.input.messages": '[{"role":"system","parts":[{"type":"text","content":"You are a helpful assistant. Be brief."}]},'
        '{"role":"user","parts":[{"type":"text","content":"What is the capital of France?"}]}]',
    }
    assert {"model", "n", "mlflow.chat.tokenUsage"} <= {*found.removed}  # said once more, and equal
    assert lost(found)["mlflow.spanInputs#/response_format"] == "partial_no_concept"  # the schema
    assert lost(found)["mlflow.traceRequestId"] == "derivable"


def test_what_the_responses_api_is_told_is_instructions(translated):
    found = translated(span(MLFLOW, "responses_tools_reasoning", "Responses"))
    assert document(found.attributes["gen_ai.system_instructions"]) == [
        {"type": "text", "content": "You are a helpful assistant. Be brief."}
    ]
    assert [tool["name"] for tool in document(found.attributes["gen_ai.tool.definitions"])] == [
        "get_weather",
        "get_time",
        "add",
    ]
    parts = [part for message in document(found.attributes["gen_ai.output.messages"]) for part in message["parts"]]
    assert [part["type"] for part in parts] == ["reasoning", "tool_call", "tool_call"]
    assert parts[1]["id"] == "call_f60c0aef93cf4a5386a8"  # the id that is answered, not the item's own
    assert {"instructions", "tools", "mlflow.chat.tools"} <= {*found.removed}


def test_an_embedding_has_its_dimensions_and_loses_texts_and_vectors(translated):
    found = translated(span(MLFLOW, "embeddings", "Embeddings"))
    assert (found.name, found.kind) == ("embeddings text-embedding-3-small", CLIENT)
    assert found.attributes["gen_ai.embeddings.dimension.count"] == 8
    assert found.attributes["gen_ai.usage.input_tokens"] == 10
    assert lost(found)["mlflow.spanOutputs#/data"] == lost(found)["mlflow.spanInputs#/input"] == "no_concept"


def test_a_call_that_failed_has_the_model_asked_for(translated):
    found = translated(span(MLFLOW, "timeout", "Completions"))
    assert found.name == "chat gpt-4o-slow"
    assert "gen_ai.response.model" not in found.attributes
    assert found.attributes["error.type"]


def test_a_tool_s_span_has_arguments_and_result_as_they_are(translator):
    found = translator.span(
        SpanView(
            scope_name="mlflow.tracing.fluent",
            name="get_weather",
            attributes={
                "mlflow.spanType": '"TOOL"',
                "mlflow.spanFunctionName": '"get_weather"',
                "mlflow.spanInputs": '{"city": "Paris"}',
                "mlflow.spanOutputs": '"18C"',
                "mlflow.trace.session": '"s-1"',
                "mlflow.traceRequestId": '"tr-1"',
            },
        )
    )
    assert found.name == "execute_tool get_weather"
    assert found.attributes == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "get_weather",
        "gen_ai.tool.call.arguments": '{"city": "Paris"}',
        "gen_ai.tool.call.result": '"18C"',
        "gen_ai.conversation.id": "s-1",
    }


def test_a_chain_says_no_operation_and_its_tokens_are_its_calls_(translator):
    found = translator.span(
        SpanView(
            name="chain",
            attributes={
                "mlflow.spanType": '"CHAIN"',
                "mlflow.spanInputs": '{"question": "?"}',
                "mlflow.chat.tokenUsage": '{"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}',
            },
        )
    )
    assert not found.attributes
    assert lost(found) == {
        "mlflow.spanType": "enum_no_equivalent",
        "mlflow.spanInputs": "unstructured",
        "mlflow.chat.tokenUsage": "aggregate",
    }
