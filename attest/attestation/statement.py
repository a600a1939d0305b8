"""The in-toto Statement v1 over evidence bundles: made in canonical JSON, read strictly.

Specification: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
Law: what is read back is exactly what was written. The allow-lists of types hold one value each, subject names are
unique, digests are lower-case SHA-256, and every subject belongs to a bundle that the predicate names.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from attest.attestation.predicate import PREDICATE_TYPE, predicate, subjects
from attest.dsse import encode_base64
from attest.errors import InvalidError, StatementError, UnsupportedError
from attest.limits import DEFAULT, AttestLimits
from attest.shape import describe, expect, members, read_object, sha256_hex
from attest.tlog.checkpoint import Checkpoint, read_checkpoint, read_hash
from attest.tlog.proof import InclusionProof
from evidence.bundle import BundleFacts
from evidence.canonical import canonical

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
"""The one statement type written and accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvidence:
    """Where the bundles of a statement are in their sidecar's log. Nothing in it is verified; see `attest.checks.log`."""

    checkpoint: Checkpoint
    """With the cosignatures that it had then."""
    proofs: Mapping[str, InclusionProof]
    """By bundle id, one for each: the leaf is the 32 bytes of the SHA-256 of the manifest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A parsed statement. Only its form was checked: whether it is signed, and true, is for `attest.verify`."""

    subjects: Mapping[str, str]
    """SHA-256 in hexadecimal by subject name."""
    producer: Mapping[str, str]
    entries: Mapping[str, Mapping[str, Any]]
    """What the predicate says about each bundle, by bundle id."""
    log: LogEvidence | None = None


def statement(
    bundles: Sequence[BundleFacts],
    producer: Mapping[str, str],
    *,
    log: LogEvidence | None = None,
    limits: AttestLimits = DEFAULT,
) -> bytes:
    """Return the canonical bytes of one statement over these bundles, ready to be signed.

    Args:
        bundles: 1 to `limits.bundles_per_statement_max` bundles.
        producer: `name` and `version` of what makes the statement.
        log: where they are in the sidecar's log; None when there is none.
        limits: bounds on the number of bundles and subjects.

    Raises:
        StatementError: no bundle, too many, or two subjects of one name (the same bundle twice, or two files of one
            name: they could be told apart by digest only).
    """
    if not 1 <= len(bundles) <= limits.bundles_per_statement_max:
        raise StatementError(f"{len(bundles)} bundles, expected 1 to {limits.bundles_per_statement_max} a statement")
    named = [item for facts in bundles for item in subjects(facts).items()]
    twice = [name for name, count in Counter(name for name, _ in named).items() if count > 1]
    if twice:
        raise StatementError(f"two subjects are called {twice[0]!r}, expected a name of its own for each")
    if len(named) > limits.subjects_max:
        raise StatementError(f"{len(named)} subjects, expected at most {limits.subjects_max} a statement")
    return canonical(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in named],
            "predicateType": PREDICATE_TYPE,
            "predicate": predicate(bundles, producer) | ({"log": _log_member(log)} if log else {}),
        }
    )


def read(payload: bytes, *, limits: AttestLimits = DEFAULT) -> Statement:
    """Parse the payload of an attestation. Checks its form only.

    Raises:
        InvalidError: not canonical JSON, a member missing or malformed, two subjects or bundles of one name, a subject
            that belongs to no bundle.
        UnsupportedError: another statement or predicate type, or members this version does not know.
    """
    obj = _ours(payload, limits)
    content = members(obj["predicate"], "predicate", {"producer": dict, "bundles": list}, {"log": dict})
    parsed = Statement(
        subjects=read_subjects(obj["subject"], limits),
        producer=members(content["producer"], "predicate.producer", {"name": str, "version": str}),
        entries=_entries(content["bundles"], limits),
        log=_log(content["log"], limits) if "log" in content else None,
    )
    _refuse_strays(parsed)
    return parsed


def _ours(payload: bytes, limits: AttestLimits) -> dict[str, Any]:
    """The members of a statement of ours. Of one that is not ours that is said, and not how it is spelled."""
    read_as = partial(
        read_object, what="the statement", depth_max=limits.json_depth_max, commas_max=limits.json_commas_max
    )
    try:
        obj = read_as(payload)
    except InvalidError:
        with suppress(InvalidError):
            typed(read_as(payload, require_canonical=False), PREDICATE_TYPE)
        raise
    return typed(obj, PREDICATE_TYPE)


def typed(obj: dict[str, Any], predicate_type: str) -> dict[str, Any]:
    """Return `obj` when it is a statement with a predicate of that type; what is in it is not looked at.

    Raises:
        InvalidError: a member missing or of another type.
        UnsupportedError: another statement or predicate type, or members this version does not know.
    """
    for name, expected in (("_type", STATEMENT_TYPE), ("predicateType", predicate_type)):
        if obj.get(name) != expected:
            raise UnsupportedError(f"the statement's {name} is {describe(obj.get(name))}, expected {expected!r}")
    return members(obj, "statement", {"_type": str, "predicateType": str, "subject": list, "predicate": dict})


def read_subjects(items: list[object], limits: AttestLimits) -> dict[str, str]:
    """The digests of a statement's subjects by name, each with one SHA-256 and nothing else.

    Raises:
        InvalidError: none or too many, two of one name, a digest in another form.
        UnsupportedError: a member that this version does not know.
    """
    if not 1 <= len(items) <= limits.subjects_max:
        raise InvalidError(f"the statement has {len(items)} subjects, expected 1 to {limits.subjects_max}")
    found: dict[str, str] = {}
    for index, item in enumerate(items):
        where = f"subject[{index}]"
        subject = members(item, where, {"name": str, "digest": dict})
        digest = members(subject["digest"], f"{where}.digest", {"sha256": str})
        if subject["name"] in found:
            raise InvalidError(f"two subjects are called {describe(subject['name'])}")
        found[subject["name"]] = sha256_hex(digest["sha256"], f"{where}.digest.sha256")
    return found


def _entries(items: list[object], limits: AttestLimits) -> dict[str, Mapping[str, Any]]:
    if not 1 <= len(items) <= limits.bundles_per_statement_max:
        raise InvalidError(f"predicate.bundles has {len(items)} entries, at most {limits.bundles_per_statement_max}")
    found: dict[str, Mapping[str, Any]] = {}
    for index, item in enumerate(items):
        where = f"predicate.bundles[{index}]"
        obj = expect(item, dict, where)
        bundle_id = sha256_hex(obj.get("bundle_id"), f"{where}.bundle_id")
        _plain_name(obj.get("file"), f"{where}.file")
        if bundle_id in found:
            raise InvalidError(f"predicate.bundles names the bundle {bundle_id} twice")
        found[bundle_id] = obj
    return found


def _plain_name(value: object, where: str) -> None:
    """Refuse what is no name of a file in one folder: it is shown to people, and never opened."""
    name = expect(value, str, where)
    if name in ("", ".", "..") or len(name) > 255 or "/" in name or "\\" in name or not name.isprintable():
        raise InvalidError(f"{where} is {describe(name)}, expected the plain name of a file")


def _log_member(log: LogEvidence) -> dict[str, Any]:
    proofs = {
        bundle_id: {"index": proof.index, "hashes": [encode_base64(one) for one in proof.hashes]}
        for bundle_id, proof in log.proofs.items()
    }
    return {"checkpoint": str(log.checkpoint), "proofs": proofs}


def _log(value: object, limits: AttestLimits) -> LogEvidence:
    obj = members(value, "predicate.log", {"checkpoint": str, "proofs": dict})
    if len(obj["proofs"]) > limits.bundles_per_statement_max:
        raise InvalidError(
            f"predicate.log.proofs has {len(obj['proofs'])} entries, at most {limits.bundles_per_statement_max}"
        )
    return LogEvidence(
        checkpoint=read_checkpoint(obj["checkpoint"].encode(), limits=limits),
        proofs={
            name: _proof(item, f"predicate.log.proofs[{describe(name)}]", limits)
            for name, item in obj["proofs"].items()
        },
    )


def _proof(value: object, where: str, limits: AttestLimits) -> InclusionProof:
    obj = members(value, where, {"index": int, "hashes": list})
    if obj["index"] < 0 or len(obj["hashes"]) > limits.proof_hashes_max:
        raise InvalidError(
            f"{where} has the index {obj['index']} and {len(obj['hashes'])} hashes, at most {limits.proof_hashes_max}"
        )
    return InclusionProof(
        index=obj["index"],
        hashes=tuple(_hash(item, f"{where}.hashes[{at}]") for at, item in enumerate(obj["hashes"])),
    )


def _hash(value: object, where: str) -> bytes:
    return read_hash(expect(value, str, where), where)


def _refuse_strays(parsed: Statement) -> None:
    files = {entry["file"] for entry in parsed.entries.values()}
    for name in parsed.subjects:
        if name not in files and name.partition("/")[0] not in parsed.entries:
            raise InvalidError(f"the subject {describe(name)} belongs to no bundle that the predicate names")
    if parsed.log is not None and parsed.log.proofs.keys() != parsed.entries.keys():
        name = min(parsed.log.proofs.keys() ^ parsed.entries.keys())
        what = "no bundle of the predicate" if name in parsed.log.proofs else "a bundle without a proof"
        raise InvalidError(f"predicate.log.proofs: {describe(name)} is {what}, expected one proof for each bundle")
