"""The result of verifying one evidence bundle: what a command line prints and a program reads."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from attest import prose
from attest.policy.requirements import JudgedBy
from attest.verdict import CHECKS, EXIT_CODES, Check, CheckId, Facts, Outcome, Verdict, verdict_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The result of verifying one evidence bundle."""

    file: str
    """The path that was given."""
    attestation: str | None
    """The path of the attestation, None when there was none."""
    checks: tuple[Check, ...]
    """One for each of `CHECKS`, in that order."""
    facts: Facts = field(default_factory=Facts)
    policy: JudgedBy | None = None
    """The policy it was judged by, None without one."""
    strict: bool = False

    def __post_init__(self) -> None:
        if tuple(check.id for check in self.checks) != CHECKS:
            raise ValueError(f"checks {[check.id for check in self.checks]}, expected {list(CHECKS)}")

    def check(self, check_id: CheckId) -> Check:
        """The answer of that check."""
        return self.checks[CHECKS.index(check_id)]

    def of(self, *outcomes: Outcome) -> tuple[Check, ...]:
        """The checks that ended in one of these outcomes."""
        return tuple(check for check in self.checks if check.outcome in outcomes)

    def with_check(self, check: Check) -> "Verification":
        """The same result with that check's answer replaced."""
        return replace(self, checks=tuple(check if old.id == check.id else old for old in self.checks))

    @property
    def verdict(self) -> Verdict:
        """What follows from the checks; see `attest.verdict.verdict_of`."""
        return verdict_of(self.checks, strict=self.strict)

    @property
    def exit_code(self) -> int:
        """0 verified, 1 invalid, 3 warnings under `strict`, 4 could not decide, 5 not what the policy asks for."""
        return EXIT_CODES[self.verdict]

    @property
    def integrity(self) -> str:
        """The first line for an auditor: whether the file is what was attested."""
        return prose.integrity(self.checks, self.facts, self.verdict)

    @property
    def assurance(self) -> str:
        """The second line: who stands behind it, and what it cannot show."""
        return str(self.assured)

    @property
    def assured(self) -> prose.Assurance:
        """The same in its pieces."""
        return prose.assurance(self.checks, self.facts, self.verdict)

    def to_json(self) -> dict[str, Any]:
        """The contract with other programs, `verification-v1`: no wall clock, the same for the same input."""
        return {
            "schema_version": "verification-v1",
            "file": self.file,
            "attestation": self.attestation,
            "verdict": self.verdict,
            "exit_code": self.exit_code,
            "strict": self.strict,
            "checks": [check.to_json() for check in self.checks],
            "integrity": self.integrity,
            "assurance": self.assurance,
            "facts": self.facts.to_json(),
            "policy": self.policy.to_json() if self.policy else None,
        }


def text(path: Path) -> str:
    """A path as it was given, as text that any report can hold."""
    return path.as_posix().encode(errors="surrogateescape").decode(errors="replace")
