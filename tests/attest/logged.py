"""A folder of bundles with their attestations, the log that they are in, and a checkpoint that an auditor kept."""

import shutil
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from attest.attest import attest_bundles
from attest.attestation.statement import LogEvidence
from attest.keys import generate
from attest.log_audit import LogAudit, LogAuditor, Older, hold
from attest.signers.key import KeySigner
from attest.tlog.checkpoint import Checkpoint, read_checkpoint
from attest.tlog.log import Log
from attest.tlog.note import verifier_key
from attest.tlog.reader import LogReader
from evidence.run import attestation_file_name
from tests.attest.world import PRODUCER, run_events, seal_run

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
ORIGIN = "example.net/log"
LOG_KEY = verifier_key(ORIGIN, KEY)
SIGNER = KeySigner(generate())
COUNT = 5
KEPT = 3
"""The auditor kept the checkpoint of this size."""


class Place:
    """A folder of bundles with their attestations, the log that they are in, and a checkpoint that was kept."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bundles = root / "bundles"
        self.log = root / "log"
        self.kept = root / "kept.checkpoint"

    def bundle(self, number: int) -> Path:
        return self.bundles / f"run-{number}.evidence.tar.gz"

    def attestation(self, number: int) -> Path:
        return self.bundles / attestation_file_name(self.bundle(number).name)

    def add(self, number: int, model: str = "m-1", *, logged: bool = True) -> bytes:
        """Seal a run, enter it, attest it; the digest that was entered."""
        facts = seal_run(self.bundles, run_events(run_id=f"run-{number}", model=model))
        digest = bytes.fromhex(facts.manifest_sha256)
        log = None
        if logged:
            with Log(self.log, KEY) as writer:
                index = writer.append([digest])
            reader = LogReader(self.log)
            log = LogEvidence(checkpoint=reader.checkpoint, proofs={facts.bundle_id: reader.prove(index)})
        self.attestation(number).write_bytes(attest_bundles([facts], SIGNER, producer=PRODUCER, log=log))
        return digest

    def begin_again(self, leaves: list[bytes]) -> None:
        """What only the owner of the log's key can do: another log under the same name."""
        shutil.rmtree(self.log)
        Log.create(self.log, KEY, ORIGIN)
        with Log(self.log, KEY) as writer:
            writer.append(leaves)

    def audit(self, *since: Checkpoint, keys=(LOG_KEY,), kept=True, tiles=True, bundles=True, **more) -> LogAudit:
        older = [Older(file=f"since-{at}", checkpoint=one) for at, one in enumerate(since)]
        if kept:
            older.append(Older(file="kept", checkpoint=read_checkpoint(self.kept.read_bytes())))
        reader = LogReader(self.log)
        auditor = LogAuditor(keys=keys, older=older, **more)
        return auditor.audit(reader.checkpoint, reader if tiles else None, hold([self.bundles]) if bundles else None)


def make_place(root: Path) -> Place:
    """`COUNT` runs sealed, logged and attested one after the other."""
    place = Place(root)
    place.bundles.mkdir()
    Log.create(place.log, KEY, ORIGIN)
    for number in range(COUNT):
        if number == KEPT:
            shutil.copy(place.log / "checkpoint", place.kept)
        place.add(number)
    (place.bundles / "events.ndjson").unlink()
    return place
