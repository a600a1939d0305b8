"""`affidavit trust`: a root goes into the file that was named, its digest is printed, and none is replaced unasked."""

import hashlib
import json

import pytest
from click.testing import CliRunner

from attest.errors import AttestError
from attest.signers.identity import GivenToken
from attest.signers.keyless import KeylessSigner
from sidecar.cli.trust import trust
from sidecar.clock import now_unix_nano
from tests.sidecar.cli.test_import_budget import loaded_after
from tests.sigstore.loopback import Fault
from tests.sigstore.test_loopback import PAYLOAD, verify
from tests.sigstore.tuf_repository import TufRepository


def invoke(*arguments):
    return CliRunner().invoke(trust, [str(argument) for argument in arguments])


@pytest.fixture
def tuf(sigstore):
    signing = json.loads(sigstore.trust_config())["signingConfig"]
    targets = {"trusted_root.json": sigstore.trusted_root, "signing_config.v0.2.json": json.dumps(signing).encode()}
    return TufRepository(sigstore.server, targets)


@pytest.fixture
def fetch(tuf, tmp_path):
    """Runs `trust fetch` into `tmp_path`/root.json."""
    (tmp_path / "initial.json").write_bytes(tuf.initial_root)

    def run(*options):
        where = ["--url", tuf.url, "--root", tmp_path / "initial.json", "--out", tmp_path / "root.json"]
        return invoke("fetch", *where, *options)

    return run


def test_a_root_is_fetched_byte_for_byte_and_its_digest_and_content_are_printed(fetch, sigstore, tmp_path):
    done = fetch()
    data = (tmp_path / "root.json").read_bytes()

    assert done.exit_code == 0, done.output
    assert data == sigstore.trusted_root
    assert f"sha256:{hashlib.sha256(data).hexdigest()}" in done.output
    for part in ("certificate authority", "certificate log", "transparency log", "timestamp authority", "TUF root 1"):
        assert part in done.output


def test_what_was_fetched_is_shown_the_same_offline(fetch, sigstore, tmp_path):
    said = json.loads(fetch("--json").output)
    sigstore.requests.clear()
    shown = json.loads(invoke("show", tmp_path / "root.json", "--json").output)

    assert shown == {name: said[name] for name in ("file", "sha256", "entries")}
    assert {entry["kind"] for entry in shown["entries"]} == {
        "certificate authority", "certificate log", "transparency log", "timestamp authority",
    }  # fmt: skip
    assert sigstore.requests == []


def test_windows_are_shown_as_the_file_has_them(sigstore, tmp_path):
    file = tmp_path / "root.json"
    file.write_bytes(sigstore.root(windows={"rekor1": (None, None)}, without=["rekor2"]))
    done = invoke("show", file)

    assert done.output.count("valid from no time given to any time") == 1
    assert done.output.count("transparency log") == 1


def test_a_file_that_is_there_is_replaced_only_when_asked(fetch, tuf, sigstore, tmp_path):
    fetch()
    again = fetch()
    tuf.targets["trusted_root.json"] = sigstore.root(without=["rekor1"])
    tuf.publish()
    other = fetch()
    kept = (tmp_path / "root.json").read_bytes()
    replaced = fetch("--replace")

    assert (again.exit_code, other.exit_code, replaced.exit_code) == (0, 2, 0)
    assert "unchanged" in again.output
    assert "--replace" in other.output
    assert kept == sigstore.trusted_root
    assert (tmp_path / "root.json").read_bytes() == sigstore.root(without=["rekor1"])


def test_a_client_config_that_is_fetched_signs(fetch, sigstore, tmp_path):
    assert fetch("--client-config", tmp_path / "client.json").exit_code == 0
    signer = KeylessSigner(
        (tmp_path / "client.json").read_bytes(), GivenToken(value=sigstore.token()), clock=now_unix_nano
    )

    assert verify(signer.sign(PAYLOAD), (tmp_path / "root.json").read_bytes()) == PAYLOAD


def test_what_is_no_trusted_root_is_not_written(fetch, tuf, tmp_path):
    tuf.targets["trusted_root.json"] = b"{}"
    tuf.publish()

    done = fetch()

    assert isinstance(done.exception, AttestError)
    assert not (tmp_path / "root.json").exists()


def test_when_nothing_was_fetched_nothing_is_written(fetch, sigstore, tmp_path):
    sigstore.faults.set("tuf", Fault(status=503))
    done = fetch()

    assert isinstance(done.exception, AttestError)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["initial.json"]


@pytest.mark.parametrize("given", [["--url", "https://tuf.example"], ["--root", __file__]])
def test_a_url_and_a_root_belong_together(given, tmp_path):
    done = invoke("fetch", "--out", tmp_path / "root.json", *given)

    assert done.exit_code == 2
    assert "belong together" in done.output


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[" * 10_000])
def test_a_file_that_is_no_root_is_wrong_usage(tmp_path, content):
    (tmp_path / "root.json").write_bytes(content)
    done = invoke("show", tmp_path / "root.json")

    assert done.exit_code == 2
    assert "no Sigstore trusted root" in done.output


def test_a_certificate_that_is_none_is_wrong_usage(sigstore, tmp_path):
    root = json.loads(sigstore.trusted_root)
    root["certificateAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"] = "AAAA"
    (tmp_path / "root.json").write_text(json.dumps(root))
    done = invoke("show", tmp_path / "root.json")

    assert done.exit_code == 2
    assert "cannot be read" in done.output


def test_showing_a_root_loads_nothing_that_could_go_online(sigstore, tmp_path):
    (tmp_path / "root.json").write_bytes(sigstore.trusted_root)
    code = (
        "from click.testing import CliRunner\nfrom sidecar.cli.trust import trust\n"
        f"done = CliRunner().invoke(trust, ['show', {str(tmp_path / 'root.json')!r}])\n"
        "assert done.exit_code == 0, done.output"
    )

    assert not loaded_after(code) & {"sigstore", "tuf", "requests", "urllib3", "http", "ssl", "grpc"}
