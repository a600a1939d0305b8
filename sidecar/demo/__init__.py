"""The demo: real processes, recorded telemetry, nothing staged."""

from sidecar.demo.play import Demo

__all__ = ["Demo"]
