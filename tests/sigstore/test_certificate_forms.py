"""What a certificate must be to count, beyond whom it names, and from which second to which: by our verifier, whichever library it asks."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509 import ExtendedKeyUsageOID as For

from attest.attestation.statement import statement
from tests.attest import sigstore_world as sw
from tests.attest import world
from tests.sigstore.forge import forge
from tests.sigstore.pki import leaf_usage

ISSUED = sw.at(minutes=1)


@pytest.fixture(scope="module")
def loopback():
    with sw.start() as sigstore:
        yield sigstore


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    return world.seal_run(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def payload(facts):
    return statement([facts], world.PRODUCER)


def usage(**changes):
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    more = ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: getattr(leaf_usage(), f"_{name}") for name in (*names, *more)} | changes)


FORMS = {
    "as_it_should_be": ({}, "pass"),
    "for_something_else_besides": ({"purposes": (For.CLIENT_AUTH, For.CODE_SIGNING)}, "pass"),
    "said_to_be_no_authority": ({"more": (x509.BasicConstraints(ca=False, path_length=None),)}, "pass"),
    "for_nothing": ({"purposes": ()}, "fail"),
    "for_servers": ({"purposes": (For.SERVER_AUTH,)}, "fail"),
    "for_timestamps": ({"purposes": (For.TIME_STAMPING,)}, "fail"),
    "for_anything": ({"purposes": (For.ANY_EXTENDED_KEY_USAGE,)}, "fail"),
    "without_a_usage": ({"usage": None}, "fail"),
    "not_to_sign_with": ({"usage": usage(digital_signature=False, key_agreement=True)}, "fail"),
    "to_sign_certificates_with": ({"usage": usage(key_cert_sign=True)}, "fail"),
    "an_authority": ({"more": (x509.BasicConstraints(ca=True, path_length=None),)}, "fail"),
    "a_precertificate": ({"more": (x509.PrecertPoison(),)}, "fail"),
    "with_a_condition_nobody_knows": (
        {"more": (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"),)},
        "fail",
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_certificate_counts_only_in_the_form_of_one_to_sign_with(loopback, facts, payload, monkeypatch, form):
    changes, outcome = FORMS[form]
    for name, value in changes.items():
        monkeypatch.setattr(loopback.fulcio, name, value)
    reading = sw.judge(facts, sw.trust(loopback), forge(loopback, payload))

    assert sw.outcomes(reading)["signature"] == "pass"
    assert sw.outcomes(reading)["trust"] == outcome


@pytest.mark.parametrize("way", [{"version": 1, "tsas": ()}, {"version": 1}, {"version": 2}])
@pytest.mark.parametrize("second", [-1, 0, 600, 601])
def test_a_certificate_counts_from_its_first_second_to_its_last(loopback, facts, payload, way, second):
    seen = "stamped_at" if "tsas" not in way else "logged_at"
    times = {"logged_at": ISSUED + timedelta(minutes=1), seen: ISSUED + timedelta(seconds=second)}
    reading = sw.judge(facts, sw.trust(loopback), forge(loopback, payload, issued_at=ISSUED, **times, **way))

    assert sw.outcomes(reading)["trust"] == ("pass" if 0 <= second <= 600 else "fail")
