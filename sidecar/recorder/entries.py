"""From a journal frame to what is to be recorded: one entry an item, with the run it belongs to.

Law: an entry is a function of the frame and the settings alone, so a replayed frame gives the same entries. Items that the
receiver rejected (`sidecar.otlp.decode`) are not there; everything else is, whatever it contains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from operator import attrgetter

from sidecar.journal import Frame
from sidecar.otlp.signal import OtlpSignal
from sidecar.recorder.entry import Entry, Part
from sidecar.recorder.requests import REQUESTS
from sidecar.recorder.telemetry import item_entries
from sidecar.translation import FrameTranslator

__all__ = ["read_entries"]


def read_entries(
    frame: Frame,
    translate: FrameTranslator,
    run_key: Sequence[str],
    *,
    may_hold: bool = True,
    naming_digest: Callable[[Part], str] = attrgetter("digest"),
) -> Iterator[Entry]:
    """The entries of one frame, in the order of the body.

    Args:
        frame: the frame.
        translate: the shared translation of frames.
        run_key: what tells runs apart.
        may_hold: whether anything may be withheld of its items.
        naming_digest: the digest of a resource that a run may be called by.
    """
    request = REQUESTS.get(frame.signal)
    if request is not None:
        yield from request(frame.body)
        return
    items = item_entries(OtlpSignal(frame.signal), translate(frame), run_key, naming_digest)
    for number, entry in enumerate(items):
        yield replace(entry, place=entry.place or (frame.sequence, number), may_hold=may_hold)
