"""The tiles of a log: where they lie, and the hashes of a tree read from them.

Specification: https://c2sp.org/tlog-tiles
Law: a tile is read for a tree of a known size, so its width is known before it is opened; whatever else lies there is refused.
Nothing read from a tile is true by itself: it counts only once it leads to the root of a signed checkpoint.
"""

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

from attest.errors import InvalidError
from evidence.merkle import root_of

HEIGHT = 8
WIDTH = 1 << HEIGHT
"""Hashes in a full tile."""
HASH_BYTES = 32
ENTRY_BYTES_MAX = (1 << 16) - 1
"""Longest entry: its length is written in 16 bits."""

_TILES_HELD = 64


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """Where a tile lies, from the log's prefix.

    >>> tile_path(0, 1234067), tile_path(1, 0, 17)
    ('tile/0/x001/x234/067', 'tile/1/000.p/17')
    """
    return f"tile/{level}/{_numbered(index, width)}"


def entries_path(index: int, width: int = WIDTH) -> str:
    """Where an entry bundle lies.

    >>> entries_path(273, 112)
    'tile/entries/273.p/112'
    """
    return f"tile/entries/{_numbered(index, width)}"


def _numbered(index: int, width: int) -> str:
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return path if width == WIDTH else f"{path}.p/{width}"


def tile_width(level: int, index: int, size: int) -> int:
    """How many hashes that tile has in a tree of `size`; 0 or less when there is none."""
    return min(WIDTH, (size >> HEIGHT * level) - index * WIDTH)


class Tiles:
    """The tree of the first `size` leaves of the log in a folder, as far as it is asked for.

    Args:
        folder: The log's prefix.
        size: Number of leaves; those beyond are not looked at.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self.size = size
        self._held: OrderedDict[tuple[int, int], bytes] = OrderedDict()

    def node(self, height: int, index: int) -> bytes:
        """The root of the complete subtree over leaves `index << height` to `(index + 1) << height`.

        Raises:
            InvalidError: the tile that it follows from is not there, or is malformed.
        """
        level, above = divmod(height, HEIGHT)
        first = index << above
        tile = self.tile(level, first // WIDTH)
        at = first % WIDTH * HASH_BYTES
        return root_of(_hashes(tile[at : at + (HASH_BYTES << above)]))

    def tile(self, level: int, index: int) -> bytes:
        """The hashes of one tile, one after the other.

        Raises:
            InvalidError: it is not part of this tree, not there, or has another length.
        """
        if (found := self._held.get((level, index))) is not None:
            self._held.move_to_end((level, index))
            return found
        width = tile_width(level, index, self.size)
        if width <= 0:
            raise InvalidError(f"a tree of {self.size} leaves has no tile {tile_path(level, index)}")
        data = self._read(tile_path(level, index), width, WIDTH * HASH_BYTES)
        if len(data) % HASH_BYTES or len(data) < width * HASH_BYTES:
            raise InvalidError(f"{tile_path(level, index, width)} has {len(data)} bytes, expected {width * HASH_BYTES}")
        self._held[level, index] = data = data[: width * HASH_BYTES]
        if len(self._held) > _TILES_HELD:
            self._held.popitem(last=False)
        return data

    def check_levels(self) -> None:
        """Compute every hash above the leaves again, from the tile below it.

        Raises:
            InvalidError: one is another, or a tile is not there.
        """
        level = 1
        while count := self.size >> HEIGHT * level:
            for index in range(count):
                if self.node(HEIGHT * level, index) != root_of(_hashes(self.tile(level - 1, index))):
                    raise InvalidError(f"{tile_path(level, index // WIDTH)} does not follow from the tiles below it")
            level += 1

    def entries(self) -> Iterator[bytes]:
        """Every entry in order.

        Raises:
            InvalidError: an entry bundle is not there, or its lengths do not come out even.
        """
        for index in range(-(-self.size // WIDTH)):
            yield from self.entry_bundle(index)

    def entry_bundle(self, index: int) -> list[bytes]:
        """The entries of one bundle, as many as this tree has.

        Raises:
            InvalidError: as `entries`.
        """
        width = tile_width(0, index, self.size)
        data = self._read(entries_path(index), width, WIDTH * (2 + ENTRY_BYTES_MAX))
        found: list[bytes] = []
        at = 0
        while at < len(data) and len(found) < WIDTH:
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            found.append(data[at + 2 : end])
            at = end
        if at != len(data) or len(found) < width:
            raise InvalidError(f"{entries_path(index, width)} is not {width} entries, each behind its length")
        return found[:width]

    def _read(self, path: str, width: int, bytes_max: int) -> bytes:
        """The partial tile of that width, else the full one, which begins with it."""
        for name in dict.fromkeys((path if width == WIDTH else f"{path}.p/{width}", path)):
            if not (self.folder / name).is_file():  # nor a pipe, which would be waited for
                continue
            with (self.folder / name).open("rb") as file:
                data = file.read(bytes_max + 1)
            if len(data) > bytes_max:
                raise InvalidError(f"{name} has more than {bytes_max} bytes")
            return data
        raise InvalidError(f"{path} is not there, and a tree of {self.size} leaves has it")


def write_entry(entry: bytes) -> bytes:
    """One entry as an entry bundle has it, behind its length in 16 bits.

    Raises:
        ValueError: longer than 65535 bytes.
    """
    if len(entry) > ENTRY_BYTES_MAX:
        raise ValueError(f"an entry of {len(entry)} bytes, expected at most {ENTRY_BYTES_MAX}")
    return len(entry).to_bytes(2, "big") + entry


def _hashes(data: bytes) -> list[bytes]:
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]
