"""What a verification is made of: checks, facts, and the verdict that follows from the checks. Data only.

Law: the verdict is a function of the checks alone, and no check can turn another's failure into a pass.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from attest.limits import DEFAULT

CheckId: TypeAlias = Literal[
    "container",
    "manifest",
    "files",
    "events",
    "chain",
    "reports",
    "mapping",
    "disclosed",
    "statement",
    "envelope",
    "signature",
    "trust",
    "time",
    "log",
    "cosigned",
    "policy",
]
Outcome: TypeAlias = Literal["pass", "warn", "skip", "miss", "undecided", "fail"]
Verdict: TypeAlias = Literal["verified", "warnings", "insufficient", "undecided", "invalid"]

CHECKS: tuple[CheckId, ...] = get_args(CheckId)
"""Every check, in the order of reporting."""

_DEMANDED: frozenset[CheckId] = frozenset(CHECKS) - {
    "reports",
    "mapping",
    "disclosed",
    "time",
    "log",
    "cosigned",
    "policy",
}
"""Without these made, nothing is verified; the others may be skipped, and the second line says so."""

EXIT_CODES: Mapping[Verdict, int] = {"verified": 0, "warnings": 3, "insufficient": 5, "undecided": 4, "invalid": 1}
"""The exit code of each verdict (2 is wrong usage and does not come from here)."""

WORST_FIRST: tuple[Verdict, ...] = ("invalid", "undecided", "insufficient", "warnings", "verified")
"""The order in which one verdict outweighs another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check's answer.

    `skip` says that it was not made, `undecided` that it should have been and could not be, `miss` that the bundle is
    sound and not what the policy asks for.
    """

    id: CheckId
    outcome: Outcome
    reason: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", printable(self.reason, DEFAULT.reason_chars_max))

    def to_json(self) -> dict[str, str]:
        """The three fields."""
        return {"id": self.id, "outcome": self.outcome, "reason": self.reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedBy:
    """A trusted signer whose signature verified: a key by its fingerprint, or a certificate by what it says."""

    key: str | None = None
    """SHA-256 of the key's SubjectPublicKeyInfo; None for a certificate."""
    identity: str | None = None
    """The certificate's subject alternative name; None for a key."""
    issuer: str | None = None
    """Who vouched for the identity, by the certificate."""
    root_sha256: str | None = None
    """The trusted root under which the certificate verified."""

    def phrase(self) -> str:
        """What was signed with, for a sentence."""
        if self.key is not None:
            return f"the key sha256:{self.key}"
        return f"a certificate of {self.identity}, known to {self.issuer}"

    def describe(self) -> str:
        """Who it is, in a few words."""
        return f"sha256:{self.key}" if self.key else f"{self.identity} (by {self.issuer})"

    def to_json(self) -> dict[str, str | None]:
        """The four fields."""
        return {"key": self.key, "identity": self.identity, "issuer": self.issuer, "root_sha256": self.root_sha256}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenTime:
    """A time at which somebody who is trusted to tell the time had seen the signature."""

    time: str
    """RFC 3339 in UTC as evidence writes it."""
    source: Literal["rfc3161", "log"]
    """A timestamp of an authority, or the signed entry time of a transparency log."""
    by: str
    """Which authority or log, by its name in the trusted root."""

    def to_json(self) -> dict[str, str]:
        """The three fields."""
        return {"time": self.time, "source": self.source, "by": self.by}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntryFacts:
    """Where a transparency log has the signature, by a proof that verified."""

    kind: str
    """Kind and version of the entry, such as `dsse 0.0.1`."""
    index: int
    """From the inclusion proof, never the unsigned one beside it."""
    log: str
    """The log's name in the trusted root."""

    def to_json(self) -> dict[str, str | int]:
        """The three fields."""
        return {"kind": self.kind, "index": self.index, "log": self.log}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the bundle and its attestation say, each member absent (None) when it was not reached or not sound.

    Without a `verified` verdict these are claims of the file, nothing more.
    """

    bundle_id: str | None = None
    container_sha256: str | None = None
    manifest: Mapping[str, Any] | None = None
    manifest_sha256: str | None = None
    closure: Mapping[str, Any] | None = None
    """`reports/closure.json`; None unless it was recomputed and came out the same."""
    completeness: Mapping[str, float] | None = None
    """Share of its required signals by `pack@version`; None unless it was recomputed and came out the same."""
    mapping_loss: Mapping[str, Any] | None = None
    """`reports/mapping-loss.json`, recomputed or not."""
    signed_by: str | None = None
    """Fingerprint of the trusted key whose signature verified; None when none did."""
    signer: SignedBy | None = None
    """Who signed the deciding attestation, key or certificate; None when nobody trusted did."""
    signers: tuple[SignedBy, ...] = ()
    """Distinct trusted signers over all attestations of the bundle."""
    times: tuple[ProvenTime, ...] = ()
    """When the deciding attestation was seen to be signed, earliest first."""
    log_entry: LogEntryFacts | None = None
    """Where a transparency log has the deciding attestation."""
    log_witnesses: tuple[str, ...] = ()
    """Trusted witnesses that cosigned the checkpoint of the sidecar's log by which the check `log` passed."""
    key_hint: str | None = None
    """Fingerprint the attestation gives for itself: unsigned, for a lookup only."""
    bundles_attested: int | None = None
    """How many bundles the same statement covers."""
    claims: Mapping[str, Any] | None = None
    """What a bundle of another tool says outside its own identity; None for ours, which has no such thing."""

    def to_json(self) -> dict[str, Any]:
        """What another program may want to know, without the manifest's lists."""
        manifest = self.manifest or {}
        closure = (self.closure or {}).get("closure", {})
        return {
            "bundle_id": self.bundle_id,
            "container_sha256": self.container_sha256,
            "manifest_sha256": self.manifest_sha256,
            **{name: manifest.get(name) for name in MANIFEST_FACTS},
            "closure_score": closure.get("score"),
            "closure_confidence": closure.get("confidence"),
            "completeness": dict(self.completeness) if self.completeness is not None else None,
            "signed_by": self.signed_by,
            "signer": self.signer.to_json() if self.signer else None,
            "signers": [signer.to_json() for signer in self.signers],
            "times": [time.to_json() for time in self.times],
            "log_entry": self.log_entry.to_json() if self.log_entry else None,
            "log_witnesses": list(self.log_witnesses),
            "key_hint": self.key_hint,
            "bundles_attested": self.bundles_attested,
            **({"claims": dict(self.claims)} if self.claims is not None else {}),
        }


MANIFEST_FACTS = (
    "run_id",
    "part",
    "amends",
    "producer",
    "opened_at",
    "closed_at",
    "close_reason",
    "event_count",
    "previous_bundle",
    "capture_health",
)
"""What a result says of a manifest."""


def printable(text: str, chars_max: int) -> str:
    """`text` in one line, bounded, without control characters: what a hostile file says must not steer a terminal."""
    text = text[: chars_max + 1]
    if not text.isprintable():
        text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return text if len(text) <= chars_max else text[: chars_max - 3] + "..."


def in_order(checks: Iterable[Check]) -> tuple[Check, ...]:
    """The given checks in the order of reporting, with a skip for each that was not made."""
    made: dict[CheckId, Check] = {check.id: check for check in checks}
    first = next((check for check in (made.get(name) for name in CHECKS) if check and check.outcome == "fail"), None)
    why = f"not reached: {first.id} failed" if first else "not made"
    return tuple(made.get(name) or Check(id=name, outcome="skip", reason=why) for name in CHECKS)


def verdict_of(checks: Iterable[Check], *, strict: bool) -> Verdict:
    """A failure outweighs an undecided check, that a missed threshold, and that a warning, which counts under `strict` only.

    Fail closed: a demanded check that was skipped leaves the verdict undecided.
    """
    made = tuple(checks)
    outcomes = {check.outcome for check in made}
    if "fail" in outcomes:
        return "invalid"
    if "undecided" in outcomes or any(check.outcome == "skip" and check.id in _DEMANDED for check in made):
        return "undecided"
    if "miss" in outcomes:
        return "insufficient"
    return "warnings" if strict and "warn" in outcomes else "verified"
