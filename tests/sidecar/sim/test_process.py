"""One run of a command: its end, its output, and that nothing of it is left."""

from __future__ import annotations

import sys
import time

import psutil
import pytest

from sidecar.sim.process import OUTPUT_BYTES_MAX, run_command
from sidecar.sim.target import Trouble

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def python(code: str, seconds: float = 30.0):
    return run_command([sys.executable, "-c", code], ENVIRONMENT, seconds)


def gone(pid: int) -> bool:
    """Whether the process has ended; one that is to be waited for by nobody here has."""
    for _ in range(200):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("code", [0, 3, 255])
def test_the_exit_code_is_told(code):
    ended = python(f"import sys; print('out'); print('err', file=sys.stderr); sys.exit({code})")
    assert (ended.code, ended.timed_out) == (code, False)
    assert sorted(ended.output.split()) == [b"err", b"out"]


def test_a_signal_is_told():
    assert python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)").code == -9


def test_what_cannot_be_started_is_an_infrastructure_error():
    with pytest.raises(Trouble, match="no-such-command: cannot be started") as caught:
        run_command(["/no-such-command"], ENVIRONMENT, 1.0)
    assert caught.value.kind == "subprocess_failed"


SAYS_WHY = """
import signal, sys, time

def end(*_):
    print("asked to end", flush=True)
    sys.exit(7)

signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(600)
"""


def test_one_that_hangs_is_ended_and_may_say_why():
    ended = python(SAYS_WHY, seconds=1.0)
    assert ended.timed_out
    assert ended.output.split(b"\n")[:2] == [b"ready", b"asked to end"]


def test_one_that_does_not_listen_is_killed_with_its_whole_group(monkeypatch):
    monkeypatch.setattr("sidecar.sim.process._TERM_SECONDS", 0.2)
    code = (
        "import os, signal, subprocess, sys, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(os.getpid(), child.pid, flush=True)\ntime.sleep(600)"
    )
    ended = python(code, seconds=1.0)
    assert (ended.timed_out, ended.code) == (True, -9)
    assert all(gone(int(pid)) for pid in ended.output.split())


def test_what_a_command_leaves_running_is_killed_when_it_ends():
    code = "import subprocess, sys\nprint(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid)"
    ended = python(code)
    assert (ended.code, ended.timed_out) == (0, False)
    assert gone(int(ended.output))


def test_of_much_output_the_end_is_kept():
    ended = python("import sys\nsys.stdout.write('x' * 10_000_000 + 'the end')")
    assert len(ended.output) == OUTPUT_BYTES_MAX
    assert ended.output.endswith(b"xthe end")


def test_a_command_has_no_input_to_wait_for():
    assert python("import sys; sys.exit(len(sys.stdin.read()))").code == 0
