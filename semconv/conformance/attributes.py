"""What is said of attributes one by one, and of what they say of each other: keys, types, values, structures, counts.

Law: an attribute of another namespace is checked only on an item of ours, one that no registry knows only where its
namespace is the conventions'.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from semconv.conformance.finding import ABSENT, Findings
from semconv.conformance.requirements import PROVIDER, Requirements, is_said
from semconv.conformance.structure import excerpt, pointer
from semconv.table import Path
from semconv.target import FINISH_REASONS, AttributeSpec
from semconv.value import JSON_DEPTH_MAX, Value, document
from semconv.view import Attributes

_FINDINGS_PER_VALUE_MAX: Final = 32
"""Departures named in one structured value; readers fix the first and look again."""
_LABELS: Final = frozenset({"type", "id", "name", "role"})
"""Members that say which part it is, and nothing of what is in it."""
_TYPES: Final[Mapping[str, type]] = {"string": str, "int": int, "double": float, "boolean": bool}


class AttributeRules:
    """The rules of one target. Keeps nothing between items."""

    def __init__(self, requirements: Requirements) -> None:
        self.requirements = requirements
        self.target = requirements.target
        self._finish_reasons = requirements.target.key_of(FINISH_REASONS) or ""

    def check(
        self, report: Findings, attributes: Attributes, *, claims: bool, structured: bool = False, prefix: str = ""
    ) -> None:
        """Tell `report` what departs from the target.

        Args:
            report: told of it.
            attributes: all of an item, an event or a point.
            claims: whether the item is one of the conventions'.
            structured: whether attributes carry structure as it is, as those of log records do.
            prefix: what stands before the keys in paths.
        """
        deprecated = self.requirements.deprecated["attributes"]
        for key in sorted(attributes):
            spec = self.target.attributes.get(key)
            if key in deprecated:
                expected = " or ".join(deprecated[key])
                report.add("deprecated-attribute", prefix + key, excerpt(attributes[key]), expected)
            elif spec is not None:
                if claims or self.owns(key):
                    self._value(report, spec, attributes[key], prefix + key, structured=structured)
            elif self.owns(key) and self.target.key_of(key) is None:
                report.add("unknown-attribute", prefix + key, excerpt(attributes[key]), "a key of the registry")
        self._counts(report, attributes, prefix)

    def owns(self, name: str) -> bool:
        """Whether a name stands in a namespace of the conventions."""
        return name.startswith(self.target.namespaces)

    def _value(self, report: Findings, spec: AttributeSpec, value: Value, path: str, *, structured: bool) -> None:
        if value is None:  # says nothing: the same as if the key were not there
            return
        if spec.shape:
            self._structure(report, spec, value, path, structured=structured)
            return
        if not _has_type(value, spec.type):
            report.add("wrong-type", path, f"{_type_name(value)} {excerpt(value)}", spec.type)
            return
        if spec.concept == PROVIDER and value in self.requirements.frameworks:
            report.add("framework-as-provider", path, excerpt(value), "who serves the model")
            return
        vocabulary = self.requirements.vocabularies.get(spec.key)
        if vocabulary is not None and isinstance(value, str) and value and value not in vocabulary:
            code, expected = vocabulary.fault(value)
            report.add(code, path, value, expected)

    def _structure(self, report: Findings, spec: AttributeSpec, value: Value, path: str, *, structured: bool) -> None:
        """A structure: on log records itself, elsewhere itself or the JSON text of it."""
        structures = self.requirements.structures
        body: Value = value
        if isinstance(value, str):
            body = document(value)
            if body is None and structures.is_advised(spec.shape):
                report.add("unusual-structure", path, value, "an object")
                return
            if body is None:
                report.add("not-json", path, value, f"the JSON of a structure of at most {JSON_DEPTH_MAX} levels")
                return
            if structured:
                code = "unusual-structure" if structures.is_advised(spec.shape) else "text-for-structure"
                report.add(code, path, value, "the structure itself")
        left = _FINDINGS_PER_VALUE_MAX

        def tell(code: str, place: Path, got: Value, expected: str) -> None:
            nonlocal left
            left -= 1
            if left >= 0:
                absent = code == "missing-member" and self._is_absent(report, place[-1], got)
                severity = ABSENT if absent else ""
                report.add(
                    code, f"{path}#{pointer(place)}", excerpt(got), expected, section=spec.shape, severity=severity
                )

        structures.check(spec.shape, body, tell)
        if spec.shape == "input_messages":
            for place, call in _orphans(body):
                tell("orphan-tool-response", place, call, "the id of a call in these messages")

    def _is_absent(self, report: Findings, member: str | int, value: Value) -> bool:
        """Whether a translated object lacks a member because its source says nothing that could stand there."""
        if report.claimed is None:
            return False
        if member == "finish_reason":
            return report.is_absent(self._finish_reasons)
        return isinstance(value, dict) and not any(is_said(said) for name, said in value.items() if name not in _LABELS)

    def _counts(self, report: Findings, attributes: Attributes, prefix: str) -> None:
        """Counts of tokens: none is negative, and shares add up to no more than the whole."""
        for whole, groups in self.requirements.within.items():
            counts = {
                key: count
                for key in (whole, *(key for group in groups for key in group))
                if type(count := attributes.get(key)) is int
            }
            for key, count in counts.items():
                if count < 0:
                    report.add("inconsistent-count", prefix + key, str(count), "no less than zero")
            for group in groups if whole in counts else ():
                shares = {key: counts[key] for key in group if key in counts}
                if shares and sum(shares.values()) > counts[whole]:
                    got = f"{counts[whole]} of which {' + '.join(map(str, shares.values()))}"
                    report.add("inconsistent-count", prefix + whole, got, f"at least {' + '.join(shares)}")


def _has_type(value: Value, name: str) -> bool:
    """Whether a value is of a type of the registry. No number is taken for another: readers keep columns by type."""
    if name == "string[]":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return name not in _TYPES or type(value) is _TYPES[name]


def _type_name(value: Value) -> str:
    """The registry's word for the type of a value."""
    return next((name for name, kind in _TYPES.items() if type(value) is kind), type(value).__name__)


def _orphans(body: Value) -> Iterator[tuple[Path, str]]:
    """Tool responses to calls that are not there, where there are calls at all: the place of the id, and the id."""
    found: dict[str, list[tuple[Path, str]]] = {"tool_call": [], "tool_call_response": []}
    for at, message in enumerate(body if isinstance(body, list) else ()):
        parts = message.get("parts") if isinstance(message, dict) else None
        for place, part in enumerate(parts if isinstance(parts, list) else ()):
            kind, call = (part.get("type"), part.get("id")) if isinstance(part, dict) else (None, None)
            if isinstance(kind, str) and isinstance(call, str) and kind in found:
                found[kind].append(((at, "parts", place, "id"), call))
    calls = {call for _, call in found["tool_call"]}
    return ((place, call) for place, call in found["tool_call_response"] if calls and call not in calls)
