"""The loopback Sigstore is as strict as the real one: its own client signs and verifies, and each thing made wrong is refused."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.sigstore.forge import forge
from tests.sigstore.loopback import Fault, Sigstore
from tests.sigstore.pki import p256

PAYLOAD = json.dumps(
    {
        "_type": "https://in-toto.io/Statement/v1",
        "predicate": {},
        "predicateType": "urn:example",
        "subject": [{"digest": {"sha256": "a" * 64}, "name": "n"}],
    }
).encode()
WAYS = pytest.mark.parametrize(("version", "timestamp"), [(1, False), (1, True), (2, True)])
MINUTES_20 = timedelta(minutes=20)


def verify(data: bytes, root: bytes) -> bytes:
    """The payload, by sigstore-python."""
    from sigstore.models import Bundle, TrustedRoot
    from sigstore.verify import Verifier
    from sigstore.verify.policy import OIDCIssuerV2
    from sigstore_models.trustroot.v1 import TrustedRoot as Model

    model = Model.from_json(root)
    issuer = model.certificate_authorities[0].uri
    assert issuer is not None
    verifier = Verifier(trusted_root=TrustedRoot(model))
    return verifier.verify_dsse(Bundle.from_json(data), OIDCIssuerV2(issuer))[1]


def refused(data: bytes, root: bytes) -> str:
    with pytest.raises(Exception) as caught:
        verify(data, root)
    return f"{type(caught.value).__name__}: {caught.value}"


@WAYS
def test_what_the_client_signs_the_client_verifies(sigstore: Sigstore, version, timestamp):
    data = sigstore.sign(PAYLOAD, version=version, timestamp=timestamp)

    assert verify(data, sigstore.trusted_root) == PAYLOAD


@WAYS
def test_what_is_put_together_by_hand_is_as_good_and_of_the_same_form(sigstore: Sigstore, version, timestamp):
    signed = json.loads(sigstore.sign(PAYLOAD, version=version, timestamp=timestamp))
    data = forge(sigstore, PAYLOAD, version=version, tsas=("tsa",) if timestamp else ())

    assert verify(data, sigstore.trusted_root) == PAYLOAD
    assert form(json.loads(data)) == form(signed)


def form(value):
    """Members and types; how long a proof is depends on what was logged before."""
    if isinstance(value, dict):
        return {name: [] if name == "hashes" else form(inner) for name, inner in value.items()}
    return [form(inner) for inner in value] if isinstance(value, list) else type(value)


def test_inclusion_is_proven_in_a_log_of_any_size(sigstore: Sigstore):
    made = [forge(sigstore, PAYLOAD, version=version, tsas=("tsa",)) for version in (1, 2) for _ in range(7)]

    assert {verify(data, sigstore.trusted_root) for data in made} == {PAYLOAD}


def test_two_authorities_stamp_one_signature(sigstore: Sigstore):
    sigstore.add_tsa("second")
    bundle = json.loads(sigstore.sign(PAYLOAD, version=2))

    assert len(bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]) == 2
    assert verify(json.dumps(bundle).encode(), sigstore.trusted_root) == PAYLOAD


def test_a_checkpoint_may_carry_a_witness(sigstore: Sigstore):
    sigstore.rekor1.log.witnesses.append(lambda body: "\N{EM DASH} witness.example AAAAAAAAAAAAAAAAAAA=\n")
    data = forge(sigstore, PAYLOAD)

    assert b"witness.example" in data
    assert verify(data, sigstore.trusted_root) == PAYLOAD


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"sct": "other key"}, "SCT"),
        ({"sct": "other certificate"}, "SCT"),
        ({"sct": "none"}, "signed certificate timestamp"),
        ({"issuer": "https://other.example"}, "OIDCIssuerV2"),
        ({"entries": 2}, "exactly one log entry"),
        ({"entries": 0}, "exactly one log entry"),
        ({"signatures": 2}, "InvalidEnvelope|exactly one signature"),
        ({"payload_type": "text/plain"}, None),
    ],
)
def test_what_is_made_wrong_is_refused(sigstore: Sigstore, options, why):
    data = forge(sigstore, PAYLOAD, **options)
    if why is None:  # the client leaves it to its caller, and so do we to our own checks
        assert verify(data, sigstore.trusted_root) == PAYLOAD
        return

    assert any(part in refused(data, sigstore.trusted_root) for part in why.split("|"))


@pytest.mark.parametrize("late", [{"logged_at": MINUTES_20}, {"stamped_at": MINUTES_20}, {"issued_at": -MINUTES_20}])
def test_a_certificate_that_was_not_valid_when_it_signed_is_refused(sigstore: Sigstore, late):
    ((name, offset),) = late.items()

    assert "certificate" in refused(
        forge(sigstore, PAYLOAD, **{name: sigstore.clock() + offset}), sigstore.trusted_root
    )


def test_certificates_and_timestamps_of_authorities_that_the_root_does_not_know_are_refused(sigstore: Sigstore):
    sigstore.add_tsa("stranger", trusted=False)
    with Sigstore.start() as other:
        foreign = forge(sigstore, PAYLOAD, fulcio=other.fulcio)

    assert "certificate" in refused(foreign, sigstore.trusted_root)
    assert "verified time" in refused(forge(sigstore, PAYLOAD, version=2, tsas=["stranger"]), sigstore.trusted_root)


def test_a_timestamp_made_with_an_expired_certificate_does_not_count(sigstore: Sigstore):
    sigstore.add_tsa("over", not_after=sigstore.clock() - timedelta(hours=1))

    assert "verified time" in refused(forge(sigstore, PAYLOAD, version=2, tsas=["over"]), sigstore.trusted_root)


def test_windows_and_omissions_of_the_root_are_as_asked_for(sigstore: Sigstore):
    end = datetime(2020, 1, 1, tzinfo=UTC)
    data = forge(sigstore, PAYLOAD, version=2)
    root = json.loads(sigstore.root(windows={"fulcio": (None, end)}, without=["rekor1"]))

    assert root["certificateAuthorities"][0]["validFor"] == {"end": "2020-01-01T00:00:00Z"}
    assert len(root["tlogs"]) == 1
    assert "verified time" in refused(data, sigstore.root(windows={"tsa": (sigstore.start_time, end)}))
    assert verify(data, sigstore.root(without=["rekor1"])) == PAYLOAD
    assert "log entry" in refused(data, sigstore.root(without=["rekor2"]))


@pytest.mark.parametrize(
    "options",
    [
        {"audience": "other"},
        {"issuer": "https://unknown.example"},
        {"lifetime": timedelta(minutes=1), "issued_at": datetime(2020, 1, 1, tzinfo=UTC)},
        {"key": p256()},
    ],
    ids=["audience", "issuer", "expired", "signature"],
)
def test_fulcio_refuses_a_wrong_token_and_says_why(sigstore: Sigstore, options):
    import requests

    headers = {"Authorization": f"Bearer {sigstore.token(**options)}"}
    answer = requests.post(f"{sigstore.url}/api/v2/signingCert", headers=headers, json={}, timeout=10)

    assert answer.status_code == 401
    assert answer.json()["message"]


def test_a_fault_lasts_as_often_as_it_was_made_to_and_is_recorded(sigstore: Sigstore):
    import requests

    sigstore.faults.set("oidc", Fault(status=503, times=1))
    url = f"{sigstore.url}/.well-known/openid-configuration"

    assert [requests.get(url, timeout=10).status_code for _ in range(2)] == [503, 200]
    assert sigstore.requests == [("GET", "/.well-known/openid-configuration")] * 2


def test_a_connection_is_cut_before_or_after_the_work(sigstore: Sigstore):
    import requests

    for cut in ("before", "after"):
        sigstore.faults.set("oidc", Fault(cut=cut, times=1))
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{sigstore.url}/.well-known/openid-configuration", timeout=10)
