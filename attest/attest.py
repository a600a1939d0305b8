"""Attesting: one statement over sealed bundles, checked by an independent reader, then signed."""

from collections.abc import Mapping, Sequence

from attest.attestation.statement import LogEvidence, read, statement
from attest.errors import StatementError
from attest.limits import DEFAULT, AttestLimits
from attest.signers.signer import Signer
from attest.tlog.reader import LogReader
from evidence.bundle import BundleFacts

_AROUND_BYTES = 64 * 1024
"""What an attestation has at most around its payload: certificate, log entry, timestamps."""


def attest_bundles(
    bundles: Sequence[BundleFacts],
    signer: Signer,
    *,
    producer: Mapping[str, str],
    log: LogEvidence | None = None,
    limits: AttestLimits = DEFAULT,
) -> bytes:
    """Return the attestation file (a Sigstore bundle) over these sealed bundles.

    Does not look at the bundles' files again: the facts are taken as they were when the bundles were sealed.

    Args:
        bundles: 1 to `limits.bundles_per_statement_max` bundles.
        signer: who signs.
        producer: `name` and `version` of what makes the statement.
        log: where the bundles are in the sidecar's log; None when there is none.
        limits: bounds on the statement.

    Raises:
        StatementError: no statement can be made over these bundles (see `attest.attestation.statement.statement`), or the log's
            proofs are not theirs.
        AttestError: whatever the signer raises.
    """
    if log is not None:
        _hold_to_log(bundles, log)
    payload = statement(bundles, producer, log=log, limits=limits)
    if (size := len(payload) * 4 // 3 + _AROUND_BYTES) > limits.attestation_bytes_max:
        raise StatementError(
            f"an attestation of some {size} bytes over {len(bundles)} bundles, expected at most {limits.attestation_bytes_max}: "
            f"nobody would read it; fewer bundles make a smaller one"
        )
    read(payload, limits=limits)  # what our own verifier would refuse must not be signed
    validate(payload)
    return signer.sign(payload)


def log_evidence(bundles: Sequence[BundleFacts], reader: LogReader) -> LogEvidence:
    """Where these bundles are in a log that lies there, by its own checkpoint: for a statement made later than they were sealed.

    Raises:
        StatementError: one of them is not in it.
        InvalidError: the log's tiles are malformed, or do not lead to its checkpoint.
    """
    proofs = {}
    for facts in bundles:
        index = reader.find(bytes.fromhex(facts.manifest_sha256))
        if index is None:
            raise StatementError(f"the bundle {facts.file} is not in the log of {reader.checkpoint.size} leaves")
        proofs[facts.bundle_id] = reader.prove(index)
    return LogEvidence(checkpoint=reader.checkpoint, proofs=proofs)


def _hold_to_log(bundles: Sequence[BundleFacts], log: LogEvidence) -> None:
    for facts in bundles:
        proof = log.proofs.get(facts.bundle_id)
        if proof is None or not proof.proves(bytes.fromhex(facts.manifest_sha256), log.checkpoint):
            raise StatementError(
                f"the log's checkpoint does not have the bundle {facts.bundle_id} where it is said to be"
            )


def validate(payload: bytes) -> None:
    """Check a statement with the in-toto project's own package, which shares no code with ours.

    It reads into a `google.protobuf.Struct`, which turns integers into doubles: it judges, and never makes a byte.

    Raises:
        StatementError: the package refuses the statement.
    """
    from google.protobuf.json_format import Parse, ParseError  # noqa: PLC0415 - protobuf is for signing only
    from in_toto_attestation.v1.statement import Statement  # noqa: PLC0415 - 50 ms that verifying must not pay
    from in_toto_attestation.v1.statement_pb2 import Statement as Message  # noqa: PLC0415 - as above

    try:
        Statement.copy_from_pb(Parse(payload, Message())).validate()
    except (ParseError, ValueError) as error:
        raise StatementError(f"the in-toto package refuses the statement: {error}") from error
