"""Asking a timestamp authority, over real HTTP on loopback: what leaves is about this very question, and every fault has a name."""

import hashlib
import socket
from datetime import timedelta

import pytest
from rfc3161_client import decode_timestamp_response

from attest.attestation import sigstore_bundle
from attest.errors import SignerUnavailableError, SigningError
from attest.keys import generate
from attest.limits import DEFAULT
from attest.signers.key import KeySigner
from attest.signers.timestamp import Timestamper
from sidecar.clock import now_unix_nano
from tests.sigstore.loopback import Fault

SIGNATURE = b"the bytes of a signature"


@pytest.fixture
def authority(sigstore):
    return Timestamper(sigstore.tsa_url, clock=now_unix_nano, timeout_seconds=5)


def test_the_answer_dates_the_signature_with_sha256(authority):
    info = decode_timestamp_response(authority.stamp(SIGNATURE)).tst_info
    assert info.message_imprint.message == hashlib.sha256(SIGNATURE).digest()


def test_every_question_has_a_nonce_of_its_own(authority):
    nonces = {decode_timestamp_response(authority.stamp(SIGNATURE)).tst_info.nonce for _ in range(3)}
    assert len(nonces) == 3


@pytest.mark.parametrize("status", [408, 502])
def test_a_status_that_may_pass_is_said_to(sigstore, authority, status):
    sigstore.faults.set("tsa", Fault(status=status))
    with pytest.raises(SignerUnavailableError, match=str(status)):
        authority.stamp(SIGNATURE)


@pytest.mark.parametrize("status", [400, 301])
def test_a_status_that_will_not_pass_is_an_error_of_the_other_kind(sigstore, authority, status):
    sigstore.faults.set("tsa", Fault(status=status))
    with pytest.raises(SigningError, match=str(status)) as caught:
        authority.stamp(SIGNATURE)
    assert type(caught.value) is SigningError


def test_an_authority_that_is_not_there_may_come_back():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
    with pytest.raises(SignerUnavailableError, match="refused"):
        Timestamper(url, clock=now_unix_nano).stamp(SIGNATURE)


@pytest.mark.parametrize(
    "url", ["ftp://t/", "t", "", "http://name:secret@t/", "http://name:sec/secret@t/", "http://t/ x"]
)
def test_what_is_no_address_of_an_authority_is_refused_without_being_said(url):
    with pytest.raises(SigningError, match="expected http") as caught:
        Timestamper(url, clock=now_unix_nano)
    assert "secret" not in str(caught.value)


def test_a_token_in_the_query_is_sent_and_not_said(sigstore):
    sigstore.faults.set("tsa", Fault(status=500))
    with pytest.raises(SignerUnavailableError, match="status 500") as caught:
        Timestamper(f"{sigstore.tsa_url}?token=secret", clock=now_unix_nano).stamp(SIGNATURE)
    assert "secret" not in str(caught.value)


def test_an_answer_larger_than_any_timestamp_is_not_read_on(sigstore, authority):
    sigstore.faults.set("tsa", Fault(body=b"\x30" * (DEFAULT.timestamp_bytes_max + 1)))
    with pytest.raises(SigningError, match=f"more than {DEFAULT.timestamp_bytes_max} bytes"):
        authority.stamp(SIGNATURE)


@pytest.mark.parametrize("body", [b"", b"{}", b"\x30\x03\x02\x01", b"\x00" * 100])
def test_an_answer_that_is_no_timestamp_is_refused(sigstore, authority, body):
    sigstore.faults.set("tsa", Fault(body=body))
    with pytest.raises(SigningError, match="no timestamp response"):
        authority.stamp(SIGNATURE)


def test_a_refusal_is_said_with_its_status(sigstore, authority):
    sigstore.faults.set("tsa", Fault(body=bytes.fromhex("30053003020102")))  # PKIStatus 2: rejection
    with pytest.raises(SigningError, match="status 2"):
        authority.stamp(SIGNATURE)


def test_an_answer_to_an_older_question_is_refused(sigstore, authority):
    """Replayed: granted, over this very signature, and of another nonce."""
    sigstore.faults.set("tsa", Fault(body=authority.stamp(SIGNATURE)))
    with pytest.raises(SigningError, match="another nonce"):
        authority.stamp(SIGNATURE)


def test_an_answer_without_the_nonce_is_refused(sigstore, authority):
    sigstore.faults.set("tsa", Fault(body=sigstore.tsas["tsa"].stamp(SIGNATURE)))
    with pytest.raises(SigningError, match="another nonce"):
        authority.stamp(SIGNATURE)


def test_a_timestamp_over_something_else_is_refused(sigstore, authority, monkeypatch):
    tsa = sigstore.tsas["tsa"]
    respond = tsa._respond
    monkeypatch.setattr(tsa, "_respond", lambda digest, at, nonce: respond(b"\x01" * 32, at, nonce))
    with pytest.raises(SigningError, match="another message"):
        authority.stamp(SIGNATURE)


@pytest.mark.parametrize(
    ("seconds", "word"), [(310, "after"), (86_400, "after"), (-310, "before"), (-86_400, "before")]
)
def test_a_time_that_is_not_now_by_our_clock_is_refused_with_both(sigstore, authority, seconds, word):
    sigstore.skew["tsa"] = timedelta(seconds=seconds)
    with pytest.raises(
        SigningError, match=rf"authority {sigstore.tsa_url} says .*Z, which is .* s {word} this .*Z"
    ) as caught:
        authority.stamp(SIGNATURE)
    assert type(caught.value) is SigningError, "somebody has to put a clock right"


@pytest.mark.parametrize("seconds", [290, -290])
def test_clocks_may_be_a_little_apart(sigstore, authority, seconds):
    sigstore.skew["tsa"] = timedelta(seconds=seconds)
    authority.stamp(SIGNATURE)


@pytest.mark.parametrize("seconds", [310, -310])
def test_a_clock_of_our_own_that_is_wrong_is_found_by_a_right_one(sigstore, seconds):
    ours = Timestamper(sigstore.tsa_url, clock=lambda: now_unix_nano() + seconds * 10**9)
    with pytest.raises(SigningError, match="one of the two clocks is wrong"):
        ours.stamp(SIGNATURE)


# ---------------------------------------------------------------- in a signature


def test_a_dated_signature_carries_the_time_of_its_own_bytes(sigstore, authority):
    data = KeySigner(generate(), timestamper=authority).sign(b"{}")
    bundle = sigstore_bundle.read(data)
    (stamp,) = bundle.timestamps
    imprint = decode_timestamp_response(stamp).tst_info.message_imprint
    assert imprint.message == hashlib.sha256(bundle.envelope.signatures[0]).digest()


def test_a_signature_that_cannot_be_dated_is_withheld(sigstore, authority):
    sigstore.faults.set("tsa", Fault(status=500))
    with pytest.raises(SignerUnavailableError):
        KeySigner(generate(), timestamper=authority).sign(b"{}")


def test_where_a_time_is_not_required_the_signature_is_given_without(sigstore, authority):
    sigstore.faults.set("tsa", Fault(status=500))
    data = KeySigner(generate(), timestamper=authority, require_timestamp=False).sign(b"{}")
    assert sigstore_bundle.read(data).timestamps == ()
