"""Attestation files beside bundles: made over bundles that were read, named, and written at one stroke.

Law: a bundle is read in full before anything is said about it; one statement over many bundles is one file with a name beside each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from attest.limits import DEFAULT
from evidence.bundle import BundleFacts, EvidenceBundle
from evidence.regular import open_regular
from evidence.run import ATTESTATION_SUFFIX, BUNDLE_SUFFIX, attestation_file_name
from sidecar.errors import SidecarError
from sidecar.producer import PRODUCER
from sidecar.recorder.durable import write_new, write_under_names

if TYPE_CHECKING:
    from attest.attestation.statement import LogEvidence
    from attest.signers.signer import Signer

__all__ = ["Evidence", "add_beside", "attest_beside", "attestation_path", "read_facts"]

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
    """Signs one statement over these bundles and lays it beside each, as the first, in place of what a crash may have left there.

    What somebody else signed meanwhile and laid there gets the next name.

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
    for facts in bundles:
        _make_room(facts.path, data)
    write_under_names([attestation_path(facts.path) for facts in bundles], data)
    return data


def _make_room(bundle: Path, data: bytes) -> None:
    """Gives the first attestation another name unless whoever signed `data` signed it, or nobody."""
    first, *others = _names(bundle)
    try:
        there = _read(first)
    except FileNotFoundError:
        return
    if _who(there) in (None, _who(data)):
        return
    for path in others:
        try:
            write_new(path, there)
        except FileExistsError:
            if _read(path) != there:
                continue
        return
    raise SidecarError(f"{first}: somebody else's, and there is no name left for it")


def _read(path: Path) -> bytes:
    with open_regular(path) as file:
        return file.read(DEFAULT.attestation_bytes_max + 1)


def _who(data: bytes) -> tuple[str, ...] | None:
    """Who signed an attestation, by its own word: a key, or an identity and its issuer. None when it is none."""
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415 - only where two met

    from attest.attestation.sigstore_bundle import read  # noqa: PLC0415 - likewise
    from attest.errors import AttestError  # noqa: PLC0415 - likewise
    from attest.trust.identities import read_claims  # noqa: PLC0415 - likewise

    try:
        bundle = read(data)
        if bundle.certificate is None:
            return (bundle.hint or "",)
        claims = read_claims(load_der_x509_certificate(bundle.certificate))
    except (AttestError, ValueError):
        return None
    return claims.identity, claims.issuer


def add_beside(bundles: Sequence[Path], data: bytes) -> list[Path]:
    """Lays an attestation beside each bundle that it is about, as its first or its next one; nothing is overwritten.

    Returns:
        Where it lies now, in the order of the bundles.

    Raises:
        SidecarError: A bundle is not named like one, or has as many attestations as are read.
    """
    laid: list[Path] = []
    for bundle in bundles:
        for path in _names(bundle):
            try:
                write_new(path, data, same_as=laid[0] if laid else None)
            except FileExistsError:
                continue
            laid.append(path)
            break
        else:
            raise SidecarError(
                f"{bundle}: has {DEFAULT.attestations_per_bundle_max} attestations already, and no more are read"
            )
    return laid


def _names(bundle: Path) -> Iterator[Path]:
    """What its attestations may be called, in order. RUN.2.sigstore.json is of RUN.2.evidence.tar.gz where that lies beside it."""
    if not bundle.name.endswith(BUNDLE_SUFFIX):
        raise SidecarError(
            f"{bundle}: expected the name of a bundle to end in {BUNDLE_SUFFIX}, or its attestation is not found"
        )
    run = bundle.name.removesuffix(BUNDLE_SUFFIX)
    yield attestation_path(bundle)
    for number in range(2, DEFAULT.attestations_per_bundle_max + 1):
        if not bundle.with_name(f"{run}.{number}{BUNDLE_SUFFIX}").exists():
            yield bundle.with_name(f"{run}.{number}{ATTESTATION_SUFFIX}")


def attestation_path(bundle: Path) -> Path:
    """Where the first attestation of a bundle lies."""
    return bundle.with_name(attestation_file_name(bundle.name))
