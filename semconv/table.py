"""Tables: YAML files read strictly, with the line of every defect, and digested over their canonical form.

Law: a table either has exactly the shape its reader asks for, or it is refused with file, line and what was expected.
Not checked here: what the words in a table mean; that is the reader's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, Final, TypeVar

import orjson

from semconv.errors import ProfileError
from semconv.flaws import flaws

TABLE_BYTES_MAX: Final = 1 << 20
"""The largest table read."""

_TEXT: Final = "tag:yaml.org,2002:str"
_MERGE: Final = "tag:yaml.org,2002:merge"

Path = tuple[str | int, ...]
T = TypeVar("T")


class Defect(Exception):  # noqa: N818  # never leaves this room: `read` turns it into a ProfileError with the line
    """Something in a table, by its path from the top of the document."""

    def __init__(self, path: Path, message: str, code: str = "wrong-value") -> None:
        """`code` is a stable name for the kind of defect."""
        super().__init__(message)
        self.path = path
        self.code = code


def read(data: bytes, file: str, build: Callable[[dict[str, Any]], T]) -> T:
    """What `build` makes of the table in a file. Raises as `parse` and `built` do."""
    return built(parse(data, file), data, file, build)


def parse(data: bytes, file: str, *, foreign: bool = False) -> dict[str, Any]:
    """The plain document of a table.

    Args:
        data: the file's bytes, UTF-8.
        file: its name, for messages.
        foreign: the table comes from outside, so `semconv.flaws` looks at it before anything is built.

    Raises:
        ProfileError: it is too large, no YAML, no mapping, or has a key twice.
    """
    if foreign:
        bounded(data, file)
        for flaw in flaws(data):
            raise ProfileError(file, flaw.line, flaw.message)
    return document(data, file, strict=True)


def bounded(data: bytes, file: str) -> None:
    """Refuse a table that is too large to be read. Raises `ProfileError`."""
    if len(data) > TABLE_BYTES_MAX:
        raise ProfileError(file, 0, f"expected at most {TABLE_BYTES_MAX} bytes, got {len(data)}")


def document(data: bytes, file: str, *, strict: bool = False) -> dict[str, Any]:
    """The plain document.

    For bytes without a fatal flaw only (`semconv.flaws`): what is deep or multiplies itself is not bounded here.

    Args:
        data: the file's bytes, UTF-8.
        file: its name, for messages.
        strict: refuse a key that comes twice; otherwise the last one is taken.

    Raises:
        ProfileError: it is no mapping.
    """
    document = _plain(data, file, strict=strict)
    if not isinstance(document, dict):
        raise ProfileError(file, line(data, ()), f"expected a mapping, got {_name(document)}")
    return document


def built(document: dict[str, Any], data: bytes, file: str, build: Callable[[dict[str, Any]], T]) -> T:
    """What `build` makes of a document that was parsed from `data`.

    Raises:
        ProfileError: `build` raised a `Defect`; with the line of it.
    """
    try:
        return build(document)
    except Defect as defect:
        raise ProfileError(file, line(data, defect.path), str(defect)) from defect


def builtin(folder: str, name: str) -> bytes:
    """The bytes of a table that is part of this package."""
    return resources.files("semconv").joinpath(folder, name).read_bytes()


def builtin_names(folder: str) -> list[str]:
    """The tables of a folder of this package, sorted."""
    found = [entry.name for entry in resources.files("semconv").joinpath(folder).iterdir()]
    return sorted(name for name in found if name.endswith(".yaml"))


def digest(table: Mapping[str, Any]) -> str:
    """`sha256:<hex>` over the canonical JSON of a table: key order and layout of the file do not count. Raises `Defect`."""
    try:
        return "sha256:" + hashlib.sha256(orjson.dumps(table, option=orjson.OPT_SORT_KEYS)).hexdigest()
    except TypeError as error:
        raise Defect((), f"expected what JSON can say: {error}") from error


def line(data: bytes, path: Path) -> int:
    """The line where the value at `path` of a table, or the last part of the way that is there, begins."""
    return position(data, path)[0]


def position(data: bytes, path: Path) -> tuple[int, int]:
    """Line and column, both from 1, where the value at `path`, or the last part of the way that is there, begins."""
    import yaml  # noqa: PLC0415  # as in _plain

    node: Any = _composed(data)
    at: Any = node.start_mark if node is not None else None
    for step in path:
        if isinstance(node, yaml.MappingNode):
            found = _entry(node, step)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = (node.value[step], node.value[step])
        else:
            found = None
        if found is None:
            break
        at, node = found[0].start_mark, found[1]
    return (at.line + 1, at.column + 1) if at is not None else (1, 1)


def _entry(node: Any, name: str | int) -> Any:  # noqa: ANN401  # a node of PyYAML
    """Key and value of a mapping, or of one that is merged into it; None when neither has it."""
    found = next(((key, value) for key, value in node.value if key.value == name), None)
    if found is not None:
        return found
    merged = [value for key, value in node.value if key.tag == "tag:yaml.org,2002:merge"]
    below = [inner for value in merged for inner in (value.value if value.id == "sequence" else [value])]
    return next((entry for inner in below if (entry := _entry(inner, name)) is not None), None)


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, as the end of a sentence; empty when none is near."""
    from difflib import get_close_matches  # noqa: PLC0415  # only a defect needs it

    close = get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


# ------------------------------------------------------------------ shapes: each returns its argument or raises Defect


def mapping(value: Any, path: Path, *, known: Iterable[str] | None = None, need: Iterable[str] = ()) -> dict[str, Any]:  # noqa: ANN401  # a parsed document
    """An object with text keys, all of them `known` (when given) and none of `need` missing."""
    if not isinstance(value, dict):
        raise Defect(path, f"expected a mapping, got {_name(value)}")
    for key in value:
        if not isinstance(key, str):
            raise Defect(path, f"expected text as key, got {key!r}")
        if known is not None and key not in known:
            known = sorted(known)
            hint = nearest(key, known)
            raise Defect((*path, key), f"unknown key {key!r}{hint}; known here: {', '.join(known)}", "unknown-word")
    for key in need:
        if key not in value:
            raise Defect(path, f"missing key {key!r}", "missing-word")
    return value


def sequence(value: Any, path: Path) -> list[Any]:  # noqa: ANN401  # a parsed document
    """A list."""
    if not isinstance(value, list):
        raise Defect(path, f"expected a list, got {_name(value)}")
    return value


def text(value: Any, path: Path) -> str:  # noqa: ANN401  # a parsed document
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        raise Defect(path, f"expected text, got {_name(value)}")
    return value


def texts(value: Any, path: Path) -> tuple[str, ...]:  # noqa: ANN401  # a parsed document
    """One text or a list of them."""
    items = value if isinstance(value, list) else [value]
    return tuple(text(item, (*path, index) if items is value else path) for index, item in enumerate(items))


def number(value: Any, path: Path) -> int:  # noqa: ANN401  # a parsed document
    """An integer."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Defect(path, f"expected an integer, got {_name(value)}")
    return value


def flag(value: Any, path: Path) -> bool:  # noqa: ANN401  # a parsed document
    """True or false."""
    if not isinstance(value, bool):
        raise Defect(path, f"expected true or false, got {_name(value)}")
    return value


def one_of(value: Any, path: Path, choices: Iterable[str]) -> str:  # noqa: ANN401  # a parsed document
    """A text out of a closed set."""
    if text(value, path) not in choices:
        choices = sorted(choices)
        hint = nearest(value, choices)
        raise Defect(path, f"expected one of {', '.join(choices)}; got {value!r}{hint}", "unknown-value")
    return str(value)


# ------------------------------------------------------------------ YAML


def _plain(data: bytes, file: str, *, strict: bool) -> Any:  # noqa: ANN401  # a parsed document
    import yaml  # noqa: PLC0415  # a process that reads no table does not pay for it

    try:
        loader: Any = _loader()(data)
        try:
            node = loader.get_single_node()
            return None if node is None else _value(node, loader, strict=strict)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark
        raise ProfileError(file, mark.line + 1 if mark else 0, error.problem or "not YAML") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ProfileError(file, 0, f"not YAML: {type(error).__name__}") from error


def _loader() -> Any:  # noqa: ANN401  # a class of PyYAML
    import yaml  # noqa: PLC0415  # as in _plain

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _value(node: Any, loader: Any, *, strict: bool) -> Any:  # noqa: ANN401  # a node and a loader of PyYAML, a parsed document
    """What a node says. The loader could tell as well; for tables of thousands of short texts it takes twice as long."""
    import yaml  # noqa: PLC0415  # as in _plain

    if isinstance(node, yaml.ScalarNode):
        return node.value if node.tag == _TEXT else loader.construct_object(node)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, loader, strict=strict) for item in node.value]
    _check_keys(node, strict=strict)
    loader.flatten_mapping(node)
    return {_value(key, loader, strict=strict): _value(value, loader, strict=strict) for key, value in node.value}


def _check_keys(node: Any, *, strict: bool) -> None:  # noqa: ANN401  # a node of PyYAML
    import yaml  # noqa: PLC0415  # as in _plain

    seen = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(problem="expected text as key", problem_mark=key.start_mark)
        if strict and key.value in seen and key.tag != _MERGE:
            raise yaml.MarkedYAMLError(problem=f"key {key.value!r} comes twice", problem_mark=key.start_mark)
        seen.add(key.value)


@lru_cache(maxsize=4)
def _composed(data: bytes) -> Any:  # noqa: ANN401  # a node of PyYAML
    """The nodes of a table; those of the last few are kept, as lines are mostly asked for one table at a time."""
    import yaml  # noqa: PLC0415  # as in _plain

    return yaml.compose(data, Loader=_loader())


def _name(value: object) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {str(value)[:40]!r}"
