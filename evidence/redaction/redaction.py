"""Applies a policy of redaction to OTLP/JSON and plain JSON, before anything of it is hashed.

Laws: of what the policy names nothing is left in what comes out, in no key, value or text inside a text; what comes out has the shape
of what went in, so that places (JSON pointers) are the same in both; it is a function of the value, the policy and the committer
alone; and what nothing is withheld of is given back as it is.
"""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from evidence.canonical import JsonObject, canonical
from evidence.errors import CanonicalError
from evidence.redaction import data_classes, detectors
from evidence.redaction.commitment import KEY, MARK, Commitment, Withheld
from evidence.redaction.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Also:
    """What is withheld of one item besides, for reasons that are not in the item alone."""

    values: Mapping[str, str] = field(default_factory=dict)
    """Reasons by JSON pointer of a text or AnyValue: it is withheld whole."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Reasons by text: it is withheld wherever it stands, and a long one with all that stands behind it."""


NOTHING = Also()

_AS_THEY_ARE = frozenset(
    {"traceId", "spanId", "parentSpanId", "count", "zeroCount", "asInt", "intValue", "bucketCounts"}
)
"""Members whose texts are numbers and ids by the form of OTLP/JSON."""
_ATTRIBUTES = frozenset({"attributes", "metadata", "filteredAttributes"})

_HEAD = 64
"""Characters by which a long text is known again."""
_PIECES_MAX = 1000
"""Pieces of one text: of one with more nothing stays. A mark is longer than most of what it stands for."""


class Redaction:
    """Applies a policy to one item."""

    def __init__(self, policy: Policy, commit: Callable[[Withheld], Commitment], also: Also = NOTHING) -> None:
        self._policy = policy
        self._commit = commit
        self._also = also
        self._names: dict[str, str] = {}
        """What is left of each key: by that, whoever is shown the value calls it."""
        self._heads = {text[:_HEAD]: reason for text, reason in also.texts.items()}
        self._shortest = min(map(len, self._heads), default=0)
        self._lengths: dict[str, set[int]] = {}
        for head in self._heads:
            self._lengths.setdefault(head[: self._shortest], set()).add(len(head))

    # ---------------------------------------------------------------- OTLP/JSON

    def telemetry(self, item: JsonObject, pointer: str) -> JsonObject:
        """A span, log record, metric, resource or scope in OTLP/JSON."""
        made: JsonObject = {}
        for name, value in item.items():
            at = f"{pointer}/{name}"
            if name in _ATTRIBUTES:
                made[name] = self._key_values(value, at)
            elif name == "body":
                made[name] = self._any_value(value, at, "body")
            else:
                made[name] = self._other(value, at, name)
        return item if _same(item, made) else made

    def _other(self, value: Any, pointer: str, name: str) -> Any:  # noqa: ANN401 - whatever OTLP/JSON holds
        if isinstance(value, str):
            if name in _AS_THEY_ARE or name.endswith("UnixNano"):
                return value
            return self._text(value, pointer, "")
        if isinstance(value, dict):
            return self.telemetry(value, pointer)
        if isinstance(value, list):
            made = [self._other(item, f"{pointer}/{index}", name) for index, item in enumerate(value)]
            return value if _alike(value, made) else made
        return value

    def _key_values(self, pairs: list[JsonObject], pointer: str) -> list[JsonObject]:
        made = [self._pair(pair, f"{pointer}/{index}") for index, pair in enumerate(pairs)]
        return pairs if _alike(pairs, made) else made

    def _pair(self, pair: JsonObject, pointer: str) -> JsonObject:
        key = pair.get("key", "")
        made = dict(pair)
        if key:
            made["key"] = self._names[key] = self._text(key, f"{pointer}/key", "")
        if pair.get("value"):
            made["value"] = self._any_value(pair["value"], f"{pointer}/value", key)
        return pair if _same(pair, made) else made

    def _any_value(self, value: JsonObject, pointer: str, name: str) -> JsonObject:
        if not value:
            return value
        if reason := self._also.values.get(pointer) or self._policy.reason_of_key(name):
            return self._whole_value(value, pointer, name, reason)
        if "stringValue" in value:
            text = value["stringValue"]
            made = self._text(text, f"{pointer}/stringValue", name)
            return value if made is text else {"stringValue": made}
        if "arrayValue" in value:
            items = value["arrayValue"].get("values", [])
            new = [self._any_value(item, f"{pointer}/arrayValue/values/{n}", name) for n, item in enumerate(items)]
            return value if _alike(items, new) else {"arrayValue": {"values": new}}
        if "kvlistValue" in value:
            pairs = value["kvlistValue"].get("values", [])
            new = self._key_values(pairs, f"{pointer}/kvlistValue/values")
            return value if new is pairs else {"kvlistValue": {"values": new}}
        if reason := self._reason_of_scalar(value, name):
            return self._whole_value(value, pointer, name, reason)
        return value

    def _whole_value(self, value: JsonObject, pointer: str, name: str, reason: str) -> JsonObject:
        """Text is what every convention carries, so that a mark comes through a translation where a structure would not."""
        if "stringValue" in value:
            return {"stringValue": self._whole(value["stringValue"], f"{pointer}/stringValue", name, "text", reason)}
        return {"stringValue": self._whole(_as_text(value), f"{pointer}/stringValue", name, "otlp", reason)}

    def _reason_of_scalar(self, value: JsonObject, name: str) -> str:
        """Why a number, truth value or bytes is withheld; empty when it is not."""
        if "bytesValue" in value:
            return self._reason_of_bytes(value["bytesValue"])
        return next((self._reason_of_number(str(each), name) for each in value.values()), "")

    def _reason_of_number(self, text: str, name: str) -> str:
        if self._policy.secrets and (detector := detectors.named(name, text)):
            return f"secret/{detector}"
        return next((reason for _, _, reason in self._found(text)), "")

    def _reason_of_bytes(self, encoded: str) -> str:
        """Bytes are withheld whole for anything that is found in them, read as text."""
        try:
            data = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            return "bytes"
        if self._policy.secrets and detectors.suspect(data):
            return "secret/in-bytes"
        return next((reason for _, _, reason in self._found(data.decode("utf-8", "replace"))), "")

    # ---------------------------------------------------------------- plain JSON

    def plain(self, value: Any, pointer: str, path: str = "") -> Any:  # noqa: ANN401 - whatever JSON can hold
        """A receipt's body, a run's context or outcome, and what is inside them. `path` are the names to it, with dots."""
        if path and (reason := self._policy.reason_of_key(path) or self._policy.reason_of_key(path.rpartition(".")[2])):
            return self._member(value, pointer, path, reason)
        if isinstance(value, str):
            return self._text(value, pointer, path)
        if isinstance(value, dict):
            if reason := next((reason for name in value for _, _, reason in self._found(name)), ""):
                return self._member(value, pointer, path, reason)  # a name cannot be withheld in its place
            made = {
                name: self.plain(item, f"{pointer}/{_escaped(name)}", f"{path}.{name}" if path else name)
                for name, item in value.items()
            }
            return value if _same(value, made) else made
        if isinstance(value, list):
            new = [self.plain(item, f"{pointer}/{index}", path) for index, item in enumerate(value)]
            return value if _alike(value, new) else new
        if value is not None and (reason := self._reason_of_number(str(value), path)):
            return self._member(value, pointer, path, reason)
        return value

    def _member(self, value: object, pointer: str, path: str, reason: str) -> JsonObject:
        body = canonical(value).decode()
        return self._commit(
            Withheld(pointer=pointer, index=0, name=path, form="json", body=body, reason=reason)
        ).to_member()

    # ---------------------------------------------------------------- text

    def text(self, text: str, pointer: str) -> str:
        """Any text."""
        return self._text(text, pointer, "")

    def opaque(self, encoded: str, pointer: str) -> str:
        """Bytes in base64 of which nobody knows what they are."""
        if self._also.texts or not self._policy.is_secrets_only:
            return self._whole(encoded, pointer, "", "text", "unknown-fields")
        reason = self._reason_of_bytes(encoded)
        return self._whole(encoded, pointer, "", "text", reason) if reason else encoded

    def _text(self, text: str, pointer: str, name: str) -> str:
        if reason := self._also.values.get(pointer):
            return self._whole(text, pointer, name, "text", reason)
        if name and self._policy.secrets and (detector := detectors.named(name, text)):
            return self._whole(text, pointer, name, "text", f"secret/{detector}")
        found = list(self._found(text))
        if not found:
            return text
        if len(found) > _PIECES_MAX or (_is_json(text) and not _is_json(_replaced(text, found, [KEY] * len(found)))):
            # rather than a text of marks, or no JSON any more
            return self._whole(text, pointer, name, "text", found[0][2])
        commitments = [
            self._commit(
                Withheld(
                    pointer=pointer,
                    index=index,
                    name=self._names.get(name, name),
                    form="text",
                    body=text[start:end],
                    reason=reason,
                )
            )
            for index, (start, end, reason) in zip(_indexes(text, found), found, strict=True)
        ]
        return _replaced(text, found, [commitment.to_mark() for commitment in commitments])

    def _whole(self, body: str, pointer: str, name: str, form: str, reason: str) -> str:
        if not body:
            return body
        return self._commit(
            Withheld(pointer=pointer, index=0, name=self._names.get(name, name), form=form, body=body, reason=reason)
        ).to_mark()

    def _found(self, text: str) -> Iterator[tuple[int, int, str]]:
        """What is to be withheld of a text: places in order and apart, each with its reason."""
        places: list[tuple[int, int, str]] = []
        if self._policy.secrets:
            places += [(each.start, each.end, f"secret/{each.detector}") for each in detectors.findings(text)]
        if self._policy.data_classes:
            classes = data_classes.found(text, self._policy.data_classes)
            places += [(each.start, each.end, f"data/{each.name}") for each in classes]
        if self._heads:
            places += self._repeated(text)
        return _apart(places)

    def _repeated(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Where one of the texts that go stands: told in the time it takes to read this one, however many and long they are."""
        for at in range(len(text) - self._shortest + 1):
            for length in self._lengths.get(text[at : at + self._shortest], ()):
                head = text[at : at + length]
                if reason := self._heads.get(head):
                    if len(head) == _HEAD:
                        yield at, len(text), reason
                        return
                    yield at, at + len(head), reason


def _replaced(text: str, places: Sequence[tuple[int, int, str]], by: Sequence[str]) -> str:
    pieces, left = [], 0
    for (start, end, _), new in zip(places, by, strict=True):
        pieces += [text[left:start], new]
        left = end
    return "".join([*pieces, text[left:]])


def _indexes(text: str, places: Sequence[tuple[int, int, str]]) -> Iterator[int]:
    """Which mark of the text each of these will be: the sender may have written some by itself."""
    number = left = 0
    for start, end, _ in places:
        number += sum(1 for _ in MARK.finditer(text, left, start)) if KEY in text else 0
        yield number
        number, left = number + 1, end


def _apart(places: list[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    places.sort(key=lambda place: (place[0], -place[1]))
    last: tuple[int, int, str] | None = None
    for start, end, reason in places:
        if last is not None and start < last[1]:
            last = (last[0], max(last[1], end), last[2])
            continue
        if last is not None:
            yield last
        last = (start, end, reason)
    if last is not None:
        yield last


def _as_text(value: object) -> str:
    try:
        return canonical(value).decode()
    except CanonicalError:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _is_json(text: str) -> bool:
    if text.lstrip()[:1] not in {"{", "["}:
        return False
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _escaped(name: str) -> str:
    """A member's name in a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _same(left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    return len(left) == len(right) and all(left.get(name) is value for name, value in right.items())


def _alike(left: Sequence[Any], right: Sequence[Any]) -> bool:
    return all(a is b for a, b in zip(left, right, strict=True))
