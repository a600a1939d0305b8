"""Whose telemetry it is: each producer's keys are known, and nobody is taken for somebody else."""

from fnmatch import fnmatchcase

import pytest

from tests.semconv.recorded import Recorded, recorded
from tests.semconv.translated import SIGNALS, translated

KNOWN = [
    "agentops@*",
    "autogen-native@*",
    "claude-code-native@*",
    "gemini-cli@*",
    "google-adk-native@*",
    "haystack-native@*",
    "langfuse@*",
    "langsmith@*",
    "litellm-native@*",
    "logfire@*",
    "mlflow-openai@*",
    "ms-agent-framework@*",
    "openinference-instrumentation-google-adk@*",
    "openinference-instrumentation-pydantic-ai@*",
    "openinference-instrumentation-strands-agents@*",
    "openlit@*",
    "pydantic-ai-slim@*",
    "semantic-kernel-native@*",
    "strands-native@*",
    "vercel-ai-sdk@*",
]
"""Producers of whose spans every key has a row."""

OWN_PRODUCERS = {
    "crewai": "*crewai*",
    "genkit": "*genkit*",
    "google_adk": "*google-adk*",
    "haystack": "haystack-native*",  # OpenInference instruments Haystack with keys and a scope of its own
    "langfuse": "langfuse*",
    "langsmith": "langsmith*",
    "mlflow": "mlflow*",
    "vercel_ai": "vercel-ai-sdk*",
}
"""Conventions by the producers that speak them."""

OWN_SCOPES = {
    "agent_framework": ("agent_framework",),
    "autogen": ("autogen-core",),
    "logfire": (
        "logfire.*",
        "pydantic-ai*",
    ),  # pydantic-ai writes for Logfire's screens, too: its spans are of both conventions
    "pydantic_ai": ("pydantic-ai",),
    "semantic_kernel": ("semantic_kernel.*",),
    "strands": ("strands.*",),
}
"""Conventions by the scopes that speak them."""

UNRECORDED = {
    "a2a",
    "ag2",
    "arms_genai",
    "azure_ai",
    "braintrust",
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
    "spring_ai",
    "truefoundry",
    "vllm",
    "voltagent",
}
"""Conventions of which nothing is recorded."""


@pytest.mark.parametrize("producer", KNOWN)
def test_every_key_is_known(translator, producer):
    spans = recorded("traces", producer)
    assert {key for item in spans for key in translated(translator, "traces", item).unknown} == set()


@pytest.mark.parametrize("profile", [*OWN_PRODUCERS, *OWN_SCOPES])
def test_no_other_producer_is_taken_for_it(translator, profile):
    others = [item for item in recorded("traces") if not is_own(profile, item)]
    assert 1900 < len(others) < len(recorded("traces"))
    assert not [str(item) for item in others if profile in translated(translator, "traces", item).profiles]


@pytest.mark.parametrize("signal", SIGNALS)
def test_no_recorded_producer_is_taken_for_one_nobody_recorded(translator, signal):
    assert {profile.id for profile in translator.profiles} >= UNRECORDED
    taken = [(str(item), translated(translator, signal, item).profiles) for item in recorded(signal)]
    assert not [(item, profiles) for item, profiles in taken if UNRECORDED.intersection(profiles)]


def is_own(profile: str, item: Recorded) -> bool:
    if profile in OWN_PRODUCERS:
        return fnmatchcase(item.producer, OWN_PRODUCERS[profile])
    return any(fnmatchcase(item.scope["name"], pattern) for pattern in OWN_SCOPES[profile])
