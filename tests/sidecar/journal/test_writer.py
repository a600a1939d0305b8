"""The writer on a real disk, and on one that fails where it is told to."""

import errno
import random
import stat
import sys
import threading
import time
from pathlib import Path

import pytest

from sidecar.errors import JournalError, Overloaded
from sidecar.journal import Frame, JournalLimits, JournalReader, JournalWriter
from tests.sidecar.journal.memory_disk import MemoryDisk

SMALL = JournalLimits(segment_bytes=4096, group_bytes_max=2048, disk_bytes_max=1 << 20, spare_segments_max=1)
FOLDER = Path("/journal")


def everything(directory, after=0):
    return list(JournalReader(directory).frames(after))


def fill(writer, count, size=1000):
    return [writer.append(1, 0, b"%04d" % n + bytes(size)).result() for n in range(count)]


def test_frames_are_read_back_in_order_with_everything_they_were_given(tmp_path):
    clock = iter(range(1000, 2000))
    writer = JournalWriter.open(tmp_path / "journal", clock=lambda: next(clock))
    sequences = [writer.append(*what).result() for what in ((1, 0, b"a"), (2, 1, b""), (16, 0, b"c" * 300_000))]
    assert sequences == [1, 2, 3]
    expected = [Frame(1, 1000, 1, 0, b"a"), Frame(2, 1001, 2, 1, b""), Frame(3, 1002, 16, 0, b"c" * 300_000)]
    assert expected == everything(tmp_path / "journal")
    writer.close()
    assert expected == everything(tmp_path / "journal")


def test_sequences_go_on_after_a_restart(tmp_path):
    for expected in ([1, 2, 3], [4, 5, 6], [7, 8, 9]):
        writer = JournalWriter.open(tmp_path, limits=SMALL)
        assert expected == fill(writer, 3)
        writer.close()
    assert [frame.sequence for frame in everything(tmp_path)] == list(range(1, 10))


def test_sequences_go_on_when_every_segment_was_released(tmp_path):
    for expected in (1, 2, 3):
        writer = JournalWriter.open(tmp_path, limits=SMALL)
        assert expected == writer.append(1, 0, b"x").result()
        writer.close()
        writer = JournalWriter.open(tmp_path, limits=SMALL)
        writer.release(expected).result()
        assert everything(tmp_path) == []
        writer.close()


def test_a_body_larger_than_a_segment_gets_one_of_its_own(tmp_path):
    writer = JournalWriter.open(tmp_path, limits=SMALL)
    bodies = [b"small", b"L" * 50_000, b"small again", b"M" * 9000]
    for body in bodies:
        writer.append(1, 0, body).result()
    assert bodies == [frame.body for frame in everything(tmp_path)]
    assert writer.release(writer.durable_sequence).result() == 3
    writer.close()
    assert max(path.stat().st_size for path in tmp_path.iterdir()) <= 9000 + 200


def test_requests_that_queue_behind_a_sync_share_the_next_one():
    disk = MemoryDisk(random.Random(0))
    writer = JournalWriter.open(FOLDER, disk=disk)
    reached, go_on = threading.Event(), threading.Event()

    def hold(operation, name):
        if operation == "sync":
            reached.set()
            go_on.wait(10)

    disk.fail = hold
    futures = [writer.append(1, 0, b"first")]
    assert reached.wait(10)
    futures += [writer.append(1, 0, b"%d" % n) for n in range(50)]
    assert not any(future.done() for future in futures)
    go_on.set()
    assert [future.result(10) for future in futures] == list(range(1, 52))
    assert writer.stats.commits == 2
    writer.close()


def test_commits_are_announced_with_the_highest_durable_sequence(tmp_path):
    announced = []
    writer = JournalWriter.open(tmp_path, limits=SMALL, on_commit=announced.append)
    fill(writer, 5)
    writer.close()
    assert announced == [1, 2, 3, 4, 5]


def test_too_many_bytes_in_flight_are_refused_with_a_time_to_come_back_and_nothing_is_taken():
    disk = MemoryDisk(random.Random(0))
    writer = JournalWriter.open(
        FOLDER, disk=disk, limits=JournalLimits(in_flight_bytes_max=1000, busy_retry_seconds=2.5)
    )
    go_on = threading.Event()
    disk.fail = lambda operation, name: go_on.wait(10) and None if operation == "sync" else None
    taken = [writer.append(1, 0, b"a" * 400), writer.append(1, 0, b"b" * 400)]
    with pytest.raises(Overloaded) as refusal:
        writer.append(1, 0, b"c" * 400)
    assert refusal.value.retry_after_seconds == 2.5
    go_on.set()
    assert [future.result(10) for future in taken] == [1, 2]
    assert writer.append(1, 0, b"d" * 5000).result(10) == 3  # alone, one body may be above the bound
    assert writer.stats.in_flight_bytes == 0
    writer.close()


def test_a_full_quota_is_refused_until_consumers_have_passed(tmp_path):
    limits = JournalLimits(segment_bytes=4096, disk_bytes_max=32_768, full_retry_seconds=7)
    writer = JournalWriter.open(tmp_path, limits=limits)
    with pytest.raises(Overloaded) as refusal:
        fill(writer, 100)
    assert refusal.value.retry_after_seconds == 7
    durable = writer.durable_sequence
    assert 20 < durable < 32
    assert len(everything(tmp_path)) == durable
    assert writer.release(durable - 1).result() > 5
    assert fill(writer, 3) == [durable + 1, durable + 2, durable + 3]
    writer.close()


def test_released_segments_are_written_again_and_spare_ones_are_bounded(tmp_path):
    writer = JournalWriter.open(tmp_path, limits=SMALL)
    inodes = set()
    for n in range(60):
        fill(writer, 1)
        inodes |= {path.stat().st_ino for path in tmp_path.glob("*.segment")}
        writer.release(n).result()
    assert len(list(tmp_path.glob("*.spare"))) <= SMALL.spare_segments_max
    assert len(inodes) <= 4
    writer.close()


def test_releasing_never_takes_what_a_consumer_still_needs(tmp_path):
    writer = JournalWriter.open(tmp_path, limits=SMALL)
    fill(writer, 40)
    for released in (0, 1, 7, 20, 39, 40, 4000):
        writer.release(released).result()
        assert [frame.sequence for frame in everything(tmp_path, released)] == list(range(released + 1, 41))
    writer.close()


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
@pytest.mark.parametrize("operation", ["write", "sync", "allocate", "rename", "sync_directory"])
def test_otlp_36_a_failing_disk_is_an_error_to_the_caller_and_the_writer_recovers(operation, number):
    disk = MemoryDisk(random.Random(1))
    writer = JournalWriter.open(FOLDER, disk=disk, limits=SMALL)
    fill(writer, 2)
    disk.fail = lambda asked, name: number if asked == operation else None
    for _ in range(3):
        with pytest.raises(JournalError, match="did not take it: cannot"):
            writer.append(1, 0, b"refused" + bytes(3000)).result(10)
    disk.fail = lambda asked, name: None
    assert writer.append(1, 0, b"taken").result(10) == 3
    assert writer.stats.failures >= 3
    assert writer.stats.in_flight_bytes == 0
    bodies = [frame.body for frame in JournalReader(FOLDER, disk=disk).frames(2)]
    assert bodies == [b"taken"]
    writer.close()
    for after in (disk.process_death(), disk.power_cut()):
        again = JournalWriter.open(FOLDER, disk=after, limits=SMALL)
        assert [frame.body for frame in JournalReader(FOLDER, disk=after).frames(2)] == [b"taken"]
        again.close()


def test_otlp_36_pages_of_a_failed_sync_are_never_acknowledged_by_a_later_one():
    """The refused frame is intact on the disk and its sequence is given out again: only the new one is ever seen."""
    disk = MemoryDisk(random.Random(2))
    writer = JournalWriter.open(FOLDER, disk=disk)
    fill(writer, 1)
    disk.fail = lambda operation, name: errno.EIO if operation == "sync" else None
    refused = writer.append(1, 0, b"refused")
    assert isinstance(refused.exception(10), JournalError)
    disk.fail = lambda operation, name: None
    assert any(b"refused" in inode.live for inode in disk.live.values())
    assert writer.append(1, 0, b"taken").result(10) == 2
    reader = JournalReader(FOLDER, disk=disk)
    assert [frame.body for frame in reader.frames(1)] == [b"taken"]
    writer.close()


def test_otlp_36_frames_refused_together_do_not_come_back_behind_a_new_one():
    """Written again in the same place, the new frame would be followed by the intact rest of the refused group."""
    disk = MemoryDisk(random.Random(3))
    writer = JournalWriter.open(FOLDER, disk=disk)
    reached, go_on = threading.Event(), threading.Event()

    def hold_then_fail(operation, name):
        if operation == "sync":
            reached.set()
            go_on.wait(10)
            return errno.EIO
        return None

    disk.fail = hold_then_fail
    refused = [writer.append(1, 0, b"refused 0")]
    assert reached.wait(10)
    refused += [writer.append(1, 0, b"refused %d" % n) for n in range(1, 4)]
    go_on.set()
    assert all(isinstance(future.exception(10), JournalError) for future in refused)
    disk.fail = lambda operation, name: None
    assert writer.append(1, 0, b"taken one").result(10) == 1
    after = disk.process_death()
    again = JournalWriter.open(FOLDER, disk=after)
    assert [frame.body for frame in JournalReader(FOLDER, disk=after).frames(0)] == [b"taken one"]
    again.close()
    writer.close()


def test_a_disk_that_is_full_at_start_is_no_reason_not_to_start():
    disk = MemoryDisk(random.Random(3))
    writer = JournalWriter.open(FOLDER, disk=disk, limits=SMALL)
    fill(writer, 5)
    writer.close()
    disk.fail = lambda operation, name: errno.ENOSPC if operation in {"allocate", "write", "create"} else None
    writer = JournalWriter.open(FOLDER, disk=disk, limits=SMALL)
    with pytest.raises(JournalError):
        writer.append(1, 0, b"refused").result(10)
    disk.fail = lambda operation, name: None
    assert writer.append(1, 0, b"taken").result(10) == 6
    assert [frame.sequence for frame in JournalReader(FOLDER, disk=disk).frames(0)] == [1, 2, 3, 4, 5, 6]
    writer.close()


def test_a_cancelled_request_takes_its_frame_with_it():
    disk = MemoryDisk(random.Random(4))
    writer = JournalWriter.open(FOLDER, disk=disk)
    go_on = threading.Event()
    disk.fail = lambda operation, name: go_on.wait(10) and None if operation == "sync" else None
    first, given_up, last = (writer.append(1, 0, body) for body in (b"1", b"2", b"3"))
    assert given_up.cancel()
    go_on.set()
    assert (first.result(10), last.result(10)) == (1, 2)
    assert [frame.body for frame in JournalReader(FOLDER, disk=disk).frames(0)] == [b"1", b"3"]
    assert writer.stats.in_flight_bytes == 0
    writer.close()


def test_an_idle_writer_holds_on_to_no_body(tmp_path):
    writer = JournalWriter.open(tmp_path)
    body = bytes(100_000)
    before = sys.getrefcount(body)
    writer.append(1, 0, body).result()
    for _ in range(2000):
        if sys.getrefcount(body) == before:
            break
        time.sleep(0.005)
    assert sys.getrefcount(body) == before
    writer.close()


def test_a_second_writer_is_refused_by_name(tmp_path):
    writer = JournalWriter.open(tmp_path)
    with pytest.raises(JournalError, match="in use by another process"):
        JournalWriter.open(tmp_path)
    writer.close()
    JournalWriter.open(tmp_path).close()


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(JournalError, match=r"cannot open the journal in .*file"):
        JournalWriter.open(tmp_path / "file" / "journal")


def test_what_was_taken_before_closing_is_committed_and_nothing_after(tmp_path):
    writer = JournalWriter.open(tmp_path)
    futures = [writer.append(1, 0, b"%d" % n) for n in range(200)]
    writer.close()
    assert [future.result(0) for future in futures] == list(range(1, 201))
    assert len(everything(tmp_path)) == 200
    with pytest.raises(JournalError, match="closed"):
        writer.append(1, 0, b"late")
    writer.close()


def test_bodies_and_numbers_that_no_frame_can_hold_are_refused(tmp_path):
    writer = JournalWriter.open(tmp_path, limits=JournalLimits(body_bytes_max=1000))
    with pytest.raises(JournalError, match="at most 1000 bytes, got a body of 1001"):
        writer.append(1, 0, bytes(1001))
    with pytest.raises(ValueError, match="256"):
        writer.append(256, 0, b"")
    assert writer.append(255, 255, bytes(1000)).result() == 1
    writer.close()


def test_telemetry_on_disk_is_for_its_owner_only(tmp_path):
    writer = JournalWriter.open(tmp_path / "journal")
    fill(writer, 1)
    writer.close()
    assert stat.S_IMODE((tmp_path / "journal").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "journal").iterdir()} == {0o600}
