"""Attesting: one statement over sealed bundles, checked by an independent reader, then signed."""

from collections.abc import Mapping, Sequence

from attest.errors import StatementError
from attest.limits import DEFAULT, AttestLimits
from attest.signers.signer import Signer
from attest.statement import read, statement
from evidence.bundle import BundleFacts


def attest_bundles(
    bundles: Sequence[BundleFacts],
    signer: Signer,
    *,
    producer: Mapping[str, str],
    limits: AttestLimits = DEFAULT,
) -> bytes:
    """Return the attestation file (a Sigstore bundle) over these sealed bundles.

    Does not look at the bundles' files again: the facts are taken as they were when the bundles were sealed.

    Args:
        bundles: 1 to `limits.bundles_per_statement_max` bundles.
        signer: who signs.
        producer: `name` and `version` of what makes the statement.
        limits: bounds on the statement.

    Raises:
        StatementError: no statement can be made over these bundles; see `attest.statement.statement`.
        AttestError: whatever the signer raises.
    """
    payload = statement(bundles, producer, limits=limits)
    read(payload, limits=limits)  # what our own verifier would refuse must not be signed
    validate(payload)
    return signer.sign(payload)


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
