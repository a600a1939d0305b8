"""A bundle and a loopback Sigstore whose clock stands at 10:01, half a minute after the run was closed: all there is to forge with.

Nothing here looks at the wall clock, so what is signed today is judged tomorrow as it was.
"""

import base64
import io
import json
import os
from datetime import UTC, datetime, timedelta

from attest.attestation.sigstore_bundle import write
from attest.checks.attestation import AttestationJudge, Attested
from attest.dsse import PAYLOAD_TYPE, Envelope, pae
from attest.keys import PrivateKey
from attest.trust.roots import trusted_root
from attest.trust.trust import Identity, Trust
from evidence.canonical import canonical
from tests.attest import world
from tests.sigstore.loopback import IDENTITY, Sigstore

NOW = datetime(2026, 11, 21, 10, 1, tzinfo=UTC)
ISSUER = "https://issuer.example"


def at(**after):
    """A time, by how long after `NOW`."""
    return NOW + timedelta(**after)


def start():
    return Sigstore.start(lambda: NOW)


def trust(sigstore: Sigstore, *, root: bytes | None = None, **changes):
    """Trust in the loopback's root and its usual identity, with any member changed."""
    return Trust(
        **{
            "roots": (trusted_root(root or sigstore.trusted_root, "root.json"),),
            "identities": (Identity(identity=IDENTITY, issuer=sigstore.oidc.url),),
            **changes,
        }
    )


class Held:
    """An attestation that lies nowhere."""

    def __init__(self, data, name="run-1.sigstore.json"):
        self.data, self.name = data, name

    def stat(self):
        return os.stat_result((0o100600, 0, 0, 1, 0, 0, len(self.data), 0, 0, 0))

    def open(self, _mode):
        return io.BytesIO(self.data)


def attested(facts):
    return Attested(file_name=facts.path.name, container_sha256=facts.container_sha256, facts=facts)


def judge(facts, trusted, *attestations):
    """What attestations come to for a bundle, by a judge of its own."""
    named = [
        Held(data, f"run-1{f'.{index}' if index > 1 else ''}.sigstore.json")
        for index, data in enumerate(attestations, 1)
    ]
    return AttestationJudge(trusted).judge(named, attested(facts))


def outcomes(reading):
    """The outcome by check."""
    return {check.id: check.outcome for check in reading.checks}


def reason(reading, check_id):
    return next(check.reason for check in reading.checks if check.id == check_id)


def edited(data, change):
    """An attestation with something done to its JSON."""
    obj = json.loads(data)
    change(obj)
    return canonical(obj)


def entry(obj):
    """The one log entry of a bundle."""
    return obj["verificationMaterial"]["tlogEntries"][0]


def stamps(obj):
    return obj["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]


def flipped(text, at=-10, bit=1):
    """Base64 of the same bytes with one bit changed."""
    data = bytearray(base64.b64decode(text))
    data[at] ^= bit
    return base64.b64encode(data).decode()


def keyed(key: PrivateKey, payload, *stampers, payload_type=PAYLOAD_TYPE):
    """An attestation signed with a key, stamped by functions of the signature."""
    signature = world._sign(key, pae(payload_type, payload))
    envelope = Envelope(payload_type=payload_type, payload=payload, signatures=(signature,))
    return write(hint=key.public.fingerprint, envelope=envelope, timestamps=[stamp(signature) for stamp in stampers])
