"""JSON text to plain values, strictly, and a stream of JSON documents cut into texts.

Law: `parse` takes exactly the texts of RFC 8259 in UTF-8 whose objects name no key twice, and gives integers of any
size exactly; everything else is a `DecodeError`, whatever the bytes.

https://www.rfc-editor.org/rfc/rfc8259
"""

import json
import re
from collections.abc import Iterator

import orjson

from evidence.redaction.detectors import hidden
from sidecar.errors import DecodeError
from sidecar.limits import DEFAULT, Limits

_SPACE = re.compile(r"[ \t\r\n]*")


def parse(data: bytes, *, what: str = "JSON", limits: Limits = DEFAULT) -> object:
    """Read one JSON text.

    Two parsers look at it. orjson judges the grammar: UTF-8, numbers, lone surrogates, trailing bytes, at most 1,024
    levels. What it took is read by the standard parser, which alone sees duplicate keys and large integers.

    Args:
        data: the text; the caller has bounded its size.
        what: the thing that is read, for the message of an error.
        limits: `json_containers_max` applies, before anything is parsed.

    Raises:
        DecodeError: not one JSON text, nested too deeply, too many arrays and objects, NaN or infinity, or a key given
            twice in one object.
    """
    containers = data.count(b"{") + data.count(b"[")  # those inside strings, too
    if containers > limits.json_containers_max:
        got, expected = f"{containers} arrays and objects", f"at most {limits.json_containers_max}"
        raise DecodeError(what, got=got, expected=expected)
    try:
        orjson.loads(data)
        return json.loads(data, object_pairs_hook=_object)
    except RecursionError:
        raise DecodeError(what, got="arrays and objects nested too deeply") from None
    except ValueError as error:
        raise DecodeError(what, got=f"text that is not JSON: {error}") from error


def split_json(data: bytes) -> Iterator[bytes]:
    """Cut documents that stand one per line, or simply one after the other, into single texts.

    Where the next text cannot be told, all that is left is given as one piece: to say what is wrong with it is up to
    `parse`. So every byte that is not white space is in a piece.
    """
    text = data.decode("utf-8", "surrogateescape")
    decoder = json.JSONDecoder()
    start = _after_space(text, 0)
    while start < len(text):
        try:
            _, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = len(text)
        yield text[start:end].encode("utf-8", "surrogateescape")
        start = _after_space(text, end)


def _after_space(text: str, start: int) -> int:
    match = _SPACE.match(text, start)
    assert match is not None  # the pattern matches nothing, too
    return match.end()


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {hidden(twice)[:80]!r} stands twice in one object")
    return members
