"""Several results of `affidavit verify` as text: what an auditor has to look at first, then what they say about each other, and the counts.

Laws: worst first, and in the order given among equals; nothing here depends on anything but the results. What is wrong with many bundles in
the same way is said in full of the first of them, and of the others that it is the same; each has a line of its own all the same.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from sidecar.cli.colours import outcome_word, verdict_word
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
_KIND_AT, _KIND_COLUMNS = 13, 18
_WHAT_CHARS = 100
_IN_FULL_MAX = 10
_BREAKS_MAX = 40
_MISSING_MAX = 5
_ENDS_MAX = 4
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
        yield from self._chain()
        yield _counts(self._summary)

    def next_steps(self) -> Iterator[str]:
        """What to do about what did not verify, in sentences, where somebody was trusted."""
        counts = self._summary.counts
        if self._broken:
            yield "nothing in an invalid file can be relied on: keep it, and ask for it again from where it was sealed."
        if self._without:
            count = _count(self._without, "bundle")
            yield f"no attestation lies beside {count}: ask for NAME.sigstore.json, to lie beside NAME.evidence.tar.gz."
        if self._untrusted:
            yield (
                f"{_count(self._untrusted, 'bundle')} signed by nobody whom you trust: whose key or identity the file names "
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
                which = _named(alike.others, alike.count)
                yield from hanging(
                    f"The same, but for digests and figures, of {_count(alike.count, 'other')}: {which}", self._columns
                )
        left = sum(1 + alike.count for alike in troubles[_IN_FULL_MAX:])
        if left:
            ways = _count(len(troubles) - _IN_FULL_MAX, "other way")
            yield f"\nand {left:,} more that did not verify, in {ways}: --full shows them"
        yield from ("",) if apart else ()

    def _chain(self) -> Iterator[str]:
        """Where chains begin and end, by sidecar, and what is broken or missing."""
        summary, columns = self._summary, self._columns
        heads, beginnings = (_by_sidecar(summary, ends) for ends in (summary.chain.heads, summary.chain.beginnings))
        bundles = Counter(link.sidecar for link in summary.links if link is not None)
        vouched = {link.sidecar for link in summary.links if link is not None and link.vouched}
        for sidecar in sorted(bundles, key=lambda each: (each[0] or "", each[1])):
            signer, source = sidecar
            by = "signed by" if sidecar in vouched else "signed, by its own word only, by"
            whose = f"{source or 'unnamed'}, {f'{by} {signer}' if signer else 'signed by nobody who is known'}"
            count, begins, ends = bundles[sidecar], beginnings.get(sidecar, ()), heads.get(sidecar, ())
            loose = len(begins) == len(ends) == count
            alone = (
                ""
                if not loose
                else f", {_ends(ends)}"
                if count == 1
                else ", none of which names another as the one before it"
            )
            yield from hanging(printable(f"Sidecar {whose}: {_count(count, 'bundle')}{alone}"), columns)
            if not loose:
                yield from hanging(printable(f"  begins with {_ends(begins)}"), columns)
                yield from hanging(printable(f"  ends with {_ends(ends)}"), columns)
        for each in self._breaks[:_BREAKS_MAX]:
            start = f"  {outcome_word(each['outcome'])}  {each['kind']:16}  {printable(each['file'])}"
            reason = printable(each["reason"])
            apart = _KIND_AT + _KIND_COLUMNS + len(each["file"]) + 2 + len(reason) > columns
            yield start if apart else f"{start}: {reason}"
            below = [*hanging(reason, columns - _KIND_AT)] if apart else []
            yield from (" " * _KIND_AT + line for line in (*below, *_missing(each["missing"], columns - _KIND_AT)))
        if len(self._breaks) > _BREAKS_MAX:
            yield f"  and {len(self._breaks) - _BREAKS_MAX:,} more: --json has all of them"
        if absent := summary.not_at_hand:
            names = [named.file or named.bundle_id for named in absent[:_NAMES_MAX]]
            said = f"Named by statements here, and not among the FILEs: {_named(names, len(absent))}; --complete warns of that"
            yield from hanging(printable(said), columns)


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
    run, part = str(manifest.get("run_id", "")), manifest.get("part", 1)
    said = [f"run {run}"] if run not in file else []
    said += [f"part {part}"] if part != 1 else []
    said += [_count(manifest["event_count"], "event")] if "event_count" in manifest else []
    said += [f"closed {_second(manifest['closed_at'])}"] if "closed_at" in manifest else []
    return ", ".join(said)


def _short(text: str, columns: int) -> str:
    chars = min(_WHAT_CHARS, columns)
    return text if len(text) <= chars else f"{text[: chars - 3]}..."


def _second(time: str) -> str:
    """A time of evidence, which is in UTC, to the second."""
    return f"{time[:19]}Z"


def _by_sidecar(summary: Summary, ends: Sequence[int]) -> Mapping[tuple[str | None, str], list[Any]]:
    found = defaultdict(list)
    for at in ends:
        link = summary.links[at]
        if link is not None:
            found[link.sidecar].append(link)
    return found


def _ends(links: Sequence[Any]) -> str:
    said = [f"run {link.run_id} part {link.part} (closed {_second(link.closed_at)})" for link in links[:_ENDS_MAX]]
    more = f" and {len(links) - _ENDS_MAX:,} others" if len(links) > _ENDS_MAX else ""
    return ", ".join(said) + more if said else "none of them"


def _missing(missing: Sequence[Mapping[str, Any]], columns: int) -> Iterator[str]:
    """The first of the bundles that a statement names and that are not here: what to ask for."""
    named = [each for each in missing if each["file"]]
    for each in named[:_MISSING_MAX]:
        yield from hanging(printable(f"- {each['file']}, bundle {each['bundle_id']}"), columns)
    if len(named) > _MISSING_MAX:
        yield f"- and {len(named) - _MISSING_MAX:,} more: --json names them"


def _named(names: Sequence[str], count: int) -> str:
    more = f" and {count - len(names):,} more" if count > len(names) else ""
    return f"{', '.join(names)}{more}"


def _counts(summary: Summary) -> str:
    found = ", ".join(f"{count:,} {verdict_word(verdict)}" for verdict, count in summary.counts.items() if count)
    ignored = sum(folder.others for folder in summary.folders), sum(folder.links for folder in summary.folders)
    aside = [_count(ignored[0], "other file")] if ignored[0] else []
    aside += [f"{_count(ignored[1], 'symbolic link')} not followed"] if ignored[1] else []
    return f"{_count(len(summary.results), 'bundle')}: {found or 'none'}{'; ' + ', '.join(aside) if aside else ''}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
