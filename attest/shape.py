"""Reading JSON objects whose members are known by name and type.

Law: a member that is missing or of another type is an error of the file (`InvalidError`); a member nobody told us about
makes the file one we cannot judge (`UnsupportedError`), because what a newer producer says there may matter.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from attest.errors import InvalidError, UnsupportedError
from evidence.canonical import parse
from evidence.digest import is_sha256_hex
from evidence.errors import EvidenceError

T = TypeVar("T")

_NAMES: Mapping[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    int: "an integer",
    bool: "a boolean",
}


def read_object(
    data: bytes, *, what: str, depth_max: int, commas_max: int, require_canonical: bool = True
) -> dict[str, Any]:
    """Parse the canonical JSON (RFC 8785) of one object. One value has one spelling, so no byte of it is slack.

    Args:
        data: the text.
        what: its name, for the error.
        depth_max: nesting that is still read.
        commas_max: commas that are still read, and as many opening brackets, those in strings among them.
        require_canonical: False for a caller that looks after its slack itself.

    Raises:
        InvalidError: not JSON, not canonical, a duplicate key, too deep, too many commas or brackets, or not an object.
    """
    # of values there are one more than commas, but for those that hold a single one: each takes many times its length in memory
    for count, marks in ((data.count(b","), "commas"), (data.count(b"[") + data.count(b"{"), "opening brackets")):
        if count > commas_max:
            raise InvalidError(f"{what} has {count} {marks}, expected at most {commas_max}")
    try:
        value = parse(data, depth_max=depth_max, require_canonical=require_canonical)
    except EvidenceError as error:
        raise InvalidError(f"{what}: {error}") from error
    if not isinstance(value, dict):
        raise InvalidError(f"{what} is {describe(value)}, expected an object")
    return value


def members(
    value: object, where: str, required: Mapping[str, type], optional: Mapping[str, type] | None = None
) -> dict[str, Any]:
    """Return `value` as an object whose members are exactly the required ones and any of the optional ones.

    Raises:
        InvalidError: no object, a member is missing, or one has another type.
        UnsupportedError: a member that is neither required nor optional.
    """
    obj: dict[str, Any] = expect(value, dict, where)
    known = {**required, **(optional or {})}
    for name in required:
        if name not in obj:
            raise InvalidError(f"{where} has no {name!r}")
    for name, item in obj.items():
        if name not in known:
            raise UnsupportedError(f"{where} has the unknown member {name[:64]!r}")
        expect(item, known[name], f"{where}.{name}")
    return obj


def expect(value: object, kind: type[T], where: str) -> T:
    """Return `value` when it is of the type `kind` (a boolean is no integer), else raise `InvalidError`."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InvalidError(f"{where} is {describe(value)}, expected {_NAMES[kind]}")
    return value


def sha256_hex(value: object, where: str) -> str:
    """Return `value` when it is a SHA-256 digest in lower-case hexadecimal.

    Raises:
        InvalidError: anything else, upper case included: one digest has one spelling.
    """
    if not is_sha256_hex(value):
        raise InvalidError(f"{where} is {describe(value)}, expected 64 lower-case hexadecimal digits")
    return str(value)


def describe(value: object) -> str:
    """A short form of an untrusted value for an error message."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return repr(value if len(value) <= 80 else value[:77] + "...")
    if isinstance(value, dict | list):
        return f"{_NAMES[type(value)]} of {len(value)}"
    return f"{_NAMES.get(type(value), type(value).__name__)} ({str(value)[:40]})"
