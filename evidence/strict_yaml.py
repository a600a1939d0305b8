"""YAML read strictly, every value with its line: for the tables of this room and for packs that users write.

Law: one way to write a thing. No aliases, no duplicate keys, no tags, no yes for true; what a reader does not ask for is an
error, and every error names file and line.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from evidence.errors import PackError
from evidence.limits import INTEGER_MAX

BYTES_MAX = 1024 * 1024
"""Size of one YAML file."""

_TAG = "tag:yaml.org,2002:"
_TEXTS = {_TAG + "str", _TAG + "timestamp"}  # a date is the text that was written
_LITERALS: Mapping[str, Mapping[str, object]] = {
    _TAG + "bool": {"true": True, "false": False},
    _TAG + "null": {"null": None, "": None},
}
_NUMBERS: Mapping[str, Callable[[str], int | float]] = {_TAG + "int": int, _TAG + "float": float}


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a YAML file and where it stands."""

    value: Any
    """A scalar, a list of nodes, or a dict of nodes."""
    where: str
    """`file:line`."""

    def fail(self, message: str) -> NoReturn:
        """Refuse this value."""
        raise PackError(f"{self.where}: {message}")

    def mapping(self, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, "Node"]:
        """The members of an object with exactly the keys asked for."""
        members = self._of(dict, "an object")
        for key in required:
            if key not in members:
                self.fail(f"expected the key {key!r}")
        for key, member in members.items():
            if key not in required and key not in optional:
                member.fail(f"unknown key {key!r}; known here: {', '.join([*required, *optional])}")
        return dict(members)

    def entries(self) -> dict[str, "Node"]:
        """The members of an object whose keys are data."""
        return dict(self._of(dict, "an object"))

    def items(self) -> list["Node"]:
        """The nodes of a list."""
        return list(self._of(list, "a list"))

    def text(self) -> str:
        """A string that is not empty."""
        text = self._of(str, "text")
        if not text:
            self.fail("expected text, got an empty string")
        return str(text)

    def texts(self) -> tuple[str, ...]:
        """A list of distinct strings, at least one."""
        texts = tuple(item.text() for item in self.items())
        if not texts or len(set(texts)) != len(texts):
            self.fail("expected a list of distinct texts, at least one")
        return texts

    def one_of(self, choices: Sequence[str]) -> str:
        """One of a few words."""
        text = self.text()
        if text not in choices:
            self.fail(f"expected one of {', '.join(choices)}, got {text!r}")
        return text

    def boolean(self) -> bool:
        """`true` or `false`."""
        return bool(self._of(bool, "true or false"))

    def count(self) -> int:
        """An integer of 0 or more."""
        number = self._of(int, "an integer")
        if number < 0:
            self.fail(f"expected an integer of 0 or more, got {number}")
        return int(number)

    def number(self) -> float:
        """A number of any sign."""
        return float(self._of(float if type(self.value) is float else int, "a number"))

    def plain(self) -> Any:  # noqa: ANN401 - whatever JSON can hold
        """The value without its lines."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def _of(self, kind: type, words: str) -> Any:  # noqa: ANN401 - the kind asked for
        if type(self.value) is not kind:
            self.fail(f"expected {words}, got {_WORDS.get(type(self.value), 'nothing')}")
        return self.value


_WORDS = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "an integer", float: "a number"}


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where there is libyaml
_DEPTH_MAX = 32


def _hold(text: str) -> None:
    """Refuse aliases, and nesting that would cost a parser its stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        mark: Any = event.start_mark  # each parser has a class of its own
        if isinstance(event, yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases are not taken", problem_mark=mark)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEPTH_MAX:
            raise yaml.MarkedYAMLError(problem=f"nested deeper than {_DEPTH_MAX}", problem_mark=mark)


def load(data: bytes, file: str) -> Node:
    """Read one YAML document.

    Args:
        data: the file's bytes, UTF-8.
        file: its name, for messages.

    Raises:
        PackError: too large, not YAML, more than one document, or a construct that is not taken; with file and line.
    """
    if len(data) > BYTES_MAX:
        raise PackError(f"{file}: expected at most {BYTES_MAX} bytes, got {len(data)}")
    try:
        text = data.decode()
        _hold(text)
        root = yaml.compose(text, Loader=_LOADER)
    except UnicodeDecodeError as error:
        raise PackError(f"{file}: not UTF-8: {error}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PackError(f"{file}:{line}: not YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise PackError(f"{file}: not YAML: {error}") from error
    if root is None:
        raise PackError(f"{file}:1: an empty document")
    return _node(root, file)


def _node(node: yaml.Node, file: str) -> Node:
    where = f"{file}:{node.start_mark.line + 1}"
    if isinstance(node, yaml.MappingNode):
        members: dict[str, Node] = {}
        for key, value in node.value:
            name = _node(key, file)
            if not isinstance(name.value, str):
                name.fail("expected a key that is text")
            if name.value in members:
                name.fail(f"the key {name.value!r} stands twice")
            member = _node(value, file)
            members[name.value] = Node(member.value, name.where if not member.value else member.where)
        return Node(members, where)
    if isinstance(node, yaml.SequenceNode):
        return Node([_node(item, file) for item in node.value], where)
    return Node(_scalar(node, where), where)


def _scalar(node: yaml.Node, where: str) -> object:
    if node.tag in _TEXTS:
        return node.value
    if node.tag in _LITERALS and node.value in _LITERALS[node.tag]:
        return _LITERALS[node.tag][node.value]
    try:
        number = _NUMBERS[node.tag](node.value)
    except (KeyError, ValueError) as error:
        raise PackError(
            f"{where}: expected plain text, a decimal number, true, false or null, got {node.value[:80]!r}"
        ) from error
    if not -INTEGER_MAX <= number <= INTEGER_MAX:  # a table's digest is over its form in RFC 8785
        raise PackError(f"{where}: expected a finite number of at most {INTEGER_MAX}, got {node.value[:80]}")
    return number
