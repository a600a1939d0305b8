"""Journals as they are found after a crash, a broken disk, or a sender who knows the frame format (OTLP checklist, item 35)."""

import errno
import random
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.journal import JournalLimits, JournalReader, JournalWriter
from sidecar.journal.frame import Frame, decode_segment_header, encode_header
from tests.sidecar.journal.memory_disk import MemoryDisk

SMALL = JournalLimits(segment_bytes=4096, group_bytes_max=2048, disk_bytes_max=1 << 20)
FOLDER = Path("/journal")


def bodies(directory, **kwargs):
    return [frame.body for frame in JournalReader(directory, **kwargs).frames(0)]


def write(directory, count, size=1000):
    writer = JournalWriter.open(directory, limits=SMALL)
    for n in range(count):
        writer.append(1, 0, b"%04d" % n + bytes(size)).result()
    writer.close()
    return sorted(directory.glob("*.segment"))


def reopen(directory):
    writer = JournalWriter.open(directory, limits=SMALL)
    stats = writer.stats
    writer.close()
    return stats


def numbers(directory):
    return [int(body[:4]) for body in bodies(directory)]


def flip(path, offset):
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


def test_otlp_35_a_torn_tail_is_cut_and_counted(tmp_path):
    segments = write(tmp_path, 5)
    (tmp_path / "durable").unlink()  # it is not synced, so a power cut may take it
    last = segments[-1]
    last.write_bytes(last.read_bytes()[:-300])
    stats = reopen(tmp_path)
    assert (stats.torn_tail_bytes > 0, stats.quarantined, stats.lost_frames) == (True, 0, 0)
    assert numbers(tmp_path) == [0, 1, 2, 3]
    assert reopen(tmp_path).torn_tail_bytes == 0


def test_otlp_35_a_corrupt_middle_segment_is_kept_aside_and_its_intact_frames_are_read(tmp_path):
    segments = write(tmp_path, 9)
    damaged = segments[1].read_bytes()
    flip(segments[1], 1500)  # inside the second of its three frames
    stats = reopen(tmp_path)
    assert (stats.quarantined, stats.lost_frames, stats.torn_tail_bytes) == (1, 1, 0)
    assert numbers(tmp_path) == [0, 1, 2, 3, 5, 6, 7, 8]
    (kept,) = tmp_path.glob("*.quarantined")
    assert len(kept.read_bytes()) == len(damaged)
    assert kept.read_bytes() != damaged
    again = reopen(tmp_path)
    assert (again.quarantined, again.lost_frames) == (0, 0)
    assert numbers(tmp_path) == [0, 1, 2, 3, 5, 6, 7, 8]


def test_otlp_35_a_segment_without_a_header_is_kept_aside_and_the_rest_goes_on(tmp_path):
    segments = write(tmp_path, 9)
    flip(segments[1], 20)
    stats = reopen(tmp_path)
    assert (stats.quarantined, stats.lost_frames) == (1, 3)
    assert numbers(tmp_path) == [0, 1, 2, 6, 7, 8]


def test_sequences_lost_with_the_newest_segment_are_never_given_out_again(tmp_path):
    """Consumers have passed them: a new frame under an old sequence would be skipped by all."""
    segments = write(tmp_path, 9)
    (tmp_path / "durable").unlink()
    segments[-1].write_bytes(bytes(100))
    writer = JournalWriter.open(tmp_path, limits=SMALL)
    assert writer.append(1, 0, b"9999").result() > 9
    writer.close()
    assert numbers(tmp_path)[-1] == 9999


def test_acknowledged_frames_missing_from_the_tail_are_no_torn_tail(tmp_path):
    """The watermark is never ahead of the truth: what it names and is not there was damaged afterwards."""
    segments = write(tmp_path, 5)
    flip(segments[-1], segments[-1].stat().st_size - 1)
    stats = reopen(tmp_path)
    assert (stats.quarantined, stats.lost_frames) == (1, 1)
    assert numbers(tmp_path) == [0, 1, 2, 3]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_otlp_35_any_damage_to_any_file_is_survived_and_never_invents_a_frame(data, tmp_path_factory):
    directory = tmp_path_factory.mktemp("journal")
    write(directory, 9, size=data.draw(st.sampled_from([10, 300, 1000])))
    sent = bodies(directory)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(sorted(directory.iterdir())))
        content = bytearray(path.read_bytes())
        start = data.draw(st.integers(0, max(0, len(content) - 1)))
        stop = start + data.draw(st.sampled_from([1, 8, 512, 4096]))
        content[start:stop] = data.draw(st.sampled_from([b"", b"\0", b"\xff", b"afdvtjl1"])) * (stop - start)
        path.write_bytes(content)
    writer = JournalWriter.open(directory, limits=SMALL)
    assert set(bodies(directory)) <= set(sent)
    assert bodies(directory) == sorted(bodies(directory))
    sequence = writer.append(1, 0, b"9999").result()
    writer.close()
    assert bodies(directory)[-1] == b"9999"
    assert [frame.sequence for frame in JournalReader(directory).frames(0)][-1] == sequence


def test_unreadable_sectors_cost_the_frames_on_them_and_no_others():
    disk = MemoryDisk(random.Random(0))
    writer = JournalWriter.open(FOLDER, disk=disk, limits=JournalLimits(segment_bytes=1 << 16, disk_bytes_max=1 << 20))
    for n in range(40):
        writer.append(1, 0, b"%04d" % n + b"x" * 1000).result()
    writer.close()
    (name,) = [name for name in disk.live if name.endswith(".segment")]
    bad = MemoryFileWithBadSector(disk)
    writer = JournalWriter.open(FOLDER, disk=bad, limits=JournalLimits(segment_bytes=1 << 16, disk_bytes_max=1 << 20))
    assert (writer.stats.quarantined, writer.stats.lost_frames) == (1, 5)
    read = [int(body[:4]) for body in bodies(FOLDER, disk=bad)]
    assert len(read) == 35
    writer.close()
    assert name in {path.replace(".0.quarantined", ".segment") for path in disk.live if "quarantined" in path}


class MemoryFileWithBadSector(MemoryDisk):
    """Page 2 of the first segment (4,096 bytes) gives EIO."""

    def __init__(self, disk):
        super().__init__(disk.random)
        self.live, self._durable_names = disk.live, disk.live
        self.bad = disk.live["00000000000000000001.segment"]

    def open(self, path, *, write, create=False):
        file = super().open(path, write=write, create=create)
        if file._inode is self.bad:
            whole = file.read

            def read(offset, size):
                if offset < 12288 and offset + size > 8192:
                    raise OSError(errno.EIO, "bad sector")
                return whole(offset, size)

            file.read = read
        return file


def test_a_sender_cannot_forge_frames_by_what_it_sends(tmp_path):
    """A body full of frames of its own making lies behind the newest frame when its segment is recycled."""
    writer = JournalWriter.open(tmp_path, limits=SMALL)
    guessed = [bytes(8), b"afdvtjl1", decode_segment_header(next(tmp_path.glob("*.segment")).read_bytes()[:32])[0]]
    for mark in guessed:
        forged = b"".join(encode_header(mark, 0, Frame(n, 0, 1, 0, b"")) for n in range(40))
        for shift in range(3):
            writer.append(1, 0, bytes(shift) + forged).result()
    for n in range(60):
        sequence = writer.append(1, 0, b"true" + bytes(random.Random(n).randrange(900))).result()
        read = list(JournalReader(tmp_path).frames(max(0, sequence - 6)))
        assert [frame.sequence for frame in read] == list(range(max(0, sequence - 6) + 1, sequence + 1))
        assert all(len(frame.body) > 0 for frame in read)
        writer.release(sequence - 6).result()
    writer.close()
    assert all(frame.body for frame in JournalReader(tmp_path).frames(60))
