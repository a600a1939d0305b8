"""The state of one translation: what the translated item has so far, and the bucket of every atom.

Precedence: what the item already has under a target's key stands; then the first claim. A `Run` lives as long as the
translation of its item takes.
"""

from __future__ import annotations

from semconv.messages.shapes import Shapes
from semconv.ops import Scope
from semconv.translation import Loss
from semconv.value import Texts, Value, json_text, same
from semconv.view import Attributes, LogView

WON, EQUAL, LOST = range(3)
"""What becomes of a claim: it stands, what stands is the same, or something else stands."""


class Run:
    """One item on its way."""

    __slots__ = (
        "attributes",
        "body_removed",
        "conflicts",
        "converted",
        "derived",
        "dropped",
        "event_name",
        "events_removed",
        "evicted",
        "extra",
        "finish_reasons_key",
        "folded",
        "irreversible",
        "kept",
        "loss",
        "lossy",
        "notes",
        "out",
        "record",
        "removed",
        "renamed",
        "scope",
        "shapes",
        "source_side",
        "structured",
        "synthesized",
    )

    def __init__(
        self,
        attributes: Attributes,
        shapes: Shapes,
        finish_reasons_key: str | None,
        *,
        structured: bool,
        texts: Texts | None = None,
        record: LogView | None = None,
    ) -> None:
        self.attributes = attributes
        self.shapes = shapes
        self.finish_reasons_key = finish_reasons_key
        self.structured = structured
        """Whether attributes of the signal carry structure as it is; spans carry its JSON text."""
        self.scope = Scope(attributes, texts)
        self.out: Attributes = {}
        self.removed: list[str] = []
        self.evicted: set[str] = set()
        self.events_removed: list[int] = []
        self.record = record
        """The log record it is, where it is one."""
        self.event_name: str | None = None
        """The other name a record has from now on."""
        self.body_removed = False
        self.loss: list[Loss] = []
        self.notes: list[Loss] = []
        self.conflicts: list[tuple[str, str]] = []
        self.synthesized: list[tuple[str, str]] = []
        self.source_side: dict[str, int] = {}
        self.extra = 0
        """Atoms that came to light because a text was taken apart."""
        self.kept = self.renamed = self.converted = self.folded = self.derived = self.dropped = 0
        self.lossy = False
        """Whether something is gone that does not follow from what stands now; what is lost but stays is not."""
        self.irreversible = False
        """Whether something is gone that nothing says any longer."""

    def now(self, key: str) -> Value:
        """What the translated item has under a key so far, None when nothing."""
        if key in self.out:
            return self.out[key]
        return None if key in self.evicted else self.attributes.get(key)

    def offer(self, key: str, value: Value) -> int:
        """Claim a target key: WON, EQUAL to what stands there, or LOST to it."""
        current = self.now(key)
        if current is None:
            self.out[key] = value
            return WON
        return EQUAL if same(current, value) else LOST

    def drop(self, path: str, reason: str, atoms: int = 1, bytes_lost: int | None = None) -> None:
        """Put atoms into the bucket of the lost."""
        self.loss.append(Loss(path, reason, atoms, bytes_lost))
        self.dropped += atoms

    def lose(self, key: str, path: str, reason: str, atoms: int, bytes_lost: int | None = None) -> None:
        """Put atoms there because another claim to `key` stands."""
        self.drop(path, reason, atoms, bytes_lost)
        if reason == "conflict_lost":
            self.conflicts.append((key, path))

    def seen_at_source(self, reason: str) -> None:
        """Count something that was missing before it got here."""
        self.source_side[reason] = self.source_side.get(reason, 0) + 1

    def rendered(self, value: Value) -> Value:
        """A structured value as the signal carries it."""
        return value if self.structured or not isinstance(value, dict | list) else json_text(value)
