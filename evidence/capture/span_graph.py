"""The spans of a part beside each other: repetitions, conflicts, absent parents, children before their parents.

Law: the result depends on the spans and their order alone. Identities are the last 64 bits of span and trace id, compared
share by share, so that what is looked up is bounded in memory whatever the number of spans.
"""

from array import array
from collections import Counter
from hashlib import sha256

from evidence.canonical import JsonObject
from evidence.capture.tolerance import CLOCK_SKEW_NANOS_MAX
from evidence.limits import DEFAULT, Limits

_COMPARED_AT_ONCE = 32_768  # spans; some 100 bytes each
_REMOTE = 0x200  # OTLP span flags: the parent is known to be in another process
_UINT64_MAX = 2**64 - 1


class SpanGraph:
    """Takes the spans of one part, in order.

    Holds 32 bytes a span for up to `Limits.spans_tracked_max` spans; spans beyond that are counted in `untracked` and
    compared with none.
    """

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self._most = limits.spans_tracked_max
        self._ids = array("Q")
        self._contents = array("Q")
        self._parents = array("Q")
        self._starts = array("Q")
        self.untracked = 0
        self.remote_parents = 0
        """Spans whose parent is in another process, by their own word: not looked for."""

    def add(self, span: JsonObject, flags: int, start_unix_nano: int, content: bytes | memoryview) -> None:
        """Note a span; `content` is what makes it the same span when it comes again."""
        if len(self._ids) >= self._most:
            self.untracked += 1
            return
        trace, parent = _key(span.get("traceId")), 0
        if "parentSpanId" in span and (parent := _key(span["parentSpanId"])) and flags & _REMOTE:
            self.remote_parents += 1
            parent = 0
        self._ids.append(trace ^ _key(span.get("spanId")))
        self._parents.append(trace ^ parent if parent else 0)
        self._starts.append(min(start_unix_nano, _UINT64_MAX))
        self._contents.append(int.from_bytes(sha256(content).digest()[:8], "big"))

    def compared(self) -> Counter[str]:
        """What comparing every span with every other gives, by counter of capture health."""
        counts: Counter[str] = Counter()
        shares = 1 + len(self._ids) // _COMPARED_AT_ONCE
        for share in range(shares):
            self._compare(share, shares, counts)
        return counts

    def _compare(self, share: int, shares: int, counts: Counter[str]) -> None:
        contents, starts = self._contents, self._starts
        first: dict[int, int] = {}
        for index, identity in enumerate(self._ids):
            if identity % shares != share:
                continue
            if (before := first.setdefault(identity, index)) != index:
                counts["duplicates" if contents[before] == contents[index] else "conflicting_ids"] += 1
        absent: set[int] = set()
        for index, parent in enumerate(self._parents):
            if not parent or parent % shares != share:
                continue
            if (found := first.get(parent)) is None:
                counts["orphan_spans"] += 1
                absent.add(parent)
            elif starts[index] + CLOCK_SKEW_NANOS_MAX < starts[found]:
                counts["early_children"] += 1
        counts["missing_parents"] += len(absent)


def _key(text: object) -> int:
    """The last 64 bits of a hexadecimal id; 0 for none and for what is no id."""
    try:
        return int(text[-16:], 16) & _UINT64_MAX  # type: ignore[index]  # what is no text raises
    except (LookupError, TypeError, ValueError):
        return 0
