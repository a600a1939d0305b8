"""The recorded telemetry, with the signal that each file's name says."""

from pathlib import Path

import pytest

from sidecar.otlp.signal import OtlpSignal
from tests.tools.recordings import PRODUCERS, STEP, recordings

ROOT = Path(__file__).parents[2] / "corpus"
FILES = sorted(ROOT.glob("*/*.otlp.pb"))
SOME = [file for producer in PRODUCERS for file in recordings(producer, STEP)]
"""Of each producer and signal."""

some_or_all = pytest.mark.parametrize(
    "files", [pytest.param(SOME, id="some"), pytest.param(FILES, id="all", marks=pytest.mark.soak)]
)
"""For what takes long: some recordings of each producer, and under `soak` all of them."""


def signal_of(path: Path) -> OtlpSignal:
    return next(signal for signal in OtlpSignal if f".{signal.name.lower()}." in path.name)


def request_of(path: Path):
    return signal_of(path).request.FromString(path.read_bytes())
