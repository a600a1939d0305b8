"""Keyless signing against the loopback Sigstore: what is signed verifies, and whatever goes wrong has a name and an end."""

import base64
import json
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attest.attest import attest_bundles
from attest.errors import SignerUnavailableError, SigningError
from attest.signers.bounded import BoundedSigner
from attest.signers.identity import GivenToken, TokenFile
from attest.signers.keyless import KeylessSigner
from attest.signers.services import MEDIA_TYPE, PUBLIC_WARNING, read_services
from attest.trust.roots import trusted_root
from attest.trust.trust import Identity, Trust
from attest.verify import verify_file
from evidence.canonical import canonical
from evidence.run import attestation_file_name
from sidecar.clock import now_unix_nano
from tests.attest import world
from tests.sigstore.log import note_line
from tests.sigstore.loopback import IDENTITY, Fault
from tests.sigstore.test_loopback import PAYLOAD, verify

WAYS = pytest.mark.parametrize(("version", "timestamps"), [(1, False), (1, True), (2, True)])
AT_FAULT = {"fulcio": "asking for a certificate", "rekor": "asking for a log entry", "tsa": "timestamp authority"}
CERTIFICATE, ENTRY, STAMP = "/api/v2/signingCert", "/api/v1/log/entries", "/tsa/timestamp"


keyless = partial(KeylessSigner, clock=now_unix_nano)


def signer(sigstore, *, version=1, timestamps=True, token=None, **options):
    config = sigstore.trust_config(version, timestamps)
    options = {"require_timestamp": bool(timestamps), **options}
    return keyless(config, GivenToken(value=token or sigstore.token()), **options)


def asked(sigstore):
    return [path for _, path in sigstore.requests]


@WAYS
def test_what_is_signed_verifies_carries_the_payload_unchanged_and_has_one_spelling(sigstore, version, timestamps):
    data = signer(sigstore, version=version, timestamps=timestamps).sign(PAYLOAD)
    bundle = json.loads(data)

    assert verify(data, sigstore.trusted_root) == PAYLOAD
    assert base64.b64decode(bundle["dsseEnvelope"]["payload"]) == PAYLOAD
    assert data == canonical(bundle)
    assert ("timestampVerificationData" in bundle["verificationMaterial"]) is timestamps


@pytest.mark.parametrize("version", [1, 2])
def test_what_witnesses_signed_under_a_logs_checkpoint_is_left_out_since_no_root_knows_them(sigstore, version):
    log = sigstore.rekor1.log if version == 1 else sigstore.rekor2.log
    log.witnesses.append(lambda _: note_line("witness", b"1234", bytes(72)))
    data = signer(sigstore, version=version).sign(PAYLOAD)

    (entry,) = json.loads(data)["verificationMaterial"]["tlogEntries"]
    assert entry["inclusionProof"]["checkpoint"]["envelope"].count("\N{EM DASH}") == 1
    assert verify(data, sigstore.trusted_root) == PAYLOAD


def test_rekor_1_is_used_where_there_is_one_and_2_where_there_is_not(sigstore):
    both = json.loads(sigstore.trust_config(1))
    both["signingConfig"]["rekorTlogUrls"] += json.loads(sigstore.trust_config(2))["signingConfig"]["rekorTlogUrls"]
    token = GivenToken(value=sigstore.token())

    def kind(config, tlog_version=None):
        data = keyless(config, token, tlog_version=tlog_version).sign(PAYLOAD)
        return json.loads(data)["verificationMaterial"]["tlogEntries"][0]["kindVersion"]["kind"]

    assert kind(json.dumps(both).encode()) == "dsse"
    assert kind(json.dumps(both).encode(), tlog_version=2) == "hashedrekord"
    assert kind(sigstore.trust_config(2)) == "hashedrekord"
    with pytest.raises(SigningError, match="No valid Rekor"):
        keyless(sigstore.trust_config(2), token, tlog_version=1)


def test_a_witness_of_the_log_that_no_root_knows_is_left_out(sigstore):
    for log in (sigstore.rekor1.log, sigstore.rekor2.log):
        log.witnesses.append(lambda body: "\N{EM DASH} witness.example AAAAAAAAAAAAAAAAAAA=\n")

    for version in (1, 2):
        data = signer(sigstore, version=version).sign(PAYLOAD)

        assert b"witness.example" not in data
        assert verify(data, sigstore.trusted_root) == PAYLOAD


def test_one_certificate_serves_many_signatures(sigstore):
    ours = signer(sigstore)
    made = [ours.sign(PAYLOAD) for _ in range(5)]

    assert asked(sigstore).count(CERTIFICATE) == 1
    assert len({json.loads(data)["verificationMaterial"]["certificate"]["rawBytes"] for data in made}) == 1
    assert len(set(made)) == 5


def test_a_certificate_most_of_whose_life_is_over_is_replaced(sigstore, monkeypatch):
    ours = signer(sigstore)
    ours.sign(PAYLOAD)
    now = time.monotonic()

    for minutes, certificates in ((7, 1), (9, 2), (16, 2), (18, 3)):
        monkeypatch.setattr(time, "monotonic", lambda minutes=minutes: now + 60 * minutes)
        ours.sign(PAYLOAD)
        assert asked(sigstore).count(CERTIFICATE) == certificates


def test_a_certificate_that_expires_between_two_signatures_is_replaced(sigstore, monkeypatch):
    ours = signer(sigstore, token=sigstore.token(lifetime=timedelta(hours=1)))
    first = ours.sign(PAYLOAD)
    later(
        sigstore, monkeypatch, timedelta(minutes=11)
    )  # and the clock that counts stands still, as in a machine that slept
    second = ours.sign(PAYLOAD)

    assert asked(sigstore).count(CERTIFICATE) == 2
    assert {verify(data, sigstore.trusted_root) for data in (first, second)} == {PAYLOAD}


def later(sigstore, monkeypatch, by):
    """Moves the clocks of all services and of the library that signs."""

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + by

    monkeypatch.setattr("sigstore.sign.datetime", Later)
    monkeypatch.setattr(time, "time_ns", partial(lambda now: now() + int(by.total_seconds()) * 10**9, time.time_ns))
    sigstore.skew.update(dict.fromkeys(("oidc", "fulcio", "rekor", "tsa"), by))


def test_while_the_log_fails_one_certificate_serves_every_try(sigstore):
    ours = signer(sigstore)
    sigstore.faults.set("rekor", Fault(status=503, times=3))
    for _ in range(3):
        with pytest.raises(SignerUnavailableError):
            ours.sign(PAYLOAD)
    ours.sign(PAYLOAD)

    assert asked(sigstore).count(CERTIFICATE) == 1


def test_what_a_service_said_is_kept(sigstore):
    stranger = GivenToken(value=sigstore.token(issuer="https://unknown.example"))
    with pytest.raises(SigningError, match="status 401: unknown issuer https://unknown.example") as caught:
        keyless(sigstore.trust_config(), stranger).sign(PAYLOAD)

    assert not isinstance(caught.value, SignerUnavailableError)
    assert stranger.value not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"<html>",
        b"\xff" * 64,
        b'{"signedCertificateEmbeddedSct":{"chain":{"certificates":["x","y"]}}}',
    ],
    ids=["empty", "null", "array", "object", "page", "binary", "no-certificate"],
)
@pytest.mark.parametrize("service", ["fulcio", "rekor", "tsa"])
def test_an_answer_that_is_none_is_a_named_error(sigstore, service, body):
    sigstore.faults.set(service, Fault(body=body))

    with pytest.raises(SigningError, match=AT_FAULT[service]):
        signer(sigstore).sign(PAYLOAD)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("version", "path"), [(1, CERTIFICATE), (1, STAMP), (1, ENTRY), (2, ENTRY.replace("v1", "v2"))]
)
def test_an_answer_with_anything_in_it_changed_is_a_named_error_or_does_not_matter(sigstore, version, path, seed):
    random = Random(seed)
    service, answer = sigstore.server.routes["POST", path]

    def changed(request):
        reply = answer(request)
        return replace(reply, body=mutated(reply.body, random))

    sigstore.server.routes["POST", path] = (service, changed)
    try:
        for _ in range(100):
            with suppress(SigningError):
                assert verify(signer(sigstore, version=version).sign(PAYLOAD), sigstore.trusted_root) == PAYLOAD
    finally:
        sigstore.server.routes["POST", path] = (service, answer)


def mutated(body, random):
    """One value of JSON changed or removed; of anything else, a byte."""
    if not body.startswith(b"{"):
        at = random.randrange(len(body))
        return body[:at] + bytes([random.randrange(256)]) + body[at + 1 :]
    document = inner = json.loads(body)
    while True:
        key = random.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
        if not (isinstance(inner[key], dict | list) and inner[key] and random.random() < 0.8):
            break
        inner = inner[key]
    half = inner[key][: len(inner[key]) // 2] if isinstance(inner[key], str) else inner[key]
    if random.random() < 0.2:
        del inner[key]
    else:
        inner[key] = random.choice([None, 1, -1, 10**30, "", "x", [], {}, True, [inner[key]], {"a": inner[key]}, half])
    return json.dumps(document).encode()


def test_a_connection_that_nobody_takes_is_a_named_error(sigstore):
    config = sigstore.trust_config().replace(sigstore.url.encode(), b"http://127.0.0.1:9")

    with pytest.raises(SignerUnavailableError, match=r"127\.0\.0\.1"):
        keyless(config, GivenToken(value=sigstore.token())).sign(PAYLOAD)


def test_without_the_time_that_is_required_nothing_is_entered_into_the_log(sigstore):
    sigstore.faults.set("tsa", Fault(status=503))

    with pytest.raises(SignerUnavailableError, match="timestamp authority"):
        signer(sigstore).sign(PAYLOAD)

    assert asked(sigstore) == [CERTIFICATE, STAMP]


def test_without_a_time_a_signature_is_given_where_none_is_required_and_the_log_dates_it(sigstore):
    sigstore.faults.set("tsa", Fault(status=503))
    data = signer(sigstore, require_timestamp=False).sign(PAYLOAD)

    assert "timestampVerificationData" not in json.loads(data)["verificationMaterial"]
    with pytest.raises(SigningError):  # and Rekor 2 dates nothing
        signer(sigstore, version=2, require_timestamp=False).sign(PAYLOAD)


def test_a_time_by_an_authority_that_the_root_does_not_know_is_none(sigstore):
    sigstore.add_tsa("stranger", trusted=False)

    with pytest.raises(SigningError, match="an authority that the root of the client trust config does not have"):
        signer(sigstore, timestamps=["stranger"]).sign(PAYLOAD)


def test_a_config_without_timestamp_authority_is_refused_where_a_time_is_required(sigstore):
    with pytest.raises(SigningError, match="no timestamp authority"):
        signer(sigstore, timestamps=False, require_timestamp=True)


@pytest.mark.parametrize(
    ("service", "minutes", "said"),
    [
        ("oidc", 20, "the token is over, or not valid yet"),
        ("oidc", -20, "the token is over, or not valid yet"),
        ("fulcio", -20, "status 401"),
        ("fulcio", 5, "does not verify"),
        ("rekor", 20, "does not verify"),
        ("rekor", 7, r"the log https://rekor.* s after this machine's .* one of the two clocks is wrong"),
        ("rekor", -20, "does not verify"),
        ("tsa", 20, r"timestamp authority .* s after this machine's"),
        ("tsa", 6, r"timestamp authority .* s after this machine's"),
        ("tsa", -20, r"timestamp authority .* s before this machine's"),
    ],
)
def test_a_clock_that_is_wrong_somewhere_is_a_named_error(sigstore, service, minutes, said):
    sigstore.skew[service] = timedelta(minutes=minutes)

    with pytest.raises(SigningError, match=said) as caught:
        signer(sigstore).sign(PAYLOAD)

    assert isinstance(caught.value, SignerUnavailableError) is (service == "oidc"), (
        "a new token may come, a clock must be put right"
    )


@pytest.mark.parametrize("minutes", [-20, -6, 6, 20])
def test_with_a_clock_of_our_own_that_is_wrong_nothing_is_signed_or_logged(sigstore, minutes):
    ours = signer(sigstore, clock=lambda: now_unix_nano() + minutes * 60 * 10**9)

    with pytest.raises(SigningError, match="one of the two clocks is wrong"):
        ours.sign(PAYLOAD)

    assert ENTRY not in asked(sigstore)


def test_a_certificate_that_is_over_when_it_comes_is_asked_for_once(sigstore):
    sigstore.skew["fulcio"] = timedelta(minutes=-20)
    token = sigstore.token(issued_at=sigstore.clock() - timedelta(minutes=30), lifetime=timedelta(hours=1))

    with pytest.raises(SigningError, match="clock is ahead"):
        signer(sigstore, token=token).sign(PAYLOAD)

    assert asked(sigstore) == [CERTIFICATE]


@pytest.mark.parametrize("sct", ["other key", "other certificate", "none"])
def test_a_certificate_that_no_transparency_log_has_seen_is_refused(sigstore, sct):
    sigstore.fulcio.sct = sct

    with pytest.raises(SigningError, match="SCT|signed certificate timestamp"):
        signer(sigstore).sign(PAYLOAD)


@pytest.mark.parametrize("ours", [True, False], ids=["told-so-here", "told-so-by-the-authority"])
def test_a_token_for_another_audience_is_refused_for_good(sigstore, ours):
    token = GivenToken(value=sigstore.token(audience="elsewhere"), audience="sigstore" if ours else "elsewhere")

    with pytest.raises(SigningError, match="Audience doesn't match|audience") as caught:
        keyless(sigstore.trust_config(), token).sign(PAYLOAD)

    assert not isinstance(caught.value, SignerUnavailableError)
    assert token.value not in str(caught.value)


def test_the_token_is_read_anew_for_each_certificate(sigstore, tmp_path):
    file = tmp_path / "token"
    file.write_text(sigstore.token(lifetime=timedelta(0)))
    ours = keyless(sigstore.trust_config(), TokenFile(path=file))

    with pytest.raises(SignerUnavailableError, match="token"):
        ours.sign(PAYLOAD)
    file.write_text(sigstore.token("https://other.example/identity"))
    ours.sign(PAYLOAD)

    assert ours.describe().endswith(f"as https://other.example/identity, issuer {sigstore.oidc.url}")


def test_a_payload_that_is_no_statement_is_refused_before_anything_is_sent(sigstore):
    with pytest.raises(SigningError, match="malformed in-toto statement"):
        signer(sigstore).sign(b"{}")

    assert ENTRY not in asked(sigstore)


@pytest.mark.parametrize("domain", ["sigstore.dev", "sigstage.dev"])
def test_the_public_instance_is_used_only_when_asked_for_and_the_refusal_says_what_it_publishes(sigstore, domain):
    config = sigstore.trust_config().replace(sigstore.url.encode(), f"https://rekor.{domain}".encode())
    token = GivenToken(value=sigstore.token())

    with pytest.raises(SigningError) as caught:
        keyless(config, token)

    assert PUBLIC_WARNING in str(caught.value)
    assert keyless(config, token, public=True).describe() == f"keyless at rekor.{domain} as a given token"


@pytest.mark.parametrize("config", [b"", b"{", b"[]", b"null", b"{}", b'{"mediaType":"x"}', b"[" * 100_000])
def test_a_trust_config_that_is_none_is_refused(config):
    with pytest.raises(SigningError, match="client trust config"):
        keyless(config, GivenToken(value=""))


@WAYS
def test_a_bundle_that_is_attested_keyless_is_verified_by_root_identity_and_issuer(
    sigstore, tmp_path, version, timestamps
):
    events = [replace(event, time=early(event.time)) for event in world.run_events()]
    facts = world.seal_run(tmp_path, events, opened_at=early(world.at(0)), closed_at=early(world.at(30)))
    ours = signer(sigstore, version=version, timestamps=timestamps)
    data = attest_bundles([facts], ours, producer=world.PRODUCER)
    facts.path.with_name(attestation_file_name(facts.path.name)).write_bytes(data)

    def verdict(identity=IDENTITY, issuer=sigstore.oidc.url):
        root = trusted_root(sigstore.trusted_root, "root.json")
        trust = Trust(roots=(root,), identities=(Identity(identity=identity, issuer=issuer),))
        return verify_file(facts.path, trust=trust).verdict

    assert verdict() == "verified"
    assert verdict(identity="https://other.example") == "invalid"
    assert verdict(issuer="https://other.example") == "invalid"


def early(time: str) -> str:
    """The same time of a day before any that this may run on: a run is signed after it has ended."""
    return time.replace("2026-11-21", "2020-01-01")


@pytest.mark.parametrize(
    "url",
    [
        *(None, 1, "", "fulcio", "ftp://a", "http://", "http://[", "http://ä.example", "javascript:1"),
        *("https://log.sigstore%2edev/", "https://log.sigstore.dev\\.example/"),
    ],
)
@pytest.mark.parametrize("member", ["caUrls", "rekorTlogUrls", "tsaUrls"])
def test_an_address_without_a_plain_host_is_refused(sigstore, member, url):
    config = json.loads(sigstore.trust_config())
    config["signingConfig"][member][0]["url"] = url

    with pytest.raises(SigningError, match=member):
        read_services(json.dumps(config).encode())


@pytest.mark.parametrize(
    ("member", "other"), [("caUrls", "ca_urls"), ("rekorTlogUrls", "rekor_tlog_urls"), ("tsaUrls", "tsa_urls")]
)
def test_addresses_under_a_name_that_only_the_library_reads_are_refused(sigstore, member, other):
    config = json.loads(sigstore.trust_config())
    signing = config["signingConfig"]
    signing[other] = signing.pop(member)

    with pytest.raises(SigningError, match=f"'{other}', expected it to be spelled '{member}'"):
        read_services(json.dumps(config).encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["caUrls", "rekorTlogUrls", "tsaUrls", "url"]) | st.text(max_size=3), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_signing_config_is_read_or_refused(signing):
    with suppress(SigningError):
        assert read_services(json.dumps({"mediaType": MEDIA_TYPE, "signingConfig": signing}).encode()).authorities


@WAYS
def test_what_a_window_of_the_root_excludes_is_not_given_out(sigstore, version, timestamps):
    over = (sigstore.start_time, sigstore.clock() - timedelta(hours=1))
    for entry in (f"rekor{version}", "fulcio", "ctlog", *(["tsa"] if timestamps else [])):
        config = json.loads(sigstore.trust_config(version, timestamps))
        config["trustedRoot"] = json.loads(sigstore.root(windows={entry: over}))
        ours = keyless(json.dumps(config).encode(), GivenToken(value=sigstore.token()), require_timestamp=timestamps)

        with pytest.raises(SigningError, match="does not verify|no valid|SCT|CTFE"):
            ours.sign(PAYLOAD)


# ------------------------------------------------------------------------------------------------ in a process of its own


def bounded(sigstore, *, deadline_seconds=60.0, **options):
    make = partial(keyless, sigstore.trust_config(), GivenToken(value=sigstore.token()), **options)
    return BoundedSigner(make, what="keyless", deadline_seconds=deadline_seconds)


def test_a_service_that_hangs_is_named_before_the_deadline_and_what_comes_after_is_signed(sigstore):
    ours = bounded(sigstore)
    made = [ours.sign(PAYLOAD) for _ in range(2)]  # the process is there, and has its certificate
    assert asked(sigstore).count(CERTIFICATE) == 1
    assert ours.describe().endswith(f"as {IDENTITY}, issuer {sigstore.oidc.url}")

    ours._deadline_seconds = 2.0
    sigstore.faults.set("rekor", Fault(hang=True))
    with pytest.raises(
        SignerUnavailableError, match="Read timed out|interrupted|no answer"
    ):  # as busy as the machine is
        ours.sign(PAYLOAD)
    sigstore.faults.clear()
    ours._deadline_seconds = 60.0
    made.append(ours.sign(PAYLOAD))
    ours.close()

    assert {verify(data, sigstore.trusted_root) for data in made} == {PAYLOAD}


def test_who_starts_the_process_loads_nothing_of_sigstore(sigstore, tmp_path):
    (tmp_path / "config").write_bytes(sigstore.trust_config())
    (tmp_path / "token").write_text(sigstore.token())
    (tmp_path / "payload").write_bytes(PAYLOAD)
    code = f"""
import sys
from functools import partial
from random import Random
from pathlib import Path
from attest.trust.roots import trusted_root
from attest.signers.bounded import BoundedSigner
from attest.signers.identity import TokenFile
from attest.signers.keyless import KeylessSigner
from sidecar.clock import now_unix_nano
here = Path({str(tmp_path)!r})
make = partial(KeylessSigner, (here / "config").read_bytes(), TokenFile(path=here / "token"), clock=now_unix_nano)
signer = BoundedSigner(make, what="keyless")
assert signer.sign((here / "payload").read_bytes())
signer.close()
print(*sorted({{name.partition(".")[0] for name in sys.modules}}))
"""
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.split()

    heavy = {
        "sigstore",
        "sigstore_models",
        "rekor_types",
        "requests",
        "tuf",
        "pydantic",
        "urllib3",
        "rfc3161_client",
        "jwt",
    }
    assert not heavy & set(loaded)
