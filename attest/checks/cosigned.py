"""The row `cosigned`: what lies beside the attestation that decides, and whether enough have signed.

Law: an attestation can only add permission. One that is not good never fails a bundle, and is never passed over in silence.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from attest.checks.batch import Batch
from attest.trust.trust import Required
from attest.verdict import Check, LogEntryFacts, Outcome, ProvenTime, SignedBy

BAD: frozenset[Outcome] = frozenset({"fail", "undecided", "miss"})
"""Outcomes with which an attestation is not good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationReading:
    """The checks made on a bundle's attestations, and what the deciding one says."""

    checks: tuple[Check, ...]
    path: Path | None = None
    """The deciding attestation; None when there is none."""
    signed_by: str | None = None
    signer: SignedBy | None = None
    signers: tuple[SignedBy, ...] = ()
    times: tuple[ProvenTime, ...] = ()
    log_entry: LogEntryFacts | None = None
    log_witnesses: tuple[str, ...] = ()
    key_hint: str | None = None
    bundles_attested: int | None = None
    batches: tuple[Batch, ...] = ()
    """What is named by statements that somebody trusted signed: with `AttestationJudge.judge`, over all attestations."""

    @property
    def bad(self) -> tuple[Check, ...]:
        """The checks for which it is not good."""
        return tuple(check for check in self.checks if check.outcome in BAD)

    @property
    def rank(self) -> tuple[bool, int, int, bool]:
        """Orders attestations, the best first: none that fails, the fewest undecided, the fewest warnings, one whose time is proven.

        What could not be decided is better than what failed, however much of it there is.
        """
        outcomes = [check.outcome for check in self.checks]
        return "fail" in outcomes, len(self.bad), outcomes.count("warn"), not self.times


def check_cosigned(
    others: Sequence[AttestationReading], signers: Sequence[SignedBy], required: Required, *, left_out: int
) -> Check:
    """Judge what lies beside the deciding attestation.

    Args:
        others: the readings of the other attestations.
        signers: distinct trusted signers over all of them, the deciding one included.
        required: how many signers the verifier asks for.
        left_out: attestations that were not looked at.
    """
    concerns = [_concern(reading) for reading in others if _concern(reading)]
    if left_out:
        concerns.append(f"{left_out} further attestations were not looked at")
    said = "; ".join(concerns)
    if len(signers) < required.signers and required.signers > 1:
        asked = f"{len(signers)} trusted signers, expected {required.signers} or more"
        return _answer("undecided", f"{asked}; {said}" if said else asked)
    if concerns:
        return _answer("warn", said)
    if not others:
        return _answer("skip", "there is no other attestation")
    if len(signers) == 1:
        return _answer("pass", f"{len(others)} further good, by the same signer: nobody else vouches for it")
    by = ", ".join(signer.describe() for signer in distinct(reading.signer for reading in others))
    return _answer("pass", f"{len(others)} further good, by {by}")


def _concern(reading: AttestationReading) -> str:
    """Why an attestation is not good without reserve; empty when it is."""
    found = reading.bad or tuple(check for check in reading.checks if check.outcome == "warn")
    name = reading.path.name if reading.path else ""
    return f"{name} is not good: {found[0].id}: {found[0].reason}" if found else ""


def distinct(signers: Iterable[SignedBy | None]) -> tuple[SignedBy, ...]:
    """Each signer once: a key by its fingerprint, a person by identity, whoever knows them by it."""
    return tuple({(one.key, one.identity): one for one in signers if one}.values())


def _answer(outcome: Outcome, reason: str) -> Check:
    return Check(id="cosigned", outcome=outcome, reason=reason)
