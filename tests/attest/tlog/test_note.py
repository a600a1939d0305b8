"""Signed notes and verifier keys: one spelling, and a signature counts for one key of one type only."""

import base64
import contextlib
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given
from hypothesis import strategies as st

from attest.errors import AttestError, InvalidError, UnsupportedError
from attest.keys import is_anyones
from attest.limits import AttestLimits
from attest.tlog.note import (
    COSIGNATURE_V1,
    ED25519,
    Note,
    NoteSignature,
    VerifierKey,
    read_note,
    sign_note,
    verifier_key,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))

# The example of https://c2sp.org/signed-note (C2SP, CC BY 4.0).
SPEC_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()

# Ours, made once from the key 00 01 … 1f: Ed25519 has one signature for a message, so these bytes cannot be others.
OUR_VKEY = "example.net/log+aa162318+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"


def test_the_example_of_the_specification_verifies():
    key = VerifierKey.parse(SPEC_VKEY)
    note = read_note(SPEC_NOTE)
    assert note.signed_by([key]) == (key,)
    assert str(note).encode() == SPEC_NOTE
    assert str(key) == SPEC_VKEY


def test_the_specifications_note_of_several_paragraphs_is_split_at_its_last_blank_line():
    note = read_note(
        "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n— quasimodo.example/salvatore "
        "NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n".encode()
    )
    assert note.text.endswith("sole:\n\ned è subito sera.\n")
    assert [(one.name, one.key_id.hex(), len(one.signature)) for one in note.signatures] == [
        ("quasimodo.example/salvatore", "367ba04b", 64)
    ]


def test_a_key_id_is_the_hash_of_name_newline_type_and_key():
    key = verifier_key("example.net/log", KEY)
    assert key.key_id == hashlib.sha256(b"example.net/log\n\x01" + key.public).digest()[:4]
    assert str(key) == OUR_VKEY


def test_one_key_has_another_id_for_another_type_of_signature():
    assert verifier_key("w", KEY).key_id != verifier_key("w", KEY, COSIGNATURE_V1).key_id


def test_a_key_for_cosignatures_does_not_verify_a_note_signature():
    """Even where somebody writes the signature line under that key's id."""
    witness = verifier_key("w", KEY, COSIGNATURE_V1)
    text = "text\n"
    note = Note(
        text=text, signatures=(NoteSignature(name="w", key_id=witness.key_id, signature=KEY.sign(text.encode())),)
    )
    assert note.signed_by([witness]) == ()


def test_signatures_of_strangers_are_passed_over():
    note = read_note(str(sign_note("text\n", "a", KEY)).encode())
    assert note.signed_by([verifier_key("b", KEY)]) == ()
    assert note.signed_by([verifier_key("a", Ed25519PrivateKey.generate())]) == ()


def test_a_bad_signature_under_a_known_key_makes_the_note_worthless_whoever_else_signed():
    good = sign_note("text\n", "a", KEY)
    bad = NoteSignature(name="b", key_id=verifier_key("b", KEY).key_id, signature=bytes(64))
    note = Note(text=good.text, signatures=(*good.signatures, bad))
    with pytest.raises(InvalidError, match="by 'b' does not verify"):
        note.signed_by([verifier_key("a", KEY), verifier_key("b", KEY)])


def test_every_flipped_bit_of_a_note_is_refused_or_leaves_it_unsigned():
    data = str(sign_note("example.net/log\n7\nroot\n", "example.net/log", KEY)).encode()
    key = verifier_key("example.net/log", KEY)
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with contextlib.suppress(InvalidError):
            assert read_note(bytes(changed)).signed_by([key]) == (), f"bit {bit}"


SIG = base64.b64encode(bytes(68)).decode()
MALFORMED = {
    "empty": (b"", "not a text, a blank line"),
    "no_blank_line": (f"text\n— a {SIG}\n".encode(), "not a text, a blank line"),
    "no_text": (f"\n— a {SIG}\n".encode(), "not a text, a blank line"),
    "no_signature": (b"text\n\n", "not a text, a blank line"),
    "no_last_newline": (f"text\n\n— a {SIG}".encode(), "not a text, a blank line"),
    "crlf": (f"text\r\n\n— a {SIG}\n".encode(), "control character"),
    "tab": (f"te\txt\n\n— a {SIG}\n".encode(), "control character"),
    "nul": (f"text\0\n\n— a {SIG}\n".encode(), "control character"),
    "latin1": (b"\xe9\n\n", "not UTF-8"),
    "hyphen_for_a_dash": (f"text\n\n- a {SIG}\n".encode(), "em dash"),
    "no_name": (f"text\n\n—  {SIG}\n".encode(), "without spaces"),
    "name_with_plus": (f"text\n\n— a+b {SIG}\n".encode(), "without spaces"),
    "name_with_no_break_space": (f"text\n\n— a\u00a0b {SIG}\n".encode(), "without spaces"),
    "two_spaces": (f"text\n\n— a  {SIG}\n".encode(), "base64"),
    "no_base64": ("text\n\n— a !!!!\n".encode(), "base64"),
    "base64_with_slack": (f"text\n\n— a {SIG[:-2]}B=\n".encode(), "another spelling"),
    "only_a_key_id": ("text\n\n— a AAAAAA==\n".encode(), "holds 4 bytes"),
    "line_between": (f"text\n\n— a {SIG}\nx\n— a {SIG}\n".encode(), "signature line 2"),
}


@pytest.mark.parametrize("defect", MALFORMED)
def test_a_malformed_note_is_refused_by_its_defect(defect):
    data, message = MALFORMED[defect]
    with pytest.raises(InvalidError, match=message):
        read_note(data)


def test_sixteen_signatures_are_read_and_too_many_or_too_large_refused():
    line = f"— a {SIG}\n"
    assert len(read_note(f"t\n\n{line * 16}".encode()).signatures) == 16
    with pytest.raises(InvalidError, match="more than 64 signatures"):
        read_note(f"t\n\n{line * 65}".encode())
    with pytest.raises(InvalidError, match="has 8 bytes, expected at most 7"):
        read_note(b"12345678", limits=AttestLimits(note_bytes_max=7))


KEYS = {
    "two_parts": ("a+12345678", "NAME.HASH.KEY"),
    "wrong_id": (OUR_VKEY.replace("aa162318", "00ecb1a2"), "has the id '00ecb1a2', expected aa162318"),
    "upper_case_id": (OUR_VKEY.replace("aa162318", "AA162318"), "expected aa162318"),
    "another_name": (OUR_VKEY.replace("net", "org"), "expected "),
    "short_key": ("a+00000000+" + base64.b64encode(b"\x01" + bytes(31)).decode(), "31 bytes, expected 32"),
    "no_base64": ("a+00000000+*", "base64"),
    "no_name": ("+00000000+" + base64.b64encode(b"\x01" + bytes(32)).decode(), "without spaces"),
}


@pytest.mark.parametrize("defect", KEYS)
def test_a_malformed_verifier_key_is_refused_by_its_defect(defect):
    text, message = KEYS[defect]
    with pytest.raises(InvalidError, match=message):
        VerifierKey.parse(text)


@pytest.mark.parametrize("kind", [0x02, 0x05, 0x06, 0xFF])
def test_keys_of_other_types_are_unsupported_not_malformed(kind):
    with pytest.raises(UnsupportedError, match=f"type {kind:02x}"):
        VerifierKey.parse("a+00000000+" + base64.b64encode(bytes([kind]) + bytes(32)).decode())


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp"), exclude_characters="+"), min_size=1)


PUBLIC = st.binary(min_size=32, max_size=32).filter(lambda raw: not is_anyones(raw))


@given(NAMES, PUBLIC, st.sampled_from([ED25519, COSIGNATURE_V1]))
def test_a_verifier_key_reads_back_what_is_written(name, public, kind):
    key = VerifierKey(name=name, kind=kind, public=public)
    assert VerifierKey.parse(str(key)) == key


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n")).map(lambda text: text + "\n")


@given(TEXTS, NAMES, st.lists(st.binary(min_size=5, max_size=80), min_size=1, max_size=3))
@example("\n", "a", [b"12345"])
@example("\n\n— a AAAAAAA=\n", "a", [b"12345"])
def test_a_note_reads_back_what_is_written(text, name, signatures):
    """Law: text that looks like a note of its own stays text."""
    note = Note(
        text=text, signatures=tuple(NoteSignature(name=name, key_id=one[:4], signature=one[4:]) for one in signatures)
    )
    assert read_note(str(note).encode()) == note


@given(st.binary(max_size=200) | TEXTS.map(lambda text: text.encode()))
def test_any_bytes_are_a_note_with_one_spelling_or_refused(data):
    try:
        note = read_note(data)
    except AttestError:
        return
    assert str(note).encode() == data
