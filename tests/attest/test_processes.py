"""Work over processes: every item answered once, also when a process dies; nothing left running."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from attest.errors import AttestError
from attest.many.processes import over_processes

ROOT = Path(__file__).parents[2]


def worker():
    """Squares; does as it is told with what is no number."""
    seen = []

    def work(item):
        seen.append(item)
        if item == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if item == "exit":
            os._exit(7)
        if item == "raise":
            raise AttestError("as it was told")
        if item == "who":
            return os.getpid()
        return item * item

    return work


def lost(item, how):
    return f"{item} {how}"


def over(items, processes=2):
    found = dict(over_processes(worker, items, processes, lost))
    return [found[at] for at in range(len(items))]


def test_every_item_is_answered_at_its_position():
    assert over(list(range(25))) == [number * number for number in range(25)]


def test_more_processes_than_items_is_no_trouble():
    assert over([3], processes=8) == [9]
    assert over([]) == []


def test_work_is_done_elsewhere():
    assert over(["who"])[0] != os.getpid()


@pytest.mark.parametrize(("item", "how"), [("die", "was ended by SIGKILL"), ("exit", "ended with code 7")])
def test_an_item_whose_process_dies_is_answered_so_and_the_others_as_ever(item, how):
    assert over([1, 2, item, 3, 4, item, 5]) == [1, 4, f"{item} {how}", 9, 16, f"{item} {how}", 25]


def test_all_items_deadly_is_an_end_all_the_same():
    assert over(["die"] * 3) == ["die was ended by SIGKILL"] * 3


def test_what_work_raises_ends_the_call():
    with pytest.raises(AttestError, match="as it was told"):
        over([1, "raise", *range(50)])


def test_a_worker_that_cannot_be_made_ends_the_call():
    with pytest.raises(AttestError, match="no worker"):
        dict(over_processes(partial(_unmade, "no worker"), [1, 2], 2, lost))


def _unmade(why):
    raise AttestError(why)


CTRL_C = r"""
import os, sys, time
from attest.many.processes import over_processes
def make():
    os.write(1, b"%d\n" % os.getpid())  # at once: two processes write into one pipe
    return time.sleep
if __name__ == "__main__":
    try:
        dict(over_processes(make, [0.1] * 1000, 2, lambda item, how: how))
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text() if Path("/proc").is_dir() else True


@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_one_that_started_it_and_ctrl_c_is_clean(ends, tmp_path):
    (tmp_path / "script.py").write_text(CTRL_C)
    with subprocess.Popen(
        [sys.executable, tmp_path / "script.py"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        workers = [int(process.stdout.readline()) for _ in range(2)]
        if ends == signal.SIGINT:
            os.killpg(process.pid, ends)  # as a terminal does: every process of the group
            said, errors = process.communicate(timeout=60)
            assert (said, errors, process.returncode) == ("interrupted\n", "", 0)
        else:
            process.kill()
        deadline = time.monotonic() + 60
        while any(map(is_running, workers)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not any(map(is_running, workers))
