"""What a verb may cost before it does anything: heavy packages are loaded where they are used."""

import subprocess
import sys
from pathlib import Path

import pytest

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
HEAVY = {
    "grpc",
    "sigstore",
    "uvicorn",
    "tuf",
    "rekor_types",
    "rich",
    "pydantic",
    "in_toto_attestation",
    "opentelemetry",
}


def loaded_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(' '.join({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_the_command_itself_loads_no_verb():
    assert loaded_after("import sidecar.cli.main") & HEAVY == set()


def test_verifying_loads_neither_grpc_nor_sigstore_nor_opentelemetry(tmp_path):
    from click.testing import CliRunner

    from sidecar.cli.keys import keys
    from sidecar.cli.seal import seal

    file = CORPUS / "mcp@2.3.0" / "stdio_ok.traces.otlp.pb"
    CliRunner().invoke(keys, ["new", "--out", str(tmp_path / "k")], catch_exceptions=False)
    CliRunner().invoke(seal, [str(file), "--out", str(tmp_path), "--key", str(tmp_path / "k")], catch_exceptions=False)
    bundle = next(tmp_path.glob("*.evidence.tar.gz"))
    code = (
        "from click.testing import CliRunner\nfrom sidecar.cli.verify import verify\n"
        f"done = CliRunner().invoke(verify, [{str(bundle)!r}, '--key', {str(tmp_path / 'k.pub')!r}])\n"
        "assert done.exit_code == 0, done.output"
    )
    assert loaded_after(code) & HEAVY == set()


@pytest.mark.parametrize("verb", ["show", "diff"])
def test_reading_a_bundle_loads_nothing_of_the_network(verb, tmp_path):
    from tests.evidence import make

    file = str(make.sealed(tmp_path).path)
    code = (
        f"from click.testing import CliRunner\nfrom sidecar.cli.evidence.{verb} import {verb} as command\n"
        f"done = CliRunner().invoke(command, {[file] * (1 + (verb == 'diff'))!r})\n"
        "assert done.exit_code == 0, done.output"
    )
    assert loaded_after(code) & (HEAVY - {"rich"}) == set()  # rich knows how wide a character is


@pytest.mark.parametrize("module", ["sidecar.worker", "sidecar.app"])
def test_the_process_starts_without_sigstore_and_what_only_clients_need(module):
    expected_absent = {"sigstore", "tuf", "rekor_types", "in_toto_attestation", "rich", "requests"}
    assert loaded_after(f"import {module}") & expected_absent == set()


def test_the_worker_needs_neither_settings_nor_receivers():
    assert loaded_after("import sidecar.worker") & {"pydantic", "uvicorn", "grpc", "uvloop", "click"} == set()


NEVER_BEFORE_NEEDED = {
    "sigstore",
    "sigstore_models",
    "rekor_types",
    "tuf",
    "requests",
    "jwt",
    "id",
    "rfc3161_client",
    "in_toto_attestation",
    "securesystemslib",
}
"""What only signing, judging certificates and fetching roots need."""


def test_no_module_of_ours_loads_what_only_sigstore_needs_when_it_is_imported():
    """Every module of every room at once, but for the agent's own: `span_processor` is a part of the SDK it lives in."""
    code = (
        "import importlib, pkgutil, sys\n"
        "import attest, evidence, semconv, sidecar\n"
        "for room in (evidence, semconv, attest, sidecar):\n"
        "    for found in pkgutil.walk_packages(room.__path__, room.__name__ + '.'):\n"
        "        if found.name.startswith('sidecar.pb') or found.name.endswith(('__main__', 'span_processor')):\n"
        "            continue\n"
        "        importlib.import_module(found.name)"
    )
    assert loaded_after(code) & NEVER_BEFORE_NEEDED == set()
