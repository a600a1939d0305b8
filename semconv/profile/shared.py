"""What the profiles share: tables of values and of objects, each written once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from semconv import table
from semconv.messages.shapes import invert
from semconv.ops import Enums
from semconv.profile.rows import Objects, objects
from semconv.target import Target


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """The shared tables, read for one target."""

    enums: Enums
    objects: Objects


def shared(tables: Mapping[str, Any], target: Target) -> Shared:
    """The shared tables from what was parsed of their files, by file name.

    Raises:
        ProfileError: a table is not as it should be; with file and line.
    """
    data = {file: table.builtin("tables", file) for file in ("enums.yaml", "objects.yaml")}
    enums = table.built(tables["enums.yaml"], data["enums.yaml"], "enums.yaml", _enums)
    read = table.built(
        tables["objects.yaml"], data["objects.yaml"], "objects.yaml", lambda document: objects(document, target, enums)
    )
    return Shared(enums, read)


def _enums(document: dict[str, Any]) -> dict[str, dict[str, str]]:
    """An enum that is only a list leads nowhere and serves to refuse."""
    return {
        name: dict.fromkeys(table.texts(members, (name,)), name)
        if isinstance(members, list)
        else invert(members, (name,))
        for name, members in document.items()
    }
