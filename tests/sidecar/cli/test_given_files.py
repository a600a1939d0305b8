"""Files that are named to a command and are not what they should be: a clear sentence, exit code 2, and nobody waits for a pipe."""

import os
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from attest.keys import generate, save
from sidecar.cli.main import main
from sidecar.errors import ConfigError
from sidecar.signing import KeySpec, Signing, SigningSpec
from tests.attest.world import seal_run

PKCS8 = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
RSA = rsa.generate_private_key(65537, 2048)


def private(native, password=b""):
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return native.private_bytes(*PKCS8, protection)


def public(native):
    return native.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A bundle, and files of every kind."""
    folder = tmp_path_factory.mktemp("files")
    seal_run(folder)
    save(generate(), folder / "k")
    files = {
        "certificate": b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "encrypted": private(generate().native, b"secret"),
        "rsa": private(RSA),
        "rsa.pub": public(RSA),
        "p384": private(ec.generate_private_key(ec.SECP384R1())),
        "ssh": b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n",
        "empty": b"",
        "text": b"hello\n",
        "large": b"-" * 70_000,
        "log.vkey": b"example.org/log+433a7502+Adjz3knUhav0Dt1riZg4n7guOo/R8bR7pXWA2e9+UBmj\n",
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    return folder


@pytest.fixture
def affidavit(here, monkeypatch, capsys):
    """The command as it is started: its exit code, and what it says on stderr, in one line."""
    monkeypatch.chdir(here)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["affidavit", *arguments])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        return code, " ".join(capsys.readouterr().err.split())

    return run


BUNDLE = "run-1.evidence.tar.gz"
SIGNERS = {
    "attest": ("attest", BUNDLE),
    "seal": ("seal", BUNDLE, "--out", "out"),
    "convert": ("evidence", "convert", BUNDLE, "--to", "assay-v1", "--out", "out"),
}
NOT_PRIVATE = {
    "k.pub": "--key: k.pub: a PEM PUBLIC KEY; expected a PKCS#8 PEM private key, which is likely in k",
    "none": "--key: none: cannot be read: No such file or directory",
    "folder": "--key: folder: cannot be read: Is a directory",
    "pipe": "--key: pipe: cannot be read: no regular file",
    "certificate": "--key: certificate: a PEM CERTIFICATE; expected a PKCS#8 PEM private key",
    "encrypted": "--key: encrypted: the private key is encrypted; expected PKCS#8 PEM without a password",
    "rsa": "--key: rsa: an RSA key; expected P-256 or Ed25519",
    "p384": "--key: p384: an elliptic curve key on secp384r1; expected P-256",
    "ssh": "--key: ssh: a PEM OPENSSH PRIVATE KEY; expected a PKCS#8 PEM private key",
    "empty": "--key: empty: an empty file; expected a PKCS#8 PEM private key",
    "text": "--key: text: not PEM; expected a PKCS#8 PEM private key",
    "large": "--key: large: larger than 65536 bytes; expected a PEM key",
}


@pytest.mark.parametrize("file", NOT_PRIVATE)
def test_what_is_no_private_key_is_wrong_usage_for_who_signs(affidavit, file):
    for verb in SIGNERS.values():
        code, said = affidavit(*verb, "--key", file)
        assert (code, NOT_PRIVATE[file] in said) == (2, True), (verb, said)
    assert not Path("run-1.sigstore.json").exists()


def test_a_private_key_that_anyone_can_read_signs_and_is_warned_of(affidavit, here):
    (here / "open").write_bytes((here / "k").read_bytes())
    (here / "open").chmod(0o644)
    code, said = affidavit("attest", BUNDLE, "--key", "open")
    (here / "run-1.sigstore.json").unlink()
    assert (code, "open: anyone on this machine may read this private key" in said) == (0, True), said
    assert affidavit("attest", BUNDLE, "--key", "k") == (0, "")
    (here / "run-1.sigstore.json").unlink()


NOT_PUBLIC = {
    "k": "--key: k: a PEM PRIVATE KEY; expected a PEM public key, which is likely in k.pub",
    "encrypted": "--key: encrypted: a PEM ENCRYPTED PRIVATE KEY; expected a PEM public key",
    "certificate": "--key: certificate: a PEM CERTIFICATE; expected a PEM public key",
    "rsa.pub": "--key: rsa.pub: an RSA key; expected P-256 or Ed25519",
    "empty": "--key: empty: an empty file; expected a PEM public key",
    "pipe": "--key: pipe: cannot be read: no regular file",
}


@pytest.mark.parametrize("file", NOT_PUBLIC)
def test_what_is_no_public_key_is_wrong_usage_for_who_verifies(affidavit, file):
    for verb in (("verify", BUNDLE), ("verify-result", "text")):
        code, said = affidavit(*verb, "--key", file)
        assert (code, NOT_PUBLIC[file] in said) == (2, True), (verb, said)
    code, said = affidavit("keys", "show", file)
    assert (code, NOT_PUBLIC[file].removeprefix("--key: ") in said) == (2, True), said


@pytest.mark.parametrize("verb", [("verify", BUNDLE, "--key", "k.pub"), ("log", "verify", "--checkpoint", "text")])
@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("k", "a log's verifier key lies beside it, in a file that ends in .vkey"),
        ("k.pub", "a log's verifier key lies beside it, in a file that ends in .vkey"),
        ("log.vkey", '--log-key "$(cat log.vkey)"'),
        ("pipe", "expected NAME+HASH+KEY"),
    ],
)
def test_a_file_in_place_of_a_logs_verifier_key_is_told_apart_and_no_private_key_is_asked_for(
    affidavit, verb, file, words
):
    code, said = affidavit(*verb, "--log-key", file)
    assert (code, words in said) == (2, True), said
    assert ("cat" in said) is (file == "log.vkey")


def test_a_sidecar_does_not_start_with_a_key_that_cannot_sign(here):
    for file, said in (("k.pub", "likely in "), ("empty", "an empty file"), ("pipe", "no regular file")):
        signing = Signing(SigningSpec(keys=(KeySpec(uri=str(here / file)),)))
        with pytest.raises(ConfigError, match=said) as caught:
            signing.ensure()
        assert str(here / file) in str(caught.value)
    assert Signing(SigningSpec(keys=(KeySpec(uri=str(here / "k")),))).ensure() is None


PIPES = {
    # what is asked with a pipe in the place of a file, and its exit code
    "verify": (("verify", "pipe", "--key", "k.pub"), 4),
    "verify --attestation": (("verify", BUNDLE, "--key", "k.pub", "--attestation", "pipe"), 4),
    "verify --trusted-root": (("verify", BUNDLE, "--key", "k.pub", "--trusted-root", "pipe"), 2),
    "verify --policy": (("verify", BUNDLE, "--policy", "pipe"), 2),
    "verify --disclosed": (("verify", BUNDLE, "--key", "k.pub", "--disclosed", "pipe"), 2),
    "verify-result": (("verify-result", "pipe", "--key", "k.pub"), 4),
    "policy check": (("policy", "check", "pipe"), 2),
    "trust show": (("trust", "show", "pipe"), 2),
    "trust fetch": (("trust", "fetch", "--url", "http://127.0.0.1:9/", "--root", "pipe", "--out", "r.json"), 2),
    "log verify --checkpoint": (("log", "verify", "--checkpoint", "pipe"), 2),
    "log prove --since": (("log", "prove", "--since", "pipe", "--log", "logged"), 2),
    "attest": (("attest", "pipe", "--key", "k"), 1),
    "attest --trust-config": (("attest", BUNDLE, "--keyless", "--trust-config", "pipe"), 2),
    "attest --public-key": (("attest", BUNDLE, "--key", "hv:a/1", "--public-key", "pipe"), 2),
    "keys list --config": (("keys", "list", "--config", "pipe"), 2),
}  # fmt: skip


@pytest.mark.parametrize("asked", PIPES)
def test_nobody_waits_for_a_pipe(affidavit, here, asked):
    arguments, exit_code = PIPES[asked]
    if "logged" in arguments:
        _begin_log(here / "logged")
    code, said = affidavit(*arguments)
    assert code == exit_code, said
    assert "no regular file" in said or exit_code == 4, said  # of what is verified it is said on stdout


def test_a_policy_that_names_a_pipe_is_refused_at_its_line(affidavit, here):
    head = 'schema: affidavit.policy.v1\nname: p\nversion: "1"\n'
    (here / "policy.yaml").write_text(head + "keys:\n  - file: pipe\n")
    code, said = affidavit("policy", "check", "policy.yaml")
    assert (code, "policy.yaml:5: pipe: cannot be read: no regular file" in said) == (2, True), said


def test_a_token_in_a_pipe_is_not_waited_for(here):
    from attest.errors import SigningError
    from attest.signers.identity import TokenFile

    with pytest.raises(SigningError, match="no regular file"):
        TokenFile(path=here / "pipe").token()


def test_a_pipe_beside_a_bundle_is_not_waited_for(affidavit, here, tmp_path):
    """Where whoever made the folder has put one in an attestation's place, or a proof's."""
    (tmp_path / BUNDLE).write_bytes((here / BUNDLE).read_bytes())
    os.mkfifo(tmp_path / "run-1.sigstore.json")
    os.mkfifo(tmp_path / "run-1.tlog-proof")
    assert affidavit("verify", str(tmp_path), "--key", "k.pub")[0] == 4
    _begin_log(tmp_path / "logged")
    code, _ = affidavit("log", "verify", str(tmp_path), "--log", str(tmp_path / "logged"), "--log-key", _vkey())
    assert code in (1, 4)


def _begin_log(folder):
    from attest.tlog.log import Log

    Log.create(folder, _LOG_KEY, "example.org/log")


def _vkey():
    from attest.tlog.note import verifier_key

    return str(verifier_key("example.org/log", _LOG_KEY))


_LOG_KEY = generate("ed25519").native
