"""The result of auditing a log: what was found, what it amounts to, and what was shown. Data only.

Law: the verdict is a function of the findings alone; no finding, no reason to doubt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from attest.limits import DEFAULT
from attest.tlog.checkpoint import Checkpoint
from attest.tlog.note import VerifierKey
from attest.verdict import EXIT_CODES, Verdict, printable

Kind: TypeAlias = Literal[
    "checkpoint",
    "unknown_key",
    "witnesses",
    "tiles",
    "rollback",
    "fork",
    "rewrite",
    "missing",
    "stranger",
    "twice",
    "refused",
    "misplaced",
    "unproven",
    "copy",
]
"""What is found: docs/log.md says what each means."""

_OUTCOMES: Mapping[Kind, Literal["fail", "undecided", "warn"]] = {
    "checkpoint": "fail",
    "unknown_key": "undecided",
    "witnesses": "fail",
    "tiles": "fail",
    "rollback": "fail",
    "fork": "fail",
    "rewrite": "fail",
    "missing": "fail",
    "stranger": "fail",
    "twice": "fail",
    "refused": "fail",
    "misplaced": "fail",
    "unproven": "undecided",
    "copy": "warn",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it should be."""

    kind: Kind
    reason: str
    index: int | None = None
    """The leaf it is about."""
    last: int | None = None
    """The last of several leaves in a row."""
    digest: str | None = None
    """SHA-256 of a manifest, in hexadecimal."""
    file: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", printable(self.reason, DEFAULT.line_chars_max))

    @property
    def outcome(self) -> Literal["fail", "undecided", "warn"]:
        """What it amounts to."""
        return _OUTCOMES[self.kind]

    def to_json(self) -> dict[str, Any]:
        """The members that are known."""
        named = {name: getattr(self, name) for name in ("index", "last", "digest", "file")}
        known = {name: value for name, value in named.items() if value is not None}
        return {"kind": self.kind, "outcome": self.outcome, "reason": self.reason, **known}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAudit:
    """The result."""

    checkpoint: Checkpoint
    key: VerifierKey | None = None
    """The trusted key that signed it."""
    witnesses: tuple[VerifierKey, ...] = ()
    """The trusted witnesses that cosigned it."""
    leaves: int | None = None
    """Leaves that were accounted for by a bundle at hand; None when no bundle was given, or nothing follows from the checkpoint."""
    older: int = 0
    """Distinct older checkpoints that were shown to be prefixes."""
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst finding."""
        outcomes = {finding.outcome for finding in self.findings}
        return "invalid" if "fail" in outcomes else "undecided" if "undecided" in outcomes else "verified"

    @property
    def exit_code(self) -> int:
        """0 verified, 1 invalid, 4 could not decide."""
        return EXIT_CODES[self.verdict]

    def to_json(self) -> dict[str, Any]:
        """The contract with other programs, `log-verification-v1`."""
        return {
            "schema_version": "log-verification-v1",
            "verdict": self.verdict,
            "exit_code": self.exit_code,
            "origin": self.checkpoint.origin,
            "size": self.checkpoint.size,
            "root": self.checkpoint.root.hex(),
            "key": str(self.key) if self.key else None,
            "witnesses": [str(key) for key in self.witnesses],
            "leaves_at_hand": self.leaves,
            "older_checkpoints": self.older,
            "findings": [finding.to_json() for finding in self.findings],
        }
