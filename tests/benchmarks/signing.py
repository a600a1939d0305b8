"""How many bundles a second are attested, by the number that shares a signature: `python -m tests.benchmarks.signing [--keyless]`.

Small bundles, sealed beforehand, through the attester: statement, its check by another package, signature, a durable file under as many
names, one transaction. CPU is of this process alone. Keyless signs in another, against the loopback Sigstore, which runs in this one.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from functools import partial
from pathlib import Path

import orjson

from attest.keys import generate
from attest.signers.bounded import BoundedSigner
from attest.signers.identity import GivenToken
from attest.signers.key import KeySigner
from attest.signers.keyless import KeylessSigner
from attest.signers.signer import Signer
from sidecar.attesting import Attester
from sidecar.clock import now_unix_nano
from sidecar.log import Log
from sidecar.recorder.store import RunRow, RunStore
from sidecar.spool import Pace
from tests.attest.world import run_events, seal_run


def measure(folder: Path, signer: Signer, count: int, batch: int, *, kept: bool) -> str:
    """Attests `count` bundles, `batch` a signature; `kept`: with the facts of sealing, as in a running sidecar."""
    store = RunStore(folder / "runs.sqlite")
    attester = Attester(
        runs=folder / "runs.sqlite",
        out=folder,
        signer=lambda: signer,
        pace=Pace(batch_bundles_max=batch),
        log=Log("error"),
    )
    for number in range(count):
        facts = seal_run(folder, run_events(f"run-{number:04}"))
        run = RunRow(
            run_id=f"run-{number:04}",
            part=1,
            state="sealed",
            opened_unix_nano=1,
            last_unix_nano=1,
            first_seq=0,
            next_seq=7,
            sealed_json=orjson.dumps({"file": facts.file}).decode(),
        )
        with store.transaction():
            store.save(run)
        attester.add(run, facts if kept else None)
    signer.sign(b"{}") if isinstance(signer, KeySigner) else None
    wall, cpu = time.perf_counter(), time.process_time()
    while attester.step() is not None:
        pass
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    left = len(store.in_state("sealed"))
    store.close()
    size = max(path.stat().st_size for path in folder.glob("*.sigstore.json"))
    return (
        f"{count / wall:8.0f} bundles/s  {1e3 * cpu / count:6.2f} ms CPU a bundle  file of {size:>8} bytes  left {left}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keyless", action="store_true")
    parser.add_argument("--bundles", type=int, default=1000)
    arguments = parser.parse_args()
    key = KeySigner(generate())
    for batch in (1, 64, 1000):
        for kept in (True, False):
            with tempfile.TemporaryDirectory(dir=os.getcwd()) as folder:
                said = measure(Path(folder), key, arguments.bundles, batch, kept=kept)
                print(f"key      batch {batch:4}  {'facts kept' if kept else 'read back '}  {said}")
    if arguments.keyless:
        from tests.sigstore.loopback import Sigstore

        with Sigstore.start() as sigstore:
            for version in (1, 2):
                make = partial(
                    KeylessSigner,
                    sigstore.trust_config(version),
                    GivenToken(value=sigstore.token()),
                    clock=now_unix_nano,
                    tlog_version=version,
                )
                signer = BoundedSigner(make, what="loopback")
                for batch, count in ((1, 50), (64, 1000), (1000, 1000)):
                    with tempfile.TemporaryDirectory(dir=os.getcwd()) as folder:
                        said = measure(Path(folder), signer, count, batch, kept=True)
                        print(f"keyless{version} batch {batch:4}  facts kept  {said}")
                signer.close()


if __name__ == "__main__":
    main()
