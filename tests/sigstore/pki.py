"""Keys and certificates of the loopback, all made when it starts."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

Clock: TypeAlias = Callable[[], datetime]
"""The time in UTC."""

AnyPublicKey: TypeAlias = ec.EllipticCurvePublicKey | Ed25519PublicKey

KEY_DETAILS = {ec.EllipticCurvePublicKey: "PKIX_ECDSA_P256_SHA_256", Ed25519PublicKey: "PKIX_ED25519"}
LIFETIME = timedelta(days=3650)
BACKDATED = timedelta(days=1)
"""How long before the start of the loopback its authorities and logs have been valid."""


def p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def ed25519() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def spki(key: AnyPublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def key_details(key: AnyPublicKey) -> str:
    return next(details for kind, details in KEY_DETAILS.items() if isinstance(key, kind))


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def name(common: str) -> x509.Name:
    organization, common_name = x509.NameOID.ORGANIZATION_NAME, x509.NameOID.COMMON_NAME
    return x509.Name([x509.NameAttribute(organization, "loopback"), x509.NameAttribute(common_name, common)])


def authority(
    common: str,
    key: ec.EllipticCurvePrivateKey,
    start: datetime,
    *,
    path_length: int,
    issuer: x509.Certificate | None = None,
    issuer_key: ec.EllipticCurvePrivateKey | None = None,
    usage: x509.ObjectIdentifier | None = None,
) -> x509.Certificate:
    """A CA certificate, self-signed without an issuer."""
    no_encipher = {"content_commitment": False, "key_encipherment": False, "data_encipherment": False}
    signs = x509.KeyUsage(
        digital_signature=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
        encipher_only=False, decipher_only=False, **no_encipher,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(common))
        .issuer_name(issuer.subject if issuer else name(common))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(signs, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer:
        builder = builder.add_extension(authority_key_id(issuer), critical=False)
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return builder.sign(issuer_key or key, hashes.SHA384())


def authority_key_id(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    subject = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject)


def leaf_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
