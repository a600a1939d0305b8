"""Work on many items over several processes, each item by one of them.

Law: every item has exactly one answer, also when the process that works on it dies, and no process outlives the call. What passes
between them are pipes, never sockets.
"""

import multiprocessing
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkContext, SpawnContext
from typing import Any, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 2
"""Items that a worker has at hand while there are many: the one it works on, and the next."""
_ENDING_SECONDS = 5.0


def over_processes(
    make: Callable[[], Callable[[T], R]], items: Sequence[T], processes: int, died: Callable[[T, str], R]
) -> Iterator[tuple[int, R]]:
    """Yield the position of each item and what came of it, as they are done.

    Forks where this process has one thread, and spawns otherwise: what is given must be fit to be pickled.

    Args:
        make: called once in each process; gives what works on an item, which raises only what the whole call should end with.
        items: what to work on.
        processes: how many, 1 or more.
        died: the answer for an item whose process ended before it gave one, from the item and how the process ended.

    Raises:
        Exception: whatever was raised first.
    """
    waiting = deque(range(len(items)))
    workers: dict[Connection, _Worker[T, R]] = {}
    context = _context()
    try:
        while waiting or any(worker.at_hand for worker in workers.values()):
            while len(workers) < min(processes, len(items)) and waiting:
                worker = _Worker(context, make, list(workers.values()))
                workers[worker.answers] = worker
                worker.give(waiting, items, 1)
            for ready in wait(list(workers)):
                worker = workers[ready]  # type: ignore[index]  # nothing else was waited for
                yield from worker.take(items, died)
                if worker.is_over:
                    del workers[worker.answers]
                    waiting.extendleft(reversed(worker.at_hand))
                else:
                    worker.give(waiting, items, _AHEAD if len(waiting) >= len(workers) else 1)
    finally:
        for worker in workers.values():
            worker.end()


def _context() -> ForkContext | SpawnContext:
    """A fork in a process of several threads may copy a lock that nobody will open."""
    alone = threading.active_count() == 1 and "fork" in multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("fork") if alone else multiprocessing.get_context("spawn")


class _Worker(Generic[T, R]):
    """One process, and the items it has at hand, first things first."""

    def __init__(
        self,
        context: ForkContext | SpawnContext,
        make: Callable[[], Callable[[T], R]],
        others: Sequence["_Worker[T, R]"],
    ) -> None:
        theirs, self._requests = context.Pipe(duplex=False)
        self.answers, answers = context.Pipe(duplex=False)
        # A fork has the ends of this process too: while it held them, nobody would see that this process is gone.
        self.ends = (self._requests, self.answers)
        inherited = [end for worker in (self, *others) for end in worker.ends]
        ours = inherited if context.get_start_method() == "fork" else []
        self.at_hand: deque[int] = deque()
        self.is_over = False
        self._process = context.Process(target=_serve, args=(make, theirs, answers, ours), daemon=True)
        self._process.start()
        theirs.close()
        answers.close()

    def give(self, waiting: deque[int], items: Sequence[T], ahead: int) -> None:
        """Hand over items until it has so many at hand."""
        while waiting and len(self.at_hand) < ahead:
            self.at_hand.append(waiting.popleft())
            with suppress(OSError):  # it is gone: that shows when its answers are taken
                self._requests.send(items[self.at_hand[-1]])

    def take(self, items: Sequence[T], died: Callable[[T, str], R]) -> Iterator[tuple[int, R]]:
        """The next answer; when the process is gone, the one for the item that it worked on.

        Raises:
            Exception: what its work raised.
        """
        try:
            is_answer, value = self.answers.recv()
        except (EOFError, OSError):
            self.is_over = True
            self.end()
            if self.at_hand:
                at = self.at_hand.popleft()
                yield at, died(items[at], self._ended())
            return
        if not is_answer:
            raise value
        yield self.at_hand.popleft(), value

    def end(self) -> None:
        """End the process, whatever it does."""
        self._requests.close()
        self.answers.close()
        self._process.terminate()
        self._process.join(_ENDING_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _ended(self) -> str:
        code = self._process.exitcode
        if code is not None and code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with code {code}"


def _serve(
    make: Callable[[], Callable[[T], R]], requests: Connection, answers: Connection, inherited: Sequence[Connection]
) -> None:
    """Work until no item comes any more. Ctrl-C reaches every process of a terminal: the first one ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for connection in inherited:
        connection.close()
    with suppress(EOFError, OSError):
        work: Callable[[T], R] | None = None
        while True:
            item: Any = requests.recv()
            try:
                work = work or make()
                answer: tuple[bool, Any] = (True, work(item))
            except Exception as error:  # noqa: BLE001 - raised again where the call was made
                answer = (False, error)
            answers.send(answer)
