"""Signature and trust of an attestation that was signed with a key.

Laws: the file's hint finds a key and decides nothing; a key with a window, or one that was revoked, counts only at a time
that somebody trusted has proven, because the time that a signer gives for himself is no evidence.
"""

from collections.abc import Sequence

from attest.attestation.sigstore_bundle import SigstoreBundle
from attest.checks.material import Dated, Judged
from attest.errors import InvalidError
from attest.judge import attempt
from attest.shape import describe
from attest.trust.trust import Trust, TrustedKey
from attest.verdict import Check, CheckId, Outcome, ProvenTime, SignedBy


def judge_key(bundle: SigstoreBundle, trust: Trust | None, dated: Dated) -> Judged:
    """Judge the one signature of a bundle that names a key.

    Args:
        bundle: with a hint and exactly one signature.
        trust: whom the caller trusts; None when nobody was named.
        dated: what RFC 3161 timestamps have proven, by the authorities of any trusted root.
    """
    hint = describe(bundle.hint)
    if trust is None:
        said = f"no trusted key was given; the file names the key {hint} for itself"
        return Judged(
            signature=_answer("signature", "skip", "no trusted key was given to check it with"),
            trust=_answer("trust", "undecided", said),
            dated=dated,
        )
    if not trust.keys:
        said = f"it is signed with a key ({hint}), and only certificates are trusted"
        return Judged(
            signature=_answer("signature", "skip", "no trusted key was given to check it with"),
            trust=_answer("trust", "undecided", said),
            dated=dated,
        )
    key, signature = attempt("signature", lambda: _verify(bundle, trust))
    return Judged(
        signature=signature,
        trust=_trust(bundle, trust, key, dated.stamps.times),
        signer=SignedBy(key=key.public.fingerprint) if key else None,
        dated=dated,
    )


def _verify(bundle: SigstoreBundle, trust: Trust) -> tuple[TrustedKey, str]:
    named = trust.find(bundle.hint or "")
    data = bundle.envelope.pae()
    for key in (named,) if named else trust.keys:
        if key.public.verifies(bundle.envelope.signatures[0], data):
            return key, f"valid {key.public.algorithm} signature over the statement"
    raise InvalidError("the signature was not made over this statement by a trusted key")


def _trust(bundle: SigstoreBundle, trust: Trust, key: TrustedKey | None, times: Sequence[ProvenTime]) -> Check:
    if trust.find(bundle.hint or "") is None:
        known = ", ".join(f"sha256:{key.public.fingerprint}" for key in trust.keys[:4])
        return _answer("trust", "fail", f"it names the key {describe(bundle.hint)}, trusted is {known}")
    if key is None:
        return _answer("trust", "skip", "no trusted key made the signature")
    named = f"signed by the trusted key sha256:{key.public.fingerprint}"
    bounds = [
        f"{word} {time}"
        for word, time in (
            ("trusted from", key.valid_from),
            ("trusted until", key.valid_until),
            ("revoked at", key.revoked_at),
        )
        if time is not None
    ]
    if not bounds:
        return _answer("trust", "pass", named)
    window = ", ".join(bounds)
    if not times:
        return _answer("trust", "undecided", f"{named}, {window}; no proven time says that it was signed then")
    outside = [proven for proven in times if not _counts(key, proven.time)]
    if outside:
        return _answer("trust", "fail", f"{named}, {window}; it was signed at {outside[0].time} by {outside[0].by}")
    return _answer("trust", "pass", f"{named}, {window}, and signed then")


def _counts(key: TrustedKey, time: str) -> bool:
    """Whether a signature made at that time counts: both ends of the window do, the moment of revocation does not."""
    return (
        (key.valid_from is None or key.valid_from <= time)
        and (key.valid_until is None or time <= key.valid_until)
        and (key.revoked_at is None or time < key.revoked_at)
    )


def _answer(check_id: CheckId, outcome: Outcome, reason: str) -> Check:
    return Check(id=check_id, outcome=outcome, reason=reason)
