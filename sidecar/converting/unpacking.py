"""The bundle of ours that an Assay bundle was made from, sealed again.

Law: it is sealed by the same code from the same lines, and only taken when its id comes out the same: byte for byte, or not at all.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from evidence.assay.export import MEMBER
from evidence.assay.reader import AssayBundle
from evidence.assay.restore import NotRestorableError
from evidence.bundle import BundleFacts, seal
from evidence.canonical import canonical
from evidence.errors import EvidenceError
from evidence.event import decode
from evidence.limits import DEFAULT
from evidence.manifest import EVENTS, MAPPING_LOSS, read_manifest
from evidence.packs import applied
from evidence.run import RunMeta, bundle_file_name
from sidecar.mapping import MappingAgain

if TYPE_CHECKING:
    from evidence.canonical import JsonObject

__all__ = ["unpack"]


def unpack(path: Path, folder: Path) -> BundleFacts:
    """Seals the bundle that the Assay bundle at `path` was made from into `folder`.

    Raises:
        NotRestorableError: there is none in it, or it does not come out the same here.
    """
    lines = folder / "carried"
    manifest = _carried(path, lines)
    try:
        return _seal(manifest, lines, folder)
    except NotRestorableError:
        raise
    except EvidenceError as error:
        raise NotRestorableError(str(error)) from error


def _carried(path: Path, lines: Path) -> JsonObject:
    """Writes our lines to a file; the manifest they belong to."""
    manifest: JsonObject | None = None
    with AssayBundle.open(path) as bundle, lines.open("wb") as file:
        for event, _ in bundle.events():
            held = _member(event["data"], MEMBER)
            manifest = manifest or _member(held, "manifest")
            if manifest is None:
                raise NotRestorableError("it carries no manifest of ours")
            ours = _member(held, "event")
            if ours is None:
                raise NotRestorableError(f"{event['id']} carries no event of ours")
            file.write(canonical(ours) + b"\n")
    assert manifest is not None, "a bundle has an event"
    return manifest


def _member(value: object, name: str) -> Any:  # noqa: ANN401 - what another tool's event holds
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else None


def _seal(carried: JsonObject, lines: Path, folder: Path) -> BundleFacts:
    manifest = read_manifest(canonical(carried), DEFAULT)
    if own := [entry["path"] for entry in manifest["files"] if entry["path"] not in (EVENTS, MAPPING_LOSS)]:
        raise NotRestorableError(f"{own[0]} was not carried")
    source, mapping_loss = _translated(manifest, lines)
    said = {name: manifest[name] for name in _RUN if name in manifest}
    run = RunMeta(source=source, **said)
    out = folder / bundle_file_name(run.run_id, run.part)
    packs = applied(manifest, {})
    sealed = seal(events=lines, run=run, packs=packs, profiles={}, mapping_loss=mapping_loss, out=out)
    if sealed.bundle_id != manifest["bundle_id"]:
        raise NotRestorableError("sealed here it comes to another bundle")
    return sealed


def _translated(manifest: JsonObject, lines: Path) -> tuple[str, bytes]:
    """The source of the events, and the loss report, made again."""
    mapping = MappingAgain()
    if other := mapping.begin(manifest, {}):
        raise NotRestorableError(f"its loss report cannot be made again: {other}")
    source = ""
    with lines.open("rb") as file:
        for line in file:
            event = decode(line.rstrip(b"\n"))
            source = source or event["source"]
            try:
                mapping.event(event)
            except Exception as error:
                raise NotRestorableError(f"{event['id']}: {type(error).__name__} on translating it again") from error
    return source, mapping.report()


_RUN = (
    "run_id", "part", "opened_at", "closed_at", "close_reason", "producer", "mapping", "amends", "previous_bundle", "redaction"
)  # fmt: skip
"""Members of a manifest that a run is sealed by."""
