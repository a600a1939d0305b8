"""Attestation files beside bundles: made over bundles that were read, named, and written at one stroke.

Law: a bundle is read in full before anything is said about it; one statement over many bundles is one file with a name beside each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from evidence.bundle import BundleFacts, EvidenceBundle
from evidence.run import attestation_file_name
from sidecar.producer import PRODUCER
from sidecar.recorder.durable import write_under_names

if TYPE_CHECKING:
    from attest.signers.signer import Signer
    from attest.statement import LogEvidence

__all__ = ["Evidence", "attest_beside", "attestation_path", "read_facts"]

Evidence: TypeAlias = "Callable[[Sequence[BundleFacts]], LogEvidence]"
"""Proves that bundles are in the sidecar's log."""


def read_facts(path: Path) -> BundleFacts:
    """What is known of a bundle that was sealed before: read back in full, because it is about to be signed.

    Raises:
        EvidenceError: It is no sound bundle.
    """
    with EvidenceBundle.open(path) as bundle:
        for _ in bundle.events():
            pass
        return bundle.finish()


def attest_beside(bundles: Sequence[BundleFacts], signer: Signer, *, evidence: Evidence | None = None) -> bytes:
    """Signs one statement over these bundles and lays it beside each, in place of what a crash may have left there.

    Args:
        bundles: 1 to 1,000, all in one folder.
        signer: Who signs.
        evidence: Proves that they are in the sidecar's log; None when there is none.

    Returns:
        What was laid there; see `attestation_path`.

    Raises:
        AttestError: No statement can be made over these bundles, or the signer did not sign.
    """
    from attest.attest import attest_bundles  # noqa: PLC0415 - cryptography, for signing only

    log = evidence(bundles) if evidence else None
    data = attest_bundles(bundles, signer, producer=PRODUCER, log=log)
    write_under_names([attestation_path(facts.path) for facts in bundles], data)
    return data


def attestation_path(bundle: Path) -> Path:
    """Where the first attestation of a bundle lies."""
    return bundle.with_name(attestation_file_name(bundle.name))
