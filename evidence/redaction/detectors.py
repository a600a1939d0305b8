"""Finds secrets in text: keys, tokens, passwords, by what they look like or by the name they stand behind (`secrets.yaml`).

Law: what is found is a function of the text and the table alone. `suspect` never misses what `findings` would find in any text
within the bytes it is given, so that bytes it does not suspect need not be looked at text by text.

Does not check: whether a secret is a real one, and secrets that neither look like one nor stand behind a name for one.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from evidence.canonical import canonical
from evidence.digest import tagged
from evidence.redaction.commitment import KEY, MARK

if TYPE_CHECKING:
    from evidence.strict_yaml import Node


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret in a text."""

    detector: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """One row of the table."""

    id: str
    title: str
    anchors: tuple[str, ...]
    any_case: bool
    """Whether anchors, which are in lower case then, stand for themselves in any case."""
    ahead: str
    pattern: re.Pattern[str]
    check: Callable[[re.Match[str], str], bool]
    """Whether a match with this secret in it is one."""

    def secrets(self, text: str) -> Iterator[Finding]:
        """Where this detector finds a secret."""
        folded = text.lower() if self.any_case else text
        if not any(anchor in folded for anchor in self.anchors):
            return
        for match in self.pattern.finditer(text):
            group = next((name for name in _GROUPS if match.groupdict().get(name)), 0)
            start, end = match.span(group)
            if self.check(match, text[start:end]):
                yield Finding(self.id, start, end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detectors:
    """The whole table."""

    version: str
    digest: str
    """Tagged SHA-256 over the canonical form of the table."""
    rows: tuple[Detector, ...]
    prefilter: tuple[tuple[bytes, re.Pattern[bytes]], ...]
    """Patterns of which one is found in whatever a detector finds something in, each with the byte that it begins with."""


@cache
def detectors() -> Detectors:
    """The detectors of this installation."""
    return read_detectors(files("evidence").joinpath("redaction", "secrets.yaml").read_bytes(), "secrets.yaml")


def read_detectors(data: bytes, file: str) -> Detectors:
    """Read a table of detectors strictly.

    Raises:
        PackError: with file and line, what does not fit.
    """
    from evidence.strict_yaml import load  # noqa: PLC0415 - the receivers import this module and not YAML before they need it

    node = load(data, file)
    members = node.mapping(["id", "version", "detectors"])
    rows: dict[str, Detector] = {}
    for entry in members["detectors"].items():
        row = _detector(entry)
        if row.id in rows:
            entry.fail(f"the detector {row.id!r} stands twice")
        rows[row.id] = row
    return Detectors(
        version=members["version"].text(),
        digest=tagged(canonical(node.plain())),
        rows=tuple(rows.values()),
        prefilter=_prefilter(tuple(rows.values())),
    )


def suspect(data: bytes) -> bool:
    """Whether a text inside these bytes, each in UTF-8 and whole, may hold a secret."""
    for pivot, pattern in detectors().prefilter:  # noqa: SIM110 - the loop is quicker, and texts are short and many
        if pivot in data and pattern.search(data):
            return True
    return False


def findings(text: str) -> Iterator[Finding]:
    """The secrets in a text, in order and apart from each other: what overlaps is one, under the name of the first."""
    if len(text) < LENGTH_MIN or not suspect(text.encode(errors="replace")):
        return
    found = [each for row in detectors().rows for each in row.secrets(text)]
    found.sort(key=lambda each: (each.start, -each.end))
    last: Finding | None = None
    for each in found:
        if last is not None and each.start < last.end:
            last = Finding(last.detector, last.start, max(last.end, each.end))
            continue
        if last is not None:
            yield last
        last = each
    if last is not None:
        yield last


def is_secret(text: str) -> bool:
    """Whether a secret stands in a text: such a one must not become a name."""
    return next(findings(text), None) is not None


def hidden(text: str) -> str:
    """A sentence of ours with nothing in place of the secrets that it quotes."""
    for each in reversed(list(findings(text))):
        text = f"{text[: each.start]}[a secret: {each.detector}]{text[each.end :]}"
    return text


def named(key: str, value: str) -> str | None:
    """The detector that finds a secret in `value` only because it stands behind the name `key`; None when none does."""
    text = f'"{key}":"{value}"'
    start = len(key) + 4
    alone = [(each.start + start, each.end + start) for each in findings(value)]
    for each in findings(text):
        at = bisect_right(alone, (each.start, len(text))) - 1
        if each.end > start and (at < 0 or each.end > alone[at][1]):
            return each.detector
    return None


# ------------------------------------------------------------------ checks

LENGTH_MIN = 8
"""Characters of the shortest text that is looked at."""
_GROUPS = ("secret", "bare")
_WORD_CHARS = re.compile(r"[a-z]*|[A-Z][a-z]*|[A-Z]*")
_ASSIGNED = re.compile(r"(?:=|%3[dD]|u003[dD])\Z")
_STAND_IN = re.compile(
    r"(?:null|none|nil|true|false|undefined|string|str|optional|required|changeme|redacted|removed|hidden|masked)?"
    r"|[*x.•_-]+|\[.*\]|<.*>|\$?\{.*|\$\(.*|%\(?\w*\)?s?|\$[A-Z_][A-Z0-9_]*",
    re.IGNORECASE | re.DOTALL,
)
"""Words that stand where a secret would."""
_MARKS = re.compile(MARK.pattern + r"?|" + re.escape(KEY) + r"\Z")
"""Marks, also where what ends a secret has cut one off."""
_ENTROPY_MIN = 2.9
"""Bits a character of what is taken for random: a hexadecimal string of 16 has about 3.2, an English word of 12 about 3.0 and no digit."""


def _unmarked(secret: str) -> str:
    """A secret without the marks in it, which are none; what stands beside a mark may be one."""
    return _MARKS.sub("", secret) if KEY in secret else secret


def _any(_match: re.Match[str], secret: str) -> bool:
    return bool(_unmarked(secret))


def _is_word(_match: re.Match[str], secret: str) -> bool:
    """Anything but a word in place of a secret."""
    return _STAND_IN.fullmatch(_unmarked(secret)) is None


def _is_random(match: re.Match[str], secret: str) -> bool:
    """What nobody would write by hand: with a digit and a letter, and hardly a character twice."""
    secret = _unmarked(secret)
    if not _is_word(match, secret) or not any(map(str.isdigit, secret)) or not any(map(str.isalpha, secret)):
        return False
    counts, size = Counter(secret), len(secret)
    return -sum(count / size * math.log2(count / size) for count in counts.values()) >= _ENTROPY_MIN


def _is_password(match: re.Match[str], secret: str) -> bool:
    """In quotes whatever is no stand-in; without quotes what a sentence would not go on with."""
    if not _is_word(match, secret):
        return False
    if match["bare"] is None:
        return True
    secret = _unmarked(secret)
    if len(secret) < 4:
        return False
    is_assigned = _ASSIGNED.search(match.string[match.start() : match.start("bare")]) is not None
    return is_assigned or _WORD_CHARS.fullmatch(secret.rstrip(".:!?")) is None


def _is_basic(_match: re.Match[str], secret: str) -> bool:
    """Base64 of a text with a colon in it."""
    try:
        plain = base64.b64decode(secret + "=" * (-len(secret) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    return b":" in plain and plain.decode("latin-1").isprintable()


_CHECKS: Mapping[str, Callable[[re.Match[str], str], bool]] = {
    "any": _any,
    "word": _is_word,
    "random": _is_random,
    "password": _is_password,
    "basic": _is_basic,
}


# ------------------------------------------------------------------ the table

_START = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf])|(?<=\\u[0-9A-Fa-f]{4})|(?<=\\x[0-9A-Fa-f]{2})|(?<=%[0-9A-Fa-f]{2}))"
_AHEAD = "[A-Za-z0-9%+/=_.~-]{10}"


def _detector(node: Node) -> Detector:
    members = node.mapping(["id", "title", "anchors", "pattern"], ["any_case", "ahead", "check"])
    ahead = members["ahead"].text() if "ahead" in members else _AHEAD
    try:
        pattern = re.compile(members["pattern"].text().replace("<start>", _START), re.ASCII)
        re.compile(ahead.encode("ascii"))
    except (re.error, UnicodeEncodeError) as error:
        members["pattern"].fail(f"not a pattern: {error}")
    check = members["check"].one_of(tuple(_CHECKS)) if "check" in members else "any"
    if check == "password" and "bare" not in pattern.groupindex:
        members["pattern"].fail("expected a group 'bare' for what stands without quotes")
    any_case = "any_case" in members and members["any_case"].boolean()
    anchors = members["anchors"].texts()
    for anchor in anchors:
        if not anchor.isascii() or not set(_PIVOTS_ANY_CASE if any_case else _PIVOTS) & set(anchor):
            members["anchors"].fail(f"expected ASCII with one of the characters {_PIVOTS}, got {anchor!r}")
        if any_case and anchor != anchor.lower():
            members["anchors"].fail(f"expected lower case, got {anchor!r}")
    return Detector(
        id=members["id"].text(),
        title=members["title"].text(),
        anchors=anchors,
        any_case=any_case,
        ahead=ahead,
        pattern=pattern,
        check=_CHECKS[check],
    )


# ------------------------------------------------------------------ the prefilter

_PIVOTS = "~=/_-JkwbzVAGvcp."
_PIVOTS_ANY_CASE = "~=/_-jkwbzcp"
"""Bytes to look for, the first of them that an anchor has: few, and as rare in telemetry as they can be."""


def _prefilter(rows: Sequence[Detector]) -> tuple[tuple[bytes, re.Pattern[bytes]], ...]:
    """`Detectors.prefilter`.

    Each pattern begins with one literal byte, which `re` looks for as fast as memory can be read, and only where that stands
    looks around. The anchor `ghp_` is looked for at `_`, as `_(?<=[p]_)(?:(?=AHEAD)(?<=ghp_))`.
    """
    around: dict[str, dict[str, list[list[str]]]] = {}
    for row in rows:
        for anchor in row.anchors:
            pivot = next(byte for byte in (_PIVOTS_ANY_CASE if row.any_case else _PIVOTS) if byte in anchor)
            at = anchor.rindex(pivot)
            before, after = (_spelled(text, any_case=row.any_case) for text in (anchor[:at], anchor[at + 1 :]))
            for byte in sorted({pivot, pivot.upper()} if row.any_case else {pivot}):
                around.setdefault(byte, {}).setdefault(f"{''.join(after)}(?:{row.ahead})", []).append(before)
    return tuple((byte.encode(), _looking_around(byte, contexts)) for byte, contexts in sorted(around.items()))


def _looking_around(byte: str, contexts: Mapping[str, Sequence[Sequence[str]]]) -> re.Pattern[bytes]:
    """The pattern that looks for `byte` and what stands around it: lists of what stands before, by what follows."""
    pivot = re.escape(byte)
    ways = [f"(?={after})(?:{_behind(befores, pivot)})" for after, befores in contexts.items()]
    everything: list[Sequence[str]] = [before for befores in contexts.values() for before in befores]
    if all(everything):
        lasts = "".join(sorted({before[-1].strip("[]") for before in everything}))
        ways = [f"(?<=[{lasts}]{pivot})(?:{'|'.join(ways)})"]
    return re.compile(f"{pivot}(?:{'|'.join(ways)})".encode())


def _behind(befores: Sequence[Sequence[str]], pivot: str) -> str:
    """One of these stands before the pivot: by length, because `re` looks back over one length at a time."""
    by_length: dict[int, dict[str, None]] = {}
    for before in befores:
        by_length.setdefault(len(before), {})["".join(before)] = None
    return "|".join(f"(?<=(?:{'|'.join(texts)}){pivot})" for texts in by_length.values())


def _spelled(text: str, *, any_case: bool) -> list[str]:
    """A pattern for each character."""
    return [f"[{char.lower()}{char.upper()}]" if any_case and char.isalpha() else re.escape(char) for char in text]
