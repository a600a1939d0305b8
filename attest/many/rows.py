"""What is kept of each bundle when many are verified: a result that says all that it said, in about two kilobytes.

Law: a row gives the same result back, byte for byte in JSON. What is left out is what nothing prints: the manifest's lists and the reports.
"""

import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, Self, overload

from isal import isal_zlib

from attest.checks.batch import Batch, others
from attest.many.chain import Link
from attest.verdict import MANIFEST_FACTS, Check, Facts, Outcome, Verdict
from attest.verification import Verification

_MANIFEST = ("bundle_id", *MANIFEST_FACTS)
_CLOSURE = ("score", "confidence", "missing")
_TOTALS = ("atoms_in", "dropped")
_SEVERITIES = ("major", "minor")
_LEVEL = 0  # of isal's: some 2 KiB a row, in a tenth of the time of what would save a sixth of that


@dataclass(frozen=True, slots=True)
class Row:
    """One packed result."""

    verdict: Verdict
    link: Link | None
    """Its place in the chain; None when it is invalid or could not be read, and takes no part."""
    claims: str | None
    """The id that an invalid bundle gives itself."""
    packed: bytes
    alone: Outcome
    """How the check `chain` ended by itself."""
    name: str | None = None
    """What its file is called, when it takes no part in the chain."""
    batches: tuple[bytes, ...] = ()
    """Digests of the batches that trusted statements beside it name, but for the one that is it alone."""
    chain: Check | None = None
    """What the others at hand say about its place, once that is known."""

    @classmethod
    def of(cls, result: Verification, source: str = "", batches: Sequence[Batch] = ()) -> Self:
        """Pack a result.

        Args:
            result: what came of one bundle.
            source: the CloudEvents source of its events.
            batches: what is named by trusted statements beside it.
        """
        verdict, bundle_id = result.verdict, result.facts.bundle_id
        link = _link(result.facts, source) if verdict != "invalid" else None
        claims = bundle_id if verdict == "invalid" else None
        return cls(
            verdict=verdict,
            link=link,
            claims=claims,
            packed=isal_zlib.compress(pickle.dumps(_slim(result), pickle.HIGHEST_PROTOCOL), _LEVEL),
            alone=result.check("chain").outcome,
            name=None if link else PurePosixPath(result.file).name,
            batches=tuple(batch.digest for batch in others(batches, bundle_id)),
        )

    def result(self) -> Verification:
        """The result again."""
        checks, rest = pickle.loads(isal_zlib.decompress(self.packed))  # noqa: S301 - packed by `of`, see above
        result = Verification(
            checks=tuple(Check(id=name, outcome=outcome, reason=reason) for name, outcome, reason in checks), **rest
        )
        return result.with_check(self.chain) if self.chain else result

    def beside(self, chain: Check) -> Self:
        """The row with what the others at hand say, unless it failed alone or was never reached."""
        if self.alone not in ("pass", "warn"):
            return self
        changes_nothing = self.alone == chain.outcome
        return replace(
            self, chain=chain, verdict=self.verdict if changes_nothing else self.result().with_check(chain).verdict
        )


class Rows(Sequence[Verification]):
    """Results in the order given, each unpacked when it is looked at."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = tuple(rows)

    @property
    def verdicts(self) -> Iterator[Verdict]:
        """The verdicts alone, without unpacking."""
        return (row.verdict for row in self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> Verification: ...
    @overload
    def __getitem__(self, at: slice) -> "Rows": ...
    def __getitem__(self, at: int | slice) -> "Verification | Rows":
        return Rows(self._rows[at]) if isinstance(at, slice) else self._rows[at].result()


def _slim(result: Verification) -> tuple[list[tuple[str, str, str]], dict[str, Any]]:
    """What `Verification` is made of: the checks as plain texts, because so many small objects take longest to pickle."""
    facts = result.facts
    slim = replace(
        facts,
        manifest=_picked(facts.manifest, _MANIFEST),
        closure={"closure": _picked(facts.closure.get("closure"), _CLOSURE)} if facts.closure else None,
        mapping_loss={"totals": _totals(facts.mapping_loss)} if facts.mapping_loss else None,
    )
    return [(check.id, check.outcome, check.reason) for check in result.checks], {
        "file": result.file,
        "attestation": result.attestation,
        "facts": slim,
        "policy": result.policy,
        "strict": result.strict,
    }


def _totals(report: Mapping[str, Any]) -> dict[str, Any] | None:
    """The totals of a loss report that may say anything at all."""
    totals = report.get("totals")
    if not isinstance(totals, Mapping):
        return None
    numbers = {name: totals[name] for name in _TOTALS if isinstance(totals.get(name), int)}
    severity = totals.get("dropped_by_severity")
    if not isinstance(severity, Mapping):
        return numbers
    found = {name: severity[name] for name in _SEVERITIES if isinstance(severity.get(name), int)}
    return numbers | {"dropped_by_severity": found}


def _picked(source: Mapping[str, Any] | None, names: Sequence[str]) -> dict[str, Any] | None:
    return {name: source[name] for name in names if name in source} if source is not None else None


def _link(facts: Facts, source: str) -> Link | None:
    manifest = facts.manifest
    if manifest is None or facts.manifest_sha256 is None:
        return None
    previous = manifest.get("previous_bundle") or {}
    signer = facts.signer.describe() if facts.signer else facts.key_hint
    return Link(
        bundle_id=manifest["bundle_id"],
        manifest_sha256=facts.manifest_sha256,
        signer=signer,
        source=source,
        vouched=facts.signer is not None,
        run_id=manifest["run_id"],
        part=manifest["part"],
        first_seq=manifest["first_seq"],
        last_seq=manifest["last_seq"],
        opened_at=manifest["opened_at"],
        closed_at=manifest["closed_at"],
        amends=manifest.get("amends"),
        previous_id=previous.get("bundle_id"),
        previous_sha256=previous.get("manifest_sha256"),
    )
