"""Key files: created once, privately, and read strictly."""

import hashlib
import os
import stat

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from attest.errors import KeyFileError
from attest.keys import generate, load_private, load_public, save
from attest.pem import public_path
from attest.trust.trust import Trust, TrustedKey

PKCS8 = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)


@pytest.mark.parametrize("algorithm", ["ecdsa-p256-sha256", "ed25519"])
def test_a_saved_key_pair_loads_as_the_same_keys(tmp_path, algorithm):
    key = generate(algorithm)
    public = save(key, tmp_path / "k.pem")
    assert (load_private(tmp_path / "k.pem"), load_public(public)) == (key, key.public)
    assert key.public.algorithm == algorithm


def test_the_public_key_lies_beside_the_private_one_with_pub_after_its_name(tmp_path):
    assert save(generate(), tmp_path / "k.pem") == public_path(tmp_path / "k.pem") == tmp_path / "k.pem.pub"


def test_the_fingerprint_is_the_sha256_of_the_subject_public_key_info(key):
    native = serialization.load_pem_public_key(key.public.to_pem())
    der = native.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert key.public.fingerprint == hashlib.sha256(der).hexdigest()


def test_a_private_key_file_is_for_its_owner_only_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        save(generate(), tmp_path / "k.pem")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "k.pem").stat().st_mode) == 0o600


def test_an_existing_private_key_is_never_overwritten(tmp_path):
    save(generate(), tmp_path / "k.pem")
    before = [(tmp_path / name).read_bytes() for name in ("k.pem", "k.pem.pub")]
    with pytest.raises(KeyFileError, match="exists already"):
        save(generate(), tmp_path / "k.pem")
    assert [(tmp_path / name).read_bytes() for name in ("k.pem", "k.pem.pub")] == before


def test_an_existing_public_key_stops_the_private_one_from_being_left_alone(tmp_path):
    (tmp_path / "k.pem.pub").write_bytes(b"someone else's")
    with pytest.raises(KeyFileError, match=r"k\.pem\.pub: exists already"):
        save(generate(), tmp_path / "k.pem")
    assert [path.name for path in tmp_path.iterdir()] == ["k.pem.pub"]
    assert (tmp_path / "k.pem.pub").read_bytes() == b"someone else's"


def test_a_dangling_link_is_not_followed_when_a_key_is_made(tmp_path):
    (tmp_path / "k.pem").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyFileError, match="exists already"):
        save(generate(), tmp_path / "k.pem")
    assert not (tmp_path / "elsewhere").exists()


def test_a_directory_that_is_absent_is_named(tmp_path):
    with pytest.raises(KeyFileError, match=r"absent/k\.pem: cannot be created: No such file"):
        save(generate(), tmp_path / "absent" / "k.pem")


def test_key_material_never_shows_in_text(key):
    shown = repr(key) + str(key) + repr(key.public)
    assert key.public.fingerprint in shown
    assert "PRIVATE" not in shown
    assert "object at" not in shown


def private_pem(native, password=None):
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return native.private_bytes(*PKCS8, protection)


BROKEN_PRIVATE = {
    "encrypted": (lambda: private_pem(generate().native, b"secret"), "is encrypted; expected"),
    "public_key": (generate().public.to_pem, "a PEM PUBLIC KEY; expected a PKCS#8"),
    "cut": (lambda: generate().to_pem()[:80], "a damaged PEM PRIVATE KEY; expected"),
    "p384": (lambda: private_pem(ec.generate_private_key(ec.SECP384R1())), "on secp384r1; expected P-256"),
    "rsa": (lambda: private_pem(rsa.generate_private_key(65537, 2048)), "an RSA key; expected P-256 or Ed25519"),
    "nothing": (lambda: b"", "an empty file; expected"),
    "certificate": (lambda: b"-----BEGIN CERTIFICATE-----\nAAAA\n", "a PEM CERTIFICATE; expected"),
    "noise": (lambda: bytes(range(256)), "not PEM; expected"),
    "huge": (lambda: b"-" * 100_000, "larger than 65536 bytes"),
}


@pytest.mark.parametrize("defect", BROKEN_PRIVATE)
def test_a_private_key_that_cannot_be_used_is_refused_by_name(tmp_path, defect):
    make, message = BROKEN_PRIVATE[defect]
    (tmp_path / "k.pem").write_bytes(make())
    with pytest.raises(KeyFileError, match=message) as caught:
        load_private(tmp_path / "k.pem")
    assert str(tmp_path / "k.pem") in str(caught.value)


def test_a_private_key_given_where_a_public_one_is_asked_for_is_called_that():
    with pytest.raises(KeyFileError, match="a PEM PRIVATE KEY; expected a PEM public key"):
        load_public(generate().to_pem())


def test_a_public_key_of_another_curve_is_refused():
    native = ec.generate_private_key(ec.SECP256K1()).public_key()
    pem = native.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(KeyFileError, match="secp256k1; expected P-256"):
        load_public(pem)


def test_a_missing_key_file_is_named(tmp_path):
    with pytest.raises(KeyFileError, match=r"none\.pub: cannot be read: No such file"):
        load_public(tmp_path / "none.pub")


@pytest.mark.parametrize("algorithm", ["ecdsa-p256-sha256", "ed25519"])
def test_malformed_signatures_do_not_verify_and_do_not_raise(algorithm):
    public = generate(algorithm).public
    for signature in (b"", b"\0", b"\x30\x00", bytes(64), bytes(10_000), b"\x30\x06\x02\x01\x00\x02\x01\x00"):
        assert not public.verifies(signature, b"data")


def test_a_signature_of_one_kind_of_key_does_not_verify_with_the_other():
    data = b"data"
    edwards = ed25519.Ed25519PrivateKey.generate().sign(data)
    assert not generate().public.verifies(edwards, data)


def test_trust_needs_a_key():
    with pytest.raises(KeyFileError, match="expected at least one"):
        Trust.load([])


def test_trust_finds_a_key_by_its_fingerprint_only(tmp_path, key, other_key):
    save(key, tmp_path / "a")
    save(other_key, tmp_path / "b")
    trust = Trust.load([tmp_path / "a.pub", tmp_path / "b.pub"])
    assert trust.find(other_key.public.fingerprint) == TrustedKey(public=other_key.public)
    assert trust.find(key.public.fingerprint[:-1]) is None
