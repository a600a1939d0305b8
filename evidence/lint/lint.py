"""Lints one evidence bundle: judges its events by packs, in one pass, and keeps what a report says of it.

Law: what comes out is a function of the bundle's bytes, the packs and the options; there is no clock. All or nothing: a
bundle that does not read to its last byte has a refusal and no findings, however much of it was seen before.

Does not check signatures, nor whether the bundle's own reports and translations are what its events give: `attest.verify` does.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from evidence import manifest as layout
from evidence.bundle.members import stage
from evidence.bundle.reader import BundleFacts, EvidenceBundle
from evidence.bundle.recomputation import context_of
from evidence.canonical import JsonObject
from evidence.errors import BundleError, Check, UnknownFormatError
from evidence.limits import DEFAULT, Limits
from evidence.lint.applicability import inapplicable
from evidence.packs import Pack
from evidence.scores import Assessment, RuleResult, Scores

_IDENTITY = (
    "bundle_id",
    "run_id",
    "part",
    "opened_at",
    "closed_at",
    "close_reason",
    "event_count",
    "producer",
    "scoring",
)
"""Members of a manifest that say which run this is and what it was sealed with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to judge bundles by."""

    packs: tuple[Pack, ...]
    as_of: str | None = None
    """The day (`YYYY-MM-DD`) on which rules are to apply; without it, the day each run closed."""
    profiles: frozenset[str] = frozenset()
    """The profiles asked for: rules that name another do not apply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How one rule came out for one bundle."""

    result: RuleResult
    inapplicable: str
    """Why the rule does not apply, although it was evaluated; empty when it does."""

    @property
    def decides(self) -> bool:
        """Whether the rule applies, so that its outcome counts."""
        return not self.inapplicable


@dataclass(frozen=True, slots=True, kw_only=True)
class LintedBundle:
    """A bundle that read well, and everything the packs find in it."""

    file: str
    """The name it was given with."""
    identity: JsonObject
    """Ids, digests, times and count, as `lint-report-v1` has them."""
    first_seq: int
    """The sequence number of the first line of `events.ndjson`."""
    findings: tuple[Finding, ...]
    """One for each rule, in the order of packs and rules."""
    scores: Scores
    capture_health: JsonObject

    def of_pack(self, pack: Pack) -> tuple[Finding, ...]:
        """The findings of one pack."""
        return tuple(finding for finding in self.findings if finding.result.pack == pack.id)

    def line(self, place: str) -> int | None:
        """The line of `events.ndjson`, from 1, of an evidence path (`RUN:SEQ#/json/pointer`); None when it names no event."""
        run, _, seq = place.partition("#")[0].rpartition(":")
        if run != self.identity["run_id"] or not (seq.isascii() and seq.isdigit()):
            return None
        number = int(seq) - self.first_seq + 1
        return number if 1 <= number <= self.identity["event_count"] else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedBundle:
    """A bundle that was not read to its end."""

    file: str
    stage: Check | Literal["file"]
    """Where reading stopped; `file` when the file itself could not be read."""
    reason: str
    undecided: bool
    """Not wrong, but not to be decided here: a format of another version, or a file that cannot be opened."""


BundleLint = LintedBundle | RefusedBundle


def lint(path: Path, options: Options, *, name: str | None = None, limits: Limits = DEFAULT) -> BundleLint:
    """Judge one bundle by the packs of `options`.

    Memory does not depend on the number of events, apart from what `Assessment` says.

    Args:
        path: the bundle file.
        options: packs and what makes their rules apply.
        name: what the report calls the file; its own name otherwise.
        limits: bounds on reading and on what is kept.
    """
    name = path.name if name is None else name
    try:
        return _lint(path, options, name, limits)
    except BundleError as error:
        undecided = isinstance(error, UnknownFormatError)
        return RefusedBundle(file=name, stage=error.check, reason=error.reason, undecided=undecided)
    except OSError as error:
        return RefusedBundle(file=name, stage="file", reason=error.strerror or str(error), undecided=True)


def _lint(path: Path, options: Options, name: str, limits: Limits) -> LintedBundle:
    assessment = Assessment(options.packs, limits=limits)
    with EvidenceBundle.open(path, limits) as bundle:
        with stage("events"):
            for batch in bundle.batches():
                assessment.add_all(batch)
        facts = bundle.finish()
    manifest = facts.manifest
    scores = assessment.scores(context_of(facts))
    day = options.as_of or manifest["closed_at"][: len("YYYY-MM-DD")]
    return LintedBundle(
        file=name,
        identity=_identity(facts),
        first_seq=manifest["first_seq"],
        findings=tuple(
            Finding(result=result, inapplicable=inapplicable(result.rule, day, options.profiles))
            for result in scores.rules
        ),
        scores=scores,
        capture_health=assessment.capture_health(),
    )


def _identity(facts: BundleFacts) -> JsonObject:
    manifest = facts.manifest
    return {member: manifest[member] for member in _IDENTITY} | {
        "manifest_digest": "sha256:" + facts.manifest_sha256,
        "events_digest": "sha256:" + facts.members[layout.EVENTS],
        "container_digest": "sha256:" + facts.container_sha256,
        "packs_applied": manifest["x-assay"]["packs_applied"],
        **({"amends": manifest["amends"]} if "amends" in manifest else {}),
    }
