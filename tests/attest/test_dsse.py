"""DSSE: the encoding that is signed, and base64 with one spelling per value."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attest.dsse import Envelope, decode_base64, encode_base64, pae
from attest.errors import InvalidError


def test_pae_equals_the_vector_of_the_dsse_specification():
    """protocol.md, section "Test vectors"."""
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_pae_counts_bytes_of_a_type_outside_ascii_not_characters():
    assert pae("type/ü€", b"\xc3\xbc") == b"DSSEv1 10 type/\xc3\xbc\xe2\x82\xac 2 \xc3\xbc"


def test_pae_of_empty_type_and_payload_keeps_both_lengths():
    assert pae("", b"") == b"DSSEv1 0  0 "


@given(st.text(), st.binary(), st.text(), st.binary())
def test_two_different_messages_never_share_an_encoding(type_a, payload_a, type_b, payload_b):
    """Law: pae is injective. Without lengths, a byte could move between type and payload."""
    assert (pae(type_a, payload_a) == pae(type_b, payload_b)) == ((type_a, payload_a) == (type_b, payload_b))


@given(st.text(), st.binary())
def test_pae_equals_that_of_securesystemslib(payload_type, payload):
    from securesystemslib.dsse import Envelope as Peer

    assert Peer(payload, payload_type, {}).pae() == pae(payload_type, payload)


def test_an_envelope_is_signed_over_the_encoding_of_its_own_type_and_payload():
    assert Envelope(payload_type="t", payload=b"p", signatures=()).pae() == pae("t", b"p")


@given(st.binary())
def test_base64_round_trip(data):
    """Law: decode(encode(x)) == x."""
    assert decode_base64(encode_base64(data), what="x") == data


@pytest.mark.parametrize(
    "text",
    ["QQ", "QQ=", "QQ===", "QR==", "Q Q=", "QQ==\n", "QQ==QQ==", "-_8=", "=QQ=", "QÄ==", "Q"],
    ids=["no padding", "short padding", "long padding", "slack bits", "space", "newline", "two values", "url alphabet",
         "padding first", "not ascii", "one character"],
)  # fmt: skip
def test_another_spelling_of_base64_is_refused(text):
    with pytest.raises(InvalidError, match=r"the field is .*base64"):
        decode_base64(text, what="the field")


@given(st.text(alphabet=st.sampled_from("AQRgw09+/=-_ \n"), max_size=12))
def test_whatever_decodes_has_no_second_spelling(text):
    """Law: decode(s) succeeds only for s == encode(decode(s))."""
    try:
        data = decode_base64(text, what="x")
    except InvalidError:
        return
    assert text == base64.b64encode(data).decode()
