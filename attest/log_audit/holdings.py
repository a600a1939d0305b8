"""What is at hand of a log beside the log itself: bundles, and the checkpoints and proofs that lie with them.

Law: every file ends in an answer, whatever is in it; a checkpoint found here is a claim until a trusted log key signed it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from attest.attestation import sigstore_bundle, statement
from attest.bundle_checks import check_bundle
from attest.errors import AttestError
from attest.limits import DEFAULT
from attest.many import folder
from attest.tlog.checkpoint import Checkpoint
from attest.tlog.proof import InclusionProof, read_proof
from attest.verification import text
from evidence.limits import DEFAULT as EVIDENCE_DEFAULT
from evidence.regular import open_regular
from evidence.run import BUNDLE_SUFFIX

PROOF_SUFFIX = ".tlog-proof"
"""Of a proof beside its bundle: RUN.tlog-proof beside RUN.evidence.tar.gz."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where something says that a bundle is in a log."""

    file: str
    proof: InclusionProof
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One bundle at hand."""

    file: str
    digest: bytes | None
    """SHA-256 of its manifest; None when the bundle was refused."""
    refused: str | None = None
    """Why it was, or why what lies beside it cannot be read."""
    placed: tuple[Placed, ...] = ()
    """By its attestations, and by a proof beside it."""


def hold(paths: Iterable[Path]) -> Iterator[Held]:
    """Read bundles, and what folders hold of them, each wholly.

    Does not judge who signed an attestation: what is taken from it, the checkpoint and the proof, stands by itself.

    Raises:
        AttestError: a folder cannot be looked through.
    """
    for path in paths:
        if path.is_dir():
            for one in folder.find(path).bundles:
                yield _hold(one)
        else:
            yield _hold(path)


def _hold(path: Path) -> Held:
    reading = check_bundle(path, (), EVIDENCE_DEFAULT)
    if reading.facts is None:
        reason = next((check.reason for check in reading.checks if check.outcome in ("fail", "undecided")), "refused")
        return Held(file=text(path), digest=None, refused=reason)
    placed, refused = [], None
    for file, read in _beside(path):
        try:
            if (found := read(file, reading.facts.bundle_id)) is not None:
                placed.append(found)
        except Exception as error:  # noqa: BLE001 - whatever a hostile file raises is an answer
            reason = str(error) if isinstance(error, AttestError | OSError) else f"{type(error).__name__}: {error}"
            refused = f"{file.name}: {reason}"
    digest = bytes.fromhex(reading.facts.manifest_sha256)
    return Held(file=text(path), digest=digest, refused=refused, placed=tuple(placed))


def _beside(path: Path) -> Iterator[tuple[Path, Callable[[Path, str], Placed | None]]]:
    for file in folder.find_attestations(path):
        yield file, _attested
    proof = path.with_name(path.name.removesuffix(BUNDLE_SUFFIX) + PROOF_SUFFIX)
    if path.name.endswith(BUNDLE_SUFFIX) and proof.is_file():
        yield proof, _proven


def _attested(file: Path, bundle_id: str) -> Placed | None:
    with open_regular(file) as opened:
        data = opened.read(DEFAULT.attestation_bytes_max + 1)
    log = statement.read(sigstore_bundle.read(data).envelope.payload).log
    proof = log.proofs.get(bundle_id) if log else None
    return Placed(file=text(file), proof=proof, checkpoint=log.checkpoint) if log and proof else None


def _proven(file: Path, _: str) -> Placed:
    with open_regular(file) as opened:
        data = opened.read(DEFAULT.note_bytes_max + 1)
    proof, checkpoint = read_proof(data)
    return Placed(file=text(file), proof=proof, checkpoint=checkpoint)
