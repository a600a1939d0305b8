"""What a bundle must not hold: a policy of redaction, read strictly.

Law: a policy says what goes by its own words alone; its digest stands for them and for the table of detectors that they call for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from evidence.canonical import JsonObject, canonical
from evidence.digest import tagged
from evidence.redaction import data_classes, detectors
from evidence.strict_yaml import Node, load

_DEFAULT = b'id: affidavit-secrets-only\nversion: "1"\nsecrets: true\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is to be withheld."""

    id: str
    version: str
    digest: str
    """Tagged SHA-256 over the canonical form of the policy and of the table of detectors, if it uses that."""
    secrets: bool = True
    keys: tuple[str, ...] = ()
    """Patterns of attribute keys, and of paths of members in receipts; `*` is any text, in any case."""
    data_classes: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    """Signals of evidence whose bodies are withheld."""

    @property
    def is_secrets_only(self) -> bool:
        """Whether what holds no secret need not be looked at."""
        return not (self.keys or self.data_classes or self.signals)

    def reason_of_key(self, key: str) -> str:
        """Why whatever stands under a key is withheld; empty when it is not."""
        folded = key.lower()
        return next((f"key/{_word(pattern)}" for pattern in self.keys if fnmatchcase(folded, pattern.lower())), "")

    def reference(self) -> JsonObject:
        """What an event says about the policy."""
        return {"id": self.id, "version": self.version, "digest": self.digest}


@cache
def default_policy() -> Policy:
    """Secrets only."""
    return read_policy(_DEFAULT, "default", signals=())


def read_policy(data: bytes, file: str, signals: Sequence[str]) -> Policy:
    """Read a policy strictly.

    Args:
        data: YAML: `id`, `version`, and any of `secrets` (true unless it is said), `keys`, `data_classes`, `signals`.
        file: its name, for messages.
        signals: the signals that have bodies.

    Raises:
        PackError: with file and line, what does not fit.
    """
    node = load(data, file)
    members = node.mapping(["id", "version"], ["secrets", "keys", "data_classes", "signals"])
    secrets = members["secrets"].boolean() if "secrets" in members else True
    if not secrets and not members.keys() & {"keys", "data_classes", "signals"}:
        node.fail("a policy that withholds nothing")
    table = {"detectors": detectors.detectors().digest} if secrets else {}
    return Policy(
        id=members["id"].text(),
        version=members["version"].text(),
        digest=tagged(canonical({"policy": node.plain(), **table})),
        secrets=secrets,
        keys=members["keys"].texts() if "keys" in members else (),
        data_classes=_choices(members.get("data_classes"), tuple(data_classes.CLASSES)),
        signals=_choices(members.get("signals"), signals),
    )


def _choices(node: Node | None, known: Sequence[str]) -> tuple[str, ...]:
    return tuple(item.one_of(known) for item in node.items()) if node is not None and node.texts() else ()


def _word(text: str) -> str:
    """A pattern as the reason of a mark may have it."""
    return "".join(char if char.isascii() and (char.isalnum() or char in "._/*-") else "-" for char in text)[:100]
