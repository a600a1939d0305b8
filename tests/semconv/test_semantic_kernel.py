"""Semantic Kernel, Python and .NET: what recorded spans become, and why."""

from semconv import otlp_json
from tests.semconv.golden import lost, made, new, translate
from tests.semconv.recorded import recorded, span

PRODUCER = "semantic-kernel-native@*"


def test_a_call_that_ended_in_calls_of_tools(translator):
    found = translate(translator, span(PRODUCER, "tools_loop.nocontent", "chat gpt-4o-mini"))
    assert found.profiles == ("otel_genai", "otel_legacy_genai", "semantic_kernel")
    assert new(found) == {
        "gen_ai.provider.name": "openai",
        "gen_ai.response.finish_reasons": ["tool_calls"],  # FinishReason.TOOL_CALLS, as Python prints the member
        "server.address": "127.0.0.1",  # http://127.0.0.1:8901/v1/
        "server.port": 8901,
    }
    assert ("server.address", "partial") in {(note.path, note.reason) for note in found.notes}  # the path
    assert found.removed == ("gen_ai.response.finish_reason", "gen_ai.system")
    assert not found.loss


def test_an_error_written_as_python_prints_a_class(translator):
    found = translate(translator, span(PRODUCER, "err400", "chat gpt-4o-err400"))
    assert new(found) == {
        "gen_ai.provider.name": "openai",
        "error.type": "semantic_kernel.exceptions.service_exceptions.ServiceResponseException",
        "server.address": "127.0.0.1",
        "server.port": 8901,
    }
    assert not found.loss


def test_an_error_that_is_only_a_name_stays(translator):
    found = translate(translator, span(PRODUCER, "err400", "invoke_agent err_agent"))
    assert not found.changed
    assert not found.loss


def test_a_reason_that_is_not_there(translator):
    found = translate(translator, made("semantic_kernel.x", "chat m", {"gen_ai.response.finish_reason": "N/A"}))
    assert not found.attributes
    assert dict(found.source_side) == {"absent_at_source": 1}


def test_the_older_operations_of_dotnet(translator):
    attributes = {
        "gen_ai.operation.name": "chat.completions",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "m",
        "gen_ai.response.finish_reason": "Stop",
    }
    found = translate(
        translator, made("Microsoft.SemanticKernel.Diagnostics", "chat.completions m", attributes, kind=3)
    )
    assert found.name == "chat m"
    assert new(found) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.response.finish_reasons": ["Stop"],  # the provider's word as it came
    }
    assert not found.loss


def test_the_names_of_functions_are_no_definitions(translator):
    item = span(PRODUCER, "tools_loop.nocontent", "AutoFunctionInvocationLoop")
    assert lost(translate(translator, item)) == {"sk.available_functions": "no_concept"}


def test_the_place_of_a_message_is_its_order(translator):
    places = [
        translator.log(otlp_json.log_view(item.item, otlp_json.surroundings(item.resource, item.scope)))
        for item in recorded("logs", PRODUCER)
        if "CHAT_MESSAGE_INDEX" in str(item.item)
    ]
    assert places
    assert all("CHAT_MESSAGE_INDEX" in found.removed for found in places)
