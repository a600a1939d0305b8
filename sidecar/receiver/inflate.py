"""gzip bodies, inflated within a bound. Pure.

Law: never more than `most` bytes come out, and never much more than that is held on the way: a bomb is refused as soon as it
passes the bound (OTLP checklist, item 6; RFC 1952 for the format). Several members are one body, as RFC 1952 has it.
"""

from __future__ import annotations

from isal import isal_zlib

from sidecar.errors import DecodeError
from sidecar.limits import DEFAULT

__all__ = ["GZIP_MAGIC", "TooLargeError", "inflate"]

GZIP_MAGIC = b"\x1f\x8b"
"""How gzip begins, and no protobuf message: field 3 with wire type 7, which does not exist."""
_GZIP_WBITS = 31


class TooLargeError(DecodeError):
    """The sender's fault: a body above the bound. It will not fit the next time either."""


def inflate(data: bytes, most: int, *, members_max: int = DEFAULT.gzip_members_max) -> bytes:
    """The contents of a gzip body.

    Args:
        data: one or more gzip members, and nothing behind them.
        most: bytes that may come out.
        members_max: members that may be in it.

    Raises:
        TooLargeError: more would come out.
        DecodeError: it is not gzip, ends too early, fails its checksum, or has too many members.
    """
    out: list[bytes] = []
    size = 0
    for _ in range(members_max):
        piece, data = _member(data, most - size, most)
        out.append(piece)
        size += len(piece)
        if not data:
            return out[0] if len(out) == 1 else b"".join(out)
    raise DecodeError("gzip body", got="more members", expected=f"at most {members_max}")


def _member(data: bytes, left: int, most: int) -> tuple[bytes, bytes]:
    """Contents of the first member, and what is behind it."""
    inflater = isal_zlib.decompressobj(wbits=_GZIP_WBITS)
    try:
        piece: bytes = inflater.decompress(data, left + 1)
        if len(piece) > left:
            raise TooLargeError("gzip body", got=f"more than {most} bytes inflated", expected=f"at most {most}")
        if not inflater.eof:
            piece += inflater.decompress(inflater.unconsumed_tail, left + 1 - len(piece))
    except isal_zlib.error as error:  # type: ignore[misc]  # a class that its stubs call a function
        raise DecodeError("gzip body", got=str(error), expected="gzip (RFC 1952)") from error
    if len(piece) > left:
        raise TooLargeError("gzip body", got=f"more than {most} bytes inflated", expected=f"at most {most}")
    if not inflater.eof:
        raise DecodeError("gzip body", got="an end too early", expected="a whole gzip member")
    rest: bytes = inflater.unused_data
    return piece, rest
