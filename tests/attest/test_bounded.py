"""A signer in a process of its own: it answers, refuses, or is ended, and never more than that."""

import os
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from attest.errors import SignerUnavailableError, SigningError
from attest.signers.bounded import BoundedSigner
from tests.attest.faulty_signer import FaultySigner

ROOT = Path(__file__).resolve().parents[2]
STUBBORN = """
signal.signal(signal.SIGALRM, signal.SIG_IGN)
while True:
    time.sleep(1)
"""


WAITS = """
try:
    payload == b'wait' and time.sleep(600)
except TimeoutError as error:
    raise SigningError(f"gave up: {error}")
"""


@pytest.fixture
def signer(monkeypatch):
    """A bounded signer by what its `sign` does; its process is ended with the test."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # the process takes nothing from the folder it is started in
    made = []

    def make(line, **options):
        made.append(BoundedSigner(partial(FaultySigner, line), what="faulty", **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def pid(signer) -> int:
    return int(signer.describe().removeprefix("process "))


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody waited for yet has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_until(true) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def test_one_process_serves_payload_after_payload_of_any_size(signer):
    ours = signer("")

    for size in (1, 70_000, 5_000_000):
        assert ours.sign(b"x" * size) == b"x" * size
        assert pid(ours) != os.getpid()
    assert len({pid(ours) for _ in range(2) if ours.sign(b"x")}) == 1


@pytest.mark.parametrize(
    ("line", "kind", "said"),
    [
        ("raise SigningError('refused: ä')", SigningError, "refused: ä"),
        ("raise SignerUnavailableError('busy')", SignerUnavailableError, "busy"),
        ("raise ValueError('odd')", SigningError, "ValueError: odd"),
        ("x = bytearray(1 << 31)", SigningError, "MemoryError"),
        ("def f(): f()\nf()", SigningError, "RecursionError"),
        ("os._exit(3)", SignerUnavailableError, "ended without an answer"),
        ("sys.exit(3)", SignerUnavailableError, "ended without an answer"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", SignerUnavailableError, "ended without an answer"),
        ("os.write(1, b'x' * 64)", SignerUnavailableError, "ended without an answer"),
        ("made of nothing", SigningError, "there is no key"),
    ],
)
def test_whatever_the_signer_does_ends_in_a_named_error(signer, line, kind, said):
    with pytest.raises(SigningError, match=said) as caught:
        signer(line).sign(b"x")

    assert type(caught.value) is kind


def test_what_the_signer_prints_does_not_get_between_answers(signer):
    assert signer("print('hello'); sys.stderr.write('hello' * 100_000)").sign(b"x") == b"x"


def test_after_an_error_the_same_process_signs_on_and_after_its_end_another_does(signer):
    ours = signer("payload == b'odd' and 1 / 0; payload == b'end' and os._exit(1)")
    ours.sign(b"x")
    first = pid(ours)
    with pytest.raises(SigningError, match="ZeroDivisionError"):
        ours.sign(b"odd")
    ours.sign(b"x")
    assert pid(ours) == first
    with pytest.raises(SignerUnavailableError):
        ours.sign(b"end")
    ours.sign(b"x")

    assert pid(ours) != first


def test_what_it_waits_for_is_interrupted_before_the_deadline_and_may_pass_whatever_is_made_of_it(signer):
    ours = signer(WAITS)
    ours.sign(b"x")  # the process is there
    first, ours._deadline_seconds = pid(ours), 4.0
    with pytest.raises(SignerUnavailableError, match="gave up: interrupted shortly before the deadline"):
        ours.sign(b"wait")
    ours._deadline_seconds = 60.0
    ours.sign(b"x")

    assert pid(ours) == first


def test_what_cannot_be_interrupted_is_killed_at_the_deadline(signer):
    ours = signer(STUBBORN.replace("while", "while payload == b'stubborn' and"), deadline_seconds=60)
    ours.sign(b"x")
    first, ours._deadline_seconds = pid(ours), 1.0
    with pytest.raises(SignerUnavailableError, match="no answer in 1 s"):
        ours.sign(b"stubborn")

    assert gone(first)
    ours._deadline_seconds = 60
    assert ours.sign(b"x") == b"x"


def test_the_process_ends_by_itself_when_nobody_signs_and_the_next_payload_starts_another(signer):
    ours = signer("", idle_seconds=1)
    ours.sign(b"x")
    first = pid(ours)
    wait_until(lambda: gone(first))

    assert ours.sign(b"x") == b"x"
    assert pid(ours) != first


def test_threads_take_turns_and_each_gets_its_own_answer(signer):
    ours, got = signer(""), {}

    def sign(text):
        got[text] = ours.sign(text)

    threads = [threading.Thread(target=sign, args=(b"%d" % number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert got == {b"%d" % number: b"%d" % number for number in range(16)}


def test_closing_ends_the_process_and_may_be_done_twice(signer):
    ours = signer("")
    ours.close()
    ours.sign(b"x")
    first = pid(ours)
    ours.close()
    ours.close()

    assert gone(first)


def test_the_process_ends_with_the_one_that_started_it(signer):
    ours = signer("")
    ours.sign(b"x")
    ours._process.stdin.close()

    wait_until(lambda: gone(pid(ours)))


def test_the_process_loads_no_module_from_the_folder_it_is_started_in(signer, monkeypatch, tmp_path):
    (tmp_path / "orjson.py").write_text("raise SystemExit('taken')")
    (tmp_path / "attest.py").write_text("raise SystemExit('taken')")
    monkeypatch.chdir(tmp_path)

    assert signer("import orjson").sign(b"x") == b"x"
