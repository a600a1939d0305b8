"""An evidence bundle of ours as one of Assay's.

Law: the bundle is read in full before anything is written, and what is written is read again by our strict reader of theirs. A
bundle that was converted from one of Assay's becomes that again, byte for byte, or the report says why not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from evidence.assay.export import MEMBER, OMITTED, ToolNames, export, omitted
from evidence.assay.ledger import ConversionReport, Ledger
from evidence.assay.limits import DEFAULT, AssayLimits
from evidence.assay.reader import AssayFacts, read_assay
from evidence.assay.restore import NotRestorableError, restore
from evidence.assay.writer import AssayWriter
from evidence.bundle import BundleFacts, EvidenceBundle
from evidence.digest import sha256_hex
from evidence.errors import BundleError, EventError
from evidence.event import RECEIPT, RUN_CLOSED, RUN_OPENED
from evidence.manifest import EVENTS, MANIFEST
from sidecar.attestations import read_facts
from sidecar.converting.placing import assay_side, native_side, place, workplace
from sidecar.converting.unpacking import unpack
from sidecar.errors import SidecarError
from sidecar.producer import PRODUCER

if TYPE_CHECKING:
    from evidence.canonical import JsonObject

__all__ = ["Exporter", "to_assay"]


def to_assay(path: Path, out: Path, *, limits: AssayLimits = DEFAULT) -> ConversionReport:
    """Writes the bundle at `path` as an Assay bundle to `out`.

    Raises:
        BundleError: `path` is not a valid bundle of ours.
        SidecarError: it holds more than an Assay bundle may, or `out` is there with other content.
        OSError: a file cannot be read or written.
    """
    ledger, facts = Ledger(), read_facts(path)
    with workplace(out) as folder:
        made = folder / "made"
        try:
            _restore(path, made, ledger)
            why_not = ""
        except NotRestorableError:
            Exporter(facts, ledger, limits).export(path, made)
            why_not = _way_back(made, folder, facts)
        result = _read(made, limits)
        place(made, out)
    return ConversionReport(
        version=PRODUCER["version"],
        source=native_side(facts),
        result=assay_side(result),
        way_back="partial" if why_not else "exact",
        why_not=why_not,
        ledger=ledger,
    )


def _read(made: Path, limits: AssayLimits) -> AssayFacts:
    """What was written, read again."""
    try:
        return read_assay(made, limits)
    except BundleError as error:
        raise SidecarError(f"it does not fit into an Assay bundle: {error.reason}") from error


def _way_back(made: Path, folder: Path, facts: BundleFacts) -> str:
    """Go it: why our bundle does not come back, empty when it does."""
    try:
        unpacked = unpack(made, folder)
    except NotRestorableError as error:
        return str(error)
    return "" if unpacked.bundle_id == facts.bundle_id else "the bundle that comes back is another"


def _events(path: Path) -> Iterator[JsonObject]:
    with EvidenceBundle.open(path) as bundle:
        for event, _ in bundle.events():
            yield event


# ---------------------------------------------------------------- what came from there


def _restore(path: Path, made: Path, ledger: Ledger) -> None:
    """Writes the original again.

    Raises:
        NotRestorableError: why that cannot be.
    """
    with (made.parent / "lines").open("w+b") as spool, made.open("w+b") as file:
        manifest = restore(_events(path), spool, file).manifest
    for number in range(manifest["event_count"]):
        ledger.carried(RECEIPT, "the event that it was", f"{manifest['run_id']}:{number}")
    ledger.carried(RUN_OPENED, MANIFEST, manifest["run_root"], "context")
    ledger.lost(RUN_OPENED, "the original has no such event", "", "all else")
    ledger.lost(RUN_CLOSED, "the original has no such event", "")
    ledger.lost("reports", "the original has none", "")


# ---------------------------------------------------------------- what did not


class Exporter:
    """Writes a bundle that did not come from there."""

    def __init__(self, facts: BundleFacts, ledger: Ledger, limits: AssayLimits = DEFAULT) -> None:
        self._facts = facts
        self._names = ToolNames()
        self._ledger = ledger
        self._limits = limits

    def export(self, path: Path, made: Path) -> None:
        """Writes all of it."""
        for event in _events(path):
            self._names.add(event)
        manifest = self._facts.manifest
        run_id = manifest["run_id"] if manifest["part"] == 1 else f"{manifest['run_id']}.part{manifest['part']}"
        with (
            (made.parent / "lines").open("w+b") as spool,
            made.open("w+b") as file,
            EvidenceBundle.open(path) as bundle,
        ):
            writer = AssayWriter(
                spool,
                run_id=run_id,
                source=self._facts.source,
                producer=manifest["producer"],
                limits=self._limits,
            )
            if manifest["event_count"] > (most := self._limits.events_max):
                raise SidecarError(f"{path}: {manifest['event_count']} events, an Assay bundle holds at most {most}")
            for number, (event, line) in enumerate(bundle.events()):
                self.write(writer, event, line, manifest if number == 0 else None)
            writer.finish(file)
        self._say_of_the_rest(run_id)

    def write(self, writer: AssayWriter, event: JsonObject, line: bytes, manifest: JsonObject | None) -> None:
        """One event, with the manifest when it is the first and there is room; a stand-in when there is none for itself."""
        made, ledger = export(event, line, self._names, manifest), self._ledger
        try:
            writer.event(**made.arguments())
        except EventError as error:
            if manifest is not None:
                ledger.lost(MANIFEST, f"no room for it beside the first event: {_short(error)}", event["id"])
                self.write(writer, event, line, None)
                return
            self._omit(writer, event, line, _short(error))
            ledger.lost(event["type"], f"it does not fit, {OMITTED} stands in its place", event["id"])
            return
        ledger.carried(event["type"], f"{made.type} data.{MEMBER}.event", event["id"])
        for member in made.told:
            ledger.carried(event["type"], f"{made.type} data.{member}", event["id"], "the same fact")
        if manifest is not None:
            ledger.carried(MANIFEST, f"{made.type} data.{MEMBER}.manifest", event["id"])
        ledger.made("assaypii", "demanded, and nothing says whether there are personal data: false", event["id"])

    def _omit(self, writer: AssayWriter, event: JsonObject, line: bytes, why: str) -> None:
        try:
            writer.event(**omitted(event, sha256_hex(line), len(line), why))
        except EventError as error:
            raise SidecarError(f"{event['id']}: it does not fit into an Assay bundle: {error}") from error

    def _say_of_the_rest(self, run_id: str) -> None:
        facts, manifest, ledger = self._facts, self._facts.manifest, self._ledger
        if run_id != manifest["run_id"]:
            ledger.changed("run id", run_id, "the format knows no parts of a run", manifest["run_id"])
        if manifest["first_seq"]:
            ledger.changed("seq", "assayseq", "the format counts from 0", str(manifest["first_seq"]))
        ledger.made("assaygit", 'demanded, and not known: "unknown"', run_id)
        for name, digest in facts.members.items():
            if name not in (MANIFEST, EVENTS):
                made_again = (
                    "it can be made again from the events" if name.startswith("reports/") else "its digest is carried"
                )
                ledger.lost(name, f"the format has no place for it; {made_again}", digest)
        root = manifest["merkle"]["root"]
        ledger.lost(
            "Merkle root", "the run root binds type, subject and data of each event, and no order of proof", root
        )
        ledger.lost("attestation", "one over the source says nothing of the result", facts.container_sha256)


def _short(error: EventError) -> str:
    return str(error)[:200]
