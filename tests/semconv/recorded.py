"""The recorded corpus as OTLP/JSON items with their surroundings, through the protobuf runtime's own JSON."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

CORPUS = Path(__file__).parent.parent / "corpus"

_SIGNALS = {
    "traces": (ExportTraceServiceRequest, "resourceSpans", "scopeSpans", "spans"),
    "logs": (ExportLogsServiceRequest, "resourceLogs", "scopeLogs", "logRecords"),
    "metrics": (ExportMetricsServiceRequest, "resourceMetrics", "scopeMetrics", "metrics"),
}
_IDS = ("traceId", "spanId", "parentSpanId")


@dataclass(frozen=True, eq=False)
class Recorded:
    """One item as it was recorded; the same one only as itself, so that what becomes of it can be kept."""

    producer: str
    scenario: str
    item: dict[str, Any]
    resource: dict[str, Any]
    scope: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.producer}/{self.scenario}: {self.item.get('name', self.item.get('eventName', ''))}"


@cache
def recorded(signal: str, producer: str = "*") -> tuple[Recorded, ...]:
    """Every item of a signal, of the producers that match."""
    files = sorted(CORPUS.glob(f"{producer}/*.{signal}.otlp.pb"))
    assert files, f"no {signal} of {producer} in the corpus"
    return tuple(item for file in files for item in _items(file, signal))


def span(producer: str, scenario: str, name: str, nth: int = 0) -> Recorded:
    """One recorded span by where it stands."""
    return [item for item in recorded("traces", producer) if item.scenario == scenario and item.item["name"] == name][
        nth
    ]


def _items(file: Path, signal: str) -> Iterator[Recorded]:
    message, groups, scopes, items = _SIGNALS[signal]
    request = json.loads(
        json_format.MessageToJson(message.FromString(file.read_bytes()), use_integers_for_enums=True, indent=None)
    )
    for group in request[groups]:
        for scope in group[scopes]:
            for item in scope.get(items, []):
                _hex_ids(item)
                yield Recorded(
                    file.parent.name,
                    file.name.removesuffix(f".{signal}.otlp.pb"),
                    item,
                    group.get("resource", {}),
                    scope.get("scope", {}),
                )


def _hex_ids(value: object) -> None:
    """OTLP/JSON has ids in hex where protobuf's JSON has base64."""
    if isinstance(value, dict):
        for name in _IDS:
            if isinstance(value.get(name), str):
                value[name] = base64.b64decode(value[name]).hex()
        for inner in value.values():
            _hex_ids(inner)
    elif isinstance(value, list):
        for inner in value:
            _hex_ids(inner)
