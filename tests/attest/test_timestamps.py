"""RFC 3161 timestamps taken apart: what no signature covers is derived, refused or named."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attest.attestation.statement import statement
from attest.checks.timestamp_token import read_token
from attest.der import read_value, read_values
from attest.errors import AttestError, InvalidError
from attest.keys import generate
from attest.trust.trust import TrustedKey
from tests.attest import sigstore_world as sw
from tests.attest import world
from tests.tools.examples import times


def der(tag, content):
    size = len(content)
    long = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag]) + (bytes([size]) if size < 128 else bytes([0x80 | len(long)]) + long) + content


def at(data, path, change):
    """DER with the value at `path` changed: by index from value to value, every length made right again."""
    if not path:
        return change(data)
    values = read_values(data, "test")
    index, *rest = path
    inside = [one.whole for one in values]
    inside[index] = (
        der(values[index].tag, at(values[index].content, rest, change)) if rest else change(values[index].whole)
    )
    return b"".join(inside)


STATUS, TOKEN = (0, 0), (0, 1)
SIGNED = (*TOKEN, 1, 0)
VERSION, DIGESTS, INFO, CERTIFICATES, SIGNERS = ((*SIGNED, index) for index in range(5))
SIGNER = (*SIGNERS, 0)
SHA384 = bytes.fromhex("300b0609608648016503040202")


def put(data):
    return lambda _: data


def append(data):
    return lambda whole: whole + data


def inside(change):
    """The content of one value changed."""

    def edit(whole):
        value = read_value(whole, "test", whole[0])
        return der(value.tag, change(value.content))

    return edit


CHANGES = {
    # name: where, what, the outcome of the check `time`
    "status_text": (STATUS, put(der(0x30, b"\x02\x01\x00" + der(0x30, der(0x0C, b"fine")))), "warn"),
    "status_granted_with_changes": (STATUS, put(der(0x30, b"\x02\x01\x01")), "fail"),
    "status_refused": (STATUS, put(der(0x30, b"\x02\x01\x02")), "fail"),
    "bytes_after_the_response": ((), append(b"\x05\x00"), "fail"),
    "value_after_the_token": (TOKEN, append(b"\x05\x00"), "fail"),
    "version_of_the_signed_data": (VERSION, put(b"\x02\x01\x01"), "fail"),
    "announced_digest": ((*DIGESTS, 0), put(SHA384), "fail"),
    "two_announced_digests": ((*DIGESTS, 0), append(SHA384), "fail"),
    "parameters_of_the_announced_digest": ((*DIGESTS, 0), inside(append(b"\x05\x00")), "pass"),
    "other_parameters_of_the_announced_digest": ((*DIGESTS, 0), inside(append(b"\x04\x00")), "fail"),
    "type_of_the_info": ((*INFO, 0), put(bytes.fromhex("06092a864886f70d010701")), "fail"),
    "time": ((*INFO, 1, 0), lambda whole: whole.replace(b"20261121100100Z", b"20261121100101Z"), "fail"),
    "without_certificates": (CERTIFICATES, put(b""), "pass"),
    "with_an_empty_set_of_certificates": ((*CERTIFICATES, 0), put(b""), "pass"),
    "certificate_twice": ((*CERTIFICATES, 0), lambda whole: whole + whole, "fail"),
    "certificate_that_is_none": ((*CERTIFICATES, 0), put(b"\x30\x00"), "fail"),
    "revocation_lists": (CERTIFICATES, append(der(0xA1, b"")), "warn"),
    "no_signer": ((*SIGNERS, 0), put(b""), "fail"),
    "signer_twice": ((*SIGNERS, 0), lambda whole: whole + whole, "fail"),
    "version_of_the_signer": ((*SIGNER, 0), put(b"\x02\x01\x03"), "fail"),
    "signer_with_another_serial": ((*SIGNER, 1, 1), put(b"\x02\x01\x07"), "warn"),
    "signer_named_by_key_id": ((*SIGNER, 1), put(der(0x80, b"1234")), "undecided"),
    "digest_of_the_signer": ((*SIGNER, 2), put(SHA384), "undecided"),
    "signed_attributes_removed": ((*SIGNER, 3), put(b""), "fail"),
    "algorithm_of_the_signature": ((*SIGNER, 4), put(bytes.fromhex("300a06082a8648ce3d040303")), "undecided"),
    "algorithm_of_a_kind_unknown": ((*SIGNER, 4), put(bytes.fromhex("300a06082a8648ce3d0403ff")), "undecided"),
    "signature": ((*SIGNER, 5), lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]), "fail"),
    "unsigned_attributes": ((*SIGNER, 5), append(der(0xA1, der(0x30, bytes.fromhex("06022a03") + der(0x31, b"\x05\x00")))), "warn"),
}  # fmt: skip


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    facts = world.seal_run(tmp_path_factory.mktemp("bundle"))
    key = generate()
    with sw.start() as sigstore:
        stamp = sigstore.tsas["tsa"].stamp
        trust = sw.trust(sigstore, keys=(TrustedKey(public=key.public),))
        payload = statement([facts], world.PRODUCER)
        yield lambda change: sw.judge(facts, trust, sw.keyed(key, payload, lambda data: change(stamp(data))))


def test_the_timestamp_as_it_was_made_is_good(signed):
    assert sw.outcomes(signed(lambda data: data))["time"] == "pass"


@pytest.mark.parametrize("name", CHANGES)
def test_a_part_of_a_timestamp_changed_is_refused_or_named(signed, name):
    path, change, outcome = CHANGES[name]
    reading = signed(lambda data: at(data, path, change))
    assert sw.outcomes(reading)["time"] == outcome, reading.checks


SPELLINGS = {
    "long_form_of_a_short_length": bytes.fromhex("30810102"),
    "leading_zero_in_a_length": bytes.fromhex("3082000100"),
    "leading_zero_in_a_length_that_needs_the_long_form": bytes.fromhex("30820080") + bytes(128),
    "indefinite_length": bytes.fromhex("3080020100"),
    "length_of_a_length_too_long": bytes.fromhex("308500000000010000"),
    "high_tag": bytes.fromhex("1f01020100"),
    "cut": bytes.fromhex("30030201"),
    "tag_alone": b"\x30",
    "bytes_after": bytes.fromhex("300302010000"),
    "nothing": b"",
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_what_is_not_in_the_one_spelling_is_refused(name):
    with pytest.raises(InvalidError):
        read_value(SPELLINGS[name], "it", 0x30)


@settings(max_examples=times(0.4))
@given(
    st.recursive(
        st.binary(max_size=300).map(lambda data: der(0x04, data)),
        lambda one: st.lists(one, max_size=4).map(lambda parts: der(0x30, b"".join(parts))),
    )
)
def test_what_is_read_covers_every_byte(data):
    (value,) = read_values(data, "it")
    assert value.whole == data
    assert (
        b"".join(part.whole for part in read_values(value.content, "it")) == value.content
        if value.tag == 0x30
        else True
    )


@given(st.binary(max_size=200))
def test_any_bytes_are_a_token_or_a_named_error(data):
    with pytest.raises(AttestError):
        read_token(data)
