"""The whole journal on a disk that fails, tears and forgets (OTLP checklist, items 33, 34 and 36).

The law: whatever happens, everything acknowledged is read once, in order and as it was sent; nothing that nobody sent is ever read.
A run is given by its seed: `simulate(seed)` replays it.
"""

import contextlib
import errno
import itertools
import random
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.errors import JournalError, Overloaded
from sidecar.journal import JournalLimits, JournalReader, JournalWriter
from tests.sidecar.journal.memory_disk import MemoryDisk, Stopped

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
"""The machine stops inside the writer's thread."""

FOLDER = Path("/journal")
LIMITS = JournalLimits(
    segment_bytes=4096, group_bytes_max=2048, disk_bytes_max=1 << 30, body_bytes_max=1 << 20, spare_segments_max=2
)


@dataclass
class World:
    rng: random.Random
    disk: MemoryDisk
    sent: dict[int, bytes] = field(default_factory=dict)
    """By the number that each body begins with."""
    acknowledged: dict[int, bytes] = field(default_factory=dict)
    """By sequence."""
    released: int = 0
    number: itertools.count = field(default_factory=itertools.count)

    def live(self, crash: bool) -> None:
        """One process, from opening to a clean end, or to a crash at a random operation."""
        if crash:
            self.disk.stop_at = self.disk.operations + self.rng.randrange(1, 120)
        try:
            writer = JournalWriter.open(FOLDER, limits=LIMITS, disk=self.disk, entropy=self.rng.randbytes)
        except Stopped:
            return
        futures: dict[Future[int], bytes] = {}
        for _ in range(self.rng.randrange(30)):
            futures |= self.send(writer)
            self.disk.fail = self.trouble() if self.rng.random() < 0.1 else lambda operation, name: None
            if self.rng.random() < 0.1:
                self.collect(futures)
                self.release(writer)
        writer.close()
        self.collect(futures)

    def send(self, writer: JournalWriter) -> dict[Future[int], bytes]:
        body = b"%08d" % (number := next(self.number)) + self.body()
        try:
            self.sent[number] = body
            return {writer.append(1, 0, body): body}
        except (JournalError, Overloaded):
            return {}

    def body(self) -> bytes:
        """Random bytes, often with a copy of what lies on the disk: an old frame is the best forgery of a new one."""
        size = self.rng.choice((0, 10, 300, 1000, 3000, 9000))
        files = [bytes(inode.live) for inode in self.disk.live.values() if len(inode.live) > size]
        if files and self.rng.random() < 0.5:
            start = self.rng.randrange(len(content := self.rng.choice(files)) - size)
            return content[start : start + size]
        return self.rng.randbytes(size)

    def trouble(self):
        operation = self.rng.choice(("write", "sync", "allocate", "create", "rename", "sync_directory"))
        number = self.rng.choice((errno.EIO, errno.ENOSPC))
        return lambda asked, name: number if asked == operation else None

    def collect(self, futures: dict[Future[int], bytes]) -> None:
        for future, body in futures.items():
            with contextlib.suppress(JournalError):
                self.acknowledged[future.result(timeout=30)] = body
        futures.clear()

    def release(self, writer: JournalWriter) -> None:
        """A consumer reads some way and says so."""
        frames = [
            frame.sequence for frame in JournalReader(FOLDER, disk=self.disk.process_death()).frames(self.released)
        ]
        if frames:
            self.released = self.rng.choice(frames)
            writer.release(self.released)

    def reboot(self, *, power_cut: bool) -> None:
        self.disk = self.disk.power_cut() if power_cut else self.disk.process_death()
        writer = JournalWriter.open(FOLDER, limits=LIMITS, disk=self.disk, entropy=self.rng.randbytes)
        self.check(writer)
        writer.close()

    def check(self, writer: JournalWriter) -> None:
        frames = list(JournalReader(FOLDER, disk=self.disk).frames(self.released))
        sequences = [frame.sequence for frame in frames]
        assert sequences == sorted(set(sequences))
        read = {frame.sequence: frame.body for frame in frames}
        expected = {sequence: body for sequence, body in self.acknowledged.items() if sequence > self.released}
        assert expected == {sequence: read.get(sequence) for sequence in expected}
        assert all(self.sent[int(body[:8])] == body for body in read.values())
        assert len({body[:8] for body in read.values()}) == len(read)
        assert writer.stats.lost_frames == 0
        assert writer.stats.quarantined == 0


def simulate(seed: int) -> World:
    rng = random.Random(seed)
    world = World(rng, MemoryDisk(rng))
    for _ in range(rng.randrange(1, 5)):
        crash = rng.random() < 0.7
        world.live(crash)
        world.reboot(power_cut=crash and rng.random() < 0.7)
    return world


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(min_value=0, max_value=2**32 - 1))
def test_otlp_33_34_36_nothing_acknowledged_is_lost_on_a_disk_that_fails_tears_and_forgets(seed):
    simulate(seed)


def test_the_simulation_meets_what_it_is_for():
    """Otherwise the property above could hold for want of trouble."""
    worlds = [simulate(seed) for seed in range(60)]
    assert sum(len(world.acknowledged) for world in worlds) > 500
    assert any(world.released for world in worlds)
    assert any(len(world.sent) > len(world.acknowledged) for world in worlds)


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(68, id="refused frames stayed in the page cache over a restart and were gone after a power cut"),
        pytest.param(136, id="the first frame of the only group in a segment was torn"),
        pytest.param(409, id="a recycled segment came back under its old name"),
        pytest.param(694, id="of two recycled segments the older one came back"),
    ],
)
def test_seeds_that_once_failed(seed):
    simulate(seed)
