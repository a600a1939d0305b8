"""The Assay bundle that a bundle of ours was converted from, when all of it is still there.

Law: all or nothing. What is written is the events and the manifest of the original, byte for byte, or `NotRestorableError`
says why not; the container is theirs up to the choices of a compressor.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from evidence import event as ours
from evidence.assay.container import EVENTS
from evidence.assay.limits import DEFAULT, AssayLimits
from evidence.assay.manifest import read_manifest
from evidence.assay.receipts import original
from evidence.assay.writer import AssayWriter
from evidence.canonical import JsonObject, canonical
from evidence.errors import EvidenceError

_OURS_ALONE = frozenset({ours.RUN_OPENED, ours.RUN_CLOSED})
"""Events that a converted run has beside the original's."""


class NotRestorableError(EvidenceError):
    """The bundle holds no whole original; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The original, written again."""

    manifest: JsonObject
    events_sha256: str


def restore(events: Iterable[JsonObject], spool: BinaryIO, out: BinaryIO, limits: AssayLimits = DEFAULT) -> Restored:
    """Write the original of a converted run to `out`.

    Raises:
        NotRestorableError: it was not converted from an Assay bundle, or not all of that is there.
    """
    writer, manifest = None, None
    for event in events:
        if event["type"] == ours.RUN_OPENED and writer is None:
            manifest, writer = _begin(event, spool, limits)
        elif writer is None:
            raise NotRestorableError("it was not converted from an Assay bundle")
        elif event["type"] == ours.RECEIPT:
            _append(writer, event)
        elif event["type"] not in _OURS_ALONE:
            raise NotRestorableError(f"{event['id']} is of type {event['type']}: the run holds more than was converted")
    if writer is None or manifest is None:
        raise NotRestorableError("it was not converted from an Assay bundle")
    try:
        written = writer.finish(out)
    except EvidenceError as error:
        raise NotRestorableError(str(error)) from error
    if written != canonical(manifest):
        raise NotRestorableError("what is there does not come to the manifest that was converted")
    return Restored(manifest=manifest, events_sha256=manifest["files"][EVENTS]["sha256"].removeprefix("sha256:"))


def _begin(event: JsonObject, spool: BinaryIO, limits: AssayLimits) -> tuple[JsonObject, AssayWriter]:
    context = original(event["data"].get("context"))
    if context is None or not isinstance(context.get("source"), str):
        raise NotRestorableError("it was not converted from an Assay bundle")
    try:
        manifest = read_manifest(canonical(context.get("manifest")), limits)
    except EvidenceError as error:
        raise NotRestorableError(f"the manifest that was converted: {error}") from error
    writer = AssayWriter(
        spool, run_id=manifest["run_id"], source=context["source"], producer=manifest["producer"], limits=limits
    )
    return manifest, writer


def _append(writer: AssayWriter, event: JsonObject) -> None:
    was = original(event["data"]["body"])
    if was is None:
        raise NotRestorableError(f"{event['id']} holds no event of Assay's")
    try:
        writer.line(canonical(was))
    except EvidenceError as error:
        raise NotRestorableError(f"{event['id']}: {error}") from error
