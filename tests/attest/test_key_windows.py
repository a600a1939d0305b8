"""Keys with windows: what a signature with one is worth depends on when it is proven to have been made."""

import pytest

from attest.attestation.statement import statement
from attest.keys import generate
from attest.trust.trust import Required, Trust, TrustedKey
from tests.attest import sigstore_world as sw
from tests.attest import world

STAMPED = "2026-11-21T10:01:00.000000000Z"
BEFORE, AFTER = "2026-11-21T10:00:59.999999999Z", "2026-11-21T10:01:00.000000001Z"


@pytest.fixture(scope="module")
def loopback():
    with sw.start() as sigstore:
        sigstore.add_tsa("second")
        yield sigstore


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    return world.seal_run(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def payload(facts):
    return statement([facts], world.PRODUCER)


@pytest.fixture(scope="module")
def key():
    return generate()


def trusting(loopback, key, required=None, **window):
    trusted = TrustedKey(public=key.public, **window)
    return sw.trust(loopback, keys=(trusted,), identities=(), required=required or Required())


WINDOWS = {
    "no_window": ({}, "pass"),
    "from_then_on": ({"valid_from": STAMPED}, "pass"),
    "from_later": ({"valid_from": AFTER}, "fail"),
    "until_then": ({"valid_until": STAMPED}, "pass"),
    "until_before": ({"valid_until": BEFORE}, "fail"),
    "only_then": ({"valid_from": STAMPED, "valid_until": STAMPED}, "pass"),
    "revoked_then": ({"revoked_at": STAMPED}, "fail"),
    "revoked_later": ({"revoked_at": AFTER}, "pass"),
    "revoked_before": ({"revoked_at": BEFORE}, "fail"),
}


@pytest.mark.parametrize("name", WINDOWS)
def test_a_key_counts_inside_its_window_and_before_it_was_revoked(loopback, facts, payload, key, name):
    window, outcome = WINDOWS[name]
    stamped = sw.keyed(key, payload, loopback.tsas["tsa"].stamp)
    reading = sw.judge(facts, trusting(loopback, key, **window), stamped)
    assert sw.outcomes(reading)["trust"] == outcome, reading.checks
    assert sw.outcomes(reading)["time"] == "pass"
    assert [proven.time for proven in reading.times] == [STAMPED]


@pytest.mark.parametrize("window", ["valid_from", "valid_until", "revoked_at"])
def test_a_key_with_a_window_and_no_proven_time_is_not_decided(loopback, facts, payload, key, window):
    """The time that a signer gives for himself is no evidence, and a thief would give a good one."""
    reading = sw.judge(facts, trusting(loopback, key, **{window: AFTER}), sw.keyed(key, payload))
    assert (sw.outcomes(reading)["trust"], sw.outcomes(reading)["time"]) == ("undecided", "skip")
    assert "no proven time" in sw.reason(reading, "trust")


def test_every_proven_time_must_lie_in_the_window(loopback, facts, payload, key):
    stampers = (loopback.tsas["tsa"].stamp, lambda data: loopback.tsas["second"].stamp(data, at=sw.at(seconds=5)))
    both = sw.keyed(key, payload, *stampers)
    assert sw.outcomes(sw.judge(facts, trusting(loopback, key, valid_until=AFTER), both))["trust"] == "fail"
    assert sw.outcomes(sw.judge(facts, trusting(loopback, key, Required(timestamps=2)), both))["time"] == "pass"


def test_a_timestamp_over_another_signature_of_the_key_refutes(loopback, facts, payload, key):
    moved = sw.keyed(key, payload, lambda _: loopback.tsas["tsa"].stamp(b"another signature"))
    assert sw.outcomes(sw.judge(facts, trusting(loopback, key), moved))["time"] == "fail"


def test_timestamps_without_a_root_count_for_nothing_and_are_said(loopback, facts, payload, key):
    stamped = sw.keyed(key, payload, loopback.tsas["tsa"].stamp)
    reading = sw.judge(facts, Trust.of(key.public), stamped)
    assert (sw.outcomes(reading)["trust"], sw.outcomes(reading)["time"]) == ("pass", "warn")
    required = Trust(keys=(TrustedKey(public=key.public),), required=Required(timestamps=1))
    assert sw.outcomes(sw.judge(facts, required, stamped))["time"] == "undecided"


def test_a_delay_without_a_proven_time_is_not_decided(loopback, facts, payload, key):
    asked = trusting(loopback, key, Required(delay_seconds_max=3600))
    assert sw.outcomes(sw.judge(facts, asked, sw.keyed(key, payload)))["time"] == "undecided"
    assert sw.outcomes(sw.judge(facts, asked, sw.keyed(key, payload, loopback.tsas["tsa"].stamp)))["time"] == "pass"


def test_a_log_entry_beside_a_key_counts_for_nothing_and_is_said(loopback, facts, payload, key):
    import json

    from tests.sigstore.forge import forge

    logged = json.loads(forge(loopback, payload))["verificationMaterial"]["tlogEntries"]
    made = sw.edited(sw.keyed(key, payload), lambda obj: obj["verificationMaterial"].update(tlogEntries=logged))
    reading = sw.judge(facts, trusting(loopback, key), made)
    assert (sw.outcomes(reading)["trust"], sw.outcomes(reading)["envelope"]) == ("pass", "warn")
    assert (reading.times, reading.log_entry) == ((), None)


@pytest.mark.parametrize("time", ["2026-11-21T10:01:00Z", "2026-11-21", "", "2026-11-21T10:01:00.000000000+00:00"])
def test_a_window_in_another_form_than_times_are_compared_in_is_refused(key, time):
    with pytest.raises(ValueError, match="valid_until is"):
        TrustedKey(public=key.public, valid_until=time)
