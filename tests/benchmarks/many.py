"""What `affidavit verify` costs over a thousand small attested bundles: the whole command, everything recomputed, beside `sha256sum`.

Run by `make bench`. CPU and peak memory are those of the command and its workers, in a process of its own. Prints figures; nothing here
judges. What the command is made of was compiled before, as an installer leaves it, whatever the environment here says of that.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from attest.attest import attest_bundles
from attest.keys import generate
from attest.signers.key import KeySigner
from evidence.bundle import BundleFacts, EvidenceBundle
from evidence.run import attestation_file_name
from sidecar.recorder.store import RunStore
from tests.benchmarks import workload

_RUN = workload.AGENT[:1]
_SPANS = 3
_PRODUCER = {"name": "affidavit", "version": "0"}


def seal(folder: Path, runs: int) -> list[BundleFacts]:
    """Bundles of so many runs of a few spans each."""
    store = RunStore(folder.parent / "runs.sqlite", durable=False)
    frames = [frame for run in range(1, runs + 1) for frame in workload.frames(_RUN, _SPANS, trace_id=run)]
    books = workload.record(store, frames)
    list(workload.sealer(store, folder, books).seal_closed(_failed))
    store.close()
    return [_facts(path) for path in sorted(folder.glob("*.evidence.tar.gz"))]


def attest(bundles: Sequence[BundleFacts], signer: KeySigner, in_statement: int) -> None:
    """One statement over so many of them: a file beside each, linked as the sidecar does."""
    for first in range(0, len(bundles), in_statement):
        part = bundles[first : first + in_statement]
        data = attest_bundles(part, signer, producer=_PRODUCER)
        files = [facts.path.with_name(attestation_file_name(facts.path.name)) for facts in part]
        for file in files:
            file.unlink(missing_ok=True)
        files[0].write_bytes(data)
        for file in files[1:]:
            file.hardlink_to(files[0])


_PEAK = """
import re, resource, sys
from pathlib import Path
from sidecar.__main__ import main
try:
    main()
finally:
    own = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
    print(max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024, file=sys.stderr)
"""
"""The command, saying in the end how large it or one of its workers became: `wait4` would say how large this process is."""


def cost(command: Sequence[str | Path], rounds: int, compiled: Path) -> tuple[float, float, str]:
    """CPU and elapsed seconds, the least of some rounds, and what was last said on standard error.

    Args:
        command: what to run.
        rounds: how often, 2 or more: the first compiles.
        compiled: a folder for what is compiled.
    """
    figures = [_measured(command, compiled) for _ in range(rounds)]
    return min(each[0] for each in figures), min(each[1] for each in figures), figures[-1][2]


def _measured(command: Sequence[str | Path], compiled: Path) -> tuple[float, float, str]:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(compiled)}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    elapsed, used = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime, elapsed, done.stderr.strip()


def _facts(path: Path) -> BundleFacts:
    with EvidenceBundle.open(path) as bundle:
        for _ in bundle.events():
            pass
        return bundle.finish()


def _failed(_run: object, error: Exception) -> None:
    raise error


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundles", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder, key = Path(made) / "bundles", generate()
        folder.mkdir()
        public = Path(made) / "key.pub"
        public.write_bytes(key.public.to_pem())
        bundles = seal(folder, arguments.bundles)
        size = sum(facts.container_bytes for facts in bundles) / len(bundles)
        events = bundles[0].manifest["event_count"]
        print(f"{len(bundles):,} bundles of {events} events and {size / 1000:.1f} kB")
        print(f"{'':44}{'ms CPU a bundle':>16}{'ms elapsed':>12}{'peak RSS, MiB':>15}")

        for words, in_statement in (("a statement each", 1), (f"one statement over {len(bundles):,}", len(bundles))):
            attest(bundles, KeySigner(key), in_statement)
            commands = {f"sha256sum of the files, {words}": ["sha256sum", *sorted(folder.iterdir())]}
            for number in arguments.processes:
                options = ["--key", str(public), "--quiet", "--processes", str(number)]
                name = f"verify, {words}, {number} process{'es' if number > 1 else ''}"
                commands[name] = [sys.executable, "-c", _PEAK, "verify", str(folder), *options]
            for name, command in commands.items():
                cpu, elapsed, peak = cost(command, arguments.rounds, Path(made) / "compiled")
                each, took = (seconds / len(bundles) * 1e3 for seconds in (cpu, elapsed))
                print(f"{name:44}{each:16.2f}{took:12.2f}{float(peak or 'nan'):15.0f}", flush=True)


if __name__ == "__main__":
    main()
