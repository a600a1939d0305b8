"""Recorded runs as bundles, and what `affidavit evidence show` and `diff` say of them.

The golden texts leave out the head, whose scores change with packs and signals; they are written by
`python -m tests.sidecar.cli.recorded`, and a change of them is a change for every reader.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from click.testing import CliRunner, Result

from semconv.translate import Translator
from sidecar.cli.evidence.diff import diff
from sidecar.cli.evidence.show import show
from sidecar.offline import Inputs, seal_files
from sidecar.settings import load
from sidecar.tables import load_packs, load_translator

GOLDEN = Path(__file__).parent / "golden"
CORPUS = Path(__file__).resolve().parents[2] / "corpus"

RUNS: dict[str, tuple[str, str]] = {
    "multi_agent": (
        "opentelemetry-instrumentation-genai-langchain@1.3b0",
        "langgraph_multi_agent.latest-span_and_event.*.otlp.pb",
    ),
    "mcp_error": ("openllmetry-mcp@0.62.4", "http_error.traces.otlp.pb"),
    "logs_only": ("codex-cli@0.169.0", "exec_tools.noprompt.logs.otlp.pb"),
    "tools_loop": ("pydantic-ai-slim@2.68.0", "tools_loop.traces.otlp.pb"),
    "tools_loop_elsewhere": ("openinference-instrumentation-pydantic-ai@0.1.30", "tools_loop.traces.otlp.pb"),
    "tools_loop_langchain": ("openinference-instrumentation-langchain@0.1.80", "agent_tools_loop.traces.otlp.pb"),
    "metrics_only": ("openinference-instrumentation-pydantic-ai@0.1.30", "chat.metrics.otlp.pb"),
}
"""Name: folder of the corpus, and the recordings of one run."""

SHOWN = {
    "show-multi_agent-80": ("multi_agent", "--width", "80"),
    "show-multi_agent-160": ("multi_agent", "--width", "160"),
    "show-mcp_error-100": ("mcp_error", "--width", "100"),
    "show-logs_only-100": ("logs_only", "--width", "100"),
    "show-tools_loop-limit": ("tools_loop", "--width", "80", "--limit", "5"),
}
"""Golden text: the run and the options."""
COMPARED = {
    "diff-tools_loop-80": (
        "tools_loop",
        "tools_loop_langchain",
        "--width",
        "80",
        "--ignore",
        "scores",
        "--ignore",
        "signals",
    ),
}


@cache
def bundle(name: str) -> Path:
    """The bundle of a recorded run: of several, one that failed, and the one with the most events."""
    folder, pattern = RUNS[name]
    settings = load(None)
    inputs = Inputs(sorted((CORPUS / folder).glob(pattern)))
    sealed = list(
        seal_files(
            inputs,
            _folder() / name,
            packs=load_packs(["baseline"]),
            translator=_translator(),
            profiles={},
            run_key=settings.run.key,
            signer=None,
        )
    )
    assert not inputs.refused
    return (
        _folder()
        / name
        / max(sealed, key=lambda each: (each.signals["errors_incidents"] != "unknown", each.events)).file
    )


@cache
def _folder() -> Path:
    holder = TemporaryDirectory(prefix="affidavit-recorded-")
    _HOLDERS.append(holder)
    return Path(holder.name)


_HOLDERS: list[TemporaryDirectory] = []
"""Kept, so that the folders stay until the process ends."""


@cache
def _translator() -> Translator:
    return load_translator(load(None).semconv.target, {}, None)


def shown(path: Path | str, *options: str) -> Result:
    """`affidavit evidence show`, in this process, a hundred columns wide whatever terminal the tests run in."""
    return CliRunner(env={"COLUMNS": "100"}).invoke(show, [str(path), *options])


def compared(a: Path | str, b: Path | str, *options: str) -> Result:
    """`affidavit evidence diff`, in the same way."""
    return CliRunner(env={"COLUMNS": "100"}).invoke(diff, [str(a), str(b), *options])


def golden_texts() -> dict[str, str]:
    """What is said now, by the name of its golden text."""
    texts = {}
    for name, (run, *options) in SHOWN.items():
        texts[name] = shown(bundle(run), *options).output.partition("\n\n")[2]
    for name, (a, b, *options) in COMPARED.items():
        texts[name] = compared(bundle(a), bundle(b), *options).output.partition("\n\n")[2]
    return texts


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    texts = golden_texts()
    for path in GOLDEN.glob("*.txt"):
        if path.stem not in texts:
            path.unlink()
    for name, text in texts.items():
        (GOLDEN / f"{name}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
