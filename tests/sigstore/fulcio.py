"""A Fulcio: short-lived certificates with an embedded SCT, for whoever shows a token and the key's own signature.

Specifications: https://github.com/sigstore/fulcio/blob/main/docs/certificate-specification.md, RFC 6962 section 3.2 (SCT).
"""

import base64
import json
import struct
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pyasn1.codec.der import encoder
from pyasn1.type import char, univ

from tests.sigstore.oidc import OidcIssuer, TokenError
from tests.sigstore.pki import (
    AnyPublicKey,
    Clock,
    authority,
    authority_key_id,
    leaf_usage,
    p256,
    pem,
    sha256,
    spki,
)
from tests.sigstore.server import Reply, Request

ISSUER_V1 = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
ISSUER_V2 = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")

SctKind = Literal["good", "other key", "other certificate", "none"]


@dataclass(slots=True)
class CertificateTransparencyLog:
    """Signs that it has seen a certificate, and keeps nothing."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=p256)

    @property
    def log_id(self) -> bytes:
        return sha256(spki(self.key.public_key()))

    def sct(self, tbs: bytes, issuer: x509.Certificate, at: datetime) -> bytes:
        """A SignedCertificateTimestamp over a precertificate."""
        when = struct.pack(">Q", int(at.timestamp() * 1000))
        entry = b"\x00\x01" + sha256(spki(issuer.public_key())) + struct.pack(">I", len(tbs))[1:] + tbs
        signature = self.key.sign(b"\x00\x00" + when + entry + b"\x00\x00", ec.ECDSA(hashes.SHA256()))
        return b"\x00" + self.log_id + when + b"\x00\x00" + b"\x04\x03" + _sized(signature)


def _sized(data: bytes) -> bytes:
    return struct.pack(">H", len(data)) + data


class Fulcio:
    """A root, an intermediate, and the certificates they issue."""

    def __init__(self, clock: Clock, start: datetime, issuer: OidcIssuer) -> None:
        self.lifetime = timedelta(minutes=10)
        """Of the certificates it issues from now on."""
        self.sct: SctKind = "good"
        """What it embeds from now on."""
        self.usage: x509.KeyUsage | None = leaf_usage()
        self.purposes: tuple[x509.ObjectIdentifier, ...] = (x509.ExtendedKeyUsageOID.CODE_SIGNING,)
        self.more: tuple[x509.ExtensionType, ...] = ()
        """What its certificates are for, and critical extensions that they have besides."""
        self.ct_log = CertificateTransparencyLog()
        self._clock, self._oidc = clock, issuer
        root_key, self._key = (ec.generate_private_key(ec.SECP384R1()) for _ in range(2))
        self.root = authority("fulcio root", root_key, start, path_length=1)
        self.intermediate = authority(
            "fulcio intermediate", self._key, start, path_length=0, issuer=self.root, issuer_key=root_key,
            usage=x509.ExtendedKeyUsageOID.CODE_SIGNING,
        )  # fmt: skip

    def issue(
        self,
        public: AnyPublicKey,
        identity: str,
        issuer: str,
        *,
        email: bool = False,
        at: datetime | None = None,
        sct: SctKind | None = None,
    ) -> x509.Certificate:
        """A certificate over `public` for `identity`, as `issuer` named it; nothing is checked here."""
        at, sct = (at or self._clock()).replace(microsecond=0), sct or self.sct
        name = x509.RFC822Name(identity) if email else x509.UniformResourceIdentifier(identity)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self.intermediate.subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(at)
            .not_valid_after(at + self.lifetime)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(authority_key_id(self.intermediate), critical=False)
            .add_extension(x509.SubjectAlternativeName([name]), critical=True)
            .add_extension(x509.UnrecognizedExtension(ISSUER_V1, issuer.encode()), critical=False)
            .add_extension(x509.UnrecognizedExtension(ISSUER_V2, encoder.encode(char.UTF8String(issuer))), False)
        )
        for extension in (*((self.usage,) if self.usage else ()), *self.more):
            builder = builder.add_extension(extension, critical=True)
        if self.purposes:
            builder = builder.add_extension(x509.ExtendedKeyUsage(self.purposes), critical=False)
        precertificate = builder.sign(self._key, hashes.SHA256())
        if sct == "none":
            return precertificate
        log = CertificateTransparencyLog() if sct == "other key" else self.ct_log
        tbs = precertificate.tbs_certificate_bytes
        seen = log.sct(tbs if sct != "other certificate" else tbs + b"\x00", self.intermediate, at)
        listed = encoder.encode(univ.OctetString(_sized(_sized(seen))))
        return builder.add_extension(x509.UnrecognizedExtension(SCT_LIST, listed), False).sign(
            self._key, hashes.SHA256()
        )

    def signing_cert(self, request: Request) -> Reply:
        """POST /api/v2/signingCert, as sigstore-python (a CSR) and sigstore-js (a public key) send it."""
        said = json.loads(request.body)
        token = said.get("credentials", {}).get("oidcIdentityToken") or request.headers["Authorization"].split()[1]
        try:
            claims = self._oidc.check(token, self._clock())
        except TokenError as error:
            return Reply(status=401, body=json.dumps({"code": 16, "message": str(error)}).encode())
        public = _public_key(said)
        if public is None:
            refused = {"code": 3, "message": "The signature supplied in the signing request could not be verified"}
            return Reply(status=400, body=json.dumps(refused).encode())
        email = "email" in claims
        leaf = self.issue(public, claims["email" if email else "sub"], claims["iss"], email=email)
        chain = [pem(certificate).decode() for certificate in (leaf, self.intermediate, self.root)]
        issued = {"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}
        return Reply(status=201, body=json.dumps(issued).encode())


def _public_key(said: dict) -> AnyPublicKey | None:
    if "certificateSigningRequest" in said:
        csr = x509.load_pem_x509_csr(base64.b64decode(said["certificateSigningRequest"]))
        return csr.public_key() if csr.is_signature_valid else None
    return serialization.load_pem_public_key(said["publicKeyRequest"]["publicKey"]["content"].encode())
