"""What bundles say about each other, as text: by sidecar where the chain begins and ends, then what is broken or missing, the worst first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sidecar.cli.colours import outcome_word
from sidecar.cli.printable import printable
from sidecar.cli.verify_text import hanging

if TYPE_CHECKING:
    from attest.many.chain import Link
    from attest.many.summary import Summary

__all__ = ["chain_text", "counted", "named", "second"]

_KIND_AT, _KIND_COLUMNS = 13, 18
_BREAKS_MAX = 40
_MISSING_MAX = 5
_ENDS_MAX = 4
_NAMES_MAX = 3

_Sidecar = tuple[str | None, str]


def chain_text(summary: Summary, breaks: Sequence[Mapping[str, Any]], columns: int) -> Iterator[str]:
    """Lines of at most so many columns, where words are no longer.

    Args:
        summary: the results.
        breaks: what is broken or missing, in the order to show it.
        columns: how wide lines may be.
    """
    links, chain = _by_sidecar(summary, range(len(summary.links))), summary.chain
    heads, beginnings = _by_sidecar(summary, chain.heads), _by_sidecar(summary, chain.beginnings)
    for sidecar in sorted(links, key=lambda each: (each[0] or "", each[1])):
        for line in _sidecar(sidecar, links[sidecar], beginnings.get(sidecar, []), heads.get(sidecar, [])):
            yield from hanging(printable(line), columns)
    for each in breaks[:_BREAKS_MAX]:
        yield from _break(each, columns)
    if len(breaks) > _BREAKS_MAX:
        yield f"  and {len(breaks) - _BREAKS_MAX:,} more: --json has all of them"
    if absent := summary.not_at_hand:
        names = named([each.file or each.bundle_id for each in absent[:_NAMES_MAX]], len(absent))
        said = f"Named by statements here, and not among the FILEs: {names}; --complete warns of that"
        yield from hanging(printable(said), columns)


def _by_sidecar(summary: Summary, positions: Sequence[int]) -> dict[_Sidecar, list[Link]]:
    found = defaultdict(list)
    for at in positions:
        link = summary.links[at]
        if link is not None:
            found[link.sidecar].append(link)
    return found


def _sidecar(sidecar: _Sidecar, links: Sequence[Link], begins: Sequence[Link], ends: Sequence[Link]) -> Iterator[str]:
    signer, source = sidecar
    by = "signed by" if any(link.vouched for link in links) else "signed, by its own word only, by"
    whose = f"{source or 'unnamed'}, {f'{by} {signer}' if signer else 'signed by nobody who is known'}"
    title = f"Sidecar {whose}: {counted(len(links), 'bundle')}"
    if not len(begins) == len(ends) == len(links):
        yield from (title, f"  begins with {_ends(begins)}", f"  ends with {_ends(ends)}")
    elif len(links) == 1:
        yield f"{title}, {_ends(links)}"
    else:
        first, last = (second(closest(link.closed_at for link in links)) for closest in (min, max))
        yield f"{title}, closed {first} to {last}, none of which names another as the one before it"


def _ends(links: Sequence[Link]) -> str:
    said = [f"run {link.run_id} part {link.part} (closed {second(link.closed_at)})" for link in links[:_ENDS_MAX]]
    more = f" and {len(links) - _ENDS_MAX:,} others" if len(links) > _ENDS_MAX else ""
    return ", ".join(said) + more if said else "none of them"


def _break(each: Mapping[str, Any], columns: int) -> Iterator[str]:
    """On one line where it fits, and below it what to ask for."""
    file, reason = printable(each["file"]), printable(each["reason"])
    start = f"  {outcome_word(each['outcome'])}  {each['kind']:16}  {file}"
    fits = _KIND_AT + _KIND_COLUMNS + len(file) + 2 + len(reason) <= columns
    yield f"{start}: {reason}" if fits else start
    below = [] if fits else [*hanging(reason, columns - _KIND_AT)]
    yield from (" " * _KIND_AT + line for line in (*below, *_missing(each["missing"], columns - _KIND_AT)))


def _missing(missing: Sequence[Mapping[str, Any]], columns: int) -> Iterator[str]:
    """The first of the bundles that a statement names and that are not here: what to ask for."""
    named = [each for each in missing if each["file"]]
    for each in named[:_MISSING_MAX]:
        yield from hanging(printable(f"- {each['file']}, bundle {each['bundle_id']}"), columns)
    if len(named) > _MISSING_MAX:
        yield f"- and {len(named) - _MISSING_MAX:,} more: --json names them"


def second(time: str) -> str:
    """A time of evidence, which is in UTC, to the second."""
    return f"{time[:19]}Z"


def named(names: Sequence[str], count: int) -> str:
    """The first few of so many names."""
    more = f" and {count - len(names):,} more" if count > len(names) else ""
    return f"{', '.join(names)}{more}"


def counted(number: int, noun: str) -> str:
    """A number of things."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
