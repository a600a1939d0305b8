"""The trusted root and the client trust config of the loopback, with whatever window or omission a test wants.

Specification: https://github.com/sigstore/protobuf-specs (sigstore_trustroot.proto, protobuf JSON mapping).
"""

import base64
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from cryptography import x509

from tests.sigstore.pki import AnyPublicKey, der, key_details, spki

TRUSTED_ROOT = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
SIGNING_CONFIG = "application/vnd.dev.sigstore.signingconfig.v0.2+json"
CLIENT_TRUST_CONFIG = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"

Window = tuple[datetime | None, datetime | None]
"""validFor: start and end; None leaves the member away."""


def time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def window(value: Window) -> dict[str, str]:
    return {name: time(at) for name, at in zip(("start", "end"), value, strict=True) if at is not None}


def log(url: str, key: AnyPublicKey, key_id: bytes, valid: Window) -> dict[str, Any]:
    return {
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": base64.b64encode(spki(key)).decode(),
            "keyDetails": key_details(key),
            "validFor": window(valid),
        },
        "logId": {"keyId": base64.b64encode(key_id).decode()},
    }


def authority(url: str, chain: Sequence[x509.Certificate], valid: Window) -> dict[str, Any]:
    return {
        "subject": {"organization": "loopback", "commonName": _common_name(chain[-1])},
        "uri": url,
        "certChain": {"certificates": [{"rawBytes": base64.b64encode(der(one)).decode()} for one in chain]},
        "validFor": window(valid),
    }


def trusted_root(parts: Mapping[str, Collection[dict[str, Any]]]) -> bytes:
    return json.dumps({"mediaType": TRUSTED_ROOT, **{name: list(items) for name, items in parts.items()}}).encode()


def client_trust_config(
    root: bytes, *, url: str, rekor_version: int, tsa_urls: Sequence[str], start: datetime
) -> bytes:
    def service(at: str, version: int = 1) -> dict[str, Any]:
        return {"url": at, "majorApiVersion": version, "validFor": {"start": time(start)}, "operator": "loopback"}

    signing: dict[str, Any] = {
        "mediaType": SIGNING_CONFIG,
        "caUrls": [service(url)],
        "oidcUrls": [service(url)],
        "rekorTlogUrls": [service(url, rekor_version)],
        "rekorTlogConfig": {"selector": "ANY"},
        "tsaUrls": [{**service(at), "operator": at} for at in tsa_urls],
        "tsaConfig": {"selector": "ALL"},
    }
    return json.dumps(
        {"mediaType": CLIENT_TRUST_CONFIG, "trustedRoot": json.loads(root), "signingConfig": signing}
    ).encode()


def _common_name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)
