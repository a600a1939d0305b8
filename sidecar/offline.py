"""The offline twin of the sidecar: files instead of sockets, and from there on the same recorder and the same sealer.

Law: the same files in the same order give the same bundles, byte for byte. An input that is not OTLP is refused by name and does not
spoil the others.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from evidence.bundle import BundleFacts
from evidence.packs import Pack
from evidence.redaction.commitment import SALT_BYTES
from evidence.redaction.policy import Policy, default_policy
from evidence.run import attestation_file_name
from semconv.account.account import Account
from semconv.translate import Translator
from sidecar.attestations import attest_beside
from sidecar.bundle_log import BundleLog
from sidecar.disclosing import file_name, known_key
from sidecar.errors import DecodeError, SidecarError
from sidecar.journal import Frame
from sidecar.limits import DEFAULT
from sidecar.otlp import json_codec
from sidecar.otlp.decode import decode, parse
from sidecar.otlp.signal import ENCODINGS, Encoding, OtlpSignal
from sidecar.otlp.sniff import sniff
from sidecar.recorder.books import Books
from sidecar.recorder.lifecycle import Lifecycle
from sidecar.recorder.recorder import Recorder
from sidecar.recorder.redacting import Redacting
from sidecar.recorder.sealer import Sealed, Sealer
from sidecar.recorder.store import RunRow, RunStore
from sidecar.redaction import Redactor
from sidecar.translation import FrameTranslator

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    from attest.signers.signer import Signer

__all__ = ["Inputs", "map_files", "seal_files"]

_NEVER = Lifecycle(quiet_seconds=1e9, idle_seconds=1e9, age_seconds_max=1e9, bytes_max=1 << 62)
_SOURCE = "urn:affidavit:seal"


@dataclass(slots=True)
class Inputs:
    """Files of telemetry, read one at a time, and what was refused of them."""

    paths: Sequence[Path]
    refused: list[str] = field(default_factory=list)
    """A sentence for every input, or part of one, that was not taken."""
    reading: Path | None = None
    """The file that the last frame came from."""
    on_file: Callable[[int], object] = lambda _: None
    """Told of each file that is done, for a progress bar."""

    def frames(self) -> Iterator[Frame]:
        """The requests in the files as journal frames without a time of receipt: nobody received them."""
        sequence = 0
        encodings = {name: number for number, name in ENCODINGS.items()}
        for path in self.paths:
            self.reading = path
            refused, items = len(self.refused), 0
            for signal, encoding, body in self._bodies(path):
                try:
                    decoded = decode(signal, encoding, body)
                except DecodeError as error:
                    self.refused.append(f"{path}: {error}")
                    continue
                if decoded.rejected:
                    self.refused.append(f"{path}: {decoded.error_message}")
                items += decoded.items
                sequence += 1
                yield Frame(sequence, 0, signal, encodings[encoding], body)
            if not items and len(self.refused) == refused:
                self.refused.append(f"{path}: holds no span, log record or metric")
            self.on_file(1)

    def _bodies(self, path: Path) -> Sequence[tuple[OtlpSignal, Encoding, bytes]]:
        try:
            if path.stat().st_size > DEFAULT.input_bytes_max:
                raise DecodeError(
                    path.name, got=f"{path.stat().st_size} bytes", expected=f"at most {DEFAULT.input_bytes_max}"
                )
            return sniff(path.read_bytes(), path.name)
        except (DecodeError, OSError) as error:
            reason = str(error) if isinstance(error, DecodeError) else error.strerror
            self.refused.append(f"{path}: {reason}")
            return []


def seal_files(
    inputs: Inputs,
    out: Path,
    *,
    packs: Sequence[Pack],
    translator: Translator,
    profiles: Mapping[str, bytes],
    run_key: Sequence[str],
    signer: Signer | None,
    batch: int = 1,
    source: str = _SOURCE,
    policy: Policy | None = None,
    disclosures: Path | None = None,
    encrypt_to: X25519PublicKey | None = None,
    log: BundleLog | None = None,
) -> Iterator[Sealed]:
    """Seals the runs in the inputs, each into a bundle in `out`, signed when there is a signer: up to `batch` bundles at once.

    With a log each is entered into it first, once: sealing the same inputs again adds nothing.

    What is withheld goes into files in `disclosures`, by default beside the bundles. A run whose disclosures are there already, in the
    clear, has the same key again, and so the same commitments; any other has a new one.

    Raises:
        SidecarError: A run cannot be sealed, or a bundle of the same name and other content is there already.
        AttestError: Bundles cannot be signed; none of that batch is then in `out`.
    """
    out.mkdir(parents=True, exist_ok=True)
    kept = disclosures or out
    with tempfile.TemporaryDirectory(prefix=".sealing-", dir=out) as folder:
        store = RunStore(Path(folder) / "runs.sqlite", durable=False)
        translate, books = FrameTranslator(translator), Books()
        recorder = Recorder(
            store=store,
            lifecycle=_NEVER,
            translate=translate,
            run_key=run_key,
            source=source,
            redacting=Redacting(Redactor(policy or default_policy(), translator)),
            new_key=lambda run_id, part: known_key(kept / file_name(run_id, part)) or secrets.token_bytes(SALT_BYTES),
            unrecorded=lambda _, reason: inputs.refused.append(f"{inputs.reading}: {reason}"),
            books=books,
        )
        for frame in inputs.frames():
            recorder.record([frame])
        recorder.close_all("end_of_input", 0)
        facts: list[BundleFacts] = []
        sealer = Sealer(
            store=store,
            out=Path(folder),
            packs=packs,
            translator=translator,
            profiles=profiles,
            source=source,
            sealed=lambda _, found: facts.append(found) if found else None,
            chained=False,
            disclosures=Path(folder),
            encrypt_to=encrypt_to,
            books=books,
        )
        sealing = sealer.seal_closed(_raise)
        while some := list(islice(sealing, batch)):
            if log:
                some = [replace(sealed, log_index=_enter(sealed, Path(folder), out, log)) for sealed in some]
            if signer:
                attest_beside(facts, signer, evidence=log.evidence if log else None)
                some = [replace(sealed, attestation=attestation_file_name(sealed.file)) for sealed in some]
            facts.clear()
            for sealed in some:
                _move_all(sealed, Path(folder), out, kept)
                yield sealed
        store.close()


def _raise(run: RunRow, error: Exception) -> None:
    raise SidecarError(f"run {run.run_id}: {error}") from error


def _move_all(sealed: Sealed, made: Path, out: Path, kept: Path) -> None:
    for name in filter(None, (sealed.file, sealed.attestation)):
        _move(made / name, out / name, overwrite=name != sealed.file)
    if sealed.disclosures:
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        _move(made / sealed.disclosures, kept / sealed.disclosures, overwrite=True)


def _enter(sealed: Sealed, made: Path, out: Path, log: BundleLog) -> int:
    _refuse_other(made / sealed.file, out / sealed.file)  # before the log speaks of a bundle that would not be there
    return log.enter(bytes.fromhex(sealed.manifest_sha256))


def _move(made: Path, to: Path, *, overwrite: bool) -> None:
    if not overwrite:
        _refuse_other(made, to)
    shutil.move(made, to)


def _refuse_other(made: Path, to: Path) -> None:
    if to.exists() and to.read_bytes() != made.read_bytes():
        raise SidecarError(f"{to} is there already with other content; evidence is not overwritten")


def map_files(inputs: Inputs, out: Path, *, translator: Translator, keep_unmapped: bool) -> dict[str, object]:
    """Writes the translated telemetry of the inputs to one file, and gives the mapping-loss report.

    The file is OTLP/JSON, a request a line; with the suffix .pb protobuf, the requests one after the other.
    """
    translate, account = FrameTranslator(translator), Account()
    with out.open("wb") as file:
        for frame in inputs.frames():
            for item in translate(frame):
                account.add(item.view, item.translation)
            body, _ = translate.exported(frame, keep_unmapped=keep_unmapped)
            if out.suffix == ".pb":
                file.write(body)
            else:
                file.write(json_codec.dump(parse(OtlpSignal(frame.signal), "protobuf", body)) + b"\n")
    return account.report()
