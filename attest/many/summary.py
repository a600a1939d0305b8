"""The results of verifying several bundles together, and what they say about each other.

Law: in JSON it is the same bytes for the same input, whatever the number of processes; it is given in pieces, so that it never stands
in memory as a whole.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from attest.checks.batch import Named
from attest.many.absent import so_many
from attest.many.chain import Chain, Finding, Link
from attest.many.folder import Folder
from attest.many.rows import Rows
from attest.verdict import EXIT_CODES, WORST_FIRST, Verdict
from attest.verification import Verification, text
from evidence.canonical import JsonObject

_REMOVED = "there is an attestation and no bundle beside it: removed, or never handed over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The results of several bundles, in the order given."""

    results: Sequence[Verification]
    links: tuple[Link | None, ...] = ()
    """Each bundle's place in the chain; None for one that takes no part."""
    chain: Chain = field(default_factory=Chain)
    folders: tuple[Folder, ...] = ()
    """What lay in the folders that were given."""
    left: Mapping[str, tuple[Named, ...]] = field(default_factory=dict)
    """Bundles that are missing and are named by no more than an attestation without a bundle, by its path."""
    complete: bool = False
    """Whether all bundles of their sidecars should be here."""
    strict: bool = False

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """How many bundles have each verdict, worst first."""
        of = self.results.verdicts if isinstance(self.results, Rows) else (result.verdict for result in self.results)
        found = Counter(of)
        return {verdict: found[verdict] for verdict in WORST_FIRST}

    @property
    def verdict(self) -> Verdict:
        """The worst of all; `undecided` when there was nothing to verify. An attestation without its bundle is a warning."""
        worst: Verdict = next((verdict for verdict, count in self.counts.items() if count), "undecided")
        return "warnings" if worst == "verified" and self.strict and self.orphans else worst

    @property
    def exit_code(self) -> int:
        """The exit code that goes with the verdict."""
        return EXIT_CODES[self.verdict]

    @property
    def orphans(self) -> tuple[str, ...]:
        """Attestations beside which there is no bundle."""
        return tuple(text(path) for folder in self.folders for path in folder.orphans)

    @property
    def breaks(self) -> list[JsonObject]:
        """What is broken or missing among the bundles, in order of position."""
        found = sorted(self.chain.breaks, key=lambda finding: finding.at)
        return [self._break(finding) for finding in found] + [self._orphan(file) for file in self.orphans]

    @property
    def not_at_hand(self) -> tuple[Named, ...]:
        """Bundles that statements name and that are not at hand, where not all of them should be."""
        return tuple(named for each in self.chain.findings if each.kind is None for named in each.missing)

    def orphan_reason(self, file: str) -> str:
        """What an attestation says beside which there is no bundle."""
        missing = self.left.get(file, ())
        return f"{_REMOVED}; its statement names {so_many(missing)} missing" if missing else _REMOVED

    def place(self, at: int) -> JsonObject:
        """One bundle's place in the chain, for reports."""
        link = self.links[at]
        return {"file": self.results[at].file, **(link.to_json() if link else {})}

    def to_json(self) -> JsonObject:
        """Every result, their count by verdict, and the chain: `verification-summary-v1`."""
        return {**self._head(), "results": [result.to_json() for result in self.results]}

    def to_json_pieces(self) -> Iterator[bytes]:
        """`to_json` as JSON with its members sorted, a result a line."""
        head = _json({**self._head(), "results": []})
        before, _, after = head.partition(b'"results":[]')
        yield before + b'"results":['
        for number, result in enumerate(self.results):
            yield (b",\n" if number else b"\n") + _json(result.to_json())
        yield b"\n]" + after + b"\n"

    def _head(self) -> JsonObject:
        return {
            "schema_version": "verification-summary-v1",
            "verdict": self.verdict,
            "exit_code": self.exit_code,
            "strict": self.strict,
            "counts": dict(self.counts),
            "chain": {
                "complete": self.complete,
                "heads": [self.place(at) for at in self.chain.heads],
                "beginnings": [self.place(at) for at in self.chain.beginnings],
                "breaks": self.breaks,
                "not_at_hand": [named.to_json() for named in self.not_at_hand],
            },
            "ignored": {
                "files": sum(folder.others for folder in self.folders),
                "links": sum(folder.links for folder in self.folders),
            },
        }

    def _break(self, finding: Finding) -> JsonObject:
        link = self.links[finding.at]
        return {
            "kind": finding.kind,
            "outcome": finding.outcome,
            "reason": finding.reason,
            "file": self.results[finding.at].file,
            "bundle_id": link.bundle_id if link else None,
            "missing": [named.to_json() for named in finding.missing],
        }

    def _orphan(self, file: str) -> JsonObject:
        return {
            "kind": "orphan",
            "outcome": "warn",
            "reason": self.orphan_reason(file),
            "file": file,
            "bundle_id": None,
            "missing": [named.to_json() for named in self.left.get(file, ())],
        }


def _json(value: JsonObject) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
