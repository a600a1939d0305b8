"""Says in words what is wrong with a setting: which key, where it stands, what was got, what it takes."""

from __future__ import annotations

import difflib
import re

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from sidecar.settings.document import section_in_list
from sidecar.settings.model import SECRET, Backend, Settings

_SHOWN_CHARS_MAX = 120


def explain(detail: ErrorDetails, where: str, variables: dict[str, str]) -> str:
    """One line for one thing wrong.

    Args:
        detail: What pydantic says of it.
        where: The file, or words for where else it came from.
        variables: Which variable set which key, by dotted path; named instead of the file.
    """
    location = [str(part) for part in detail["loc"]]
    key = ".".join(location)
    source = next(
        (name for setting, name in variables.items() if key == setting or key.startswith(setting + ".")), where
    )
    if detail["type"] == "extra_forbidden":
        known = _known_keys(location[:-1])
        close = difflib.get_close_matches(location[-1], known, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        return f"{source}: unknown key {key!r}{hint}; it takes {', '.join(known)}"
    if detail["type"] == "missing":
        return f"{source}: {key!r} is missing: {_meaning(location)}"
    got = detail["input"]
    shown = (
        SECRET
        if "headers" in location
        else repr(got)
        if len(repr(got)) <= _SHOWN_CHARS_MAX
        else f"{type(got).__name__} of {len(repr(got))} characters"
    )
    shown = re.sub(r"//[^/@\s]+@", f"//{SECRET}@", shown)  # the name and password of a URL
    expected = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return f"{source}: {key!r}: got {shown}, expected {expected} ({_meaning(location)})"


def _section(location: list[str]) -> type[BaseModel] | None:
    model: type[BaseModel] = Settings
    for part in (each for each in location if not each.isdecimal()):  # places in lists
        if model is Settings and part in model.model_fields and part == "exporters":
            continue
        field = model.model_fields.get(part)
        if field is None:
            if location[0] == "exporters" and model is Settings:
                model = Backend  # the backend's own name
                continue
            return None
        inner = section_in_list(field.annotation) or field.annotation
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return None
        model = inner
    return model


def _known_keys(location: list[str]) -> list[str]:
    model = _section(location)
    return sorted(model.model_fields) if model else []


def _meaning(location: list[str]) -> str:
    for depth in range(len(location), 0, -1):
        model = _section(location[: depth - 1])
        if model and location[depth - 1] in model.model_fields:
            return (model.model_fields[location[depth - 1]].description or "").rstrip(".")
    return "see config/affidavit.yaml"
