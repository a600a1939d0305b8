"""The documents that Python's repr writes: dicts, lists, tuples, sets and scalars, and constructor calls as objects.

`Message(role='user', n=1)` is `{"type": "Message", "role": "user", "n": 1}`, positional arguments are `args`; a member of an
enum, `<Role.USER: 'user'>`, is its value; another `<...>` is its text. Nothing is evaluated.

Laws: total and linear in the text; what is over a bound, or is anything else, is no document (`None`). There is no inverse:
a tuple is not told from a list.
"""

from __future__ import annotations

import re
from typing import Final

from semconv.value import JSON_DEPTH_MAX, Value

REPR_CHARACTERS_MAX: Final = 1 << 20

_PIECE: Final = re.compile(
    r"""\s*(?:
    (?P<text>[bru]{0,2}(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))
  | (?P<number>[+-]?(?:\d[\d_]*\.?\d*(?:[eE][+-]?\d+)?|\.\d+|inf\b|nan\b))
  | (?P<enum><[A-Za-z_][\w.]*:\s*(?P<member>[^<>]{1,256})>)
  | (?P<opaque><[^<>]*(?:<[^<>]*>[^<>]*){0,8}>)
  | (?P<word>[A-Za-z_][\w.]*)
  | (?P<sign>[\[\](){},:=])
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|(.))", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\n": ""}
_WORDS: Final[dict[str, Value]] = {"None": None, "True": True, "False": False}
_CLOSING: Final = {"[": "]", "(": ")", "{": "}"}
_DIGITS_MAX: Final = 4000


_ADDRESS: Final = re.compile(r"<[^<>]{1,200} at 0x[0-9a-fA-F]{4,16}>")


class _NoReprError(Exception):
    """The text is nothing repr writes, or is over a bound."""


def parse_repr(text: str) -> dict[str, Value] | list[Value] | None:
    """The object or list a text is the repr of, None when it is of anything else."""
    if len(text) > REPR_CHARACTERS_MAX:
        return None
    try:
        reader = _Reader(text)
        value = reader.value(JSON_DEPTH_MAX)
        return value if isinstance(value, dict | list) and reader.kind == "" else None
    except _NoReprError:
        return None


def is_address(text: str) -> bool:
    """Whether a text is what repr writes of an object that has none: what it is and where in memory, nothing it holds."""
    return _ADDRESS.fullmatch(text) is not None


class _Reader:
    """One pass over a text, one piece ahead."""

    __slots__ = ("at", "end", "kind", "piece", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.end = len(text.rstrip())
        self.at = 0
        self.kind = self.piece = ""
        self.step()

    def step(self) -> str:
        """Go on to the next piece; the one that was passed."""
        passed = self.piece
        if self.at >= self.end:
            self.kind = self.piece = ""
            return passed
        found = _PIECE.match(self.text, self.at)
        if found is None:
            raise _NoReprError
        kind = found.lastgroup or ""
        self.kind, self.piece = ("enum", found["member"]) if kind in ("enum", "member") else (kind, found[kind])
        self.at = found.end()
        return passed

    def value(self, depth: int) -> Value:
        """The value that begins here."""
        kind, piece = self.kind, self.step()
        if kind == "text":
            said = _text(piece)
            while self.kind == "text":  # texts side by side are one
                said += _text(self.step())
            return said
        if kind == "number":
            return _number(piece)
        if kind == "opaque":
            return piece.strip()
        if kind == "enum":
            return _member(piece)
        if depth < 1:
            raise _NoReprError
        if kind == "word":
            return self.word(piece, depth)
        if piece == "{":
            return self.braces(depth)
        if piece in ("[", "("):
            return self.items(_CLOSING[piece], depth)
        raise _NoReprError

    def word(self, word: str, depth: int) -> Value:
        """A word of Python, or a call."""
        if word in _WORDS:
            return _WORDS[word]
        if self.piece != "(" or self.kind != "sign":
            raise _NoReprError
        self.step()
        members: dict[str, Value] = {"type": word}
        listed: list[Value] = []
        while self.piece != ")" or self.kind != "sign":
            if self.kind == "word" and self.piece not in _WORDS and self.text[self.at : self.at + 1] == "=":
                name = self.step()
                self.step()
                members["source_type" if name == "type" and "source_type" not in members else name] = self.value(
                    depth - 1
                )
            else:
                listed.append(self.value(depth - 1))
            self.comma(")")
        self.step()
        if "source_type" in members:  # what the object itself calls its type says more
            members["type"], members["source_type"] = members["source_type"], word
        if word in ("dict", "list", "set", "frozenset", "tuple", "OrderedDict", "deque") and len(listed) == 1:
            return listed[0]
        return {**members, "args": listed} if listed else members

    def braces(self, depth: int) -> Value:
        """A dict, or a set."""
        members: dict[str, Value] = {}
        listed: list[Value] = []
        while self.piece != "}" or self.kind != "sign":
            key = self.value(depth - 1)
            if self.piece == ":" and self.kind == "sign":
                self.step()
                if isinstance(key, dict | list):
                    raise _NoReprError
                members[key if isinstance(key, str) else repr(key)] = self.value(depth - 1)
            else:
                listed.append(key)
            self.comma("}")
        self.step()
        if members and listed:
            raise _NoReprError
        return listed or members

    def items(self, closing: str, depth: int) -> list[Value]:
        """A list or a tuple."""
        listed: list[Value] = []
        while self.piece != closing or self.kind != "sign":
            listed.append(self.value(depth - 1))
            self.comma(closing)
        self.step()
        return listed

    def comma(self, closing: str) -> None:
        """What stands between two values."""
        if self.kind != "sign" or self.piece not in (",", closing):
            raise _NoReprError
        if self.piece == ",":
            self.step()


def _text(piece: str) -> str:
    quote = piece[-1]
    prefix, _, _ = piece.partition(quote)
    inner = piece[len(prefix) + 1 : -1]
    return inner if "r" in prefix or "\\" not in inner else _ESCAPE.sub(_unescaped, inner)


def _unescaped(found: re.Match[str]) -> str:
    x, u, long, octal, other = found.groups()
    if x or u or long:
        number = int(x or u or long, 16)
        if number > 0x10FFFF:
            raise _NoReprError
        return (
            found[0] if 0xD800 <= number <= 0xDFFF else chr(number)
        )  # half a character is in no text: left as written
    if octal:
        return chr(int(octal, 8))
    return _ESCAPED.get(other, other if other in "\\'\"" else "\\" + other)


def _number(piece: str) -> Value:
    if len(piece) > _DIGITS_MAX:
        raise _NoReprError
    try:
        return int(piece)
    except ValueError:
        pass
    try:
        return float(piece)
    except ValueError:
        raise _NoReprError from None


def _member(piece: str) -> Value:
    """The value of an enum's member: a text or a number; of another kind it is left as it is written."""
    piece = piece.strip()
    if len(piece) > 1 and piece[0] == piece[-1] and piece[0] in "'\"":
        return _text(piece)
    return int(piece) if re.fullmatch(r"[+-]?\d{1,18}", piece) else piece
