"""Attestations put together by hand from the loopback's services, without a client that would refuse to.

With no option changed the result is as good as a signed one (a test holds that); each option makes one thing wrong.
"""

import base64
import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from evidence.canonical import canonical
from tests.sigstore.fulcio import Fulcio, SctKind
from tests.sigstore.loopback import IDENTITY, Sigstore
from tests.sigstore.pki import der, p256
from tests.sigstore.rekor import entry_of_v1, pae

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"


def forge(
    sigstore: Sigstore,
    payload: bytes,
    *,
    payload_type: str = PAYLOAD_TYPE,
    identity: str = IDENTITY,
    issuer: str | None = None,
    email: bool = False,
    version: int = 1,
    tsas: Sequence[str] = ("tsa",),
    fulcio: Fulcio | None = None,
    sct: SctKind = "good",
    issued_at: datetime | None = None,
    logged_at: datetime | None = None,
    stamped_at: datetime | None = None,
    entries: int = 1,
    signatures: int = 1,
    change: Callable[[dict[str, Any]], object] | None = None,
) -> bytes:
    """The canonical bytes of an attestation.

    Args:
        sigstore: whose services make the parts.
        payload: what is signed.
        payload_type: signed with it.
        identity: in the certificate.
        issuer: said to have named it; the loopback's own when None.
        email: the identity is an address.
        version: of Rekor.
        tsas: names of authorities that stamp, in this order.
        fulcio: another authority, such as one that no root knows.
        sct: what the certificate embeds.
        issued_at: when the certificate begins; it lasts `fulcio.lifetime`.
        logged_at: integratedTime (version 1).
        stamped_at: of every timestamp.
        entries: how often the signature is logged.
        signatures: how many the envelope has, all good.
        change: what else is done to the bundle before it is written.
    """
    key = p256()
    certificate = (fulcio or sigstore.fulcio).issue(
        key.public_key(), identity, issuer or sigstore.oidc.url, email=email, at=issued_at, sct=sct
    )
    signed = pae(payload_type, payload)
    made = [key.sign(signed, ec.ECDSA(hashes.SHA256())) for _ in range(signatures)]
    envelope = {
        "payload": _b64(payload),
        "payloadType": payload_type,
        "signatures": [{"sig": _b64(one)} for one in made],
    }
    if version == 1:
        body = sigstore.rekor1.dsse_body(canonical(envelope).decode(), certificate)
        logged = [entry_of_v1(sigstore.rekor1.enter(body, at=logged_at)) for _ in range(entries)]
    else:
        body = sigstore.rekor2.hashedrekord_body(hashlib.sha256(signed).digest(), made[0], certificate)
        logged = [sigstore.rekor2.enter(body) for _ in range(entries)]
    material: dict[str, Any] = {"certificate": {"rawBytes": _b64(der(certificate))}, "tlogEntries": logged}
    if tsas:
        stamps = [sigstore.tsas[name].stamp(made[0], at=stamped_at) for name in tsas]
        material["timestampVerificationData"] = {
            "rfc3161Timestamps": [{"signedTimestamp": _b64(stamp)} for stamp in stamps]
        }
    bundle = {"mediaType": MEDIA_TYPE, "verificationMaterial": material, "dsseEnvelope": envelope}
    if change:
        change(bundle)
    return canonical(bundle)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
