"""Reading DER: the one encoding of ASN.1 in which a value has a single spelling.

Specification: ITU-T X.690, sections 8.1 and 10.1. Only what timestamps need: tags below 31, definite lengths.
Law: nothing is skipped. What is read covers every byte, and a length has its shortest form.
"""

from dataclasses import dataclass

from attest.errors import InvalidError

INTEGER, OCTETS, NULL, OID, TIME, SEQUENCE, SET = 0x02, 0x04, 0x05, 0x06, 0x18, 0x30, 0x31
"""The universal tags that are used, constructed where they are."""
CONTEXT_0, CONTEXT_1 = 0xA0, 0xA1
"""Context-specific tags, constructed."""


@dataclass(frozen=True, slots=True)
class Value:
    """One encoded value: its tag, its content, and both with the length between them."""

    tag: int
    content: bytes
    whole: bytes

    def parts(self, where: str, *tags: int) -> tuple["Value", ...]:
        """The values inside, which must have exactly these tags, in this order; any when none is given.

        Raises:
            InvalidError: malformed, or other values than asked for.
        """
        found = read_values(self.content, where)
        if tags and tuple(value.tag for value in found) != tags:
            raise InvalidError(
                f"{where} holds the tags {_names(found)}, expected {' '.join(f'{tag:02x}' for tag in tags)}"
            )
        return found


def read_value(data: bytes, where: str, tag: int) -> Value:
    """Read one value with that tag that fills `data`.

    Raises:
        InvalidError: malformed, another tag, or bytes after it.
    """
    found = read_values(data, where)
    if [value.tag for value in found] != [tag]:
        raise InvalidError(f"{where} holds the tags {_names(found)}, expected {tag:02x} alone")
    return found[0]


def read_values(data: bytes, where: str) -> tuple[Value, ...]:
    """Read the values that stand one after another and fill `data`.

    Raises:
        InvalidError: cut short, a tag of more than one byte, a length that is indefinite or not in its shortest form.
    """
    found, at = [], 0
    while at < len(data):
        value = _one(data, at, where)
        found.append(value)
        at += len(value.whole)
    return tuple(found)


def _one(data: bytes, at: int, where: str) -> Value:
    head = data[at : at + 2]
    if len(head) < 2 or head[0] & 0x1F == 0x1F:
        raise InvalidError(f"{where} is no DER: {head.hex() or 'nothing'} is no tag and length")
    size, start = head[1], at + 2
    if size & 0x80:
        width = size & 0x7F
        size, start = int.from_bytes(data[start : start + width]), start + width
        if not 1 <= width <= 4 or size < 0x80 or size >> 8 * (width - 1) == 0:
            raise InvalidError(f"{where} is no DER: a length that is not in its shortest form")
    end = start + size
    if end > len(data):
        raise InvalidError(f"{where} is no DER: {end - len(data)} bytes are missing")
    return Value(head[0], data[start:end], data[at:end])


def _names(values: tuple[Value, ...]) -> str:
    return " ".join(f"{value.tag:02x}" for value in values[:12]) or "of nothing"
