"""Conventions of which nothing is recorded: none of them may be seen in what others were recorded to send."""

from semconv import otlp_json
from tests.semconv.recorded import recorded

UNRECORDED = {
    "a2a",
    "ag2",
    "arms_genai",
    "azure_ai",
    "cloudflare_ai_gateway",
    "confident_ai",
    "flue",
    "github_copilot",
    "koog",
    "laminar",
    "langchain4j",
    "langtrace",
    "langwatch",
    "livekit",
    "llamaindex",
    "mastra",
    "promptflow",
    "truefoundry",
    "vllm",
    "voltagent",
}
VIEWS = {
    "traces": (otlp_json.span_view, "span"),
    "logs": (otlp_json.log_view, "log"),
    "metrics": (otlp_json.metric_view, "metric"),
}


def test_no_recorded_producer_is_taken_for_one_nobody_recorded(translator):
    assert {profile.id for profile in translator.profiles} >= UNRECORDED
    for signal, (view, verb) in VIEWS.items():
        for item in recorded(signal):
            seen = getattr(translator, verb)(view(item.item, otlp_json.surroundings(item.resource, item.scope)))
            assert not UNRECORDED.intersection(seen.profiles), (str(item), seen.profiles)
