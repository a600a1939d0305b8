"""A transparency log entry held against itself: what no signature covers must follow from what one does.

Specifications: https://github.com/sigstore/rekor (dsse 0.0.1), https://github.com/sigstore/rekor-tiles (hashedrekord 0.0.2),
https://c2sp.org/tlog-checkpoint.
Law: kind, version, indexes, times, tree size and root are derived from the body, the checkpoint and each other; a
difference is an error, and what nobody signed and nothing follows from is named. No cryptography here: the verifying
library checks the promise, the proof and the checkpoint's signature.
"""

from dataclasses import replace

from attest.attestation.log_entry import LogEntry
from attest.attestation.sigstore_bundle import SigstoreBundle
from attest.errors import InvalidError, UnsupportedError
from attest.limits import DEFAULT, AttestLimits
from attest.shape import describe, read_object
from attest.tlog.checkpoint import Checkpoint, read_checkpoint
from evidence.errors import EvidenceError
from evidence.timestamp import from_unix_nano

REKOR_1, REKOR_2 = "dsse 0.0.1", "hashedrekord 0.0.2"
"""The kinds of entry that are known, as reports name them."""

_HINT_BYTES = 4


def kind_of(entry: LogEntry) -> str:
    """Kind and version, as reports name them."""
    return f"{entry.kind} {entry.version}"


def integrated_at(entry: LogEntry) -> str | None:
    """When the log promised to include it, as evidence writes times; None where nobody signed a time."""
    if entry.promise is None or not entry.integrated_time:
        return None
    try:
        return from_unix_nano(entry.integrated_time * 1_000_000_000)
    except EvidenceError as error:
        raise InvalidError(f"the log entry's integratedTime: {error}") from error


def plain(bundle: SigstoreBundle, *, limits: AttestLimits = DEFAULT) -> SigstoreBundle:
    """The bundle without what `check_entry` would only name: for a signer, so that what it writes raises no concern.

    Some logs send their witnesses' signatures under each checkpoint.

    Raises:
        InvalidError: a log entry that contradicts itself; see `check_entry`.
        UnsupportedError: another kind of entry.
    """
    return replace(bundle, entries=tuple(_plain(entry, limits) for entry in bundle.entries))


def _plain(entry: LogEntry, limits: AttestLimits) -> LogEntry:
    check_entry(entry, limits=limits)
    note = read_checkpoint(entry.proof.checkpoint.encode(), limits=limits).note
    own = tuple(one for one in note.signatures if one.key_id == entry.log_id[:_HINT_BYTES])
    proof = replace(entry.proof, checkpoint=str(replace(note, signatures=own)))
    return replace(entry, proof=proof)


def check_entry(entry: LogEntry, *, limits: AttestLimits = DEFAULT) -> tuple[str, ...]:
    """Check that a log entry does not contradict itself.

    Returns:
        What it carries that counts for nothing, each in a few words.

    Raises:
        InvalidError: a contradiction, or a part that its kind always has or never has.
        UnsupportedError: another kind of entry.
    """
    kind = kind_of(entry)
    if kind not in (REKOR_1, REKOR_2):
        raise UnsupportedError(f"the log entry is of the kind {describe(kind)}, expected {REKOR_1} or {REKOR_2}")
    _check_body(entry, limits)
    (_check_dated if kind == REKOR_1 else _check_undated)(entry)
    checkpoint = _checkpoint(entry, limits)
    others = len(checkpoint.note.signatures) - 1
    return (f"{others} further signatures under the log's checkpoint",) if others else ()


def _check_body(entry: LogEntry, limits: AttestLimits) -> None:
    said = read_object(
        entry.body, what="the log entry's body", depth_max=limits.json_depth_max, commas_max=limits.json_commas_max
    )
    if (said.get("kind"), said.get("apiVersion")) != (entry.kind, entry.version):
        inside = f"{describe(said.get('kind'))} {describe(said.get('apiVersion'))}"
        raise InvalidError(f"the log entry says {describe(kind_of(entry))}, its body {inside}")


def _check_dated(entry: LogEntry) -> None:
    if entry.promise is None or not entry.integrated_time:
        raise InvalidError(f"the log entry is {REKOR_1} and has no signed entry timestamp, which its log always gives")


def _check_undated(entry: LogEntry) -> None:
    if entry.promise is not None or entry.integrated_time:
        raise InvalidError(f"the log entry is {REKOR_2} and says when it was integrated, which its log never signs")
    if entry.index != entry.proof.index:
        raise InvalidError(f"the log entry has the index {entry.index}, its proof {entry.proof.index}")


def _checkpoint(entry: LogEntry, limits: AttestLimits) -> Checkpoint:
    proof = entry.proof
    checkpoint = read_checkpoint(proof.checkpoint.encode(errors="surrogatepass"), limits=limits)
    if proof.index >= proof.tree_size:
        raise InvalidError(f"the log entry's index {proof.index} is outside a tree of {proof.tree_size}")
    if (checkpoint.size, checkpoint.root) != (proof.tree_size, proof.root):
        raise InvalidError("the inclusion proof and the log's checkpoint are of different trees")
    own = [one for one in checkpoint.note.signatures if one.key_id == entry.log_id[:_HINT_BYTES]]
    if len(own) != 1:
        raise InvalidError(f"the log's checkpoint has {len(own)} signatures of the log, expected one")
    name = own[0].name
    if checkpoint.origin != name and not checkpoint.origin.startswith(f"{name} - "):
        raise InvalidError(f"the checkpoint of {describe(checkpoint.origin)} is signed in the name of {describe(name)}")
    return checkpoint
