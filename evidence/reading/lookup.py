"""Single events of a bundle, whole: by their id, or all that belongs to one span.

Law: the bundle is read to its end all the same, so that nothing of an invalid one is shown. Does not check signatures.
"""

from collections.abc import Callable
from pathlib import Path

from evidence.bundle.reader import EvidenceBundle
from evidence.canonical import JsonObject
from evidence.checks.item import read_item, text
from evidence.limits import DEFAULT, Limits


def find_events(
    path: Path, wanted: Callable[[JsonObject], bool], limits: Limits = DEFAULT
) -> tuple[list[JsonObject], int]:
    """The events of a bundle that are wanted, whole, and how many more there were than `Limits.events_shown_max`.

    Raises:
        BundleError: the file is not a valid evidence bundle; nothing of it is shown then.
        OSError: it cannot be read.
    """
    found: list[JsonObject] = []
    more = 0
    with EvidenceBundle.open(path, limits) as bundle:
        for event, _ in bundle.events():
            if wanted(event):
                if len(found) < limits.events_shown_max:
                    found.append(event)
                else:
                    more += 1
        bundle.finish()
    return found, more


def has_span_id(event: JsonObject, span_id: str) -> bool:
    """Whether it is the span of this id, or a log record or receipt that belongs to it."""
    item = read_item(event)
    found = item.id("spanId") if item else text(event["data"].get("span_id"))
    return found == span_id.lower()
