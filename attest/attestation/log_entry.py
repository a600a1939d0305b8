"""A transparency log entry in the JSON of a Sigstore bundle.

Specification: https://github.com/sigstore/protobuf-specs (sigstore_rekor.proto, protobuf JSON mapping).
Law: an entry is written in one way; what `read_entry` accepts in another, `entry_json` gives again in that one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from attest.dsse import decode_base64, encode_base64
from attest.errors import InvalidError
from attest.limits import AttestLimits
from attest.shape import expect, members
from attest.tlog.checkpoint import read_hash, read_number

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryProof:
    """That an entry is in a log's tree, with the tree's head as the bundle has it. Nothing in it is verified yet."""

    index: int
    tree_size: int
    root: bytes
    hashes: tuple[bytes, ...]
    checkpoint: str
    """The log's signed note over its tree's head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """What a transparency log said about a signature. Nothing in it is verified yet."""

    index: int
    """The outer one: under the promise of Rekor 1, unsigned with Rekor 2."""
    log_id: bytes
    kind: str
    version: str
    integrated_time: int
    """Seconds since 1970; 0 where the log gives none."""
    promise: bytes | None
    """The signed entry timestamp (SET) of Rekor 1."""
    proof: EntryProof
    body: bytes


def read_entry(value: object, where: str, limits: AttestLimits) -> LogEntry:
    """Decode the entry at `where`. Checks its form only.

    Raises:
        InvalidError: a member missing or malformed, too many or too large.
        UnsupportedError: a member that this version does not know.
    """
    required = {"logId": dict, "kindVersion": dict, "inclusionProof": dict, "canonicalizedBody": str}
    obj = members(value, where, required, {"logIndex": object, "integratedTime": object, "inclusionPromise": dict})
    kind = members(obj["kindVersion"], f"{where}.kindVersion", {"kind": str, "version": str})
    log_id = members(obj["logId"], f"{where}.logId", {"keyId": str})["keyId"]
    promise = obj.get("inclusionPromise")
    if promise is not None:
        promise = members(promise, f"{where}.inclusionPromise", {"signedEntryTimestamp": str})["signedEntryTimestamp"]
    return LogEntry(
        index=_int64(obj, "logIndex", where),
        log_id=read_bytes(log_id, f"{where}.logId.keyId", limits.signature_bytes_max),
        kind=kind["kind"],
        version=kind["version"],
        integrated_time=_int64(obj, "integratedTime", where),
        promise=read_bytes(promise, f"{where}.inclusionPromise", limits.signature_bytes_max)
        if promise is not None
        else None,
        proof=_proof(obj["inclusionProof"], f"{where}.inclusionProof", limits),
        body=decode_base64(obj["canonicalizedBody"], what=f"{where}.canonicalizedBody"),
    )


def _proof(value: object, where: str, limits: AttestLimits) -> EntryProof:
    required = {"rootHash": str, "treeSize": object, "checkpoint": dict}
    obj = members(value, where, required, {"logIndex": object, "hashes": list})

    def step(item: object, at: str) -> bytes:
        return read_hash(expect(item, str, at), at)

    return EntryProof(
        index=_int64(obj, "logIndex", where),
        tree_size=_int64(obj, "treeSize", where),
        root=read_hash(obj["rootHash"], f"{where}.rootHash"),
        hashes=read_each(obj.get("hashes", []), f"{where}.hashes", limits.proof_hashes_max, step),
        checkpoint=members(obj["checkpoint"], f"{where}.checkpoint", {"envelope": str})["envelope"],
    )


def _int64(obj: Mapping[str, object], name: str, where: str) -> int:
    """A number in the JSON of protobuf: a string, of some writers a number, and of most nothing where it is 0."""
    value = obj.get(name, "0")
    text = str(value) if type(value) is int else expect(value, str, f"{where}.{name}")
    return read_number(text, f"{where}.{name}")


def entry_json(entry: LogEntry) -> dict[str, object]:
    """The JSON form that `read_entry` reads."""
    proof, promised = entry.proof, entry.promise
    return {
        "logIndex": str(entry.index),
        "logId": {"keyId": encode_base64(entry.log_id)},
        "kindVersion": {"kind": entry.kind, "version": entry.version},
        "integratedTime": str(entry.integrated_time),
        **({} if promised is None else {"inclusionPromise": {"signedEntryTimestamp": encode_base64(promised)}}),
        "inclusionProof": {
            "logIndex": str(proof.index),
            "rootHash": encode_base64(proof.root),
            "treeSize": str(proof.tree_size),
            "hashes": [encode_base64(step) for step in proof.hashes],
            "checkpoint": {"envelope": proof.checkpoint},
        },
        "canonicalizedBody": encode_base64(entry.body),
    }


def read_each(items: list[object], where: str, most: int, read_one: Callable[[object, str], T]) -> tuple[T, ...]:
    """The items of a list, each read with its place; refused when there are more than `most`."""
    if len(items) > most:
        raise InvalidError(f"the bundle has {len(items)} {where}, expected at most {most}")
    return tuple(read_one(item, f"{where}[{index}]") for index, item in enumerate(items))


def read_bytes(text: str, where: str, most: int) -> bytes:
    """Strict base64 of at most so many bytes."""
    data = decode_base64(text, what=where)
    if len(data) > most:
        raise InvalidError(f"{where} has {len(data)} bytes, expected at most {most}")
    return data
