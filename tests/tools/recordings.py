"""Which recordings an ordinary run of the tests takes the whole way: some of each producer and signal; `make soak` takes all."""

from __future__ import annotations

from pathlib import Path

import pytest

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
PRODUCERS = sorted(folder.name for folder in CORPUS.iterdir() if folder.is_dir())
STEP = 4
SIGNALS = ("traces", "logs", "metrics")


def recordings(producer: str, step: int) -> list[Path]:
    """Of each signal the first recording of a producer, and every `step`th after it, by name."""
    folder = CORPUS / producer
    return [file for signal in SIGNALS for file in sorted(folder.glob(f"*.{signal}.otlp.pb"))[::step]]


def of_each_producer():
    """Parametrizes a test by `files`: some recordings of each producer, and under `soak` all of them."""
    some = [pytest.param(recordings(producer, STEP), id=producer) for producer in PRODUCERS]
    every = [
        pytest.param(recordings(producer, 1), id=f"{producer}-all", marks=pytest.mark.soak) for producer in PRODUCERS
    ]
    return pytest.mark.parametrize("files", some + every)
