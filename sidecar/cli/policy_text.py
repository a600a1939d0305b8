"""An auditor's policy in words: whom it trusts, what it asks for, when it ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attest.policy.policy import Policy
    from attest.trust.trust import Identity, Required, TrustedKey


def trusts(policy: Policy) -> Iterator[str]:
    """Whose signatures, certificates, times and logs count."""
    trust = policy.trust
    for key in trust.keys:
        yield f"the {key.public.algorithm} key sha256:{key.public.fingerprint}{_window(key)}"
    for identity in trust.identities:
        yield f"a certificate for {_identity(identity)}"
    use = "certificates, logs and times" if trust.identities else "times, and no certificate,"
    for root in trust.roots:
        yield f"{use} under the root {root.name}, sha256:{root.sha256}"
    for log in trust.logs:
        yield f"the sidecar log {log}"
    for witness in trust.witnesses:
        yield f"the witness {witness}"


def _window(key: TrustedKey) -> str:
    parts = [
        f"from {key.valid_from}" if key.valid_from else "",
        f"until {key.valid_until}" if key.valid_until else "",
        f"revoked at {key.revoked_at}: what is proven to be signed before still counts" if key.revoked_at else "",
    ]
    said = ", ".join(part for part in parts if part)
    return f", {said}" if said else ", whenever it signed"


def _identity(identity: Identity) -> str:
    who = identity.identity or f"anything like {identity.identity_pattern}"
    under = f", under the root sha256:{identity.root_sha256}" if identity.root_sha256 else ""
    return f"{who}, by the issuer {identity.issuer or f'like {identity.issuer_pattern}'}{under}"


def asks(policy: Policy) -> Iterator[str]:
    """What every bundle and its attestations must have."""
    yield from _required(policy.trust.required, certificates=bool(policy.trust.identities))
    for name, accepted in (
        ("payload type", policy.trust.accepted.payload_types),
        ("predicate type", policy.trust.accepted.predicate_types),
        ("kind of log entry", policy.trust.accepted.entry_kinds),
    ):
        if accepted is not None:
            yield f"a {name} among {', '.join(sorted(accepted))}"
    thresholds = policy.thresholds
    for pack in thresholds.packs:
        pinned = f", by the pack {pack.digest}" if pack.digest else ""
        yield f"the pack {pack.name} complete to at least {pack.completeness_min * 100:g}%{pinned}"
    if thresholds.closure_min is not None:
        yield f"closure of at least {thresholds.closure_min:g}"
    if thresholds.confidence_min is not None:
        yield f"confidence in it of at least {thresholds.confidence_min}"
    if thresholds.dropped_ratio_max is not None:
        yield f"at most {thresholds.dropped_ratio_max * 100:g}% of the telemetry's atoms lost in translation"
    if thresholds.dropped_major_max is not None:
        yield f"at most {thresholds.dropped_major_max} of the lost atoms major"
    if thresholds.built_in_tables:
        yield "no translation tables but the built-in ones"
    yield from _capture(thresholds.capture_max.items())


def _required(required: Required, *, certificates: bool) -> Iterator[str]:
    if required.signers > 1:
        yield f"{required.signers} distinct trusted signers"
    if required.timestamps:
        yield _some(
            required.timestamps,
            "an RFC 3161 timestamp of a trusted authority",
            "RFC 3161 timestamps of {} trusted authorities",
        )
    if certificates:
        yield "for a certificate, an entry in a transparency log"
    if required.sidecar_log:
        yield "a proof that the bundle is in its sidecar's log"
    if required.witnesses:
        yield _some(
            required.witnesses,
            "a witness's cosignature on that log's checkpoint",
            "cosignatures of {} witnesses on that log's checkpoint",
        )
    if required.delay_seconds_max is not None:
        yield f"a proven time of signing at most {required.delay_seconds_max} seconds after the run's end"


def _some(number: int, one: str, many: str) -> str:
    return one if number == 1 else many.format(number)


def _capture(maxima: Iterable[tuple[str, int]]) -> Iterator[str]:
    from evidence.signals import registry

    for name, maximum in maxima:
        yield f"{name} at most {maximum} ({registry().counters[name].meaning})"


def expired(policy: Policy, at: str) -> Iterator[str]:
    """That it has expired, if it has."""
    if policy.expires is not None and at >= policy.expires:
        yield f"it expired at {policy.expires}: whatever is judged by it is undecided"


def document(policy: Policy) -> dict[str, Any]:
    """The same as JSON, `policy-v1`."""
    return {
        "schema_version": "policy-v1",
        "name": policy.name,
        "version": policy.version,
        "digest": policy.digest,
        "expires": policy.expires,
        "trusts": list(trusts(policy)),
        "asks": list(asks(policy)),
        "warnings": list(policy.warnings),
    }
