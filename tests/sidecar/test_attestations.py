"""Attestations beside bundles: whose takes which name, and that none is lost."""

import os

import pytest

from attest.attest import attest_bundles
from attest.errors import AttestError
from attest.keys import generate
from attest.signers.key import KeySigner
from sidecar.attestations import add_beside, attest_beside
from sidecar.errors import SidecarError
from sidecar.producer import PRODUCER
from tests.attest.world import seal_run
from tests.sigstore.loopback import IDENTITY


@pytest.fixture
def sealed(tmp_path):
    return seal_run(tmp_path)


class Canned:
    """A signer whose signature was made before."""

    def __init__(self, data):
        self._data = data

    def sign(self, _):
        return self._data

    def describe(self):
        return "canned"


def by(signer, sealed):
    return attest_bundles([sealed], signer, producer=PRODUCER)


def beside(sealed):
    return {path.name: path.read_bytes() for path in sealed.path.parent.glob("*.sigstore.json")}


def test_what_was_signed_by_hand_meanwhile_gets_the_next_name(sealed):
    hand = by(KeySigner(generate()), sealed)
    add_beside([sealed.path], hand)
    ours = attest_beside([sealed], KeySigner(generate()))
    assert beside(sealed) == {"run-1.sigstore.json": ours, "run-1.2.sigstore.json": hand}


def test_signing_again_after_a_crash_leaves_one_of_ours_and_one_of_theirs(sealed):
    hand, own = by(KeySigner(generate()), sealed), KeySigner(generate())
    add_beside([sealed.path], hand)
    attest_beside([sealed], own)
    sealed.path.with_name("run-1.sigstore.json").write_bytes(hand)  # moved aside already, and not yet replaced
    ours = attest_beside([sealed], own)
    ours = attest_beside([sealed], own)
    assert beside(sealed) == {"run-1.sigstore.json": ours, "run-1.2.sigstore.json": hand}


@pytest.mark.parametrize("left", [b"", b"{}", b"not JSON"])
def test_what_is_no_attestation_is_replaced(sealed, left):
    sealed.path.with_name("run-1.sigstore.json").write_bytes(left)
    ours = attest_beside([sealed], KeySigner(generate()))
    assert beside(sealed) == {"run-1.sigstore.json": ours}


def test_a_pipe_in_an_attestations_place_is_not_waited_for(sealed):
    os.mkfifo(sealed.path.with_name("run-1.sigstore.json"))
    with pytest.raises(OSError, match="no regular file"):
        attest_beside([sealed], KeySigner(generate()))


def test_one_identity_is_one_signer_and_another_is_not(sealed, sigstore):
    payload = b'{"_type":"https://in-toto.io/Statement/v1","predicate":{},"predicateType":"x","subject":[{"digest":{"sha256":"00"},"name":"n"}]}'
    first, again, other = (sigstore.sign(payload, identity=who) for who in (IDENTITY, IDENTITY, "a@b.example"))
    for data in (first, again):
        attest_beside([sealed], Canned(data))
    assert beside(sealed) == {"run-1.sigstore.json": again}
    attest_beside([sealed], Canned(other))
    assert beside(sealed) == {"run-1.sigstore.json": other, "run-1.2.sigstore.json": again}


def test_when_all_names_are_taken_nothing_is_lost(sealed):
    for _ in range(16):
        add_beside([sealed.path], by(KeySigner(generate()), sealed))
    before = beside(sealed)
    with pytest.raises((SidecarError, AttestError), match="no name left"):
        attest_beside([sealed], KeySigner(generate()))
    assert beside(sealed) == before
