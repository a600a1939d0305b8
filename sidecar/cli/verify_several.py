"""Several results of `affidavit verify` as text: what an auditor has to look at first, then what they say about each other, and the counts.

Laws: worst first, and in the order given among equals; nothing here depends on anything but the results. What is wrong with many bundles in
the same way is said in full of the first of them, and of the others that it is the same; each has a line of its own all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from sidecar.cli.chain_text import chain_text, counted, named, second
from sidecar.cli.colours import verdict_word
from sidecar.cli.printable import printable
from sidecar.cli.verify_text import hanging, of_one, output_width

if TYPE_CHECKING:
    from attest.many.summary import Summary
    from attest.verdict import Outcome
    from attest.verification import Verification

__all__ = ["HowMuch", "Several"]

HowMuch: TypeAlias = Literal["full", "table", "summary"]

_WORD_COLUMNS = 12
_INDENT = _WORD_COLUMNS + 2
_WHAT_CHARS = 100
_IN_FULL_MAX = 10
_NAMES_MAX = 3
_WORST_FIRST: tuple[Outcome, ...] = ("fail", "undecided", "miss", "warn")
"""Outcomes that are to be looked at."""
_VARIES = re.compile(r"[0-9a-f]{8,}(?:-[0-9a-f]{4,})*|[0-9]+(?:[.,:][0-9]+)*")
"""Digests, ids and figures: what two bundles of one trouble differ in."""


@dataclass(slots=True)
class _Alike:
    """Bundles with which the same is wrong."""

    rank: int
    """Of their verdict, the worst first."""
    first: int
    """Position of the first of them."""
    others: list[str] = field(default_factory=list)
    """The files of the next few."""
    count: int = 0
    """How many others there are."""


class Several:
    """Several results, each looked at once: thousands of them take longer to unpack than to print."""

    def __init__(self, summary: Summary) -> None:
        from attest.verdict import WORST_FIRST

        self._summary = summary
        self._columns = output_width()
        self._lines: list[tuple[int, bool, int, str]] = []
        self._alike: dict[tuple[object, ...], _Alike] = {}
        self._broken, self._without, self._untrusted = 0, 0, 0
        self._breaks = sorted(summary.breaks, key=lambda each: _WORST_FIRST.index(each["outcome"]))
        for at, result in enumerate(summary.results):
            rank, warned = WORST_FIRST.index(result.verdict), bool(result.of("warn"))
            self._lines.append((rank, not warned, at, _row(result, self._columns)))
            if result.verdict != "verified":
                self._add(at, rank, result)

    def lines(self, how_much: HowMuch) -> Iterator[str]:
        """All of it, line by line.

        Args:
            how_much: `full` for every result in full, `summary` without the line of each.
        """
        if how_much == "full":
            for *_, at, _line in sorted(self._lines):
                yield from (*of_one(self._summary.results[at]), "")
        else:
            if how_much == "table":
                yield from (line for *_, row in sorted(self._lines) for line in row.split("\n"))
            yield from self._troubles(apart=how_much == "table" and bool(self._lines))
        yield from chain_text(self._summary, self._breaks, self._columns)
        yield _counts(self._summary)

    def next_steps(self) -> Iterator[str]:
        """What to do about what did not verify, in sentences, where somebody was trusted."""
        counts = self._summary.counts
        if self._broken:
            yield "nothing in an invalid file can be relied on: keep it, and ask for it again from where it was sealed."
        if self._without:
            count = counted(self._without, "bundle")
            yield f"no attestation lies beside {count}: ask for NAME.sigstore.json, to lie beside NAME.evidence.tar.gz."
        if self._untrusted:
            yield (
                f"{counted(self._untrusted, 'bundle')} signed by nobody whom you trust: whose key or identity the file names "
                "has to be known from elsewhere than from the file, before you name it."
            )
        if counts["insufficient"]:
            yield "`affidavit policy check FILE` says what the policy asks for, `affidavit evidence lint FILE` where figures come from."
        if any(each["missing"] or each["kind"] == "orphan" for each in self._breaks):
            yield (
                "ask for what is missing: --json names all of it, and `affidavit log verify` says what the sidecar's log has. "
                "Where these are a sample only, give them as FILEs: then nothing warns of the others."
            )

    # ------------------------------------------------------------ looking

    def _add(self, at: int, rank: int, result: Verification) -> None:
        said = ((check.id, check.outcome, _VARIES.sub("#", check.reason)) for check in result.of(*_WORST_FIRST))
        alike = self._alike.setdefault((rank, *said), _Alike(rank, at))
        if alike.first != at:
            alike.count += 1
            if len(alike.others) < _NAMES_MAX:
                alike.others.append(printable(result.file))
        failed = {check.id for check in result.of("fail")}
        self._broken += bool(failed - {"signature", "trust"}) or failed == {"signature"}
        self._without += result.attestation is None and result.facts.claims is None
        self._untrusted += result.check("trust").outcome in ("fail", "undecided")

    # ------------------------------------------------------------ saying

    def _troubles(self, *, apart: bool) -> Iterator[str]:
        """What did not verify, in full, each trouble once."""
        troubles = sorted(self._alike.values(), key=lambda alike: (alike.rank, alike.first))
        for alike in troubles[:_IN_FULL_MAX]:
            yield from ("",) if apart else ()
            apart = True
            yield from of_one(self._summary.results[alike.first])
            if alike.count:
                which = named(alike.others, alike.count)
                yield from hanging(
                    f"The same, but for digests and figures, of {counted(alike.count, 'other')}: {which}", self._columns
                )
        left = sum(1 + alike.count for alike in troubles[_IN_FULL_MAX:])
        if left:
            ways = counted(len(troubles) - _IN_FULL_MAX, "other way")
            yield f"\nand {left:,} more that did not verify, in {ways}: --full shows them"
        yield from ("",) if apart else ()


def _row(result: Verification, columns: int) -> str:
    """The verdict, the file, and what it is or what is wrong with it; that on a line of its own where it does not fit."""
    worst = min(result.of(*_WORST_FIRST), key=lambda check: _WORST_FIRST.index(check.outcome), default=None)
    said = f"{worst.id}: {worst.reason}" if worst else ""
    what = said or _what(result.file, result.facts.manifest or {})
    what = _short(f"warning: {what}" if said and result.verdict == "verified" else what, columns - _INDENT)
    start = f"{verdict_word(result.verdict, _WORD_COLUMNS)}  {printable(result.file)}"
    fits = _INDENT + len(result.file) + 2 + len(what) <= columns
    return f"{start}  {what}" if fits else f"{start}\n{' ' * _INDENT}{what}"


def _what(file: str, manifest: Mapping[str, Any]) -> str:
    """Run and part where the file is not called by them, how much it holds, and when it was closed."""
    run, part = printable(str(manifest.get("run_id", ""))), manifest.get("part", 1)
    said = [f"run {run}"] if run not in file else []
    said += [f"part {part}"] if part != 1 else []
    said += [counted(manifest["event_count"], "event")] if "event_count" in manifest else []
    said += [f"closed {second(manifest['closed_at'])}"] if "closed_at" in manifest else []
    return ", ".join(said)


def _short(text: str, columns: int) -> str:
    chars = min(_WHAT_CHARS, columns)
    return text if len(text) <= chars else f"{text[: chars - 3]}..."


def _counts(summary: Summary) -> str:
    found = ", ".join(f"{count:,} {verdict_word(verdict)}" for verdict, count in summary.counts.items() if count)
    ignored = sum(folder.others for folder in summary.folders), sum(folder.links for folder in summary.folders)
    aside = [counted(ignored[0], "other file")] if ignored[0] else []
    aside += [f"{counted(ignored[1], 'symbolic link')} not followed"] if ignored[1] else []
    return f"{counted(len(summary.results), 'bundle')}: {found or 'none'}{'; ' + ', '.join(aside) if aside else ''}"
