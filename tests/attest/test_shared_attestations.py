"""What many bundles share is judged once, and never for another attestation than its own."""

import pytest

from attest.attestation.statement import statement
from attest.checks import attestation as attestation_checks
from attest.checks.attestation import AttestationJudge
from attest.keys import generate
from attest.limits import AttestLimits
from attest.trust.trust import Trust
from tests.attest import sigstore_world as sw
from tests.attest import world

KEY = generate()


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    return [world.seal_run(folder, world.run_events(f"run-{number}")) for number in range(4)]


@pytest.fixture
def judged(monkeypatch):
    """How many signatures are looked at."""
    calls = []
    judge_key = attestation_checks.judge_key

    def counted(*arguments):
        calls.append(arguments)
        return judge_key(*arguments)

    monkeypatch.setattr(attestation_checks, "judge_key", counted)
    return calls


def test_bundles_under_one_statement_share_its_signature(bundles, judged):
    data = sw.keyed(KEY, statement(bundles, world.PRODUCER))
    judge = AttestationJudge(Trust.of(KEY.public))
    readings = [judge.judge([sw.Held(data)], sw.attested(facts)) for facts in bundles]
    assert [sw.outcomes(reading)["statement"] for reading in readings] == ["pass"] * 4
    assert len(judged) == 1


def test_a_bundle_that_the_shared_statement_does_not_name_fails_all_the_same(bundles, judged):
    data = sw.keyed(KEY, statement(bundles[:3], world.PRODUCER))
    judge = AttestationJudge(Trust.of(KEY.public))
    outcomes = [sw.outcomes(judge.judge([sw.Held(data)], sw.attested(facts)))["statement"] for facts in bundles]
    assert outcomes == ["pass", "pass", "pass", "fail"]


def test_one_byte_of_difference_is_another_attestation(bundles, judged):
    data = sw.keyed(KEY, statement(bundles, world.PRODUCER))
    at = data.index(b'"sig":"') + 40
    changed = data[:at] + (b"A" if data[at : at + 1] != b"A" else b"B") + data[at + 1 :]
    judge = AttestationJudge(Trust.of(KEY.public))
    outcomes = [
        sw.outcomes(judge.judge([sw.Held(one)], sw.attested(bundles[0])))["signature"] for one in (data, changed, data)
    ]
    assert outcomes == ["pass", "fail", "pass"]
    assert len(judged) == 2


def test_attestations_with_one_end_are_told_apart(bundles, judged):
    """Of one size and the same in their last kilobyte, where the signature is: only what comes before is another."""
    data = sw.keyed(KEY, statement(bundles, world.PRODUCER))
    changed = data.replace(b'"payload":"eyJ', b'"payload":"eyK', 1)
    assert (len(changed), changed[-1024:]) == (len(data), data[-1024:])
    judge = AttestationJudge(Trust.of(KEY.public))
    outcomes = [
        sw.outcomes(judge.judge([sw.Held(one)], sw.attested(bundles[0])))["signature"]
        for one in (data, changed, data, data)
    ]
    assert outcomes == ["pass", "fail", "pass", "pass"]
    assert len(judged) == 3
    assert judge._opened_bytes == len(data)


def test_what_is_kept_is_bounded_and_what_is_forgotten_is_judged_again(bundles, judged):
    made = [sw.keyed(KEY, statement([facts], world.PRODUCER)) for facts in bundles]
    judge = AttestationJudge(Trust.of(KEY.public), AttestLimits(opened_bytes_max=2 * len(made[0])))
    for _ in range(2):
        for data, facts in zip(made, bundles, strict=True):
            assert sw.outcomes(judge.judge([sw.Held(data)], sw.attested(facts)))["trust"] == "pass"
            assert len(judge._opened) <= 2
    assert len(judged) == 8
