"""Consumers: other processes, other threads, other positions."""

import subprocess
import sys
import threading
import time

from sidecar.journal import JournalLimits, JournalReader, JournalWriter
from tests.tools.process import PATIENCE_SECONDS

SMALL = JournalLimits(segment_bytes=4096, group_bytes_max=2048, disk_bytes_max=1 << 22)


def append(writer, *numbers):
    return [writer.append(1, 0, b"%06d" % n + bytes(500)).result() for n in numbers]


def test_a_reader_without_a_journal_finds_nothing(tmp_path):
    assert list(JournalReader(tmp_path / "none").frames(0)) == []


def test_a_reader_follows_the_writer_over_segments(tmp_path):
    writer, reader = JournalWriter.open(tmp_path, limits=SMALL), JournalReader(tmp_path)
    position, seen = 0, []
    for n in range(60):
        append(writer, *range(3 * n, 3 * n + 3))
        frames = list(reader.frames(position))
        seen += [int(frame.body[:6]) for frame in frames]
        position = frames[-1].sequence
        writer.release(position).result()
    assert seen == list(range(180))
    writer.close()


def test_an_iteration_may_be_left_and_begun_again_anywhere(tmp_path):
    writer, reader = JournalWriter.open(tmp_path, limits=SMALL), JournalReader(tmp_path)
    append(writer, *range(30))
    for start in (0, 7, 29, 3, 0, 30):
        for taken, frame in enumerate(reader.frames(start), start=1):
            assert frame.sequence == start + taken
            if taken == 5:
                break
    writer.close()


def test_threads_share_a_reader_each_with_a_position_of_its_own(tmp_path):
    writer, reader = JournalWriter.open(tmp_path, limits=SMALL), JournalReader(tmp_path)
    failures = []

    def follow():
        position = 0
        while position < 300:
            for frame in reader.frames(position):
                if frame.sequence != position + 1:
                    failures.append((position, frame.sequence))
                position = frame.sequence
            time.sleep(0.001)  # without it they keep the writer from its work

    threads = [threading.Thread(target=follow) for _ in range(4)]
    for thread in threads:
        thread.start()
    append(writer, *range(300))
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    writer.close()
    assert (failures, [thread for thread in threads if thread.is_alive()]) == ([], [])


def test_frames_that_are_not_durable_yet_are_not_seen(tmp_path):
    """The watermark decides: intact frames above it are not read, and are once it has moved."""
    writer, reader = JournalWriter.open(tmp_path, limits=SMALL), JournalReader(tmp_path)
    append(writer, 1, 2, 3)
    writer._watermark.store(2)
    assert [frame.sequence for frame in reader.frames(0)] == [1, 2]
    assert list(reader.frames(2)) == []
    writer._watermark.store(3)
    assert [frame.sequence for frame in reader.frames(2)] == [3]
    writer.close()


def test_another_process_reads_while_this_one_writes(tmp_path):
    program = (
        "import sys, time, pathlib; from sidecar.journal import JournalReader; r = JournalReader(pathlib.Path(sys.argv[1]))\n"
        "p = 0\n"
        "while p < 200:\n"
        "    for f in r.frames(p):\n"
        "        assert f.sequence == p + 1 and int(f.body[:6]) == p, f.sequence\n"
        "        p = f.sequence\n"
        "    time.sleep(0.001)\n"
        "assert 'grpc' not in sys.modules and 'uvicorn' not in sys.modules\n"
    )
    writer = JournalWriter.open(tmp_path, limits=SMALL)
    process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)])
    append(writer, *range(200))
    assert process.wait(PATIENCE_SECONDS) == 0
    writer.close()
