"""Files of disclosures: for their owner, or for one recipient and nobody else."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from evidence.errors import DisclosureError
from evidence.redaction.commitment import Withheld
from evidence.redaction.disclosures import Header, PieceMaker
from sidecar import disclosing
from sidecar.disclosing import known_key, load_private_key, load_recipient, open_disclosures, write_disclosures
from sidecar.errors import ConfigError

KEY = b"k" * 32
HEADER = Header(run_id="r", part=1, policy={"digest": "d"}, key=KEY)
PEM = serialization.Encoding.PEM


def pieces(count: int, body: str = "secret body"):
    maker = PieceMaker(KEY, ("x",))
    for index in range(count):
        maker(Withheld(pointer="/p", index=index, name="", form="text", body=f"{body} {index}", reason="r"))
    return maker.pieces("r:1")


def lines(count: int):
    return iter([piece.line() + b"\n" for piece in pieces(count)])


@pytest.fixture
def key():
    return X25519PrivateKey.generate()


@pytest.mark.parametrize("count", [1, 50])
@pytest.mark.parametrize("chunk", [1, 300, 1 << 20])
def test_what_was_written_for_a_recipient_only_its_key_opens(tmp_path, monkeypatch, key, count, chunk):
    monkeypatch.setattr(disclosing, "_CHUNK_BYTES", chunk)
    path = write_disclosures(tmp_path / "d", HEADER, lines(count), key.public_key())
    data = path.read_bytes()
    assert b"secret body" not in data
    assert KEY.hex().encode() not in data
    header, found = open_disclosures(path, key)
    assert (header, list(found)) == (HEADER, pieces(count))
    for other in (None, X25519PrivateKey.generate()):
        with pytest.raises(DisclosureError):
            open_disclosures(path, other)
    assert known_key(path) is None


def test_what_was_written_in_the_clear_is_for_its_owner_alone(tmp_path):
    path = tmp_path / "d"
    path.write_text("older")
    path.chmod(0o644)
    write_disclosures(path, HEADER, lines(3), None)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(open_disclosures(path)[1]) == pieces(3)
    assert known_key(path) == KEY
    assert [each.name for each in tmp_path.iterdir()] == ["d"]


def damaged(data: bytes) -> dict[str, bytes]:
    first, *chunks = data.splitlines(keepends=True)
    return {
        "cut off after a chunk": first + b"".join(chunks[:-1]),
        "cut off inside a chunk": data[:-30],
        "without a chunk": first,
        "chunks swapped": first + chunks[1] + chunks[0] + b"".join(chunks[2:]),
        "a chunk left out": first + b"".join(chunks[1:]),
        "a chunk twice": first + chunks[0] + b"".join(chunks),
        "of another run": first.replace(b'"run_id":"r"', b'"run_id":"q"') + b"".join(chunks),
        "a bit changed": first + chunks[0][:20] + bytes([chunks[0][20] ^ 1]) + chunks[0][21:] + b"".join(chunks[1:]),
        "not base64": first + b"!" + b"".join(chunks),
    }


def test_an_encrypted_file_that_was_changed_is_refused(tmp_path, monkeypatch, key):
    monkeypatch.setattr(disclosing, "_CHUNK_BYTES", 300)
    path = write_disclosures(tmp_path / "d", HEADER, lines(9), key.public_key())
    for data in damaged(path.read_bytes()).values():
        path.write_bytes(data)
        with pytest.raises(DisclosureError):
            list(open_disclosures(path, key)[1])


def test_keys_of_another_kind_are_refused_by_name(tmp_path, key):
    signing = Ed25519PrivateKey.generate()
    public, private, odd = tmp_path / "pub", tmp_path / "key", tmp_path / "odd"
    public.write_bytes(key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    private.write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    assert load_recipient(public).public_bytes_raw() == load_private_key(private).public_key().public_bytes_raw()
    odd.write_bytes(signing.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    for path in (odd, private, tmp_path / "none"):
        with pytest.raises(ConfigError, match=r"encrypt_to"):
            load_recipient(path)
    odd.write_bytes(signing.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    for path in (odd, public, tmp_path / "none"):
        with pytest.raises(ConfigError):
            load_private_key(path)
