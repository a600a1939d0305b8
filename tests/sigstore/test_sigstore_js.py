"""The Sigstore project's own JavaScript verifies what we sign, and we verify what it signs.

Needs Node and its packages: `make interop` installs them. Skipped with the reason where they are not.
"""

import base64
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from attest.attestation.statement import statement
from attest.keys import generate
from attest.signers.identity import GivenToken
from attest.signers.key import KeySigner
from attest.signers.keyless import KeylessSigner
from attest.signers.timestamp import Timestamper
from attest.trust.roots import trusted_root
from attest.trust.trust import Identity, Required, Trust, TrustedKey
from attest.verify import verify_file
from evidence.run import attestation_file_name
from sidecar.clock import now_unix_nano
from tests.attest import world
from tests.attest.test_keyless import early
from tests.sigstore.loopback import IDENTITY
from tests.sigstore.pki import spki
from tests.sigstore.test_loopback import PAYLOAD

HERE = Path(__file__).with_name("js")
NODE = shutil.which("node")
WHY = (
    "no Node.js"
    if NODE is None
    else ""
    if (HERE / "node_modules").is_dir()
    else "no npm packages: `make interop` installs them"
)

pytestmark = pytest.mark.skipif(bool(WHY), reason=WHY or "present")


def node_writes(script, said):
    done = subprocess.run(
        [NODE, str(HERE / script)], input=json.dumps(said), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def node(script, said):
    return json.loads(node_writes(script, said))


def keyless(sigstore, version, timestamps):
    token = GivenToken(value=sigstore.token())
    return KeylessSigner(
        sigstore.trust_config(version, timestamps), token, clock=now_unix_nano, require_timestamp=timestamps
    ).sign(PAYLOAD)


def flipped(data):
    """The bundle with one bit of the payload changed."""
    bundle = json.loads(data)
    payload = bytearray(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    payload[-2] ^= 1
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    return json.dumps(bundle)


def question(data, root, *, keys=None, timestamps=1, logs=1):
    return {
        "bundle": json.loads(data),
        "root": json.loads(root),
        "keys": keys or {},
        "timestamps": timestamps,
        "logs": logs,
    }


def test_it_verifies_what_we_sign_keyless(sigstore):
    made = {
        "v1": keyless(sigstore, 1, False),
        "v1 and time": keyless(sigstore, 1, True),
        "v2 and time": keyless(sigstore, 2, True),
    }
    needed = {"v1": 1, "v1 and time": 2, "v2 and time": 1}
    good = [question(data, sigstore.trusted_root, timestamps=needed[name]) for name, data in made.items()]
    bad = [question(flipped(data), sigstore.trusted_root) for data in made.values()]
    outcomes = node("verify.js", good + bad)

    assert outcomes[:3] == [None] * 3
    assert all("Error" in reason for reason in outcomes[3:])


@pytest.mark.parametrize("algorithm", ["ecdsa-p256-sha256", "ed25519"])
def test_it_verifies_what_we_sign_with_a_key_with_and_without_time(sigstore, algorithm):
    key, other = generate(algorithm), generate(algorithm)
    plain = KeySigner(key).sign(PAYLOAD)
    dated = KeySigner(key, timestamper=Timestamper(sigstore.tsa_url, clock=now_unix_nano)).sign(PAYLOAD)

    def asked(data, signed_by=key, timestamps=0):
        hint = {key.public.fingerprint: base64.b64encode(spki(signed_by.public.native)).decode()}
        return question(data, sigstore.trusted_root, keys=hint, timestamps=timestamps, logs=0)

    outcomes = node(
        "verify.js",
        [
            *[asked(plain), asked(dated), asked(dated, timestamps=1)],
            *[asked(plain, timestamps=1), asked(plain, other), asked(flipped(dated))],
        ],
    )

    assert outcomes[:3] == [None] * 3
    assert all("Error" in reason for reason in outcomes[3:])


@pytest.mark.parametrize("timestamp", [False, True])
@pytest.mark.parametrize("by", ["certificate", "key"])
def test_what_it_signs_of_a_bundle_verifies_here_as_it_writes_it(sigstore, tmp_path, by, timestamp):
    events = [replace(event, time=early(event.time)) for event in world.run_events()]
    facts = world.seal_run(tmp_path, events, opened_at=early(world.at(0)), closed_at=early(world.at(30)))
    key = generate()
    named = {"key": key.to_pem().decode(), "hint": key.public.fingerprint} if by == "key" else {}
    said = {
        "payload": base64.b64encode(statement([facts], world.PRODUCER)).decode(),
        "token": sigstore.token(),
        "url": sigstore.url,
        "tsa": sigstore.tsa_url if timestamp else None,
    }
    written = node_writes("sign.js", {**said, **named})
    facts.path.with_name(attestation_file_name(facts.path.name)).write_text(written)

    root = trusted_root(sigstore.trusted_root, "root.json")
    who = Identity(identity=IDENTITY, issuer=sigstore.oidc.url)
    required = Required(timestamps=int(timestamp))
    trust = Trust(keys=(TrustedKey(public=key.public),), roots=(root,), identities=(who,), required=required)
    found = verify_file(facts.path, trust=trust)
    assert found.verdict == "verified", [check.reason for check in found.checks if check.outcome == "fail"]
    assert [check.id for check in found.checks if check.outcome == "warn"] == ["envelope"]  # the spelling is not ours
