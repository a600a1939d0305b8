"""What there is to record: an item, or a request about a run, and what tells it from every other.

Law: an entry is a function of its frame and the settings alone; its repetition has the same digest, and nothing else has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from evidence import event
from evidence.redaction.disclosures import PieceMaker
from sidecar.translation import TranslatedItem

__all__ = ["Entry", "Part", "digest_of"]

_PART_NAMES = {event.RESOURCE: "resource", event.SCOPE: "scope"}
Kind = Literal["span", "log", "metric", "receipt", "open", "close", "seal"]


@dataclass(frozen=True, slots=True)
class Part:
    """A resource or scope that entries refer to by digest; recorded once in a run, before the first that does."""

    digest: str
    type: str
    data: dict[str, Any]
    may_hold: bool = False
    """Whether a secret may be in it."""
    pieces: PieceMaker | None = None
    """What was withheld of it."""

    @property
    def name(self) -> str:
        """`resource` or `scope`."""
        return _PART_NAMES[self.type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing to record, or one request about a run."""

    run_id: str
    kind: Kind
    data: dict[str, Any]
    """The event's data; for requests, what the sender said."""
    parts: tuple[Part, ...] = ()
    happened_unix_nano: int = 0
    """By the sender's clock; 0 when it does not say."""
    began_unix_nano: int = 0
    subject: str | None = None
    traceparent: str | None = None
    is_root: bool = False
    item: TranslatedItem | None = None
    """What it was read from, for telemetry."""
    place: tuple[str | int, ...] = ()
    """What tells it from every other of its kind in a run, the same when its frame is read again."""
    may_hold: bool = True
    """Whether anything may be withheld of it."""
    pieces: PieceMaker | None = None
    """What was withheld of it."""


def digest_of(kind: str, data: Mapping[str, Any]) -> bytes | None:
    """What an item has in common with its repetition, and with nothing else; None for items that have no name of their own.

    The same for an entry's data and for the data of the event made from it.
    """
    if kind == "span":
        return _digest((data["span"], data["resource"], data["scope"]))
    if kind == "receipt":
        return _digest({key: value for key, value in data.items() if key != "received"})
    return None


def _digest(content: object) -> bytes:
    return hashlib.blake2b(orjson.dumps(content, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()
