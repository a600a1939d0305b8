"""Reads the settings: one YAML file, `AFFIDAVIT_*` variables over it, and the standard OTLP exporter variables as one more backend.

Law: what is not understood is refused at start, by the key's name, with what was got and what it takes.
The exporter variables: https://opentelemetry.io/docs/specs/otel/protocol/exporter/
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, get_args
from urllib.parse import unquote

import yaml
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from evidence.regular import open_regular
from sidecar.errors import ConfigError
from sidecar.settings.contradictions import refuse_contradictions
from sidecar.settings.explain import explain
from sidecar.settings.model import Settings, SignalName

_ENVIRONMENT_PREFIX = "AFFIDAVIT_"
_CONFIG_VARIABLE = "AFFIDAVIT_CONFIG"
_CONFIG_BYTES_MAX = 1 << 20


def load(path: Path | None = None, environment: dict[str, str] | None = None) -> Settings:
    """Reads the settings.

    Args:
        path: The YAML file; None takes the one that `AFFIDAVIT_CONFIG` names, else defaults alone.
        environment: Variables instead of the process's own.

    Raises:
        ConfigError: For a file that cannot be read, an unknown key or a bad value, naming each.
    """
    variables = dict(os.environ) if environment is None else environment  # noqa: TID251 - the one door of the environment
    if path is None and variables.get(_CONFIG_VARIABLE):
        path = Path(variables[_CONFIG_VARIABLE])
    named, by_otel, by_file = _from_environment(variables), _otel_backend(variables), _read_yaml(path) if path else {}

    class Loaded(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            *_: PydanticBaseSettingsSource,
            **__: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            del init_settings
            nested: dict[str, Any] = {}
            for keys, value, _variable in named:
                _put(nested, keys, value)
            return tuple(_Source(settings_cls, data) for data in (nested, by_otel, by_file))

    try:
        loaded = Loaded()
    except ValidationError as error:
        names = {".".join(keys): variable for keys, _, variable in named}
        where = str(path) if path else "the environment"
        raise ConfigError("\n".join(explain(detail, where, names) for detail in error.errors())) from error
    settings = Settings.model_construct(**dict(loaded))
    refuse_contradictions(settings)
    return settings


class _Source(PydanticBaseSettingsSource):
    """One source's data, as it was read; the earlier source wins key by key."""

    def __init__(self, settings_cls: type[BaseSettings], data: dict[str, Any]) -> None:
        super().__init__(settings_cls)
        self._data = data

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Part of the interface; `__call__` gives everything at once, unknown keys included, so that they are refused."""
        del field
        return self._data.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return self._data


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key given twice is an error and not the last one's victory."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key!r} is given twice", problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        with open_regular(path) as file:
            text = file.read(_CONFIG_BYTES_MAX + 1)
        if len(text) > _CONFIG_BYTES_MAX:
            raise ConfigError(f"{path}: configuration of at most {_CONFIG_BYTES_MAX} bytes expected")
        data = yaml.load(text.decode("utf-8"), _StrictLoader)  # noqa: S506 - a SafeLoader
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    except (yaml.YAMLError, TypeError) as error:
        raise ConfigError(f"{path}: not YAML: {error}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: a mapping of settings expected, got {type(data).__name__}")
    return data


def _from_environment(variables: dict[str, str]) -> list[tuple[list[str], Any, str]]:
    """`AFFIDAVIT_RECEIVER__GRPC__ENDPOINT=…` as (["receiver", "grpc", "endpoint"], value, variable); values are read as YAML."""
    found = []
    for variable, text in sorted(variables.items()):
        if not variable.startswith(_ENVIRONMENT_PREFIX) or variable == _CONFIG_VARIABLE:
            continue
        keys = variable.removeprefix(_ENVIRONMENT_PREFIX).lower().split("__")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            value = text
        found.append((keys, value, variable))
    return found


def _put(data: dict[str, Any], keys: list[str], value: object) -> None:
    for key in keys[:-1]:
        inner = data.get(key)
        if not isinstance(inner, dict):
            inner = data[key] = {}
        data = inner
    data[keys[-1]] = value


def _otel_backend(variables: dict[str, str]) -> dict[str, Any]:
    """The standard exporter variables as one backend named `otel`."""
    prefix = "OTEL_EXPORTER_OTLP_"
    otel = {
        key.removeprefix(prefix): value.strip()
        for key, value in variables.items()
        if key.startswith(prefix) and value.strip()
    }
    own = {
        name: otel[f"{name.upper()}_ENDPOINT"] for name in get_args(SignalName) if f"{name.upper()}_ENDPOINT" in otel
    }
    if "ENDPOINT" not in otel and not own:
        return {}
    backend: dict[str, Any] = {
        "endpoint": otel.get("ENDPOINT") or next(iter(own.values())),
        "protocol": otel.get("PROTOCOL", "http/protobuf"),
    }
    if "ENDPOINT" not in otel:
        backend["signals"] = tuple(own)
    if own:
        backend["signal_endpoints"] = own
    if "COMPRESSION" in otel:
        backend["compression"] = otel["COMPRESSION"]
    if "TIMEOUT" in otel:
        try:
            backend["timeout_seconds"] = float(otel["TIMEOUT"]) / 1000
        except ValueError:
            raise ConfigError(f"OTEL_EXPORTER_OTLP_TIMEOUT: got {otel['TIMEOUT']!r}, expected milliseconds") from None
    if "HEADERS" in otel:
        backend["headers"] = _headers(otel["HEADERS"])
    tls = {"ca_file": "CERTIFICATE", "cert_file": "CLIENT_CERTIFICATE", "key_file": "CLIENT_KEY"}
    backend["tls"] = {ours: otel[theirs] for ours, theirs in tls.items() if theirs in otel}
    return {"exporters": {"otel": backend}}


def _headers(text: str) -> dict[str, str]:
    headers = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise ConfigError("OTEL_EXPORTER_OTLP_HEADERS: expected name=value,name=value with values percent-encoded")
        headers[unquote(name.strip()).lower()] = unquote(value.strip())
    return headers
