"""What whole runs need: the tables of the default settings and a key, made once a process."""

from pathlib import Path
from typing import Any

import pytest

from attest.keys import generate, save
from sidecar.tables import load_packs
from tests.tools.translators import loaded


@pytest.fixture(scope="session")
def key(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "k.pem"
    save(generate(), path)
    return path


@pytest.fixture(scope="session")
def tables() -> dict[str, Any]:
    return {
        "packs": load_packs(["baseline"]),
        "translator": loaded("gen-ai-dev"),
        "profiles": {},
        "run_key": ("affidavit.run.id", "trace_id"),
    }
