"""What a target asks of each item: which attributes under which condition, and what is deprecated, a share, or structured.

It is read from the same file as the `Target`, and only where it is needed: a translation does without it.
Sources: the registries named in the target's `source`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from semconv.conformance.structure import Structures
from semconv.measure import INSTRUMENTS
from semconv.messages.shapes import invert
from semconv.table import Path, builtin, mapping, one_of, parse, read, sequence, text, texts
from semconv.target import OPERATION, AttributeSpec, Target
from semconv.value import Value
from semconv.vocabulary import Vocabulary

PROVIDER: Final = "gen_ai.provider.name"
"""The concept that says who serves a model."""

_TABLED: Final[Mapping[str, str]] = {PROVIDER: "provider", OPERATION: "operation"}
"""Attributes whose other spellings a shared table of enums has."""

_SECTIONS: Final = ("attributes", "events", "metrics")
_TABLES: Final = ("enums.yaml", "messages.yaml")
_FAILED: Final = "operation failed"
_DECIDABLE: Final = re.compile(r"(?P<key>[a-z_.]+\.[a-z_.]+) (?P<word>present|absent|is not|is)(?P<values> .+)?")


@dataclass(frozen=True, slots=True)
class Condition:
    """When an attribute is required. Its words are the table's; not every one can be decided from an item."""

    text: str
    key: str = ""
    word: str = ""
    values: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> Condition:
        """The condition a text says."""
        found = _DECIDABLE.fullmatch(text)
        if found is None or bool(found["values"]) != found["word"].startswith("is"):
            return cls(text, word=_FAILED if text == _FAILED else "")
        return cls(text, found["key"], found["word"], tuple((found["values"] or "").strip().split(", ")))

    def holds(self, said: Callable[[str], Value], *, failed: bool | None) -> bool | None:
        """Whether it is met by an item that says this; None where nobody can tell."""
        if self.word == _FAILED:
            return failed
        if not self.word:
            return None
        value = said(self.key)
        if self.word in ("present", "absent"):
            return is_said(value) is (self.word == "present")
        if not isinstance(value, str):
            return None
        return any(_like(value, allowed) for allowed in self.values) is (self.word == "is")


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What items of one type must say."""

    type: str
    required: tuple[str, ...] = ()
    conditionally: Mapping[str, Condition]

    def refined(self, other: Duty) -> Duty:
        """The duty with another laid over it."""
        required = tuple(dict.fromkeys((*self.required, *other.required)))
        conditions = {**self.conditionally, **other.conditionally}
        return Duty(
            type=other.type,
            required=required,
            conditionally={key: condition for key, condition in conditions.items() if key not in required},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricType:
    """One metric of the registry."""

    instrument: str
    unit: str
    duty: Duty


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """What one target asks for."""

    target: Target
    spans: Mapping[str, Duty]
    """By span type."""
    refinements: Mapping[tuple[str, str], Duty]
    """By span type and provider."""
    events: Mapping[str, Duty]
    metrics: Mapping[str, MetricType]
    deprecated: Mapping[str, Mapping[str, tuple[str, ...]]]
    """attributes, events, metrics: the old name and those that have taken its place."""
    within: Mapping[str, tuple[tuple[str, ...], ...]]
    """The attribute of a whole, and groups of shares whose sum is at most that."""
    structures: Structures
    vocabularies: Mapping[str, Vocabulary]
    """By attribute."""
    frameworks: frozenset[str]
    """Names that are no provider's."""

    @classmethod
    def of(cls, target: Target) -> Requirements:
        """What a target asks for.

        Raises:
            ProfileError: its file is not as it should be.
        """
        file, tables = f"{target.id}.yaml", {name: parse(builtin("tables", name), name) for name in _TABLES}
        return read(builtin("targets", file), file, lambda table: requirements(table, target, tables))


def is_said(value: Value) -> bool:
    """Whether a value says anything: absence, an empty text and an empty container do not."""
    return value is not None and value not in ("", [], {})


def _like(value: str, pattern: str) -> bool:
    return value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern


# ------------------------------------------------------------------ reading


def requirements(table: dict[str, Any], target: Target, shared: Mapping[str, Any]) -> Requirements:
    """What the table of a target asks for, given the shared tables by file name. Raises `Defect`."""
    enums, messages = shared["enums.yaml"], shared["messages.yaml"]
    spellings = {
        "role": invert(messages["roles"], ("roles",)),
        "finish_reason": invert(messages["finish_reasons"], ("finish_reasons",)),
        "part": _part_types(messages["parts"]),
    }
    refinements = [
        (item, ("refinements", at)) for at, item in enumerate(sequence(table.get("refinements", []), ("refinements",)))
    ]
    return Requirements(
        target=target,
        spans={
            span.type: Duty(
                type=span.type,
                required=span.required,
                conditionally=_conditions(span.conditionally_required, ("spans", at, "conditionally_required")),
            )
            for at, span in enumerate(target.span_types)
        },
        refinements={
            (text(item["refines"], path), text(item["provider"], path)): _duty(item["type"], item, path)
            for item, path in refinements
            if "provider" in item
        },
        events={name: _duty(name, item, ("events", name)) for name, item in _named(table, "events").items()},
        metrics={name: _metric(name, item, ("metrics", name)) for name, item in _named(table, "metrics").items()},
        deprecated=_deprecated({**{section: {} for section in _SECTIONS}, **_named(table, "deprecated")}),
        within={
            whole: tuple(texts(group, ("within", whole)) for group in sequence(groups, ("within", whole)))
            for whole, groups in _named(table, "within").items()
        },
        structures=Structures(_named(table, "structures"), ("structures",), spellings),
        vocabularies={
            key: _vocabulary(spec, enums) for key, spec in target.attributes.items() if len(spec.members) > 1
        },
        frameworks=frozenset(texts(enums["frameworks"], ("frameworks",))),
    )


def _deprecated(table: dict[str, Any]) -> dict[str, dict[str, tuple[str, ...]]]:
    return {
        section: {
            old: texts(new, ("deprecated", section, old))
            for old, new in mapping(names, ("deprecated", section)).items()
        }
        for section, names in mapping(table, ("deprecated",), known=_SECTIONS).items()
    }


def _part_types(parts: list[dict[str, Any]]) -> dict[str, str]:
    """What else parts are called, as far as the name alone says what they are."""
    kinds: dict[str, str] = {}
    for entry in parts:
        if not {"when", "need", "keep_type"} & entry.keys():
            kinds = {**dict.fromkeys(texts(entry.get("type", []), ("parts",)), str(entry["as"])), **kinds}
    return kinds


def _named(table: dict[str, Any], word: str) -> dict[str, Any]:
    return mapping(table.get(word, {}), (word,))


def _vocabulary(spec: AttributeSpec, enums: Mapping[str, Any]) -> Vocabulary:
    name = _TABLED.get(spec.concept)
    return Vocabulary(spec.members, invert(enums[name], (name,)) if name else None)


def _duty(name: str, item: object, path: Path, known: tuple[str, ...] = ()) -> Duty:
    words = ("required", "conditionally_required", "recommended", "opt_in", "type", "refines", "provider", "names")
    table = mapping(item, path, known=(*words, *known))
    return Duty(
        type=name,
        required=texts(table.get("required", []), (*path, "required")),
        conditionally=_conditions(table.get("conditionally_required", {}), (*path, "conditionally_required")),
    )


def _conditions(table: object, path: Path) -> dict[str, Condition]:
    return {key: Condition.of(text(words, (*path, key))) for key, words in mapping(table, path).items()}


def _metric(name: str, item: object, path: Path) -> MetricType:
    table = mapping(item, path, need=("instrument", "unit"))
    return MetricType(
        instrument=one_of(table["instrument"], (*path, "instrument"), INSTRUMENTS),
        unit=text(table["unit"], (*path, "unit")),
        duty=_duty(name, table, path, ("instrument", "unit", "concept")),
    )
