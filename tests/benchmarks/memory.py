"""Peak memory of sealing, verifying and linting against the number of events: each in a process of its own, on runs of two lengths.

Run by `make bench`. Prints figures; nothing here judges.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from attest.verify import verify_file
from evidence.lint.lint import LintedBundle, Options
from evidence.lint.lint import lint as lint_bundle
from evidence.packs import BUILTIN, builtin
from sidecar.journal import Frame
from sidecar.mapping import MappingAgain
from sidecar.recorder.books import Books
from sidecar.recorder.store import RunStore
from tests.benchmarks import workload

_BATCH = 64


def record(folder: Path, events: int) -> None:
    """Leaves a closed run of so many spans behind."""
    store = RunStore(folder / "runs.sqlite", durable=False)
    recorder = workload.recorder(store, Books())
    batch: list[Frame] = []
    frames: Iterator[Frame] = workload.frames(workload.AGENT, events)
    for frame in frames:
        batch.append(frame)
        if len(batch) == _BATCH:
            recorder.record(batch)
            batch = []
    recorder.record(batch)
    recorder.close_all("explicit", 0)
    store.close()


def seal(folder: Path, events: int) -> None:
    """Seals it as a sidecar does that was restarted: every event is translated again for the loss report."""
    del events

    def failed(_run: object, error: Exception) -> None:
        raise error

    store = RunStore(folder / "runs.sqlite", durable=False)
    assert len(list(workload.sealer(store, folder, Books()).seal_closed(failed))) == 1
    store.close()


def verify(folder: Path, events: int) -> None:
    """Verifies it with everything recomputed."""
    del events
    (bundle,) = folder.glob("*.evidence.tar.gz")
    result = verify_file(bundle, mapping=MappingAgain())
    assert {result.check(name).outcome for name in ("container", "files", "reports", "mapping")} == {"pass"}, result


def integrity(folder: Path, events: int) -> None:
    """Verifies it without recomputing anything."""
    del events
    (bundle,) = folder.glob("*.evidence.tar.gz")
    result = verify_file(bundle, recompute=False)
    assert {result.check(name).outcome for name in ("container", "files")} == {"pass"}, result


def lint(folder: Path, events: int) -> None:
    """Lints it with every built-in pack."""
    (bundle,) = folder.glob("*.evidence.tar.gz")
    found = lint_bundle(bundle, Options(packs=tuple(builtin(name) for name in BUILTIN)))
    assert isinstance(found, LintedBundle), found
    assert found.identity["event_count"] > events


STEPS = {"record": record, "seal": seal, "verify": verify, "integrity": integrity, "lint": lint}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument(
        "--steps", choices=STEPS, nargs="+", default=list(STEPS), help="those after seal need those before"
    )
    parser.add_argument("--step", choices=STEPS)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    if arguments.step:
        began = time.process_time()
        STEPS[arguments.step](arguments.folder, arguments.events[0])
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.process_time() - began)
        return
    print(f"{'':12}{'events':>10}{'peak RSS, MiB':>16}{'CPU, s':>10}")
    for events in arguments.events:
        with tempfile.TemporaryDirectory() as folder:
            for step in arguments.steps:
                command = [sys.executable, "-m", "tests.benchmarks.memory", "--step", step, "--folder", folder]
                done = subprocess.run([*command, "--events", str(events)], capture_output=True, text=True, check=True)
                peak, seconds = map(float, done.stdout.split())
                print(f"{step:12}{events:10,}{peak:16.1f}{seconds:10.1f}", flush=True)


if __name__ == "__main__":
    main()
