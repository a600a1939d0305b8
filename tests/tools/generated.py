"""Makes the generated files, or says which of them differ from what would be made.

One row a file: who makes it, from what. `make proto` writes them, `make check` compares.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PB = Path("sidecar/pb/affidavit/evidence/v1")
PROTO_NAMES = ("evidence_pb2.py", "evidence_pb2.pyi", "evidence_pb2_grpc.py", "evidence_pb2_grpc.pyi")


def protobuf() -> dict[Path, str]:
    """The code of proto/, made by the pinned generator in its own environment."""
    tools = ROOT / ".venv-proto" / "bin"
    with tempfile.TemporaryDirectory() as out:
        kinds = [f"--{kind}_out={out}" for kind in ("python", "mypy", "grpc_python", "mypy_grpc")]
        subprocess.run(
            [tools / "python", "-m", "grpc_tools.protoc", "-Isidecar/pb=proto", *kinds, str(PB / "evidence.proto")],
            cwd=ROOT,
            env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
            check=True,
            stderr=subprocess.DEVNULL,
        )
        return {PB / name: (Path(out) / PB / name).read_text() for name in PROTO_NAMES}


def default_config() -> dict[Path, str]:
    """config/affidavit.yaml: every setting with its default, from the settings' own descriptions."""
    from sidecar.settings import documented_defaults

    return {Path("config/affidavit.yaml"): documented_defaults()}


def conventions() -> dict[Path, str]:
    """docs/conventions.md: where each name of each source convention goes, from the tables."""
    from tests.tools import conventions

    return {Path("docs/conventions.md"): conventions.conventions()}


def rules() -> dict[Path, str]:
    """docs/rules.md: the rules of the built-in packs, from the packs."""
    from tests.tools import rules

    return {Path("docs/rules.md"): rules.rules()}


def signals() -> dict[Path, str]:
    """docs/signals.md: every evidence signal and how the scores come about, from the registry."""
    from tests.tools import signals

    return {Path("docs/signals.md"): signals.signals()}


def threat_model() -> dict[Path, str]:
    """docs/threat-model.md: who may lie and what is proven against them, from the table of threats."""
    from tests.tools import threats

    return {Path("docs/threat-model.md"): threats.threat_model()}


MAKERS = (protobuf, default_config, conventions, rules, signals, threat_model)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true")
    mode.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    made = {path: text for maker in MAKERS for path, text in maker().items()}
    stale = [path for path, text in made.items() if not (ROOT / path).exists() or (ROOT / path).read_text() != text]
    if arguments.write:
        for path in stale:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(made[path])
            print(f"wrote {path}")
        return 0
    for path in stale:
        print(f"{path} is not what its source makes; run `make proto`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
