"""Witnesses over real HTTP: they cosign what extends what they have seen, and their faults are answered within the deadline."""

import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from attest.errors import WitnessError
from attest.tlog import disk
from attest.tlog.log import Log
from attest.tlog.note import verifier_key
from attest.tlog.reader import read_checkpoint_file
from attest.tlog.witness import cosign_by
from tests.attest.tlog.witness import LoopbackWitness, drip, hang, running, say

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
ORIGIN = "example.net/log"
LOG_KEY = verifier_key(ORIGIN, KEY)


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(disk.os, "fsync", lambda _: None)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "log"
    Log.create(folder, KEY, ORIGIN)
    grow(folder, 5)
    return folder


@pytest.fixture
def witness():
    made = LoopbackWitness("w.example/1", LOG_KEY)
    with running(made):
        yield made


def grow(folder, count, mark=b"a"):
    with Log(folder, KEY) as log:
        log.append([mark * 32] * count)


def ask(folder, *witnesses, count_min=1, timeout_seconds=5.0):
    return cosign_by(
        [one.witness for one in witnesses],
        read_checkpoint_file(folder),
        folder,
        count_min=count_min,
        timeout_seconds=timeout_seconds,
    )


def test_a_witness_cosigns_the_first_checkpoint_and_every_one_that_extends_it(folder, witness):
    for count in (0, 1, 300, 7):
        if count:
            grow(folder, count)
        cosigned = ask(folder, witness)
        assert cosigned.cosigned_by([witness.vkey]) == {witness.vkey: witness.now}
        assert cosigned.signed_by([LOG_KEY]) == LOG_KEY
        assert witness.seen[ORIGIN].size == cosigned.size


def test_whoever_has_cosigned_is_not_asked_again(folder, witness):
    cosigned = ask(folder, witness)
    with Log(folder, KEY) as log:
        log.store(cosigned)
    assert ask(folder, witness) == cosigned
    assert witness.requests == 1


def test_a_checkpoint_of_the_same_size_is_cosigned_again_without_a_proof(folder, witness):
    ask(folder, witness)
    assert ask(folder, witness).cosigned_by([witness.vkey])


def test_several_witnesses_are_asked_at_once_and_one_that_is_down_holds_up_nobody(folder):
    first, second, third = (LoopbackWitness(f"w.example/{at}", LOG_KEY) for at in range(3))
    with running(first, second, third):
        second.fault = hang
        cosigned = ask(folder, first, second, third, count_min=2, timeout_seconds=0.5)
    assert cosigned.cosigned_by([first.vkey, second.vkey, third.vkey]).keys() == {first.vkey, third.vkey}


def test_a_rolled_back_log_is_refused_by_name(folder, witness, tmp_path):
    before = tmp_path / "before"
    shutil.copytree(folder, before)
    grow(folder, 3)
    ask(folder, witness)
    with pytest.raises(WitnessError, match=r"w\.example/1 has seen 8 leaves and the log has 5: it was rolled back"):
        ask(before, witness, count_min=0)


def test_a_forked_log_is_refused_by_name_even_where_no_witness_is_required(folder, witness, tmp_path):
    fork = tmp_path / "fork"
    Log.create(fork, KEY, ORIGIN)
    grow(fork, 6, b"b")
    ask(folder, witness)
    with pytest.raises(WitnessError, match=r"has seen 5 leaves that this log does not extend"):
        ask(fork, witness, count_min=0)
    assert witness.seen[ORIGIN].size == 5


def test_a_log_that_the_witness_does_not_know_is_not_cosigned(folder):
    stranger = LoopbackWitness("w", verifier_key("example.net/other", KEY))
    with (
        running(stranger),
        pytest.raises(WitnessError, match=r"0 of 1 witnesses cosigned: w answered 404: 'unknown log'"),
    ):
        ask(folder, stranger)


def test_a_log_of_another_key_is_not_cosigned(folder):
    other = LoopbackWitness("w", verifier_key(ORIGIN, Ed25519PrivateKey.generate()))
    with running(other), pytest.raises(WitnessError, match="w answered 403"):
        ask(folder, other)


FAULTS = {
    "hangs": (hang, "TimeoutError|Timeout"),
    "drips": (drip, "Timeout|deadline"),
    "500": (lambda handler: say(handler, 500, b"oops\n"), "answered 500: 'oops'"),
    "redirect": (lambda handler: say(handler, 302, b"elsewhere\n"), "answered 302"),
    "nothing": (lambda handler: say(handler, 200, b""), "do not end in a newline"),
    "no_signature": (lambda handler: say(handler, 200, b"hello\n"), "em dash"),
    "latin1": (lambda handler: say(handler, 200, b"\xe9\n"), "not UTF-8"),
    "endless": (lambda handler: say(handler, 200, b"x" * 70_000), "more than 65536 bytes"),
    "size_that_is_none": (lambda handler: say(handler, 409, b"-1\n"), "expected a decimal number"),
    "size_that_never_fits": (lambda handler: say(handler, 409, b"3\n"), "answered 409"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_witness_at_fault_is_named_and_waited_for_no_longer_than_the_deadline(folder, witness, fault):
    witness.fault, message = FAULTS[fault]
    never_ends = fault in ("hangs", "drips")  # the others answer, and on a busy machine may take their time
    with pytest.raises(WitnessError, match=message):
        ask(folder, witness, timeout_seconds=0.4 if never_ends else 30)
    assert ask(folder, witness, count_min=0, timeout_seconds=0.2 if never_ends else 30) == read_checkpoint_file(folder)


def test_a_cosignature_by_another_key_or_over_another_checkpoint_does_not_count(folder, witness):
    stale = ask(folder, witness).note.signatures[1].line().encode()
    grow(folder, 1)
    witness.fault = lambda handler: say(handler, 200, stale)
    with pytest.raises(WitnessError, match="does not verify"):
        ask(folder, witness)
    other = LoopbackWitness("w.example/1", LOG_KEY)
    with running(other):
        other.fault = lambda handler: say(handler, 200, stale)
        with pytest.raises(WitnessError, match="no cosignature by the key"):
            ask(folder, other)


def test_lines_of_strangers_beside_the_witnesss_own_are_passed_over(folder, witness):
    stranger = LoopbackWitness("x", LOG_KEY)
    checkpoint = read_checkpoint_file(folder)
    grown = f"old 0\n\n{checkpoint}".encode()
    both = stranger.answer(grown)[1] + witness.answer(grown)[1]
    witness.fault = lambda handler: say(handler, 200, both)
    cosigned = ask(folder, witness)
    assert [one.name for one in cosigned.note.signatures] == [ORIGIN, "w.example/1"]


def test_nobody_listening_is_an_answer_as_well(folder):
    gone = LoopbackWitness("w", LOG_KEY)
    with running(gone):
        pass
    with pytest.raises(WitnessError, match="0 of 1 witnesses cosigned: w: "):
        ask(folder, gone, timeout_seconds=1.0)
