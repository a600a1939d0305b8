"""Results of `affidavit verify` as text for people: a bundle in full, or a line for each of many and what is broken between them."""

from __future__ import annotations

import shutil
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from sidecar.cli.colours import outcome_word, verdict_word
from sidecar.cli.printable import printable

if TYPE_CHECKING:
    from attest.many.summary import Summary
    from attest.verification import Verification

__all__ = ["of_one", "of_several"]

HowMuch: TypeAlias = Literal["full", "table", "summary"]

_WORD_COLUMNS = 12
_WHAT_CHARS = 100
_IN_FULL_MAX = 20
_BREAKS_MAX = 40
_ENDS_MAX = 4
_REASON_AT = 25
"""Where the reasons of checks begin."""
_HANG = 4
_COLUMNS_MIN = 60
_ENDLESS = 1_000_000


def of_one(result: Verification) -> Iterator[str]:
    """One result in full: each check, the two lines, the verdict."""
    columns = _columns()
    yield printable(result.file)
    for check in result.checks:
        word = outcome_word(check.outcome)
        first, *more = _wrapped(check.reason, columns - _REASON_AT)
        yield f"  {word}  {check.id:10}  {first}"
        yield from (" " * _REASON_AT + line for line in more)
    assured = result.assured
    yield from _hanging(result.integrity, columns)
    yield from _hanging(f"Assurance and limits: {assured.said[0]}", columns)
    for sentence in assured.said[1:]:
        yield from _hanging(f"  {sentence}", columns)
    for title, clauses in (
        ("Shown", assured.shown),
        ("Not shown", assured.open),
        ("Nothing here shows", assured.never),
    ):
        yield from (f"{title}:",) if clauses else ()
        for clause in clauses:
            yield from _hanging(f"  - {clause}", columns)
    yield f"Verdict: {verdict_word(result.verdict)}"


def _columns() -> int:
    """How wide lines may be: as the terminal is; in a file or a pipe, where others look for them, each stays whole."""
    if not sys.stdout.isatty():
        return _ENDLESS
    return max(shutil.get_terminal_size().columns, _COLUMNS_MIN)


def _hanging(text: str, columns: int) -> Iterator[str]:
    """Lines of a text; what goes on stands further to the right, so that no text can begin a line of its own."""
    first, *more = _wrapped(text, columns - _HANG)
    yield first
    yield from (" " * _HANG + line for line in more)


def _wrapped(text: str, columns: int) -> list[str]:
    """Lines of at most so many characters, where words are no longer; at least one."""
    if len(text) <= columns:
        return [text]
    import textwrap

    indent = text[: len(text) - len(text.lstrip())]
    words = " ".join(text.split())  # a file's text must not come out in columns, as ours does
    return textwrap.wrap(words, columns, initial_indent=indent, break_long_words=False, break_on_hyphens=False) or [""]


def of_several(summary: Summary, how_much: HowMuch) -> Iterator[str]:
    """Several results: a line each, in full what did not verify (or everything), then what they say about each other, and the counts.

    Args:
        summary: the results.
        how_much: `full` for everything, `summary` for what comes after the lines.
    """
    in_full = 0
    for result in summary.results:
        if how_much == "full":
            yield from (*of_one(result), "")
        elif how_much == "table":
            yield _row(result)
    if how_much != "full":
        for result in summary.results:
            if result.verdict != "verified" and in_full < _IN_FULL_MAX:
                in_full += 1
                yield from ("", *of_one(result))
        bad = len(summary.results) - summary.counts["verified"]
        if bad > in_full:
            yield f"\nand {bad - in_full:,} more that did not verify: --full shows them"
        if how_much == "table" or in_full:
            yield ""
    yield from _chain(summary)
    yield _counts(summary)


def _row(result: Verification) -> str:
    """The verdict, the file, and what it is or what is wrong with it."""
    said = next((f"{check.id}: {check.reason}" for check in result.of("fail", "undecided", "miss", "warn")), "")
    manifest = result.facts.manifest
    is_said = said and result.verdict != "verified"
    what = said if is_said or manifest is None else f"run {manifest['run_id']}, part {manifest['part']}{_warned(said)}"
    word = verdict_word(result.verdict, _WORD_COLUMNS)
    return f"{word}  {printable(result.file)}  {_short(what)}"


def _short(text: str) -> str:
    return text if len(text) <= _WHAT_CHARS else f"{text[: _WHAT_CHARS - 3]}..."


def _warned(said: str) -> str:
    return f"; warning: {said}" if said else ""


def _chain(summary: Summary) -> Iterator[str]:
    """Where chains begin and end, by sidecar, and what is broken."""
    heads, beginnings = (_by_sidecar(summary, ends) for ends in (summary.chain.heads, summary.chain.beginnings))
    bundles = Counter(link.sidecar for link in summary.links if link is not None)
    vouched = {link.sidecar for link in summary.links if link is not None and link.vouched}
    for sidecar in sorted(bundles, key=lambda each: (each[0] or "", each[1])):
        signer, source = sidecar
        by = "signed by" if sidecar in vouched else "signed, by its own word only, by"
        whose = f"{source or 'unnamed'}, {f'{by} {signer}' if signer else 'signed by nobody who is known'}"
        begins, ends = _ends(beginnings.get(sidecar, ())), _ends(heads.get(sidecar, ()))
        yield printable(
            f"Sidecar {whose}: {_count(bundles[sidecar], 'bundle')}; begins with {begins}; ends with {ends}"
        )
    breaks = summary.breaks
    for each in breaks[:_BREAKS_MAX]:
        word = outcome_word(each["outcome"])
        yield f"  {word}  {each['kind']:15}  {printable(each['file'])}: {printable(each['reason'])}"
    if len(breaks) > _BREAKS_MAX:
        yield f"  and {len(breaks) - _BREAKS_MAX:,} more: --json has all of them"


def _by_sidecar(summary: Summary, ends: Sequence[int]) -> Mapping[tuple[str | None, str], list[Any]]:
    found = defaultdict(list)
    for at in ends:
        link = summary.links[at]
        if link is not None:
            found[link.sidecar].append(link)
    return found


def _ends(links: Sequence[Any]) -> str:
    said = [f"run {link.run_id} part {link.part} (closed {link.closed_at})" for link in links[:_ENDS_MAX]]
    more = f" and {len(links) - _ENDS_MAX:,} others" if len(links) > _ENDS_MAX else ""
    return ", ".join(said) + more if said else "none of them"


def _counts(summary: Summary) -> str:
    found = ", ".join(f"{count:,} {verdict_word(verdict)}" for verdict, count in summary.counts.items() if count)
    ignored = sum(folder.others for folder in summary.folders), sum(folder.links for folder in summary.folders)
    aside = [_count(ignored[0], "other file")] if ignored[0] else []
    aside += [f"{_count(ignored[1], 'symbolic link')} not followed"] if ignored[1] else []
    return f"{_count(len(summary.results), 'bundle')}: {found or 'none'}{'; ' + ', '.join(aside) if aside else ''}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
