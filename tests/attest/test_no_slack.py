"""The law of verification: one bit of an attestation changed, and nobody gets `verified` without a warning.

Shortly in the suite, at positions that differ from file to file; every bit outside the payload, and one of each character in it,
in `make soak`.
"""

import json

import pytest

from attest.attestation.sigstore_bundle import encode, read
from attest.attestation.statement import statement
from attest.checks.attestation import AttestationJudge
from attest.errors import AttestError
from attest.keys import generate
from attest.trust.trust import TrustedKey
from tests.attest import sigstore_world as sw
from tests.attest import world
from tests.sigstore.forge import forge


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A bundle, trust in its signers, and one attestation of each kind."""
    facts = world.seal_run(tmp_path_factory.mktemp("bundle"))
    payload = statement([facts], world.PRODUCER)
    key = generate()
    with sw.start() as sigstore:
        for _ in range(5):
            sigstore.rekor1.enter(b"{}")
            sigstore.rekor2.enter(b"{}")
        attestations = {
            "key+tsa": sw.keyed(key, payload, sigstore.tsas["tsa"].stamp),
            "v1": forge(sigstore, payload, tsas=()),
            "v1+tsa": forge(sigstore, payload),
            "v2+tsa": forge(sigstore, payload, version=2),
        }
        return facts, sw.trust(sigstore, keys=(TrustedKey(public=key.public),)), attestations


def accepted(judge, attested, data):
    """Whether it is verified without any warning."""
    reading = judge.judge([sw.Held(data)], attested)
    return not {"fail", "undecided", "warn"} & {check.outcome for check in reading.checks}


def survivors(made, kind, flips):
    facts, trust, attestations = made
    good = attestations[kind]
    judge, attested = AttestationJudge(trust), sw.attested(facts)
    assert accepted(judge, attested, good)
    start = good.index(b'"payload":"') + 11
    payload = range(start, good.index(b'"', start))
    found = []
    for at, bit in flips(len(good), payload):
        data = bytearray(good)
        data[at] ^= 1 << bit
        if accepted(judge, attested, bytes(data)):
            found.append((at, bit, good[max(0, at - 30) : at + 10]))
    return found


def some(size, payload):
    """One bit of every twenty-third byte, another one each time, and of few in the payload."""
    return [(at, at * 5 % 8) for at in range(size) if at % (197 if at in payload else 23) == 0]


def every(size, payload):
    return [(at, bit) for at in range(size) for bit in ((at * 5 % 8,) if at in payload else range(8))]


@pytest.mark.parametrize("kind", ["key+tsa", "v1+tsa", "v2+tsa"])
def test_a_flipped_bit_is_never_verified_without_a_warning(made, kind):
    assert survivors(made, kind, some) == []


@pytest.mark.parametrize("kind", ["key+tsa", "v2+tsa"])
def test_another_clients_spelling_is_judged_as_ours_whatever_bit_is_flipped_and_never_without_a_warning(made, kind):
    facts, trust, attestations = made
    good = json.dumps(dict(reversed(json.loads(attestations[kind]).items())), indent=2).encode()
    judge, attested = AttestationJudge(trust), sw.attested(facts)

    def judged(data):
        return {check.id: check for check in judge.judge([sw.Held(data)], attested).checks}

    for at in (None, *range(0, len(good), 307)):
        data = bytearray(good)
        if at is not None:
            data[at] ^= 1 << at % 7
        found = judged(bytes(data))
        assert found["envelope"].outcome in ("warn", "fail", "undecided"), at
        try:
            ours = judged(encode(read(bytes(data))))
        except AttestError:
            assert found["envelope"].outcome != "warn", at
            continue
        assert {**found, "envelope": None} == {**ours, "envelope": None}, at


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kind", ["key+tsa", "v1", "v1+tsa", "v2+tsa"])
def test_no_bit_at_all_is_slack(made, kind):
    assert survivors(made, kind, every) == []
