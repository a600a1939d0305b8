"""One run of a command: its end, its output, and that nothing of it is left."""

from __future__ import annotations

import sys

import psutil
import pytest

from sidecar.sim.process import OUTPUT_BYTES_MAX, run_command
from sidecar.sim.target import Trouble
from tests.tools.process import wait_until

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def python(code: str, seconds: float = 30.0):
    return run_command([sys.executable, "-c", code], ENVIRONMENT, seconds)


def gone(pid: int) -> bool:
    """Waits until the process has ended; one that is to be waited for by nobody here has."""

    def ended() -> bool:
        try:
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    wait_until(ended, f"the end of {pid}")
    return True


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


def shell(code: str, seconds: float):
    """A command that is there at once, on however busy a machine."""
    return run_command(["/bin/sh", "-c", code], ENVIRONMENT, seconds)


SAYS_WHY = "trap 'echo asked to end; exit 7' TERM; echo ready; sleep 600 & wait"


def test_one_that_hangs_is_ended_and_may_say_why():
    ended = shell(SAYS_WHY, seconds=1.0)
    assert ended.timed_out
    assert ended.output.split(b"\n")[:2] == [b"ready", b"asked to end"]


def test_one_that_does_not_listen_is_killed_with_its_whole_group(monkeypatch):
    monkeypatch.setattr("sidecar.sim.process._TERM_SECONDS", 0.2)
    ended = shell("trap '' TERM; sleep 600 & echo $$ $!; wait", seconds=1.0)
    assert (ended.timed_out, ended.code) == (True, -9)
    assert [gone(int(pid)) for pid in ended.output.split()] == [True, True]


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
