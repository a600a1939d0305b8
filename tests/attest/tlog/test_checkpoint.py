"""Checkpoints and cosignatures, to the byte."""

import base64
import contextlib
import struct

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from attest.errors import AttestError, InvalidError
from attest.tlog.checkpoint import checkpoint_text, read_checkpoint, sign_checkpoint
from attest.tlog.cosignature import cosign, cosigned_at, cosigned_message
from attest.tlog.note import COSIGNATURE_V1, Note, NoteSignature, sign_note, verifier_key
from evidence.merkle import EMPTY_ROOT

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WITNESS = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
ORIGIN = "example.net/log"
ROOT = bytes(range(32))

# The example of https://c2sp.org/tlog-cosignature (C2SP, CC BY 4.0). The specification does not name the keys.
SPEC = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""

# Ours: Ed25519 has one signature for a key and a message, so no correct signer gives other bytes.
GOLDEN = f"""example.net/log
5
AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=

— example.net/log {"%s"}
— example.net/w {"%s"}
"""


def test_the_example_of_the_specification_is_read_to_the_byte():
    checkpoint = read_checkpoint(SPEC.encode())
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.root.hex() == "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62"
    assert str(checkpoint) == SPEC
    stamp = checkpoint.note.signatures[1].signature
    assert struct.unpack(">Q", stamp[:8]) == (1679315147,)
    assert cosigned_message(checkpoint.note.text, 1679315147) == (
        b"cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n"
        b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )


def test_a_signed_and_cosigned_checkpoint_is_made_of_the_bytes_that_the_specifications_name():
    text = "example.net/log\n5\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    signed = verifier_key(ORIGIN, KEY).key_id + KEY.sign(text.encode())
    time = 1_700_000_000
    message = f"cosignature/v1\ntime {time}\n{text}".encode()
    cosigned = (
        verifier_key("example.net/w", WITNESS, COSIGNATURE_V1).key_id + time.to_bytes(8, "big") + WITNESS.sign(message)
    )
    checkpoint = sign_checkpoint(ORIGIN, 5, ROOT, KEY)
    checkpoint = checkpoint.with_signatures([cosign(checkpoint.note.text, "example.net/w", WITNESS, time)])
    expected = GOLDEN % (base64.b64encode(signed).decode(), base64.b64encode(cosigned).decode())
    assert str(checkpoint) == expected
    assert read_checkpoint(expected.encode()) == checkpoint


def test_a_checkpoint_counts_under_the_key_of_its_origin_only():
    checkpoint = sign_checkpoint(ORIGIN, 5, ROOT, KEY)
    own = verifier_key(ORIGIN, KEY)
    assert checkpoint.signed_by([verifier_key("example.net/other", KEY), own]) == own
    note = sign_note(checkpoint.note.text, "example.net/other", KEY)  # another log signs what is said to be ours
    assert read_checkpoint(str(note).encode()).signed_by([verifier_key("example.net/other", KEY)]) is None


def test_every_flipped_bit_of_a_checkpoint_is_refused_or_leaves_it_unsigned_or_not_cosigned():
    checkpoint = sign_checkpoint(ORIGIN, 5, ROOT, KEY)
    checkpoint = checkpoint.with_signatures([cosign(checkpoint.note.text, "w", WITNESS, 1)])
    data = str(checkpoint).encode()
    log, witness = verifier_key(ORIGIN, KEY), verifier_key("w", WITNESS, COSIGNATURE_V1)
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            read = read_checkpoint(bytes(changed))
            assert not (read.signed_by([log]) and read.cosigned_by([witness])), f"bit {bit}"
        except InvalidError:
            pass


def test_a_cosignature_over_another_checkpoint_or_at_another_time_does_not_verify():
    text = checkpoint_text(ORIGIN, 5, ROOT)
    witness = verifier_key("w", WITNESS, COSIGNATURE_V1)
    made = cosign(text, "w", WITNESS, 10)
    assert cosigned_at(made, witness, text) == 10
    later = NoteSignature(name="w", key_id=made.key_id, signature=(11).to_bytes(8, "big") + made.signature[8:])
    for signature, about in ((made, checkpoint_text(ORIGIN, 6, ROOT)), (later, text)):
        with pytest.raises(InvalidError, match="does not verify"):
            cosigned_at(signature, witness, about)


@pytest.mark.parametrize(
    ("signature", "message"),
    [(bytes(71), "71 bytes, expected 72"), (b"\x80" + bytes(71), "beyond"), (bytes(72), "does not verify")],
)
def test_a_malformed_cosignature_is_refused(signature, message):
    witness = verifier_key("w", WITNESS, COSIGNATURE_V1)
    line = NoteSignature(name="w", key_id=witness.key_id, signature=signature)
    with pytest.raises(InvalidError, match=message):
        cosigned_at(line, witness, "x\n")


def test_one_key_cannot_be_both_the_log_and_its_witness_by_one_signature():
    """The types keep them apart: a note signature is no cosignature, though key and name are the same."""
    checkpoint = sign_checkpoint(ORIGIN, 5, ROOT, KEY)
    assert not checkpoint.cosigned_by([verifier_key(ORIGIN, KEY, COSIGNATURE_V1)])


MALFORMED = {
    "two_lines": ("o\n1\n", "an origin, a size and a root"),
    "empty_origin": (f"\n1\n{base64.b64encode(ROOT).decode()}\n", "an origin, a size and a root"),
    "leading_zero": (f"o\n01\n{base64.b64encode(ROOT).decode()}\n", "without leading zeroes"),
    "negative": (f"o\n-1\n{base64.b64encode(ROOT).decode()}\n", "without leading zeroes"),
    "other_digits": (f"o\n\N{ARABIC-INDIC DIGIT ONE}\n{base64.b64encode(ROOT).decode()}\n", "without leading zeroes"),
    "too_large": (f"o\n{1 << 63}\n{base64.b64encode(ROOT).decode()}\n", "without leading zeroes"),
    "short_root": (f"o\n1\n{base64.b64encode(ROOT[:31]).decode()}\n", "31 bytes, expected 32"),
    "hex_root": (f"o\n1\n{ROOT.hex()}\n", "has 48 bytes"),
    "empty_extension": (f"o\n1\n{base64.b64encode(ROOT).decode()}\n\nx\n", "an origin, a size and a root"),
    "empty_tree_with_a_root": (f"o\n0\n{base64.b64encode(ROOT).decode()}\n", "empty log"),
}


@pytest.mark.parametrize("defect", MALFORMED)
def test_a_malformed_checkpoint_is_refused_by_its_defect(defect):
    text, message = MALFORMED[defect]
    with pytest.raises(InvalidError, match=message):
        read_checkpoint(str(sign_note(text, "o", KEY)).encode())


def test_extension_lines_are_under_the_signature_and_kept():
    text = checkpoint_text(ORIGIN, 0, EMPTY_ROOT) + "more\n"
    data = str(sign_note(text, ORIGIN, KEY)).encode()
    read = read_checkpoint(data)
    assert read.signed_by([verifier_key(ORIGIN, KEY)])
    assert str(read).encode() == data


@given(
    st.binary(max_size=120)
    | st.text(max_size=60).map(lambda text: f"{text}\n\n— a {'A' * 90}==\n".encode("utf-8", "replace"))
)
def test_any_bytes_are_a_checkpoint_with_one_spelling_or_refused(data):
    with contextlib.suppress(AttestError):
        assert str(read_checkpoint(data)).encode() == data


@given(st.integers(0, (1 << 63) - 1), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_reads_back_what_is_written(size, root):
    checkpoint = sign_checkpoint(ORIGIN, size, root if size else EMPTY_ROOT, KEY)
    assert read_checkpoint(str(checkpoint).encode()) == checkpoint


def test_a_note_twice_cosigned_by_one_witness_gives_the_later_time():
    checkpoint = sign_checkpoint(ORIGIN, 5, ROOT, KEY)
    lines = [cosign(checkpoint.note.text, "w", WITNESS, at) for at in (20, 10)]
    witness = verifier_key("w", WITNESS, COSIGNATURE_V1)
    assert checkpoint.with_signatures(lines).cosigned_by([witness]) == {witness: 20}
    assert isinstance(checkpoint.note, Note)
