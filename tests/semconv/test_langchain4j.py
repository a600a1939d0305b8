"""LangChain4j: spans and metrics made by hand from the source of 1.19.0. There is no recording of it."""

from tests.semconv.golden import lost, made, new
from tests.semconv.lawful import metric, translate

SCOPE = "org.springframework.boot"
OBSERVED = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "GOOGLE_VERTEX_AI_GEMINI",
    "gen_ai.request.model": "gemini-2.5-pro",
    "gen_ai.response.model": "gemini-2.5-pro-001",
    "outcome": "SUCCESS",
    "input_tokens": "12",
    "output_tokens": "3",
}


def test_an_observed_call_of_a_model(translator):
    found = translate(translator, made(SCOPE, "chat gemini-2.5-pro", OBSERVED))
    assert "langchain4j" in found.profiles
    assert (found.name, found.kind) == (None, 3)
    assert new(found) == {
        "gen_ai.provider.name": "gcp.vertex_ai",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 3,
    }
    assert lost(found) == {"outcome": "derivable"}


def test_what_is_unknown_is_not_said(translator):
    attributes = {**OBSERVED, "gen_ai.provider.name": "OTHER", "gen_ai.response.model": "unknown"}
    found = translate(translator, made(SCOPE, "chat gemini-2.5-pro", attributes))
    assert "gen_ai.response.model" in found.removed
    assert "gen_ai.provider.name" not in found.attributes
    assert lost(found) == {
        "gen_ai.provider.name": "absent_at_source",
        "gen_ai.response.model": "absent_at_source",
        "outcome": "derivable",
    }


def test_its_histogram_of_tokens_and_its_duration(translator):
    point = {**OBSERVED, "gen_ai.token.type": "input"}
    for key in ("outcome", "input_tokens", "output_tokens"):
        del point[key]
    found = translate(translator, metric(SCOPE, "gen_ai.client.token.usage", point, unit="tokens"), "metric")
    assert found.name == "gen_ai.client.inference.operation.input_tokens"
    assert found.points[0].attributes == {"gen_ai.provider.name": "gcp.vertex_ai"}

    point = {key: value for key, value in OBSERVED.items() if not key.endswith("_tokens")}
    found = translate(translator, metric(SCOPE, "gen_ai.client.operation.duration", point), "metric")
    assert found.name == "gen_ai.client.inference.duration"


def test_bare_keys_alone_are_not_its_mark(translator):
    found = translate(translator, made("app", "x", {"outcome": "SUCCESS", "input_tokens": 1}))
    assert "langchain4j" not in found.profiles


def test_a_call_seen_by_quarkus(translator):
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "azure_open_ai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.prompt": "Hi",
        "gen_ai.completion": "Ho",
        "gen_ai.response.finish_reasons": "STOP",
        "gen_ai.client.estimated_cost": "CostEstimate[number=1, currency=USD]",
    }
    found = translate(translator, made("io.quarkus.opentelemetry", "completion gpt-5", attributes))
    assert found.name == "chat gpt-5"
    assert new(found) == {
        "gen_ai.provider.name": "azure.ai.openai",
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}],
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "Ho"}]}],
        "gen_ai.response.finish_reasons": ["STOP"],
    }
    assert lost(found) == {"gen_ai.client.estimated_cost": "no_concept"}
