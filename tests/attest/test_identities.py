"""Who a certificate says has signed: one identity and one issuer, or nobody."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from attest.errors import InvalidError, UnsupportedError
from attest.trust.identities import Claims, is_trusted, read_claims
from attest.trust.trust import Identity
from tests.attest.sigstore_world import NOW

OLD, NEW, OTHER = (x509.ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{last}") for last in (1, 8, 7))
KEY = ec.generate_private_key(ec.SECP256R1())
WHO, ISSUER = "https://ci.example/release", "https://issuer.example"


def utf8(text):
    data = text.encode()
    return b"\x0c" + bytes([len(data)]) + data


OLD_ISSUER, NEW_ISSUER = ISSUER.encode(), utf8(ISSUER)


def certificate(*names, old=OLD_ISSUER, new=NEW_ISSUER):
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(minutes=10))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=True)
    for oid, value in ((OLD, old), (NEW, new)):
        if value is not None:
            builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
    return builder.sign(KEY, hashes.SHA256())


URI = x509.UniformResourceIdentifier(WHO)
GOOD = {
    "uri": (certificate(URI), WHO),
    "address": (certificate(x509.RFC822Name("a@b.example")), "a@b.example"),
    "fulcios_own_name": (certificate(x509.OtherName(OTHER, utf8("someone"))), "someone"),
    "old_issuer_alone": (certificate(URI, new=None), WHO),
    "new_issuer_alone": (certificate(URI, old=None), WHO),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_certificate_names_one_identity_and_one_issuer(name):
    made, identity = GOOD[name]
    assert read_claims(made) == Claims(identity=identity, issuer=ISSUER)


BAD = {
    "two_names": (certificate(URI, x509.RFC822Name("a@b.example")), UnsupportedError, "2 subject alternative names"),
    "one_name_twice": (certificate(URI, URI), UnsupportedError, "2 subject alternative names"),
    "no_name": (certificate(), UnsupportedError, "names nobody"),
    "host_name": (certificate(x509.DNSName("ci.example")), UnsupportedError, "DNSName"),
    "other_name": (certificate(x509.OtherName(NEW, utf8("x"))), UnsupportedError, "OtherName"),
    "no_issuer": (certificate(URI, old=None, new=None), UnsupportedError, "which issuer"),
    "two_issuers": (certificate(URI, old=b"https://evil.example"), InvalidError, "two issuers"),
    "issuer_with_bytes_after_it": (certificate(URI, new=utf8(ISSUER) + b"\0"), InvalidError, "issuer"),
    "issuer_of_another_tag": (certificate(URI, new=b"\x16" + utf8(ISSUER)[1:]), InvalidError, "0c alone"),
    "issuer_not_utf8": (certificate(URI, old=None, new=b"\x0c\x01\xff"), InvalidError, "UTF-8"),
    "old_issuer_not_utf8": (certificate(URI, old=b"\xff", new=None), InvalidError, "UTF-8"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_certificate_that_names_another_number_of_anything_names_nobody(name):
    made, kind, words = BAD[name]
    with pytest.raises(kind, match=words):
        read_claims(made)


MATCHES = {
    "both_exact": (Identity(identity=WHO, issuer=ISSUER), True),
    "both_patterns": (
        Identity(identity_pattern=r"https://ci\.example/.+", issuer_pattern=r"https://issuer\.\w+"),
        True,
    ),
    "exact_and_pattern_that_agree": (Identity(identity=WHO, identity_pattern=".+", issuer=ISSUER), True),
    "exact_and_pattern_that_do_not": (Identity(identity=WHO, identity_pattern="x", issuer=ISSUER), False),
    "identity_of_another_case": (Identity(identity=WHO.upper(), issuer=ISSUER), False),
    "issuer_with_a_slash": (Identity(identity=WHO, issuer=ISSUER + "/"), False),
    "only_an_identity": (Identity(identity=WHO), False),
    "only_an_issuer": (Identity(issuer=ISSUER), False),
    "nothing": (Identity(), False),
    "pattern_for_the_start": (Identity(identity_pattern="https://ci", issuer=ISSUER), False),
    "pattern_for_the_end": (Identity(identity_pattern="release", issuer=ISSUER), False),
    "alternatives_are_whole": (Identity(identity_pattern="https://ci.example/release|x", issuer=ISSUER), True),
    "alternatives_are_not_halves": (Identity(identity_pattern="https://ci.example/re|lease", issuer=ISSUER), False),
}


@pytest.mark.parametrize("name", MATCHES)
def test_an_identity_agrees_in_both_halves_or_not_at_all(name):
    identity, agrees = MATCHES[name]
    claims = Claims(identity=WHO, issuer=ISSUER)
    assert is_trusted(claims, [identity]) is agrees
    assert is_trusted(claims, [Identity(), identity]) is agrees


def test_nobody_named_trusts_nobody():
    assert not is_trusted(Claims(identity=WHO, issuer=ISSUER), [])


def test_a_newline_after_an_identity_is_not_the_identity():
    assert not is_trusted(Claims(identity=WHO + "\n", issuer=ISSUER), [Identity(identity_pattern=".+", issuer=ISSUER)])
