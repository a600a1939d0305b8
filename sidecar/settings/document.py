"""Makes config/affidavit.yaml: every setting with its meaning and its default."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from sidecar.settings.model import Backend, Settings

_HEADER = """\
# Every setting of affidavit with its default. A file needs only what it changes; this one changes nothing.
#
#   affidavit config check FILE     says whether a file is understood
#   affidavit config show           prints what is in force, from file, AFFIDAVIT_* and OTEL_EXPORTER_OTLP_* variables
#
# A variable's name is the key's path in capitals: AFFIDAVIT_RECEIVER__GRPC__ENDPOINT=127.0.0.1:14317. It wins over the file.
# OTEL_EXPORTER_OTLP_ENDPOINT (with _PROTOCOL, _HEADERS, _COMPRESSION, _TIMEOUT, _CERTIFICATE, _CLIENT_CERTIFICATE, _CLIENT_KEY,
# and _TRACES_ENDPOINT, _LOGS_ENDPOINT, _METRICS_ENDPOINT) adds one more backend, named otel.
# Made from sidecar/settings/model.py by `make proto`; a test holds the two equal.
"""


def documented_defaults() -> str:
    """config/affidavit.yaml: each setting with its meaning and default. A backend is a comment: by default there is none."""
    lines = [_HEADER]
    _document(Settings, "", lines)
    return "\n".join(lines).rstrip() + "\n"


def _document(model: type[BaseModel], indent: str, lines: list[str]) -> None:
    for name, field in model.model_fields.items():
        lines += [f"{indent}# {line}" for line in _wrapped(field.description or "", 118 - len(indent))]
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            lines.append(f"{indent}{name}:")
            _document(inner, indent + "  ", lines)
        else:
            default = "" if field.default is PydanticUndefined else _yaml_value(field.default)
            lines.append(f"{indent}{name}: {default}".rstrip())
        if name == "exporters":
            example: list[str] = []
            _document(Backend, "    ", example)
            lines += ["  # my-backend:", *(f"  # {line[2:]}" for line in example)]
        if item := section_in_list(inner):
            example = []
            _document(item, "    ", example)
            example[0] = f"  - {example[0].lstrip()}"
            lines += [f"{indent}  # {line[2:]}" for line in example]
        if not indent:
            lines.append("")


def section_in_list(annotation: object) -> type[BaseModel] | None:
    """The section that a list of sections consists of; None for any other type of a setting."""
    item = next(iter(get_args(annotation)), None) if get_origin(annotation) is tuple else None
    return item if isinstance(item, type) and issubclass(item, BaseModel) else None


def _yaml_value(value: object) -> str:
    plain = list(value) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value
    return yaml.safe_dump(plain, default_flow_style=True, width=1000).removesuffix("...\n").strip()


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width)
