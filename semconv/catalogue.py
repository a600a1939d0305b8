"""Which tables there are: the target, and every profile with its version, digest, origin and what it is detected by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from semconv import table
from semconv.profile.profile import LAYERS, Mark, Profile
from semconv.profile.sources import Source
from semconv.target import Target
from semconv.translate import Translator

SCHEMA_VERSION: Final = "semconv-profiles-v1"

_LAYERS: Final = {number: name for name, number in LAYERS.items()}


def catalogue(translator: Translator, tables: Sequence[Source]) -> dict[str, Any]:
    """The tables of a translator as a document; profiles by layer from the current one, then by id.

    Args:
        translator: whose they are.
        tables: those that it was made from.
    """
    written = {source.id: source for source in tables}
    ordered = sorted(translator.profiles, key=lambda profile: (profile.layer, profile.id))
    return {
        "schema_version": SCHEMA_VERSION,
        "target": _target(translator.target),
        "targets": [name.removesuffix(".yaml") for name in table.builtin_names("targets")],
        "profiles": [_profile(profile, written[profile.id]) for profile in ordered],
    }


def signs(profile: Profile) -> list[dict[str, Any]]:
    """What a profile is detected by, the weightiest first in each kind."""
    kinds = list(dict.fromkeys(mark.kind for mark in profile.marks))
    return [
        {"kind": mark.kind, "sign": sign(mark), "weight": mark.weight}
        for mark in sorted(profile.marks, key=lambda mark: (kinds.index(mark.kind), -mark.weight))
    ]


def sign(mark: Mark) -> str:
    """A mark as it is written in a table."""
    return f"{mark.pattern}={mark.value}" if mark.value else mark.pattern


def _target(target: Target) -> dict[str, Any]:
    return {
        "id": target.id,
        "version": target.version,
        "digest": target.digest,
        "attributes": len(target.attributes),
        "span_types": len(target.span_types),
        "metrics": len(target.metrics),
    }


def _profile(profile: Profile, source: Source) -> dict[str, Any]:
    return {
        "id": profile.id,
        "version": profile.version,
        "digest": profile.digest,
        "layer": _LAYERS[profile.layer],
        "source": source.content.get("source"),
        "file": source.file,
        "user": source.user,
        "extends": source.base.id if source.base else None,
        "replaces": source.replaced.file if source.replaced else None,
        "rows": _rows(source.content),
        "threshold": profile.threshold,
        "detect": signs(profile),
        "namespaces": list(profile.namespaces),
    }


def _rows(content: Mapping[str, Any]) -> dict[str, int]:
    """How many rows each list of a table has."""
    return {
        word: len(rows)
        for word, rows in content.items()
        if isinstance(rows, list) and any(isinstance(row, dict) for row in rows)
    }
