"""Keys that are kept elsewhere. Vault's transit engine is spoken to for real: hvac, over HTTP, to a small one of our own on loopback."""

import base64
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from attest.attest import attest_bundles
from attest.attestation.sigstore_bundle import read
from attest.dsse import PAYLOAD_TYPE, pae
from attest.errors import KeyFileError, SignerUnavailableError, SigningError
from attest.keys import PrivateKey, generate, load_public
from attest.signers import key_uri
from attest.signers.key import KeySigner
from attest.signers.key_uri import SCHEMES, open_key
from attest.trust.trust import Trust
from attest.verify import verify_file
from tests.attest.world import seal_run
from tests.sigstore.server import Fault, Reply, Request, Server

PRODUCER = {"name": "affidavit", "version": "0.0.0"}
TOKEN = "hvs.loopback"


class Vault:
    """The two endpoints of the transit engine that signing needs (https://developer.hashicorp.com/vault/api-docs/secret/transit)."""

    def __init__(self, server: Server) -> None:
        self.keys: dict[str, dict[str, PrivateKey]] = {}
        self.signs_with: PrivateKey | None = None
        """A key that it uses instead of the right one."""
        self.faults = server.faults
        server.routes["GET", "/v1/transit/keys/*"] = ("oidc", self.key)
        server.routes["PUT", "/v1/transit/sign/*"] = ("fulcio", self.sign)
        server.routes["POST", "/v1/transit/sign/*"] = ("fulcio", self.sign)

    def key(self, request: Request) -> Reply:
        if request.headers.get("x-vault-token") != TOKEN:
            return error(403, "permission denied")
        versions = self.keys.get(request.path.rpartition("/")[2])
        if versions is None:
            return error(404, "no such key")
        return answer({"keys": {version: {"public_key": public_text(key)} for version, key in versions.items()}})

    def sign(self, request: Request) -> Reply:
        if request.headers.get("x-vault-token") != TOKEN:
            return error(403, "permission denied")
        said = json.loads(request.body)
        key = self.signs_with or self.keys[request.path.split("/")[4]][str(said["key_version"])]
        signature = KeySigner(key)._make(base64.b64decode(said["input"]))
        return answer({"signature": f"vault:v{said['key_version']}:{base64.b64encode(signature).decode()}"})


def public_text(key: PrivateKey) -> str:
    """As Vault gives it: PEM for P-256, the 32 bytes in base64 for Ed25519."""
    if key.public.algorithm == "ed25519":
        return base64.b64encode(key.public.native.public_bytes_raw()).decode()
    return key.public.to_pem().decode()


def answer(data: dict) -> Reply:
    return Reply(body=json.dumps({"data": data}).encode())


def error(status: int, why: str) -> Reply:
    return Reply(status=status, body=json.dumps({"errors": [why]}).encode())


@pytest.fixture
def vault(monkeypatch):
    pytest.importorskip("hvac", reason="hvac, Vault's client, is not installed")
    server = Server()
    monkeypatch.setenv("VAULT_ADDR", server.url)
    monkeypatch.setenv("VAULT_TOKEN", TOKEN)
    yield Vault(server)
    server.close()


@pytest.mark.parametrize("algorithm", ["ecdsa-p256-sha256", "ed25519"])
def test_a_bundle_signed_by_a_vault_verifies_with_the_public_half_that_the_vault_gives(vault, tmp_path, algorithm):
    vault.keys["agents"] = {"1": generate(algorithm), "2": generate(algorithm)}
    facts = seal_run(tmp_path)
    signer = KeySigner.from_uri("hv:agents/2")
    facts.path.with_name("run-1.sigstore.json").write_bytes(attest_bundles([facts], signer, producer=PRODUCER))
    assert verify_file(facts.path, trust=Trust.of(vault.keys["agents"]["2"].public)).verdict == "verified"
    assert verify_file(facts.path, trust=Trust.of(vault.keys["agents"]["1"].public)).verdict != "verified"
    assert signer.describe().endswith(" in hv:agents/2")


def test_an_older_version_of_a_key_is_the_one_that_is_asked_for(vault):
    vault.keys["agents"] = {"1": generate(), "2": generate(), "10": generate("ed25519")}
    assert open_key("hv:agents/1").public == vault.keys["agents"]["1"].public
    with pytest.raises(SigningError, match=r"versions 1, 2, 10"):
        open_key("hv:agents/3")


def test_a_public_half_that_is_given_is_not_asked_for(vault, tmp_path):
    vault.keys["agents"] = {"1": generate()}
    (tmp_path / "key.pub").write_bytes(vault.keys["agents"]["1"].public.to_pem())
    vault.faults.set("oidc", Fault(status=403))
    data = KeySigner.from_uri("hv:agents/1", public_key=tmp_path / "key.pub").sign(b"{}")
    envelope = read(data).envelope
    assert vault.keys["agents"]["1"].public.verifies(envelope.signatures[0], pae(PAYLOAD_TYPE, envelope.payload))


def test_a_signature_by_another_key_than_was_named_never_leaves(vault):
    vault.keys["agents"] = {"1": generate()}
    vault.signs_with = generate()
    with pytest.raises(SigningError, match="does not accept"):
        KeySigner.from_uri("hv:agents/1").sign(b"{}")


def test_a_wrong_public_half_is_noticed_with_the_first_signature(vault, tmp_path):
    vault.keys["agents"] = {"1": generate()}
    (tmp_path / "key.pub").write_bytes(generate().public.to_pem())
    with pytest.raises(SigningError, match="does not accept"):
        KeySigner.from_uri("hv:agents/1", public_key=tmp_path / "key.pub").sign(b"{}")


def test_a_token_that_is_not_accepted_will_not_pass_and_a_vault_that_is_not_there_may(vault, monkeypatch):
    monkeypatch.setenv("VAULT_TOKEN", "hvs.other")
    with pytest.raises(SigningError, match="permission denied") as caught:
        open_key("hv:agents/1")
    assert type(caught.value) is SigningError
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")
    with pytest.raises(SignerUnavailableError, match="hv:agents/1"):
        open_key("hv:agents/1")


# ---------------------------------------------------------------- any service


URIS = {
    "awskms": "awskms:alias/agents",
    "gcpkms": "gcpkms:projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
    "azurekms": "azurekms://v.vault.azure.net/keys/k/1",
    "hv": "hv:agents/1",
    "hsm": "hsm:2?label=token",
}


def test_every_scheme_is_tried_here():
    assert set(URIS) == set(SCHEMES)


@pytest.mark.parametrize("uri", URIS.values(), ids=list(URIS))
def test_a_package_that_is_missing_is_named(monkeypatch, uri):
    monkeypatch.setattr(key_uri, "find_spec", lambda _: None)
    with pytest.raises(KeyFileError, match=r"need .+, which is not installed"):
        open_key(uri)


def test_a_package_within_a_package_that_is_missing_is_missing(monkeypatch):
    def absent(_):
        raise ModuleNotFoundError("google")

    monkeypatch.setattr(key_uri, "find_spec", absent)
    with pytest.raises(KeyFileError, match="need google-cloud-kms"):
        open_key(URIS["gcpkms"])


@pytest.mark.parametrize(
    "uri",
    [
        "gcpkms:k",
        "azurekms:v/k",
        "azurekms://v/keys/k",
        "hv:k",
        "hv:k/",
        "hv:k/x",
        "hv:/1",
        "hsm:x",
        "awskms:",
        "hv:a/b/1",
    ],
)
def test_a_uri_that_names_no_key_is_refused_with_how_it_is_written(uri):
    with pytest.raises(KeyFileError, match="expected"):
        open_key(uri)


@pytest.mark.parametrize("uri", ["gpg:x", "file:x", "sigstore:x", "nonsense"])
def test_other_schemes_of_the_library_are_no_keys_here(uri):
    with pytest.raises(KeyFileError, match="no known scheme"):
        open_key(uri)


def test_a_token_needs_the_file_of_its_pin_and_nothing_else_takes_one(monkeypatch, tmp_path):
    monkeypatch.setattr(key_uri, "find_spec", lambda _: True)
    (tmp_path / "pin").write_text("1234\n")
    with pytest.raises(KeyFileError, match="go together"):
        open_key("hsm:2")
    with pytest.raises(KeyFileError, match="go together"):
        open_key("hv:agents/1", pin_file=tmp_path / "pin")
    with pytest.raises(KeyFileError, match="PIN cannot be read"):
        open_key("hsm:2", pin_file=tmp_path / "gone")


def test_a_key_in_a_file_takes_no_public_half_beside_it(tmp_path):
    (tmp_path / "k.pem").write_bytes(generate().to_pem())
    with pytest.raises(KeyFileError, match="has its public half in it"):
        KeySigner.from_uri(str(tmp_path / "k.pem"), public_key=tmp_path / "k.pub")
    assert KeySigner.from_uri(str(tmp_path / "k.pem")).sign(b"{}")


def test_a_service_that_gives_the_public_half_of_another_key_is_not_believed(monkeypatch, vault):
    """As Azure's does when a newer version of the key is there than the one that was named."""
    services = dict(key_uri._SERVICES)
    services["hv"] = replace(services["hv"], fetch=lambda *_: ("hv:agents/2", generate().public.to_pem()))
    monkeypatch.setattr(key_uri, "_SERVICES", services)
    with pytest.raises(SigningError, match="of hv:agents/2; name that one"):
        open_key("hv:agents/1")


def test_a_key_of_another_algorithm_is_refused(vault):
    native = ec.generate_private_key(ec.SECP384R1()).public_key()
    pem = native.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    public = SimpleNamespace(algorithm="ecdsa-p384-sha384", to_pem=lambda: pem)
    vault.keys["agents"] = {"1": SimpleNamespace(public=public)}
    with pytest.raises(KeyFileError, match="secp384r1; expected P-256"):
        open_key("hv:agents/1")


# ---------------------------------------------------------------- a token


@pytest.fixture
def token(tmp_path, monkeypatch):
    """A P-256 key with id 2 on a SoftHSM token; skipped where there is none."""
    places = (*Path("/usr/lib").glob("*/softhsm/libsofthsm2.so"), Path("/usr/lib/softhsm/libsofthsm2.so"))
    library = os.environ.get("SOFTHSM2_LIBRARY") or next((str(path) for path in places if path.exists()), None)
    if library is None or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM is not installed")
    pkcs11 = pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed")
    from pkcs11.util.ec import encode_named_curve_parameters

    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path / 'tokens'}\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))
    monkeypatch.setenv("PYKCS11LIB", library)
    subprocess.run(
        [
            "softhsm2-util",
            "--module",
            library,
            "--init-token",
            "--free",
            "--label",
            "agents",
            "--pin",
            "1234",
            "--so-pin",
            "5678",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    with pkcs11.lib(library).get_token(token_label="agents").open(rw=True, user_pin="1234") as session:
        parameters = session.create_domain_parameters(
            pkcs11.KeyType.EC, {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}, local=True
        )
        parameters.generate_keypair(store=True, id=b"\x02", label="agents")
    (tmp_path / "pin").write_text("1234\n")
    return tmp_path / "pin"


def test_a_key_on_a_token_signs_and_its_pin_comes_from_a_file(token, tmp_path):
    facts = seal_run(tmp_path)
    signer = KeySigner.from_uri("hsm:2?label=agents", pin_file=token)
    facts.path.with_name("run-1.sigstore.json").write_bytes(attest_bundles([facts], signer, producer=PRODUCER))
    assert verify_file(facts.path, trust=Trust.of(signer.public)).verdict == "verified"


# ---------------------------------------------------------------- AWS KMS


@pytest.fixture
def kms(monkeypatch):
    """The two operations of AWS KMS that signing needs, in its JSON protocol, for the real boto3; skipped where there is none."""
    pytest.importorskip("boto3", reason="boto3 is not installed")
    server, key = Server(), generate()

    def operation(request: Request) -> Reply:
        said, name = json.loads(request.body), request.headers["x-amz-target"].rpartition(".")[2]
        if name == "GetPublicKey":
            der = key.public.native.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            found = {"PublicKey": base64.b64encode(der).decode(), "SigningAlgorithms": ["ECDSA_SHA_256"]}
        else:
            assert (name, said["MessageType"], said["SigningAlgorithm"]) == ("Sign", "DIGEST", "ECDSA_SHA_256")
            made = key.native.sign(base64.b64decode(said["Message"]), ec.ECDSA(Prehashed(SHA256())))
            found = {"Signature": base64.b64encode(made).decode()}
        return Reply(body=json.dumps({"KeyId": said["KeyId"], **found}).encode())

    server.routes["POST", "/"] = ("fulcio", operation)
    environment = {"AWS_ENDPOINT_URL_KMS": server.url, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
    for name, value in {**environment, "AWS_DEFAULT_REGION": "eu-central-1", "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)
    yield SimpleNamespace(faults=server.faults, public=key.public)
    server.close()


@pytest.mark.parametrize("uri", ["awskms:alias/agents", "awskms:arn:aws:kms:eu-central-1:111122223333:key/1234abcd"])
def test_a_key_of_aws_kms_signs_by_its_alias_and_by_its_arn(kms, uri):
    envelope = read(KeySigner.from_uri(uri).sign(b"{}")).envelope
    assert kms.public.verifies(envelope.signatures[0], pae(PAYLOAD_TYPE, envelope.payload))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(status=400, body=b'{"__type":"ThrottlingException","message":"slow down"}'), SignerUnavailableError),
        (Fault(status=400, body=b'{"__type":"AccessDeniedException","message":"not you"}'), SigningError),
        (Fault(status=500, body=b'{"__type":"KMSInternalException","message":"oops"}'), SignerUnavailableError),
        (Fault(cut="before"), SignerUnavailableError),
    ],
    ids=["throttled", "denied", "500", "cut"],
)
def test_what_aws_kms_answers_instead_of_a_signature_has_a_name(kms, fault, kind):
    signer = KeySigner.from_uri("awskms:alias/agents")
    kms.faults.set("fulcio", fault)
    with pytest.raises(SigningError, match="awskms:alias/agents") as caught:
        signer.sign(b"{}")
    assert type(caught.value) is kind


# ---------------------------------------------------------------- what it costs


def test_naming_a_key_loads_no_cryptography():
    """Settings are checked at every start, also where no key is kept elsewhere."""
    code = "import sys, attest.signers.key_uri; sys.exit(any(m.split('.')[0] in {'cryptography', 'securesystemslib'} for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_fetched_public_half_is_pem_whatever_the_service_calls_it(vault):
    vault.keys["agents"] = {"1": generate("ed25519")}
    public = open_key("hv:agents/1").public
    assert load_public(public.to_pem()) == public == vault.keys["agents"]["1"].public
