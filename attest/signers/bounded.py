"""Any signer, in a process of its own that is killed when it takes too long.

For signers that wait for services without a time-out, load much, or hold what they are sent in memory without a bound: keyless
signing does all three. Shortly before the deadline whatever the process waits for is interrupted, so that it can say what that was; at
the deadline it is killed. Law: `sign` gives an attestation or raises a SigningError before the deadline, whatever the signer does; what
it loads is not loaded here; and the process goes away by itself when nobody signs, or when whoever started it has died.
"""

import os
import pickle
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Final

from attest.errors import AttestError, SignerUnavailableError, SigningError
from attest.limits import DEFAULT
from attest.signers.failure import line
from attest.signers.signer import Signer

DEADLINE_SECONDS: Final = 60.0
"""For one attestation, the start of the process included (some seconds on a busy machine)."""

IDLE_SECONDS: Final = 60
"""How long the process stays for the next one."""

MEMORY_BYTES_MAX: Final = 1 << 30
"""Of data that the process may hold; one that signs keyless takes about 60 MiB."""

_SIGNED, _REFUSED, _UNAVAILABLE = b"+", b"-", b"~"
_KINDS = {_REFUSED: SigningError, _UNAVAILABLE: SignerUnavailableError}
_SIZE = struct.Struct("<Q")
_DEADLINE = struct.Struct("<d")
_LAST_WORDS_SECONDS_MAX = 1.0
"""What is left before the deadline when the signer is interrupted; a fifth of the time where that is less."""
_ANSWER_BYTES_MAX = DEFAULT.attestation_bytes_max + 64 * 1024


class BoundedSigner:
    """Signs with what `make` makes, in another process. May be shared by threads; they take turns.

    Args:
        make: makes the signer there. It is pickled: a class, or a `functools.partial` of one.
        what: who signs, in a few words, until that process has told.
        deadline_seconds: for one call of `sign`, from when its turn comes.
        idle_seconds: how long the process waits for the next call before it ends.
    """

    def __init__(
        self,
        make: Callable[[], Signer],
        *,
        what: str,
        deadline_seconds: float = DEADLINE_SECONDS,
        idle_seconds: int = IDLE_SECONDS,
    ) -> None:
        self._order = pickle.dumps((make, idle_seconds))
        self._what = what
        self._deadline_seconds = deadline_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()

    def sign(self, payload: bytes) -> bytes:
        """Sign an in-toto statement; see `attest.signers.signer.Signer.sign`.

        Raises:
            SigningError: what the signer said, or that it could not be made.
            SignerUnavailableError: the same where it may pass; and the deadline, or the end of the process.
        """
        with self._turn:
            answer = self._answer(payload)
            self._what = answer.who or self._what
        if answer.kind != _SIGNED:
            raise _KINDS[answer.kind](answer.content.decode("utf-8", "replace"))
        return answer.content

    def describe(self) -> str:
        """What the signer says of itself, once it has signed."""
        return self._what

    def close(self) -> None:
        """End the process. The next `sign` starts another."""
        with self._turn:
            self._end()

    def _answer(self, payload: bytes) -> "_Answer":
        """Ask until the deadline kills the process: then the pipes break, and whoever waits at them is told."""
        late = threading.Event()
        deadline = time.monotonic() + self._deadline_seconds
        while True:
            kept = self._process is not None and self._process.poll() is None
            process = self._process if kept and self._process else self._start()
            timer = threading.Timer(max(0.0, deadline - time.monotonic()), _too_late, (process, late))
            timer.start()
            try:
                return _ask(process, self._order if not kept else None, payload, deadline)
            except BaseException as error:  # an interrupt as well: a late answer must not be taken for the next one's
                self._end()
                if late.is_set():
                    raise SignerUnavailableError(f"{self._what}: no answer in {self._deadline_seconds:g} s") from error
                if not isinstance(error, OSError | EOFError):
                    raise
                if not kept:  # one that was waiting may just have ended for want of work
                    raise SignerUnavailableError(
                        f"{self._what}: the process that signs ended without an answer"
                    ) from error
            finally:
                timer.cancel()

    def _start(self) -> subprocess.Popen[bytes]:
        self._end()
        self._process = subprocess.Popen(  # our own interpreter and module, and nothing of the folder we are in
            [sys.executable, "-P", "-c", "from attest.signers.bounded import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # libraries log there; what matters comes as an answer
            start_new_session=True,  # an interrupt at the terminal is for whoever started it to handle
        )
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        _kill(process)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):  # what was not written yet has nobody to go to
                pipe and pipe.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    kind: bytes
    who: str
    content: bytes


def _ask(process: subprocess.Popen[bytes], order: bytes | None, payload: bytes, deadline: float) -> _Answer:
    assert process.stdin is not None
    assert process.stdout is not None
    if order is not None:
        _write(process.stdin, order)
    _write(process.stdin, _DEADLINE.pack(deadline) + payload)
    data = _read(process.stdout, _ANSWER_BYTES_MAX)
    size = int.from_bytes(data[1:3], "little")
    kind, who, content = data[:1], data[3 : 3 + size], data[3 + size :]
    if kind != _SIGNED and kind not in _KINDS:
        raise EOFError("the answer is none")
    return _Answer(kind=kind, who=who.decode("utf-8", "replace"), content=content)


def _too_late(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The process and whatever it has started: it leads a group of its own."""
    with suppress(ProcessLookupError):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def main() -> None:
    """The process: is told what to make, then signs payload after payload, until the pipe closes or nobody asks."""
    import resource  # noqa: PLC0415 - for this process only

    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints must not get between answers
    with suppress(EOFError, BrokenPipeError):
        make, idle_seconds = pickle.loads(_read(asked))  # noqa: S301 - whoever started this process wrote it
        signer: Signer | None = None
        while True:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(idle_seconds)  # then this process ends
            request = _read(asked)
            late = _interrupt_before(*_DEADLINE.unpack_from(request))
            try:
                signer = signer or make()
                kind, content = _SIGNED, signer.sign(request[_DEADLINE.size :])
            except Exception as error:  # noqa: BLE001 - the boundary of a process
                kind, content = _refusal(error, late=late.is_set())
            signal.alarm(0)
            who = signer.describe().encode()[:1000] if signer is not None else b""
            _write(answers, kind + len(who).to_bytes(2, "little") + who + content)


def _interrupt_before(deadline: float) -> threading.Event:
    """Raise TimeoutError in whatever is being waited for, and end the process should that not have helped.

    The clock is the machine's, the same in both processes. Whoever set the deadline kills at it, but may have died.

    Returns:
        What is set when it comes to that: libraries make an error of their own of the one that is raised.
    """
    late = threading.Event()
    seconds = max(0.0, deadline - time.monotonic())
    first = max(0.001, seconds - min(_LAST_WORDS_SECONDS_MAX, seconds / 5))

    def interrupt(_signum: int, _frame: object) -> None:
        late.set()
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        raise TimeoutError("interrupted shortly before the deadline")

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, first, 2 * _LAST_WORDS_SECONDS_MAX)
    return late


def _refusal(error: Exception, *, late: bool) -> tuple[bytes, bytes]:
    kind = _UNAVAILABLE if late or isinstance(error, SignerUnavailableError) else _REFUSED
    text = str(error) if isinstance(error, AttestError) else line(error)
    return kind, text.encode("utf-8", "replace")


def _write(pipe: IO[bytes], data: bytes) -> None:
    pipe.write(_SIZE.pack(len(data)) + data)
    pipe.flush()


def _read(pipe: IO[bytes], bytes_max: int | None = None) -> bytes:
    """One frame.

    Raises:
        EOFError: the pipe ended before it did, or it is larger than allowed.
    """
    head = pipe.read(_SIZE.size)
    (size,) = _SIZE.unpack(head) if len(head) == _SIZE.size else (0,)
    if not size or (bytes_max is not None and size > bytes_max):
        raise EOFError
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data
