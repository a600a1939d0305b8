"""Reports are functions of the events alone: whatever the hash seed, the clock, the locale and the time zone of the process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import json, sys, tempfile, time
from pathlib import Path

from evidence.digest import sha256_hex
from evidence.manifest import CLOSURE, FORMULA_RECEIPTS
from evidence.bundle.reader import EvidenceBundle
from semconv.translate import Translator
from sidecar.offline import Inputs, seal_files
from tests.evidence.golden_runs import RUNS
from tests.evidence.test_golden import assess

RECORDINGS = ("pydantic-ai-slim@2.68.0/mcp_agent", "opentelemetry-instrumentation-genai-langchain@1.3b0/err_tool.latest-span_and_event")


def ask(*_):
    raise AssertionError("a report asked what time it is")


def reports():
    for name, run in sorted(RUNS.items()):
        scores = assess(run)
        yield name, sha256_hex(scores.closure_bytes() + scores.receipts_bytes())


def sealed():
    translator = Translator.load("gen-ai-dev")
    for name in RECORDINGS:
        with tempfile.TemporaryDirectory() as folder:
            inputs = Inputs([Path("tests/corpus") / f"{name}.traces.otlp.pb"])
            for each in seal_files(
                inputs, Path(folder), packs=[], translator=translator, profiles={}, run_key=("trace_id",), signer=None
            ):
                with EvidenceBundle.open(Path(folder) / each.file) as bundle:
                    list(bundle.events())
                    facts = bundle.finish()
                yield f"{name}:{each.run_id}", sha256_hex(facts.reports[CLOSURE] + facts.reports[FORMULA_RECEIPTS])


clock = sys.argv[1]
if clock == "none":
    time.time = time.time_ns = time.localtime = time.gmtime = ask
    found = dict(reports())
else:
    now = float(clock)
    time.time, time.time_ns = lambda: now, lambda: int(now) * 10**9
    found = {**dict(reports()), **dict(sealed())}
print(json.dumps(found))
"""


def digests(clock: str, seed: str, **environment: str) -> dict[str, str]:
    """The digest of each report, made by a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, clock],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def first() -> dict[str, str]:
    return digests("0", "0")


@pytest.mark.parametrize(
    ("clock", "seed", "environment"),
    [
        ("4102444800", "1", {"TZ": "Asia/Kathmandu", "LC_ALL": "C"}),
        ("none", "4294967295", {"TZ": "America/St_Johns", "PYTHONUTF8": "1"}),
    ],
    ids=["another_century", "no_clock_at_all"],
)
def test_reports_are_the_same_whatever_the_hash_seed_and_the_clock(first, clock, seed, environment):
    again = digests(clock, seed, **environment)
    assert again == {name: first[name] for name in again}
    assert len(again) >= 60
