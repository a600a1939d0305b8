"""Packs: what a reader wants to know of a run, as required signals and rules over its events.

Law: a pack is read whole or refused, with file and line: unknown keys and signals, rules told twice, rules that cannot
fail. Its digest is over the canonical form of everything it says, so a misread word is another pack.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from evidence.canonical import JsonObject, canonical
from evidence.condition import Row, read_row
from evidence.digest import tagged
from evidence.errors import PackError, PackUnavailableError
from evidence.manifest import PACKS
from evidence.signals import Registry, registry
from evidence.strict_yaml import Node
from evidence.strict_yaml import load as load_yaml

BUILTIN = ("baseline",)
"""The packs of this installation, by name."""

KINDS = ("compliance", "security", "quality")
SEVERITIES = ("error", "warning", "info")

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_ROOT = ("author", "license", "source_url", "disclaimer")
_RULE = ("framework", "ref", "ref_title", "applies_from", "role", "rationale", "source_url", "checked_on")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalState:
    """Holds when a signal is at least in a state; a signal that nothing expects leaves the rule undecided."""

    signal: str
    min_state: Literal["captured", "redacted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistsForAll:
    """Holds when every event that `row` describes has what it demands; without such an event it is undecided."""

    row: Row


Check = SignalState | ExistsForAll


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a pack."""

    id: str
    title: str
    severity: str
    check: Check
    about: Mapping[str, str]
    """Framework, reference, dates and rationale, as far as the pack says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A pack as read."""

    name: str
    version: str
    kind: str
    description: str
    digest: str
    """Tagged SHA-256 over the canonical form of the parsed file."""
    source_url: str | None
    requires_signals: tuple[str, ...]
    rules: tuple[Rule, ...]
    source: bytes
    """The file, for bundles to carry."""

    @property
    def id(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"

    @property
    def is_builtin(self) -> bool:
        """Whether every installation of this version has it, so that a bundle need not carry it."""
        return self.name in BUILTIN and builtin(self.name).digest == self.digest

    def reference(self) -> JsonObject:
        """What a manifest says about the pack."""
        url = {"source_url": self.source_url} if self.source_url else {}
        return {"name": self.name, "version": self.version, "digest": self.digest, "kind": self.kind, **url}

    def mappings(self) -> list[JsonObject]:
        """Which rule maps to which reference of which framework."""
        return [
            {"rule": f"{self.id}:{rule.id}", "framework": rule.about["framework"], "ref": rule.about["ref"]}
            for rule in self.rules
            if "framework" in rule.about
        ]


@cache
def builtin(name: str) -> Pack:
    """A pack of this installation.

    Raises:
        PackError: there is none of that name.
    """
    if name not in BUILTIN:
        raise PackError(f"pack {name!r}: expected one of {', '.join(BUILTIN)} or a file")
    return read_pack(files("evidence").joinpath("builtin", f"{name}.yaml").read_bytes(), f"{name}.yaml")


def load(source: bytes | str, file: str = "pack.yaml") -> Pack:
    """A pack from its bytes, or a built-in one by its name; `file` is for messages.

    Raises:
        PackError: with file and line, what does not fit.
    """
    return builtin(source) if isinstance(source, str) else read_pack(source, file)


def applied(manifest: JsonObject, attached: Mapping[str, bytes]) -> tuple[Pack, ...]:
    """The packs that a bundle says were applied: those it carries, else the built-in ones, held to their digests.

    Raises:
        PackError: a pack that the bundle carries is not valid.
        PackUnavailableError: a pack is neither carried nor built in here with that digest.
    """
    carried = {pack.digest: pack for pack in _carried(attached)}
    known = carried | {pack.digest: pack for pack in map(builtin, BUILTIN)}
    packs = []
    for reference in manifest["x-assay"]["packs_applied"]:
        pack = known.get(reference["digest"])
        if pack is None:
            raise PackUnavailableError(
                f"pack {reference['name']}@{reference['version']} is not at hand: {reference['digest']}"
            )
        if pack.reference() != reference:
            raise PackError(f"pack {reference['name']}@{reference['version']}: the manifest describes it otherwise")
        packs.append(pack)
    return tuple(packs)


def read_pack(data: bytes, file: str, signals: Registry | None = None) -> Pack:
    """Read a pack strictly.

    Raises:
        PackError: with file and line, what does not fit.
    """
    signals = signals or registry()
    node = load_yaml(data, file)
    members = node.mapping(["name", "version", "kind", "description", "x-assay", "rules"], _ROOT)
    name, kind = members["name"].text(), members["kind"].one_of(KINDS)
    if _NAME.fullmatch(name) is None:
        members["name"].fail(f"expected lower-case letters, digits and inner hyphens, got {name!r}")
    if kind == "compliance" and "disclaimer" not in members:
        node.fail("a compliance pack needs a disclaimer")
    required = members["x-assay"].mapping(["requires_signals"])["requires_signals"]
    for entry in required.items():
        _known_signal(entry, signals)
    for key in _ROOT:
        if key in members:
            members[key].text()
    return Pack(
        name=name,
        version=members["version"].text(),
        kind=kind,
        description=members["description"].text(),
        digest=tagged(canonical(node.plain())),
        source_url=members["source_url"].text() if "source_url" in members else None,
        requires_signals=required.texts(),
        rules=_rules(members["rules"], signals),
        source=data,
    )


def _carried(attached: Mapping[str, bytes]) -> Iterable[Pack]:
    return (read_pack(data, name) for name, data in attached.items() if name.startswith(PACKS))


def _rules(node: Node, signals: Registry) -> tuple[Rule, ...]:
    rules: dict[str, Rule] = {}
    for entry in node.items():
        rule = _rule(entry, signals)
        if rule.id in rules:
            entry.fail(f"the rule {rule.id!r} stands twice")
        rules[rule.id] = rule
    if not rules:
        node.fail("expected at least one rule")
    return tuple(rules.values())


def _rule(node: Node, signals: Registry) -> Rule:
    members = node.mapping(["id", "title", "severity", "check"], _RULE)
    if ("framework" in members) != ("ref" in members):
        node.fail("framework and ref come together")
    kind = members["check"].entries().get("type")
    if kind is None:
        members["check"].fail("expected the key 'type'")
    return Rule(
        id=members["id"].text(),
        title=members["title"].text(),
        severity=members["severity"].one_of(SEVERITIES),
        check=_CHECKS[kind.one_of(tuple(_CHECKS))](members["check"], signals),
        about={key: members[key].text() for key in _RULE if key in members},
    )


def _signal_state(node: Node, signals: Registry) -> Check:
    members = node.mapping(["type", "signal", "min_state"])
    if members["min_state"].text() in {"missing", "unknown"}:
        members["min_state"].fail("cannot fail: every signal is at least missing or unknown")
    state: Literal["captured", "redacted"] = members["min_state"].one_of(("captured", "redacted"))  # type: ignore[assignment]  # just checked
    return SignalState(signal=_known_signal(members["signal"], signals), min_state=state)


def _exists_for_all(node: Node, _signals: Registry) -> Check:
    return ExistsForAll(row=read_row(node, ("type",)))


_CHECKS = {"signal_state": _signal_state, "exists_for_all": _exists_for_all}
"""The closed set of checks."""


def _known_signal(node: Node, signals: Registry) -> str:
    name = node.text()
    if name not in signals.signals:
        node.fail(f"unknown signal {name!r}; the registry has {', '.join(signals.signals)}")
    return name
