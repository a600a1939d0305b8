"""The one tar header that Assay writes for a member, and what another writer's header may differ in.

https://www.gnu.org/software/tar/manual/html_node/Standard.html

Law: nothing but a regular file passes, and no field that could change what a member is or where it lies. Fields that only
describe it (mode, owner, time, flavour) may differ: each that does is named, because nothing but the container's digest
covers it.
"""

from evidence.errors import EvidenceError

BLOCK_BYTES = 512
_SIZE_BYTES_MAX = 8**11 - 1
_GNU = b"ustar  \x00"
_USTAR = b"ustar\x0000"
_OWNER = b"assay".ljust(32, b"\x00")
_DESCRIPTIVE = {
    "mode": (100, 108, b"0000644\x00"),
    "user id": (108, 116, b"0000000\x00"),
    "group id": (116, 124, b"0000000\x00"),
    "time": (136, 148, b"00000000000\x00"),
    "user": (265, 297, _OWNER),
    "group": (297, 329, _OWNER),
}
"""Fields that describe a member: where each lies, and what is written."""


def encode(name: str, size: int) -> bytes:
    """The 512-byte header of a member.

    Raises:
        EvidenceError: the name is longer than 100 bytes, or the size has no octal form.
    """
    raw = name.encode()
    if not 0 < len(raw) <= 100 or not 0 <= size <= _SIZE_BYTES_MAX:
        raise EvidenceError(f"member {name[:100]!r}: a name or size that a tar header cannot say")
    block = bytearray(BLOCK_BYTES)
    block[: len(raw)] = raw
    block[124:136] = f"{size:011o}\x00".encode()
    for start, end, value in _DESCRIPTIVE.values():
        block[start:end] = value
    block[257:265] = _GNU
    block[148:156] = f"{_checksum(bytes(block)):07o}\x00".encode()
    return bytes(block)


def decode(block: bytes) -> tuple[str, int, tuple[str, ...]]:
    """Name, size, and in what the header differs from the one that Assay writes.

    Raises:
        EvidenceError: not a header, not a regular file, or a field that a regular file leaves empty is not.
    """
    name, size = _text(block[:100], "name"), _octal(block[124:136], "size")
    if block[257:265] not in (_GNU, _USTAR):
        raise EvidenceError(f"tar header of {name!r}: neither GNU tar nor ustar")
    if _octal(block[148:156], "checksum") != _checksum(block):
        raise EvidenceError(f"tar header of {name!r}: wrong checksum")
    if block[156:157] not in (b"0", b"\x00"):
        raise EvidenceError(f"tar header of {name!r}: expected a regular file, got type {block[156:157]!r}")
    if any(block[157:257]) or block[329:345].strip(b"0 \x00") or any(block[345:]):
        raise EvidenceError(f"tar header of {name!r}: a link, device, prefix or extension where a file has none")
    odd = [f"{field} {_shown(block[a:b])}" for field, (a, b, own) in _DESCRIPTIVE.items() if _other(block[a:b], own)]
    if block[257:265] != _GNU:
        odd.append("flavour ustar")
    return name, size, tuple(odd)


def padding(size: int) -> int:
    """Zero bytes that follow `size` bytes of content."""
    return -size % BLOCK_BYTES


def _checksum(block: bytes) -> int:
    return sum(block[:148]) + sum(b" " * 8) + sum(block[156:])


def _octal(field: bytes, name: str) -> int:
    digits = field.strip(b" \x00")
    if not digits or len(digits) > 11 or any(digit not in b"01234567" for digit in digits):
        raise EvidenceError(f"tar header: {name}: expected octal digits, got {field!r}")
    return int(digits, 8)


def _text(field: bytes, name: str) -> str:
    text, _, rest = field.partition(b"\x00")
    try:
        if not any(rest):
            return text.decode("utf-8")
    except UnicodeDecodeError:
        pass
    raise EvidenceError(f"tar header: {name}: expected UTF-8 and then zeros, got {field[:60]!r}")


def _other(field: bytes, own: bytes) -> bool:
    """Whether a field says something else: a number may be spelled with another blank behind it."""
    return field.strip(b" \x00") != own.strip(b" \x00")


def _shown(field: bytes) -> str:
    return repr(field.strip(b"\x00").decode("ascii", "backslashreplace"))
