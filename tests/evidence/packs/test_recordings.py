"""The built-in packs over recordings of real agents: nothing breaks, healthy runs are quiet, and what is wrong with a run shows."""

import json
import re
from functools import cache
from pathlib import Path

import pytest

from evidence.bundle import EvidenceBundle
from evidence.formulas import Context
from evidence.packs import BUILTIN, builtin
from evidence.scores import Assessment, RuleResult
from semconv.translate import Translator
from sidecar.offline import Inputs, seal_files
from tests.tools.translators import loaded

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
ENTRIES = {
    f"{entry['producer']}@{entry['version']}/{entry['scenario']}": [part["file"] for part in entry["files"].values()]
    for entry in json.loads((CORPUS / "MANIFEST.json").read_text())["entries"]
    if "traces" in entry["files"]
}
TROUBLE = re.compile(r"err|timeout|abandon|truncat|guardrail|max_turns|_resources|react_tools")
"""Scenarios in which something goes wrong, reading a resource that is not there and an answer that DSPy cannot parse among them."""
PACKS = [builtin(name) for name in BUILTIN]


def _sample() -> list[str]:
    """Of each producer the healthy recording with the most bytes: agents and tools rather than one call."""
    largest: dict[str, tuple[int, str]] = {}
    for name, parts in ENTRIES.items():
        if not TROUBLE.search(name.partition("/")[2]):
            size = sum((CORPUS / part).stat().st_size for part in parts)
            producer = name.partition("/")[0]
            largest[producer] = max(largest.get(producer, (0, "")), (size, name))
    return sorted(name for _, name in largest.values())


@cache
def translator() -> Translator:
    return loaded()


def judged(folder: Path, name: str) -> list[dict[str, RuleResult]]:
    """The rules of all packs over each run of a recording, by rule."""
    inputs = Inputs([CORPUS / part for part in ENTRIES[name]])
    sealed = seal_files(
        inputs, folder, packs=PACKS, translator=translator(), profiles={}, run_key=("affidavit.run.id",), signer=None
    )
    return [_assessed(folder / run.file) for run in list(sealed)]


def _assessed(path: Path) -> dict[str, RuleResult]:
    assessment = Assessment(PACKS)
    with EvidenceBundle.open(path) as bundle:
        for event, line in bundle.events():
            assessment.add(event, line)
        bundle.finish()
        manifest, digest = bundle.manifest, bundle.manifest_sha256
    context = Context(
        run_id=manifest["run_id"],
        manifest_digest=digest,
        events_digest=manifest["files"][0]["sha256"],
        computed_at=manifest["closed_at"],
    )
    return {result.rule.id: result for result in assessment.scores(context).rules}


@pytest.mark.parametrize("name", _sample())
def test_a_healthy_run_fails_no_error_of_the_first_gate(tmp_path, name):
    for rules in judged(tmp_path, name):
        failing = [
            f"{result.rule.id}: {result.reason}"
            for result in rules.values()
            if result.pack.startswith("cicd-starter@") and result.outcome == "fails" and result.rule.severity == "error"
        ]
        assert failing == []


REAL = {
    "CICD-003": ("openinference-instrumentation-openai@0.1.66/chat", "haystack-native@3.4.0/err429"),
    "CICD-010": ("agentops@0.4.21/chat", "otel-js-openai@0.21.0/chat"),
    "CICD-011": ("agentops@0.4.21/chat", "gemini-cli@0.61.0/prompt_tools"),
    "CICD-012": ("genkit-js@1.42.0/tools", "gemini-cli@0.61.0/prompt_tools"),
    "CICD-013": ("agentops@0.4.21/err500", "langfuse@5.0.4/err429"),
    "CICD-014": ("agentops@0.4.21/chat", "agentops@0.4.21/truncated"),
    "CICD-017": ("agentops@0.4.21/chat", "langsmith@0.14.17/chat_stream_no_usage"),
    "CICD-018": ("agentops@0.4.21/chat", "openlit@1.45.0/chat.nocontent"),
    "CICD-019": ("genkit-js@1.42.0/tools", "autogen-native@0.7.5/agent_tools"),
}
"""Rule: a recording in which it holds, and one in which it fails."""


@pytest.mark.parametrize("rule", REAL)
def test_a_rule_tells_two_recordings_apart(tmp_path, rule):
    outcomes = []
    for number, name in enumerate(REAL[rule]):
        (run,) = judged(tmp_path / str(number), name)
        outcomes.append(run[rule].outcome)
    assert outcomes == ["holds", "fails"]
