"""Conventions of which nothing is recorded: none of them may be seen in what others were recorded to send."""

from tests.semconv.recorded import recorded
from tests.semconv.translated import SIGNALS, translated

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


def test_no_recorded_producer_is_taken_for_one_nobody_recorded(translator):
    assert {profile.id for profile in translator.profiles} >= UNRECORDED
    for signal in SIGNALS:
        for item in recorded(signal):
            seen = translated(translator, signal, item)
            assert not UNRECORDED.intersection(seen.profiles), (str(item), seen.profiles)
