"""Packs: what a reader wants to know of a run, as required signals and rules over its events.

Law: a pack is read whole or refused, with file and line: unknown keys and signals, rules told twice, rules that cannot
fail. Its digest is over the canonical form of everything it says, so a misread word is another pack.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from evidence.canonical import JsonObject, canonical
from evidence.checks.check import Check, read_check
from evidence.digest import tagged
from evidence.errors import PackError, PackUnavailableError
from evidence.manifest import PACKS
from evidence.signals import Registry, registry
from evidence.strict_yaml import Node
from evidence.strict_yaml import load as load_yaml
from evidence.timestamp import is_time

BUILTIN = (
    "baseline",
    "cicd-starter",
    "eu-ai-act-high-risk",
    "nist-ai-rmf-genai",
    "iso-42001-logging",
    "owasp-agentic-mcp",
    "assurance-records",
)
"""The packs of this installation, by name."""

KINDS = ("compliance", "security", "quality")
SEVERITIES = ("error", "warning", "info")
ROLES = ("provider", "deployer")
BASES = ("primary", "secondary", "proposal")

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_RULE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ROOT = ("author", "license", "source_url", "disclaimer")
_TEXTS = ("framework", "ref", "ref_title", "profile", "remedy", "rationale", "source_url")
_ABOUT = (*_TEXTS, "role", "basis", "to_be_checked", "checked_on")
_RULE = (*_ABOUT, "signals", "check", "applies_from")

MinState = Literal["captured", "redacted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a pack: holds when its signals and its check do. What a pack does not say is None."""

    id: str
    title: str
    severity: str
    signals: Mapping[str, MinState]
    """The state that each signal must at least be in; a signal that nothing expects leaves the rule undecided."""
    check: Check | None = None
    framework: str | None = None
    """With `ref`, the place in a text that the rule is about."""
    ref: str | None = None
    ref_title: str | None = None
    applies_from: Mapping[str, str]
    """Dates `YYYY-MM-DD` by what they are for, `""` for everything; empty when the pack names none."""
    profile: str | None = None
    """The rule is applicable only when it is asked for with this profile."""
    role: str | None = None
    basis: str | None = None
    """Where the text is known from: primary, secondary, or a proposal of ours."""
    to_be_checked: bool = False
    """Against the primary text, before it is relied on."""
    remedy: str | None = None
    """What instrumenting or configuring would close it."""
    rationale: str | None = None
    source_url: str | None = None
    checked_on: str | None = None

    @property
    def about(self) -> JsonObject:
        """Everything the pack says about the rule beside what it checks, under the names of the pack."""
        said = {name: getattr(self, name) for name in _ABOUT}
        dates = self.applies_from.get("", dict(self.applies_from))
        return {name: value for name, value in (*said.items(), ("applies_from", dates)) if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A pack as read."""

    name: str
    version: str
    kind: str
    description: str
    digest: str
    """Tagged SHA-256 over the canonical form of the parsed file."""
    license: str | None
    disclaimer: str | None
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
            {"rule": f"{self.id}:{rule.id}", "framework": rule.framework, "ref": rule.ref}
            for rule in self.rules
            if rule.framework
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
        PackError: a pack that the bundle carries is not valid, or two of one name are applied.
        PackUnavailableError: a pack is neither carried nor built in here with that digest.
    """
    carried = {pack.digest: pack for pack in _carried(attached)}
    packs: list[Pack] = []
    for reference in manifest["x-assay"]["packs_applied"]:
        pack = carried.get(reference["digest"])
        if pack is None and reference["name"] in BUILTIN:
            pack = builtin(reference["name"])
        if pack is None or pack.digest != reference["digest"]:
            raise PackUnavailableError(
                f"pack {reference['name']}@{reference['version']} is not at hand: {reference['digest']}"
            )
        if pack.reference() != reference:
            raise PackError(f"pack {reference['name']}@{reference['version']}: the manifest describes it otherwise")
        if any(pack.name == other.name for other in packs):  # its completeness would stand under the other's name
            raise PackError(f"pack {pack.name}: applied twice, expected one of each name")
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
        license=_text(members, "license"),
        disclaimer=_text(members, "disclaimer"),
        source_url=_text(members, "source_url"),
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
    members = node.mapping(["id", "title", "severity"], _RULE)
    if ("framework" in members) != ("ref" in members):
        node.fail("framework and ref come together")
    if "signals" not in members and "check" not in members:
        node.fail("cannot fail: expected signals, a check, or both")
    rule_id = members["id"].text()
    if _RULE_ID.fullmatch(rule_id) is None:
        members["id"].fail(f"expected {_RULE_ID.pattern}, got {rule_id!r}")
    return Rule(
        id=rule_id,
        title=members["title"].text(),
        severity=members["severity"].one_of(SEVERITIES),
        signals=_signals(members["signals"], signals) if "signals" in members else {},
        check=read_check(members["check"]) if "check" in members else None,
        applies_from=_applies_from(members["applies_from"]) if "applies_from" in members else {},
        role=members["role"].one_of(ROLES) if "role" in members else None,
        basis=members["basis"].one_of(BASES) if "basis" in members else None,
        to_be_checked="to_be_checked" in members and members["to_be_checked"].boolean(),
        checked_on=_date(members["checked_on"]) if "checked_on" in members else None,
        **{key: _text(members, key) for key in _TEXTS},
    )


def _signals(node: Node, signals: Registry) -> dict[str, MinState]:
    found: dict[str, MinState] = {}
    for entry in node.items():
        members = entry.mapping(["id", "min_state"])
        name, state = _known_signal(members["id"], signals), members["min_state"].text()
        if name in found:
            entry.fail(f"the signal {name!r} stands twice")
        if state in {"missing", "unknown"}:
            members["min_state"].fail("cannot fail: every signal is at least missing or unknown")
        found[name] = members["min_state"].one_of(get_args(MinState))  # type: ignore[assignment]  # one of them
    if not found:
        node.fail("cannot fail: expected at least one signal")
    return found


def _applies_from(node: Node) -> dict[str, str]:
    if not isinstance(node.value, dict):
        return {"": _date(node)}
    dates = {name: _date(value) for name, value in node.entries().items()}
    if not dates:
        node.fail("expected a date, or a map of dates")
    return dates


def _date(node: Node) -> str:
    text = node.text()
    if _DATE.fullmatch(text) is None or not is_time(f"{text}T00:00:00.000000000Z"):
        node.fail(f"expected a date YYYY-MM-DD, got {text!r}")
    return text


def _text(members: Mapping[str, Node], key: str) -> str | None:
    return members[key].text() if key in members else None


def _known_signal(node: Node, signals: Registry) -> str:
    name = node.text()
    if name not in signals.signals:
        node.fail(f"unknown signal {name!r}; the registry has {', '.join(signals.signals)}")
    return name
