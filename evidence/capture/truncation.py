"""Texts that a length limit has cut: JSON that stops in the middle, and the marks that some emitters leave.

An SDK cuts attribute values at `OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT` without a word and without counting it, so that the
text is all there is to see it by.

Law: what is whole is never called cut: only a text that could be continued to JSON is, and that cannot end where it does.
Of what is cut, a text that stops right behind an inner bracket is not noticed: every text is judged by its two ends, and
only one whose last character closes nothing is read.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_CHARS_MIN = 64
"""Characters below which nothing is called cut: pieces of a stream end anywhere, and no limit that is used is so low."""
_MARKS = {200: ("output.value", "...")}
"""What ends a cut text of some length, and in which attribute: OpenInference's LlamaIndex instrumentation."""
_SCANNER = json.JSONDecoder()
_TAIL = re.compile(r"\s*(?:-|\.|[eE][+-]?|t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?|\\?u[0-9a-fA-F]{0,4})?", re.ASCII)
"""What may be left where JSON stops too early: the beginning of a number's part, of a word, or of an escaped character."""


def count_cut(pairs: Sequence[Mapping[str, Any]]) -> int:
    """How many of an item's attributes hold a text that was cut. Only texts that stand for themselves are looked at.

    Args:
        pairs: OTLP/JSON key-value pairs; what is none is passed over.
    """
    try:
        suspects = _suspects(pairs)
    except (AttributeError, IndexError, KeyError, TypeError):
        suspects = _suspects([pair for pair in pairs if _is_text(pair)]) if isinstance(pairs, list | tuple) else []
    return sum([_is_marked(pair.get("key"), text) or is_cut(text) for pair, text in suspects])


def _suspects(pairs: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], str]]:
    """The texts worth a look, by their ends alone. This is done for every attribute there is."""
    return [
        (pair, text)
        for pair in pairs
        if (text := pair["value"].get("stringValue"))
        and (text[-1] not in "}]" if text[0] in "{[" else len(text) in _MARKS)
    ]


def _is_text(pair: object) -> bool:
    value = pair.get("value") if isinstance(pair, Mapping) else None
    return isinstance(value, Mapping) and isinstance(value.get("stringValue"), str)


def is_cut(text: str) -> bool:
    """Whether a text is JSON, an object or an array, that stops before its end."""
    if len(text) < _CHARS_MIN or text[0] not in "{[":
        return False
    try:
        _SCANNER.raw_decode(text)
    except json.JSONDecodeError as error:
        return error.msg.startswith("Unterminated string") or _TAIL.fullmatch(text, error.pos) is not None
    except (ValueError, RecursionError):
        return False  # numbers and nesting beyond what anybody writes
    return False


def _is_marked(key: object, text: str) -> bool:
    marked, mark = _MARKS.get(len(text), ("", ""))
    return bool(mark) and key == marked and text.endswith(mark)
