"""A timestamp authority in process.

Specifications: RFC 3161 (tokens), RFC 5652 (the CMS around them), RFC 5816 (which certificate signed).
"""

import base64
import hashlib
import itertools
import json
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from pyasn1.codec.der import decoder, encoder
from pyasn1.type import tag, univ, useful
from pyasn1_modules import rfc3161, rfc5035, rfc5280, rfc5652

from tests.sigstore.pki import LIFETIME, Clock, authority, authority_key_id, der, leaf_usage, name, p256
from tests.sigstore.server import Reply, Request

SHA256 = univ.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
ECDSA_SHA256 = univ.ObjectIdentifier("1.2.840.10045.4.3.2")
POLICY = "1.3.6.1.4.1.57264.2"


class TimestampAuthority:
    """A root and a leaf that signs the time. `not_after` ends the leaf's certificate."""

    def __init__(
        self, clock: Clock, start: datetime, *, common: str = "tsa", not_after: datetime | None = None
    ) -> None:
        self._clock, self._serials = clock, itertools.count(1)
        self._key, root_key = p256(), ec.generate_private_key(ec.SECP384R1())
        self.root = authority(f"{common} root", root_key, start, path_length=0)
        self.leaf = (
            x509.CertificateBuilder()
            .subject_name(name(common))
            .issuer_name(self.root.subject)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(not_after or start + LIFETIME - timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(leaf_usage(), critical=True)
            .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .add_extension(authority_key_id(self.root), critical=False)
            .sign(root_key, hashes.SHA384())
        )

    def stamp(self, data: bytes, *, at: datetime | None = None, nonce: int | None = None) -> bytes:
        """A TimeStampResp over SHA-256 of `data`."""
        return self._respond(hashlib.sha256(data).digest(), at or self._clock(), nonce)

    def post(self, request: Request) -> Reply:
        """A query in DER as RFC 3161 section 3.4 has it, or in JSON as sigstore-js sends it."""
        if request.headers.get("content-type", "").startswith("application/json"):
            said = json.loads(request.body)
            digest, nonce = base64.b64decode(said["artifactHash"]), said.get("nonce")
        else:
            query, _ = decoder.decode(request.body, asn1Spec=rfc3161.TimeStampReq())
            if query["messageImprint"]["hashAlgorithm"]["algorithm"] != SHA256:
                return Reply(status=400, body=b"only SHA-256")
            digest = bytes(query["messageImprint"]["hashedMessage"])
            nonce = int(query["nonce"]) if query["nonce"].isValue else None
        answer = self._respond(digest, self._clock(), nonce)
        return Reply(status=201, body=answer, content_type="application/timestamp-reply")

    def _respond(self, digest: bytes, at: datetime, nonce: int | None) -> bytes:
        response = rfc3161.TimeStampResp()
        response["status"]["status"] = 0
        response["timeStampToken"]["contentType"] = rfc5652.id_signedData
        response["timeStampToken"]["content"] = self._signed(encoder.encode(self._info(digest, at, nonce)), at)
        return encoder.encode(response)

    def _info(self, digest: bytes, at: datetime, nonce: int | None) -> rfc3161.TSTInfo:
        info = rfc3161.TSTInfo()
        info["version"] = 1
        info["policy"] = POLICY
        info["messageImprint"]["hashAlgorithm"]["algorithm"] = SHA256
        info["messageImprint"]["hashedMessage"] = digest
        info["serialNumber"] = next(self._serials)
        info["genTime"] = useful.GeneralizedTime(at.strftime("%Y%m%d%H%M%SZ"))
        info["accuracy"]["seconds"] = 1
        if nonce is not None:
            info["nonce"] = nonce
        return info

    def _signed(self, info: bytes, at: datetime) -> bytes:
        signed = rfc5652.SignedData()
        signed["version"] = 3
        signed["digestAlgorithms"].append(_algorithm(SHA256))
        signed["encapContentInfo"]["eContentType"] = rfc3161.id_ct_TSTInfo
        content = univ.OctetString(info).subtype(explicitTag=tag.Tag(tag.tagClassContext, tag.tagFormatSimple, 0))
        signed["encapContentInfo"]["eContent"] = content
        certificate, _ = decoder.decode(der(self.leaf), asn1Spec=rfc5280.Certificate())
        signed["certificates"].append(rfc5652.CertificateChoices().setComponentByName("certificate", certificate))
        signed["signerInfos"].append(self._signer_info(certificate, info))
        return encoder.encode(signed)

    def _signer_info(self, certificate: rfc5280.Certificate, info: bytes) -> rfc5652.SignerInfo:
        signer = rfc5652.SignerInfo()
        signer["version"] = 1
        signer["sid"]["issuerAndSerialNumber"]["issuer"] = certificate["tbsCertificate"]["issuer"]
        signer["sid"]["issuerAndSerialNumber"]["serialNumber"] = certificate["tbsCertificate"]["serialNumber"]
        signer["digestAlgorithm"] = _algorithm(SHA256)
        used = rfc5035.SigningCertificateV2()
        used["certs"].append(
            rfc5035.ESSCertIDv2().setComponentByName("certHash", hashlib.sha256(der(self.leaf)).digest())
        )
        said = {
            rfc5652.id_contentType: rfc3161.id_ct_TSTInfo,
            rfc5652.id_messageDigest: univ.OctetString(hashlib.sha256(info).digest()),
            rfc5035.id_aa_signingCertificateV2: used,
        }
        attributes = rfc5652.SignedAttributes()  # a SET OF: what is signed has its tag, not the [0] it is sent under
        for kind, value in said.items():
            attribute = rfc5652.Attribute()
            attribute["attrType"] = kind
            attribute["attrValues"].append(univ.Any(encoder.encode(value)))
            attributes.append(attribute)
            signer["signedAttrs"].append(attribute)
        signer["signatureAlgorithm"] = _algorithm(ECDSA_SHA256)
        signer["signature"] = self._key.sign(encoder.encode(attributes), ec.ECDSA(hashes.SHA256()))
        return signer


def _algorithm(oid: univ.ObjectIdentifier) -> rfc5280.AlgorithmIdentifier:
    return rfc5280.AlgorithmIdentifier().setComponentByName("algorithm", oid)
