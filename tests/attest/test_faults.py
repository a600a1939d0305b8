"""Every fault of every service that signing needs, by one table: a named error of the right kind by the deadline, and the next try succeeds.

Real clients over real HTTP on loopback. A fault that may pass is a SignerUnavailableError (a WitnessError for witnesses, of which all may
pass); any other will not pass by itself, and somebody is told.
"""

import contextlib
import json
import signal

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from attest.errors import SignerUnavailableError, SigningError, WitnessError
from attest.keys import generate
from attest.signers.identity import AmbientToken, GivenToken
from attest.signers.key import KeySigner
from attest.signers.keyless import KeylessSigner
from attest.signers.timestamp import Timestamper
from attest.tlog.log import Log
from attest.tlog.note import verifier_key
from attest.tlog.reader import read_checkpoint_file
from attest.tlog.witness import Witness, cosign_by
from sidecar.clock import now_unix_nano
from tests.attest.test_key_uri import TOKEN, Vault
from tests.attest.tlog.witness import LoopbackWitness
from tests.sigstore.loopback import Fault, Sigstore
from tests.sigstore.server import Reply, Server
from tests.sigstore.test_loopback import PAYLOAD

SECONDS = 0.15
"""Until a service that hangs is given up: by a deadline of ours, or as the process that signs interrupts what it waits for."""
SECRET = "ghs_loopbackloopbackloopbackloopback1"
ELSEWHERE = "http://127.0.0.1:9/"
PAGE = b"<html>gone for lunch</html>"

FAULTS = {
    # name: the fault, and whether it may pass
    "401": (Fault(status=401), False),
    "403": (Fault(status=403), False),
    "404": (Fault(status=404, body=PAGE, headers={"content-type": "text/html"}), False),
    "429": (Fault(status=429, headers={"retry-after": "0"}), True),
    "500": (Fault(status=500), True),
    "503": (Fault(status=503, body=PAGE, headers={"content-type": "text/html"}), True),
    "hangs-before-headers": (Fault(hang=True), True),
    "hangs-in-the-body": (Fault(stall=True), True),
    "cut-before": (Fault(cut="before"), True),
    "cut-after": (Fault(cut="after"), True),
    "cut-in-the-body": (Fault(cut="within"), True),
    "page-for-an-answer": (Fault(body=PAGE, headers={"content-type": "text/html"}), False),
    "nothing-for-an-answer": (Fault(body=b""), False),
    "huge": (Fault(body=b"x" * 2_000_000), False),
    "redirect": (Fault(status=307, headers={"location": ELSEWHERE}), False),
}  # fmt: skip


@contextlib.contextmanager
def interrupted():
    """As `attest.signers.bounded` interrupts what a signer waits for: some clients have no time-out of their own."""

    def interrupt(_signum, _frame):
        raise TimeoutError("interrupted shortly before the deadline")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# ---------------------------------------------------------------- the services


@pytest.fixture(scope="module")
def loopback():
    with Sigstore.start() as sigstore:
        yield sigstore


@pytest.fixture(scope="module")
def services(loopback, tmp_path_factory):
    """By name: what asks it, given seconds, what its faults are set on and as which service, and what an error names it by."""
    key = generate()
    vault, ci, witness = Server(), Server(), Server()
    kept = Vault(vault)
    kept.keys["agents"] = {"1": generate()}
    ci.routes["GET", "/token"] = ("oidc", lambda _: Reply(body=json.dumps({"value": loopback.token()}).encode()))
    log_key = Ed25519PrivateKey.generate()
    folder = tmp_path_factory.mktemp("log") / "log"
    Log.create(folder, log_key, "example.net/log")
    cosigner = LoopbackWitness("w.example/1", verifier_key("example.net/log", log_key))

    def cosign(request):
        status, body = cosigner.answer(request.body)
        return Reply(status=status, body=body)

    witness.routes["POST", "/add-checkpoint"] = ("rekor", cosign)
    asked = [Witness(key=cosigner.vkey, url=witness.url)]

    def keyless(version):
        return KeylessSigner(loopback.trust_config(version), GivenToken(value=loopback.token()), clock=now_unix_nano)

    first, second, host = keyless(1), keyless(2), loopback.url.removeprefix("http://")

    def dated(seconds):
        stamper = Timestamper(loopback.tsa_url, clock=now_unix_nano, timeout_seconds=seconds)
        return KeySigner(key, timestamper=stamper).sign(PAYLOAD)

    def cosigned(seconds):
        checkpoint = read_checkpoint_file(folder)
        return cosign_by(asked, checkpoint, folder, count_min=1, timeout_seconds=seconds)

    environment = {
        "VAULT_ADDR": vault.url,
        "VAULT_TOKEN": TOKEN,
        "GITHUB_ACTIONS": "true",
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{ci.url}/token?api-version=2",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": SECRET,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        remote = KeySigner.from_uri("hv:agents/1")
        yield {
            "fulcio": (lambda _: keyless(1).sign(PAYLOAD), loopback, "fulcio", host),
            "rekor1": (lambda _: first.sign(PAYLOAD), loopback, "rekor", host),
            "rekor2": (lambda _: second.sign(PAYLOAD), loopback, "rekor", host),
            "tsa-keyless": (lambda _: first.sign(PAYLOAD), loopback, "tsa", host),
            "tsa-key": (dated, loopback, "tsa", loopback.tsa_url),
            "vault": (lambda _: remote.sign(PAYLOAD), vault, "fulcio", "hv:agents/1"),
            "ci-token": (lambda _: AmbientToken().token(), ci, "oidc", "the environment"),
            "witness": (cosigned, witness, "rekor", "w.example/1"),
        }
    for server in (vault, ci, witness):
        server.close()


NAMES = ("fulcio", "rekor1", "rekor2", "tsa-keyless", "tsa-key", "vault", "ci-token", "witness")
INTERRUPTED = ("fulcio", "rekor1", "rekor2", "tsa-keyless", "vault")
"""Whose clients, or their callers, have no time-out as short."""
FOLLOWED = ("vault", "ci-token")
"""Whose redirections are followed, as a Vault's standby wants it; nobody is there."""
NOT_TRIED = {("ci-token", "hangs-before-headers"), ("ci-token", "hangs-in-the-body")}
"""Tried again by the library for 90 s, whatever it is told: the process is killed at the deadline (`test_bounded`)."""


@pytest.mark.parametrize(
    ("name", "fault"), [(name, fault) for name in NAMES for fault in FAULTS if (name, fault) not in NOT_TRIED]
)
def test_a_fault_of_a_service_is_named_of_the_right_kind_and_over_by_the_deadline(services, name, fault):
    ask, server, service, named = services[name]
    made, passes = FAULTS[fault]
    passes = passes or (fault == "redirect" and name in FOLLOWED)
    server.faults.set(service, made)
    try:
        waits = made.hang or made.stall
        given_up = interrupted() if waits and name in INTERRUPTED else contextlib.nullcontext()
        with given_up, pytest.raises((SigningError, WitnessError)) as caught:
            ask(SECONDS if waits else 60)
    finally:
        server.faults.clear()
    said = str(caught.value)
    assert named in said
    assert len(said) < 1000
    assert "\n" not in said
    assert SECRET not in said
    assert TOKEN not in said
    if isinstance(caught.value, SigningError):
        assert isinstance(caught.value, SignerUnavailableError) is passes, said
    assert ask(60)
