"""The target registry: which keys, types and span types the translated telemetry has.

A target is a data file in `targets/`. Concepts are named by their keys in `gen-ai-dev`; a target says which key each
concept has there (`concept`), or that it has none (`absent`). Sources: knowledge of the pinned registries, named with
commit and digest in every report.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from semconv.errors import ProfileError
from semconv.measure import Measure, Units, units
from semconv.table import Path, builtin, builtin_names, digest, mapping, one_of, read, sequence, text, texts
from semconv.value import Value

ENGINE: Final = "2"
"""Counts changes of the code that give other results for the same tables; part of the target's digest."""

KINDS: Final = {"unspecified": 0, "internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
"""OTLP's SpanKind."""

TYPES: Final = ("string", "int", "double", "boolean", "string[]", "any", "template[string]")
SHAPES: Final = (
    "input_messages",
    "output_messages",
    "system_instructions",
    "tool_definitions",
    "tool_call_arguments",
    "tool_call_result",
    "retrieval_documents",
    "memory_records",
)

REQUIREMENTS: Final = ("refinements", "events", "metrics", "deprecated", "within", "structures")
"""What a target's file says for `semconv.conformance.requirements` to read."""

OPERATION: Final = "gen_ai.operation.name"
"""The concept that says what a span is."""

INFERENCE_DETAILS: Final = "gen_ai.client.inference.operation.details"
"""The event that says of a model call what its span may not."""

FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
"""The concept that holds the providers' own words for why an answer ended."""

_FIELD: Final = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeSpec:
    """One attribute of the registry."""

    key: str
    concept: str
    type: str
    shape: str = ""
    members: frozenset[str] = frozenset()
    """Of an open enum: any other text is legal too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanType:
    """One span type: how it is recognised and what it asks for. Span types are not on the wire."""

    type: str
    kind: int
    allowed_kinds: frozenset[int]
    operations: tuple[str, ...]
    marked_by: str
    """The key whose presence makes a span one of this type, where the operation does not."""
    names: tuple[tuple[str, ...], ...]
    """Templates by preference: at odd places keys, at even ones literal text."""
    required: tuple[str, ...]
    conditionally_required: Mapping[str, str]
    recommended: tuple[str, ...]
    opt_in: tuple[str, ...]

    def span_name(self, said: Callable[[str], Value]) -> str | None:
        """The name by the first template whose keys are all said, else the first one cut off at its gap."""
        cut = ""
        for template in self.names:
            name = template[0]
            for place in range(1, len(template), 2):
                value = said(template[place])
                if type(value) is not str or not value:
                    cut = cut or name.rstrip()
                    break
                name += value + template[place + 1]
            else:
                return name
        return cut or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A loaded target. `keys` leads from a concept to its key here; concepts in `absent` have none."""

    id: str
    version: str
    digest: str
    namespaces: tuple[str, ...]
    attributes: Mapping[str, AttributeSpec]
    keys: Mapping[str, str]
    absent: frozenset[str]
    span_types: tuple[SpanType, ...]
    by_operation: Mapping[str, tuple[SpanType, ...]]
    by_mark: Mapping[str, tuple[SpanType, ...]]
    """By the key whose presence makes a span one of these types, whatever its operation."""
    events: frozenset[str]
    metrics: Mapping[str, str]
    """Concept of a metric to its name here."""
    measures: Mapping[str, Measure]
    """By name what each of its metrics records."""
    units: Units
    templates: tuple[tuple[str, str], ...]
    """Keys that stand for a family: (concept with a dot, key with a dot)."""

    def key_of(self, concept: str) -> str | None:
        """The key a concept has here, or None."""
        key = self.keys.get(concept)
        if key is None:
            for prefix, key_prefix in self.templates:
                if concept.startswith(prefix):
                    return key_prefix + concept[len(prefix) :]
        return key

    def type_of(self, key: str) -> str:
        """The type of a key of this target; a key the registry does not know holds anything."""
        spec = self.attributes.get(key)
        if spec is not None:
            return "any" if spec.type.startswith("template") else spec.type  # the bare key of a family says nothing
        return "string" if any(key.startswith(prefix) for _, prefix in self.templates) else "any"

    def knows(self, concept: str) -> bool:
        """Whether the word is a concept at all, with or without a key here."""
        absent = concept in self.absent or any(concept.startswith(f"{family}.") for family in self.absent)
        return absent or self.key_of(concept) is not None


def load(target: str, shared: Mapping[str, Any]) -> Target:
    """The target with the id `target`. `shared` tables belong to it: they count in its digest.

    Raises:
        ProfileError: there is no such target, or its file is not as it should be.
    """
    names = builtin_names("targets")
    if f"{target}.yaml" not in names:
        known = ", ".join(name.removesuffix(".yaml") for name in names)
        raise ProfileError(f"{target}.yaml", 0, f"unknown target {target!r}; known: {known}")
    return read(builtin("targets", f"{target}.yaml"), f"{target}.yaml", lambda table: _target(table, shared))


def _target(table: dict[str, Any], shared: Mapping[str, Any]) -> Target:
    fields = ("id", "version", "source", "schema_url", "namespaces", "attributes", "absent", "spans")
    mapping(table, (), known={*fields, *REQUIREMENTS}, need=fields)
    attributes = {
        key: _attribute(key, spec, ("attributes", key))
        for key, spec in mapping(table["attributes"], ("attributes",)).items()
    }
    keys = {spec.concept: key for key, spec in attributes.items()}
    span_types = tuple(_span(span, ("spans", at)) for at, span in enumerate(sequence(table["spans"], ("spans",))))
    return Target(
        id=text(table["id"], ("id",)),
        version=text(table["version"], ("version",)),
        digest=digest({"engine": ENGINE, "shared": dict(shared), "target": table}),
        namespaces=texts(table["namespaces"], ("namespaces",)),
        attributes=attributes,
        keys=keys,
        absent=frozenset(texts(table["absent"], ("absent",))),
        span_types=span_types,
        by_operation=_grouped((operation, kind) for kind in span_types for operation in kind.operations),
        by_mark=_grouped((kind.marked_by, kind) for kind in span_types if kind.marked_by),
        events=frozenset(mapping(table.get("events", {}), ("events",))),
        metrics={
            str(spec.get("concept", name)): name
            for name, spec in mapping(table.get("metrics", {}), ("metrics",)).items()
        },
        measures={
            name: Measure(str(spec["instrument"]), str(spec["unit"]))
            for name, spec in mapping(table.get("metrics", {}), ("metrics",)).items()
        },
        units=units(shared.get("units.yaml", {})),
        templates=tuple(
            (f"{spec.concept}.", f"{key}.") for key, spec in attributes.items() if spec.type.startswith("template")
        ),
    )


def _grouped(pairs: Iterable[tuple[str, SpanType]]) -> dict[str, tuple[SpanType, ...]]:
    groups: dict[str, tuple[SpanType, ...]] = {}
    for name, kind in pairs:
        groups[name] = (*groups.get(name, ()), kind)
    return groups


def _attribute(key: str, spec: object, path: Path) -> AttributeSpec:
    table = mapping(spec, path, known={"type", "concept", "members", "shape"}, need=["type"])
    return AttributeSpec(
        key=key,
        concept=text(table.get("concept", key), (*path, "concept")),
        type=one_of(table["type"], (*path, "type"), TYPES),
        shape=one_of(table["shape"], (*path, "shape"), SHAPES) if "shape" in table else "",
        members=frozenset(texts(table.get("members", []), (*path, "members"))),
    )


def _span(span: object, path: Path) -> SpanType:
    lists = ("required", "recommended", "opt_in", "operations")
    need = ("type", "kind", "allowed_kinds", "names")
    table = mapping(span, path, known={*lists, *need, "marked_by", "conditionally_required"}, need=need)
    listed = {name: texts(table.get(name, []), (*path, name)) for name in lists}
    return SpanType(
        type=text(table["type"], (*path, "type")),
        kind=KINDS[one_of(table["kind"], (*path, "kind"), KINDS)],
        allowed_kinds=frozenset(
            KINDS[one_of(kind, (*path, "allowed_kinds"), KINDS)] for kind in table["allowed_kinds"]
        ),
        marked_by=table.get("marked_by", ""),
        names=tuple(tuple(_FIELD.split(name)) for name in texts(table["names"], (*path, "names"))),
        conditionally_required=mapping(table.get("conditionally_required", {}), (*path, "conditionally_required")),
        **listed,
    )
