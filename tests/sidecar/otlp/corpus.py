"""The recorded telemetry, with the signal that each file's name says."""

from pathlib import Path

from sidecar.otlp.signal import OtlpSignal

ROOT = Path(__file__).parents[2] / "corpus"
FILES = sorted(ROOT.glob("*/*.otlp.pb"))


def signal_of(path: Path) -> OtlpSignal:
    return next(signal for signal in OtlpSignal if f".{signal.name.lower()}." in path.name)


def request_of(path: Path):
    return signal_of(path).request.FromString(path.read_bytes())
