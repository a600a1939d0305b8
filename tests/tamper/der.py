"""Every small change of a DER structure: each element changed, emptied, removed, doubled, put in another order, with lengths made right.

Reads definite lengths and one-byte tags, which is what certificates and timestamps are made of. Octet strings that hold DER themselves
(extensions) are gone into.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

__all__ = ["changes"]

_CONSTRUCTED = 0x20
_OCTETS = 0x04


@dataclass(frozen=True)
class Element:
    """One tag with its content, or with the elements inside it."""

    tag: int
    content: bytes = b""
    inside: tuple[Element, ...] = ()

    @property
    def der(self) -> bytes:
        body = b"".join(each.der for each in self.inside) if self.inside else self.content
        size = len(body)
        if size < 0x80:
            return bytes([self.tag, size]) + body
        length = size.to_bytes((size.bit_length() + 7) // 8, "big")
        return bytes([self.tag, 0x80 | len(length)]) + length + body


def changes(der: bytes) -> Iterator[tuple[str, bytes]]:
    """What was done at which place, and the changed DER; none equals `der`."""
    (root,) = _read(der)
    assert root.der == der, "not DER as this reader knows it"
    for what, changed in _of(root):
        if changed.der != der:
            yield what, changed.der


def _of(element: Element, place: str = "") -> Iterator[tuple[str, Element]]:
    if not element.inside:
        for what, content in _contents(element.content):
            yield f"{what} {place} (tag {element.tag:#x})", replace(element, content=content)
        return
    for at, each in enumerate(element.inside):
        for what, changed in _of(each, f"{place}.{at}"):
            yield what, _with(element, at, changed)
        yield f"removed {place}.{at}", _with(element, at)
        yield f"doubled {place}.{at}", _with(element, at, each, each)
        if at:
            others = (*element.inside[: at - 1], each, element.inside[at - 1], *element.inside[at + 1 :])
            yield f"swapped {place}.{at}", replace(element, inside=others)


def _contents(content: bytes) -> Iterator[tuple[str, bytes]]:
    if content:
        yield "changed the first byte of", bytes([content[0] ^ 1]) + content[1:]
        yield "changed the last byte of", content[:-1] + bytes([content[-1] ^ 1])
        yield "cut", content[:-1]
        yield "emptied", b""
    yield "extended", content + b"\0"


def _with(element: Element, at: int, *instead: Element) -> Element:
    inside = (*element.inside[:at], *instead, *element.inside[at + 1 :])
    return replace(element, inside=inside) if inside else Element(element.tag)


def _read(data: bytes) -> tuple[Element, ...]:
    elements, at = [], 0
    while at < len(data):
        tag, size, at = data[at], data[at + 1], at + 2
        if size & 0x80:
            count = size & 0x7F
            size, at = int.from_bytes(data[at : at + count], "big"), at + count
        content, at = data[at : at + size], at + size
        if len(content) != size:
            raise ValueError("cut short")
        elements.append(_element(tag, content))
    return tuple(elements)


def _element(tag: int, content: bytes) -> Element:
    if tag & _CONSTRUCTED and content:
        return Element(tag, inside=_read(content))
    if tag == _OCTETS and content:
        plain = Element(tag, content)
        try:
            within = Element(tag, inside=_read(content))
        except (ValueError, IndexError):
            return plain
        return within if within.der == plain.der else plain
    return Element(tag, content)
