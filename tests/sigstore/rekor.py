"""Two Rekors: version 1 with signed entry timestamps (SET), version 2 without, on a log each.

Specifications: https://github.com/sigstore/rekor (types/dsse 0.0.1), https://github.com/sigstore/rekor-tiles (CLIENTS.md).
Law: a signature is verified before its entry is logged, and the body logged is the canonical one, never the proposal.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import rfc8785
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from tests.sigstore.log import Inclusion, Log
from tests.sigstore.pki import Clock, der, ed25519, p256, pem
from tests.sigstore.server import Reply, Request


def pae(payload_type: str, payload: bytes) -> bytes:
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _refusal(message: str) -> Reply:
    return Reply(status=400, body=json.dumps({"code": 400, "message": message}).encode())


class RekorV1:
    """Logs DSSE envelopes whole (0.0.1), dates them, and promises inclusion."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.log = Log(key=p256(), origin="rekor1.loopback - 1193050959916656506", signer_name="rekor1.loopback")

    def dsse_body(self, envelope: str, certificate: x509.Certificate) -> bytes:
        """The canonical entry of an envelope, in JSON as it was received."""
        parsed = json.loads(envelope)
        entry = {
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": _hash(envelope.encode()),
                "payloadHash": _hash(base64.b64decode(parsed["payload"])),
                "signatures": [
                    {"signature": one["sig"], "verifier": _b64(pem(certificate))} for one in parsed["signatures"]
                ],
            },
        }
        return rfc8785.dumps(entry)

    def enter(self, body: bytes, *, at: datetime | None = None) -> dict[str, Any]:
        """Log a body; the answer's one entry."""
        included = self.log.append(body)
        dated = {
            "body": _b64(body),
            "integratedTime": int((at or self._clock()).timestamp()),
            "logID": self.log.key_id.hex(),
            "logIndex": included.index,
        }
        proof = {
            "checkpoint": included.checkpoint,
            "hashes": [step.hex() for step in included.path],
            "logIndex": included.index,
            "rootHash": included.root.hex(),
            "treeSize": included.tree_size,
        }
        promise = _b64(self.log.sign(rfc8785.dumps(dated)))
        verification = {"inclusionProof": proof, "signedEntryTimestamp": promise}
        return {included.leaf_hash.hex(): {**dated, "verification": verification}}

    def post(self, request: Request) -> Reply:
        """POST /api/v1/log/entries."""
        proposed = json.loads(request.body)
        if proposed["kind"] != "dsse":
            return Reply(status=201, body=json.dumps(self.enter(rfc8785.dumps(proposed))).encode())
        content = proposed["spec"]["proposedContent"]
        certificate = x509.load_pem_x509_certificate(base64.b64decode(content["verifiers"][0]))
        envelope = json.loads(content["envelope"])
        signed = pae(envelope["payloadType"], base64.b64decode(envelope["payload"]))
        try:
            for one in envelope["signatures"]:
                certificate.public_key().verify(base64.b64decode(one["sig"]), signed, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return _refusal("could not verify envelope")
        return Reply(status=201, body=json.dumps(self.enter(self.dsse_body(content["envelope"], certificate))).encode())


class RekorV2:
    """Logs digests only (hashedrekord 0.0.2), dates nothing."""

    def __init__(self) -> None:
        self.log = Log(key=ed25519(), origin="rekor2.loopback", signer_name="rekor2.loopback")

    def hashedrekord_body(self, digest: bytes, signature: bytes, certificate: x509.Certificate) -> bytes:
        """The canonical entry of a signature over a digest."""
        verifier = {"x509Certificate": {"rawBytes": _b64(der(certificate))}, "keyDetails": "PKIX_ECDSA_P256_SHA_256"}
        record = {
            "data": {"algorithm": "SHA2_256", "digest": _b64(digest)},
            "signature": {"content": _b64(signature), "verifier": verifier},
        }
        return rfc8785.dumps({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": {"hashedRekordV002": record}})

    def enter(self, body: bytes) -> dict[str, Any]:
        """Log a body; the answer, a TransparencyLogEntry."""
        included = self.log.append(body)
        return {
            "logIndex": str(included.index),
            "logId": {"keyId": _b64(self.log.key_id)},
            "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"},
            "integratedTime": "0",
            "inclusionProof": inclusion_proof(included),
            "canonicalizedBody": _b64(body),
        }

    def post(self, request: Request) -> Reply:
        """POST /api/v2/log/entries."""
        said = json.loads(request.body).get("hashedRekordRequestV002")
        if said is None:
            return _refusal("only hashedRekordRequestV002 is taken")
        digest, signature = base64.b64decode(said["digest"]), base64.b64decode(said["signature"]["content"])
        raw = base64.b64decode(said["signature"]["verifier"]["x509Certificate"]["rawBytes"])
        certificate = x509.load_der_x509_certificate(raw)
        try:
            certificate.public_key().verify(signature, digest, ec.ECDSA(Prehashed(hashes.SHA256())))
        except InvalidSignature:
            return _refusal("could not verify signature")
        body = self.hashedrekord_body(digest, signature, certificate)
        return Reply(status=201, body=json.dumps(self.enter(body)).encode())


def inclusion_proof(included: Inclusion) -> dict[str, Any]:
    """As bundles and Rekor v2 have it."""
    return {
        "logIndex": str(included.index),
        "rootHash": _b64(included.root),
        "treeSize": str(included.tree_size),
        "hashes": [_b64(step) for step in included.path],
        "checkpoint": {"envelope": included.checkpoint},
    }


def entry_of_v1(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The TransparencyLogEntry of a bundle, from what Rekor v1 answered."""
    (entry,) = answer.values()
    proof = entry["verification"]["inclusionProof"]
    return {
        "logIndex": str(entry["logIndex"]),
        "logId": {"keyId": _b64(bytes.fromhex(entry["logID"]))},
        "kindVersion": {"kind": "dsse", "version": "0.0.1"},
        "integratedTime": str(entry["integratedTime"]),
        "inclusionPromise": {"signedEntryTimestamp": entry["verification"]["signedEntryTimestamp"]},
        "inclusionProof": {
            "logIndex": str(proof["logIndex"]),
            "rootHash": _b64(bytes.fromhex(proof["rootHash"])),
            "treeSize": str(proof["treeSize"]),
            "hashes": [_b64(bytes.fromhex(step)) for step in proof["hashes"]],
            "checkpoint": {"envelope": proof["checkpoint"]},
        },
        "canonicalizedBody": entry["body"],
    }


def _hash(data: bytes) -> dict[str, str]:
    return {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()}
