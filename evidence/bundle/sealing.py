"""Seals a part: from event lines to an evidence bundle on disk. No keys, no clock, no network.

Law: sealing is a function of content. The same lines, facts, packs and profiles give the same bytes with one installation,
and whatever differs in them differs in the `bundle_id`. The file appears whole or not at all.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from evidence import formulas
from evidence import manifest as layout
from evidence.bundle.reader import BundleFacts
from evidence.bundle.sequence import EventSequence
from evidence.canonical import JsonObject
from evidence.container.archive import write_container
from evidence.digest import sha256_hex
from evidence.durable import replacing
from evidence.errors import BundleError, EventError, PackError
from evidence.formulas import Context
from evidence.limits import DEFAULT, Limits
from evidence.packs import Pack
from evidence.run import RunMeta
from evidence.scores import Assessment
from evidence.signals import registry

_BATCH_BYTES = 48 * 1024  # of lines: decoded, they still fit where a core reads fast


def seal(
    *,
    events: Path,
    run: RunMeta,
    packs: Sequence[Pack],
    profiles: Mapping[str, bytes],
    mapping_loss: bytes,
    out: Path,
    limits: Limits = DEFAULT,
) -> BundleFacts:
    """Write the evidence bundle of one part.

    Args:
        events: a file of canonical event lines, each ended by a newline. Read twice, as a stream.
        run: the facts about the part that its events do not give.
        packs: what to score it by; those that are not built in travel in the bundle.
        profiles: the user's own translation tables that were used, by file name; they travel in the bundle.
        mapping_loss: `reports/mapping-loss.json`.
        out: the bundle file. Written beside itself, synced and renamed; its folder is synced too.
        limits: bounds.

    Returns:
        What is known of the bundle; `reports` holds the closure and formula reports.

    Raises:
        EventError: a line is not an evidence event of this run, or there is none.
        BundleError: the manifest, or the size of a member, would not be accepted by a reader.
        EvidenceError: a member's name or size does not fit.
        OSError: a file cannot be read or written.
    """
    assessment = Assessment(packs, limits=limits)
    sequence = EventSequence(run_id=run.run_id, first_seq=None, limits=limits)
    events_sha256 = _read_events(events, sequence, assessment, limits)
    if sequence.source != run.source:
        raise EventError(f"source: expected {run.source}, got {sequence.source or 'no events'}")
    attached = {f"{layout.PACKS}{pack.name}.yaml": pack.source for pack in packs if not pack.is_builtin}
    attached |= {f"{layout.PROFILES}{name}": content for name, content in profiles.items()}
    if len({pack.name for pack in packs}) != len(packs):
        raise PackError("packs: two of one name")
    listed = [{"path": layout.EVENTS, "sha256": events_sha256, "bytes": events.stat().st_size}]
    listed += [_entry(name, attached[name]) for name in sorted(attached)]
    listed.append(_entry(layout.MAPPING_LOSS, mapping_loss))
    content = _about_run(run) | _about_events(sequence) | _about_packs(packs)
    content |= {"files": listed, "capture_health": assessment.capture_health(), "limits": limits.to_json()}
    manifest_bytes = layout.seal_manifest(content)
    manifest = layout.read_manifest(manifest_bytes, limits)
    scores = assessment.scores(
        Context(
            run_id=run.run_id,
            computed_at=run.closed_at,
            manifest_digest="sha256:" + sha256_hex(manifest_bytes),
            events_digest="sha256:" + events_sha256,
        )
    )
    reports = {
        layout.CLOSURE: scores.closure_bytes(),
        layout.MAPPING_LOSS: mapping_loss,
        layout.FORMULA_RECEIPTS: scores.receipts_bytes(),
    }
    contents = {layout.MANIFEST: manifest_bytes, **attached, **reports}
    for name, member in contents.items():
        if len(member) > limits.member_bytes_max:
            raise BundleError("files", f"{name}: {len(member)} bytes, at most {limits.member_bytes_max} are read again")
    container_sha256, container_bytes = _write(out, layout.member_order(manifest), contents, events)
    digests = {name: sha256_hex(content) for name, content in contents.items()} | {layout.EVENTS: events_sha256}
    return BundleFacts(
        path=out,
        container_sha256=container_sha256,
        container_bytes=container_bytes,
        manifest=manifest,
        manifest_sha256=digests[layout.MANIFEST],
        members={name: digests[name] for name in layout.member_order(manifest)},
        reports=reports,
        source=sequence.source,
        first_time=sequence.first_time,
        last_time=sequence.last_time,
    )


def _read_events(path: Path, sequence: EventSequence, assessment: Assessment, limits: Limits) -> str:
    """Read every line once; the SHA-256 of the file in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for lines in _batches(file, limits):
            if not lines[-1].endswith(b"\n"):
                raise EventError(
                    f"line {sequence.size + 1}: longer than {limits.line_bytes_max} bytes, or without newline"
                )
            digest.update(b"".join(lines))
            bare = [line[:-1] for line in lines]
            assessment.add_all(list(zip(sequence.add_all(bare), bare, strict=True)))
    return digest.hexdigest()


def _batches(file: BinaryIO, limits: Limits) -> Iterator[list[bytes]]:
    """The lines of a file, some at a time, with their newlines. A line that has none, or is longer than any may be, is alone."""
    lines: list[bytes] = []
    size = 0
    while line := file.readline(limits.line_bytes_max + 2):
        if not line.endswith(b"\n"):
            if lines:
                yield lines
            yield [line]
            return
        lines.append(line)
        size += len(line)
        if size >= _BATCH_BYTES:
            yield lines
            lines, size = [], 0
    if lines:
        yield lines


def _about_run(run: RunMeta) -> JsonObject:
    content: JsonObject = {
        "schema_version": layout.SCHEMA_VERSION,
        "run_id": run.run_id,
        "part": run.part,
        "producer": dict(run.producer),
        "opened_at": run.opened_at,
        "closed_at": run.closed_at,
        "close_reason": run.close_reason,
        "mapping": dict(run.mapping),
    }
    optional = {"amends": run.amends, "previous_bundle": run.previous_bundle, "redaction": run.redaction}
    return content | {name: value for name, value in optional.items() if value is not None}


def _about_events(sequence: EventSequence) -> JsonObject:
    return {
        "event_count": sequence.size,
        "first_seq": sequence.first_seq,
        "last_seq": sequence.first_seq + sequence.size - 1,
        "merkle": {"alg": layout.MERKLE_ALG, "tree_size": sequence.size, "root": sequence.root_hex},
    }


def _about_packs(packs: Sequence[Pack]) -> JsonObject:
    return {
        "scoring": {"signals": registry().reference(), "formulas": formulas.references()},
        "x-assay": {
            "packs_applied": [pack.reference() for pack in packs],
            "mappings": [mapping for pack in packs for mapping in pack.mappings()],
        },
    }


def _entry(name: str, content: bytes) -> JsonObject:
    return {"path": name, "sha256": sha256_hex(content), "bytes": len(content)}


class _Hashing:
    """A binary file that is hashed while it is written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        self.size += len(data)
        return self._file.write(data)


def _write(out: Path, order: Sequence[str], contents: Mapping[str, bytes], events: Path) -> tuple[str, int]:
    """Write the container whole or not at all; its SHA-256 in hexadecimal and its size."""
    with events.open("rb") as lines, replacing(out) as file:
        hashing = _Hashing(file)
        write_container(hashing, _members(order, contents, lines))
    return hashing.sha256.hexdigest(), hashing.size


def _members(
    order: Sequence[str], contents: Mapping[str, bytes], lines: BinaryIO
) -> Iterator[tuple[str, int, BinaryIO | bytes]]:
    for name in order:
        if name == layout.EVENTS:
            yield name, os.fstat(lines.fileno()).st_size, lines
        else:
            yield name, len(contents[name]), contents[name]
