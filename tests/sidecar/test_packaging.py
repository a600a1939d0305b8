"""What a wheel holds: the tables, the schema, the demo's recordings, and nothing of the tests."""

import importlib.util
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from sidecar.demo.recordings import RECORDINGS

ROOT = Path(__file__).resolve().parents[2]


def test_the_recordings_of_the_demo_are_the_ones_that_are_shipped():
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    expected = {f"tests/corpus/{each.file}": f"sidecar/demo/runs/{each.file}" for each in RECORDINGS}
    assert build["force-include"] == expected


@pytest.mark.skipif(
    importlib.util.find_spec("hatchling") is None, reason="hatchling is not installed (requirements/build.txt)"
)
def test_the_wheel_holds_code_tables_and_recordings_and_no_tests(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    tables = [
        path.relative_to(ROOT).as_posix()
        for room in ("semconv", "evidence", "attest", "sidecar")
        for path in (ROOT / room).rglob("*")
        if path.suffix in {".yaml", ".json", ".py", ".pyi", ".typed"} and "__pycache__" not in path.parts
    ]
    assert [name for name in tables if name not in names] == []
    assert [each.file for each in RECORDINGS if f"sidecar/demo/runs/{each.file}" not in names] == []
    assert [name for name in names if name.startswith(("tests/", "config/", "proto/"))] == []
