"""What tests that speak OTLP have in common: methods, recorded bodies and the items inside bodies."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sidecar.otlp.signal import OtlpSignal

CORPUS = Path(__file__).resolve().parents[1] / "corpus"


def _method(signal: OtlpSignal) -> str:
    (service,) = signal.response.DESCRIPTOR.file.services_by_name.values()
    return f"/{service.full_name}/Export"


METHODS = {signal: _method(signal) for signal in OtlpSignal}
"""The gRPC method of each signal."""


def signal_of(file: Path) -> OtlpSignal:
    """The signal that a recording's name says."""
    return next(signal for signal in OtlpSignal if signal.hint in file.name)


def items(signal: OtlpSignal, bodies: Iterable[bytes]) -> list[Any]:
    """The spans, log records or metrics in serialized requests, in order."""
    requests = (signal.request.FromString(body) for body in bodies)
    return [item for request in requests for _, _, items in signal.groups(request) for item in items]
