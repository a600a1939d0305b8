"""The examples of every detector (`secrets/examples.yaml`), joined to texts."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

from evidence.strict_yaml import load

_FILE = Path(__file__).with_name("secrets") / "examples.yaml"


class Found(NamedTuple):
    """A text with a secret in it."""

    detector: str
    text: str
    secret: str


@cache
def found() -> tuple[Found, ...]:
    return tuple(_found(name, node.plain()) for name, row in _rows() for node in row["found"].items())


@cache
def passed() -> tuple[tuple[str, str], ...]:
    """Texts without a secret, by the detector they are near to."""
    return tuple((name, "".join(node.plain())) for name, row in _rows() for node in row["passed"].items())


def names() -> list[str]:
    return [name for name, _ in _rows()]


def _rows():
    root = load(_FILE.read_bytes(), _FILE.name).entries()
    return [(name, node.mapping(["found", "passed"])) for name, node in root.items()]


def _found(detector: str, pieces: list[str]) -> Found:
    start, end = pieces.index("«"), pieces.index("»")
    secret = "".join(pieces[start + 1 : end])
    return Found(detector, "".join(pieces[:start]) + secret + "".join(pieces[end + 1 :]), secret)
