"""The events of one part in a row: what holds between them, and what they add up to.

Law: lines are canonical events of one run and one source, numbered without a hole; their root is the Merkle tree hash over
the lines as they stand. Times may go backwards: telemetry arrives late.
"""

from collections.abc import Sequence

from evidence.bundle.block import read_block
from evidence.canonical import JsonObject
from evidence.errors import EventError
from evidence.event import decode
from evidence.limits import DEFAULT, Limits
from evidence.merkle import MerkleTree


class EventSequence:
    """Takes the lines of a part one after another."""

    source: str
    """The CloudEvents source of all events so far; empty before the first."""
    first_time: str
    """The earliest time so far."""
    last_time: str
    """The latest time so far."""

    def __init__(self, *, run_id: str, first_seq: int | None, limits: Limits = DEFAULT) -> None:
        """`first_seq` None takes the number of the first event as it is."""
        self._run_id = run_id
        self._next_seq = first_seq
        self._limits = limits
        self._tree = MerkleTree()
        self.source = self.first_time = self.last_time = ""

    @property
    def size(self) -> int:
        """Number of events."""
        return self._tree.size

    @property
    def first_seq(self) -> int:
        """Number of the first event."""
        return (self._next_seq or 0) - self.size

    @property
    def root_hex(self) -> str:
        """The Merkle tree hash of the lines, in hexadecimal."""
        return self._tree.root().hex()

    def add(self, line: bytes) -> JsonObject:
        """The event of the next line, which stands without its newline.

        Raises:
            EventError: names the line, what was expected and what was found.
        """
        size = self._tree.size
        if size >= self._limits.events_max:
            raise EventError(f"more than {self._limits.events_max} events")
        try:
            event = decode(line, self._limits)
            self._check_place(event, is_first=not size)
        except EventError as error:
            raise EventError(f"line {size + 1}: {error}") from error
        self._tree.append(line)
        self._next_seq = event["seq"] + 1
        return event

    def add_all(self, lines: Sequence[bytes]) -> list[JsonObject]:
        """The events of the next lines: the same as `add` for each, and much quicker.

        Raises:
            EventError: as `add` does; the lines before the one it names were added.
        """
        first = [self.add(line) for line in lines[: not self.size]]  # what the others are held to
        rest = lines[len(first) :]
        if not rest or self._next_seq is None or self.size + len(rest) > self._limits.events_max:
            return [*first, *map(self.add, rest)]
        events = read_block(
            rest, run_id=self._run_id, source=self.source, first_seq=self._next_seq, limits=self._limits
        )
        if events is None:
            return [*first, *map(self.add, rest)]
        self._tree.extend(rest)
        self._next_seq += len(rest)
        times = [event["time"] for event in events]
        self.first_time = min(self.first_time, *times)
        self.last_time = max(self.last_time, *times)
        return first + events

    def _check_place(self, event: JsonObject, *, is_first: bool) -> None:
        time = event["time"]
        if is_first:
            self.source, self.first_time, self.last_time = event["source"], time, time
        if self._next_seq is not None and event["seq"] != self._next_seq:
            raise EventError(f"seq: expected {self._next_seq}, got {event['seq']}")
        if event["runid"] != self._run_id:
            raise EventError(f"runid: expected {self._run_id}, got {event['runid']}")
        if event["source"] != self.source:
            raise EventError(f"source: expected {self.source}, got {event['source']}")
        if time < self.first_time:
            self.first_time = time
        elif time > self.last_time:
            self.last_time = time
