"""An evidence bundle of Assay's as one of ours, through the recorder and the sealer that every run goes through.

Law: each event becomes a receipt that holds it whole, at the time that it says, and the run says of which file it was made. What
the policy of redaction withholds is withheld here as well. A bundle that was made from one of ours becomes that again when it can.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from evidence.assay.ledger import ConversionReport, Ledger
from evidence.assay.reader import AssayBundle, AssayFacts, read_assay
from evidence.assay.receipts import MEMBER, body_of, context_of, held, kind_of, original, trace_of, unix_nano_of
from evidence.assay.restore import NotRestorableError, restore
from evidence.bundle import BundleFacts, EvidenceBundle
from evidence.canonical import canonical
from evidence.event import RECEIPT, RUN_GAP
from evidence.run import ATTESTATION_SUFFIX, BUNDLE_SUFFIX
from sidecar.attestations import attest_beside, attestation_path, read_facts
from sidecar.converting.placing import assay_side, native_side, place, workplace
from sidecar.converting.to_assay import Exporter
from sidecar.converting.unpacking import unpack
from sidecar.journal import Frame, FrameSignal
from sidecar.offline import Inputs, seal_files
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.producer import PRODUCER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attest.signers.signer import Signer
    from evidence.canonical import JsonObject
    from evidence.packs import Pack
    from semconv.translate import Translator

__all__ = ["Converted", "to_native"]

SOURCE = "urn:affidavit:convert:assay-v1"
_RECEIPTS_PER_FRAME = 100
_DISCLOSURES_SUFFIX = ".disclosures.ndjson"


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """What was written."""

    report: ConversionReport
    file: Path
    attestation: Path | None
    disclosures: Path | None
    """The file with what was withheld of it."""
    refused: tuple[str, ...]
    """What could not be recorded, in sentences."""


class _AssayInputs(Inputs):
    """The events of an Assay bundle as requests to the receipt service."""

    def __init__(self, path: Path, facts: AssayFacts) -> None:
        super().__init__((path,))
        self._facts = facts

    def frames(self) -> Iterator[Frame]:
        """Opening the run, then its receipts, without a time of arrival: nobody received them."""
        (path,) = self.paths
        self.reading, run_id = path, self._facts.manifest["run_id"]
        context = orjson.dumps(context_of(self._facts, PRODUCER))
        opening = pb.OpenRunRequest(run_id=run_id, context_json=context)
        began = held(self._facts.claims.first_unix_nano)  # the run is opened at its first event, as that says
        yield Frame(1, began, FrameSignal.OPEN_RUN, 0, opening.SerializeToString())
        with AssayBundle.open(path) as bundle:
            events = bundle.events()
            sequence = 1
            while some := [_receipt(event, run_id) for event, _ in islice(events, _RECEIPTS_PER_FRAME)]:
                sequence += 1
                request = pb.SubmitReceiptsRequest(receipts=some)
                yield Frame(sequence, 0, FrameSignal.RECEIPTS, 0, request.SerializeToString())


def _receipt(event: JsonObject, run_id: str) -> pb.Receipt:
    trace_id, span_id = trace_of(event)
    return pb.Receipt(
        run_id=run_id,
        kind=kind_of(event),
        idempotency_key=f"{MEMBER}:{event['assayseq']}",
        time_unix_nano=unix_nano_of(event),
        body_json=canonical(body_of(event)),
        trace_id=bytes.fromhex(trace_id),
        span_id=bytes.fromhex(span_id),
        sequence=event["assayseq"] + 1,
    )


def to_native(
    path: Path, out: Path, *, packs: Sequence[Pack], translator: Translator, signer: Signer | None
) -> Converted:
    """Writes the Assay bundle at `path` as a bundle of ours to `out`, with an attestation beside it when there is a signer.

    Raises:
        BundleError: `path` is not a valid Assay bundle.
        SidecarError: it cannot be sealed, or a file of that name is there with other content.
        AttestError: it cannot be signed.
        OSError: a file cannot be read or written.
    """
    facts, ledger = read_assay(path), Ledger()
    with workplace(out) as folder:
        try:
            unpacked = unpack(path, folder)
            made, withheld = unpacked.path, None
            refused: tuple[str, ...] = ()
            why_not = _say_unpacked(facts, unpacked, folder, ledger)
        except NotRestorableError:
            inputs = _AssayInputs(path, facts)
            (sealed,) = seal_files(
                inputs, folder, packs=packs, translator=translator, profiles={}, run_key=(), signer=None, source=SOURCE
            )
            made, refused = folder / sealed.file, tuple(inputs.refused)
            withheld = folder / sealed.disclosures if sealed.disclosures else None
            _compare(path, facts, made, ledger)
            why_not = _way_back(made, folder, facts)
        result = read_facts(made)
        report = ConversionReport(
            version=PRODUCER["version"],
            source=assay_side(facts),
            result=native_side(result),
            way_back="partial" if why_not else "exact",
            why_not=why_not,
            ledger=ledger,
        )
        if signer:
            attest_beside([result], signer)
        attested = attestation_path(made) if signer else None
        stem = out.name.removesuffix(BUNDLE_SUFFIX)
        return Converted(
            report=report,
            disclosures=place(withheld, out.with_name(stem + _DISCLOSURES_SUFFIX)) if withheld else None,
            file=place(made, out),
            attestation=place(attested, out.with_name(stem + ATTESTATION_SUFFIX), over=True) if attested else None,
            refused=refused,
        )


# ---------------------------------------------------------------- what became of it


def _compare(path: Path, facts: AssayFacts, made: Path, ledger: Ledger) -> None:
    """Hold the sealed run against what was read, event by event."""
    with AssayBundle.open(path) as source, EvidenceBundle.open(made) as bundle:
        recorded = (event for event, _ in bundle.events() if _stands_for_one(event))
        for event, line in source.events():
            _row(event, line, next(recorded, None), ledger)
    run_id = facts.manifest["run_id"]
    ledger.carried("manifest", "context of the run", facts.run_root)
    ledger.lost(
        "container", "the file itself; its digest and size stand in the context of the run", facts.container_sha256
    )
    ledger.lost("attestation", "one over the source says nothing of the result", facts.container_sha256)
    ledger.made(
        "opened_at, closed_at", "the format has no times of recording: those of the first and last event", run_id
    )
    if (named := _run_id_of(made)) != run_id:
        ledger.changed("run id", named, "not a run id of ours; it stands in the manifest in the context", run_id)


def _say_unpacked(facts: AssayFacts, unpacked: BundleFacts, folder: Path, ledger: Ledger) -> str:
    """The rows of a bundle that was ours; why the source does not come back from it, empty when it does."""
    back = folder / "back"
    Exporter(unpacked, Ledger()).export(unpacked.path, back)
    is_same = read_assay(back).events_sha256 == facts.events_sha256
    for number in range(facts.manifest["event_count"]):
        where = f"{facts.manifest['run_id']}:{number}"
        ledger.carried("data.affidavit.event", "events.ndjson", where)
        if not is_same:
            ledger.lost("the event around data.affidavit", "it is not as our bundle would be exported", where)
    ledger.carried("data.affidavit.manifest", "manifest.json", facts.run_root)
    ledger.lost("container", "the file itself: what it was made from does not name it", facts.container_sha256)
    ledger.lost("attestation", "one over the source says nothing of the result", facts.container_sha256)
    return "" if is_same else "around our events it says something else than we would"


def _stands_for_one(event: JsonObject) -> bool:
    """A receipt, or the gap in the place of one."""
    return event["type"] == RECEIPT or (event["type"] == RUN_GAP and str(event["data"]["kind"]) == "unrecordable")


def _row(event: JsonObject, line: bytes, found: JsonObject | None, ledger: Ledger) -> None:
    what, where = event["type"], event["id"]
    if found is None or found["type"] != RECEIPT:
        ledger.lost(what, f"a gap stands in its place: {found['data'].get('detail', '') if found else 'none'}", where)
        return
    to = f"receipt of kind {found['data']['kind']}"
    was = original(found["data"]["body"])
    if was is None or canonical(was) != line:
        ledger.changed(what, to, "secrets were withheld; commitments stand in their place", where)
    else:
        ledger.carried(what, to, where)
    if not unix_nano_of(event):
        ledger.changed(what, to, "a time that no recorder holds: it stands in the event alone", event["time"], "time")
    if "traceparent" in event and not trace_of(event)[0]:
        ledger.changed(what, to, "not W3C trace context: it stands in the event alone", where, "traceparent")


def _run_id_of(made: Path) -> str:
    with EvidenceBundle.open(made) as bundle:
        return str(bundle.manifest["run_id"])


def _way_back(made: Path, folder: Path, facts: AssayFacts) -> str:
    """Go it: why the original does not come back, empty when it does."""
    try:
        with (
            EvidenceBundle.open(made) as bundle,
            (folder / "lines").open("w+b") as spool,
            (folder / "back").open("w+b") as back,
        ):
            restored = restore((event for event, _ in bundle.events()), spool, back)
    except NotRestorableError as error:
        return str(error)
    return "" if restored.events_sha256 == facts.events_sha256 else "the events that come back are others"
