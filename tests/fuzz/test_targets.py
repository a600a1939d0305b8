"""The fuzz targets in the suite: their seeds, and some mutations of them."""

import random

import pytest

from tests.fuzz.targets import TARGETS

MUTATIONS = 60
BYTES_MAX = 65_536
SLICES = (b"", b"\0", b"\xff" * 8, b"{" * 300, b'"', b"9" * 20, b"\r\n", b"\xef\xbb\xbf", "\ud7ff\U0010ffff".encode())


def mutated(seed: bytes, chance: random.Random) -> bytes:
    """The seed with some bytes changed, taken out, put in, doubled, or the whole cut."""
    data = bytearray(seed)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        to = min(len(data), at + chance.choice((0, 1, 1, 4, 64)))
        data[at:to] = chance.choice(
            (*SLICES, bytes([chance.randrange(256)]), bytes(data[at:to]) * 2, seed[at : at + 32])
        )
    return bytes(data[: chance.choice((len(data), len(data), chance.randrange(len(data) + 1)))])


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_their_mutations_are_read_or_refused_by_name(name):
    target, chance = TARGETS[name], random.Random(name)
    seeds = [seed for seed in target.seeds() if len(seed) <= BYTES_MAX]
    assert seeds
    for seed in seeds[:8]:
        target(seed)
    for _ in range(MUTATIONS):
        target(mutated(chance.choice(seeds), chance))


def test_a_reader_that_raises_anything_else_would_be_noticed():
    from dataclasses import replace

    with pytest.raises(ZeroDivisionError):
        replace(TARGETS["event"], read=lambda data: 1 // len(data))(b"")
