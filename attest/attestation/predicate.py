"""The predicate `urn:affidavit:evidence-bundle:v1`: what a statement says about evidence bundles.

Law: everything in an entry follows from the bundle's own bytes, so a verifier that holds the bundle rebuilds the entry
and compares. Nothing is stated that nobody can check.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from attest.errors import InvalidError
from evidence.bundle import BundleFacts
from evidence.canonical import parse_object
from evidence.manifest import CLOSURE, EVENTS, FORMULA_RECEIPTS, MANIFEST

PREDICATE_TYPE = "urn:affidavit:evidence-bundle:v1"
"""The one predicate type written and accepted."""

_REPORTS = "reports/"
_PACK = ("name", "version", "digest")
_RECEIPT = ("receipt_id", "formula_id", "formula_semantic_version", "input_value_hash", "output_value_hash")


def entry(facts: BundleFacts) -> dict[str, Any]:
    """What the predicate says about one bundle.

    Raises:
        EvidenceError: the formula receipts of the bundle are not canonical JSON.
        InvalidError: they are no formula receipts.
    """
    manifest = facts.manifest
    report = parse_object(facts.reports[FORMULA_RECEIPTS])
    try:
        receipts = [_pick(receipt, _RECEIPT) for receipt in report["receipts"]]
    except (KeyError, TypeError) as error:
        raise InvalidError(f"{FORMULA_RECEIPTS} holds no formula receipts: {error}") from error
    return {
        "bundle_id": facts.bundle_id,
        "run_id": manifest["run_id"],
        "part": manifest["part"],
        "file": facts.file,
        "manifest_sha256": facts.manifest_sha256,
        "event_count": manifest["event_count"],
        "merkle_root": manifest["merkle"]["root"],
        "closure_report_sha256": facts.members[CLOSURE],
        "packs": [_pick(pack, _PACK) for pack in manifest["x-assay"]["packs_applied"]],
        "mapping": manifest["mapping"],
        "formula_receipts": receipts,
    }


def subjects(facts: BundleFacts) -> dict[str, str]:
    """SHA-256 in hexadecimal of everything the statement is about, by subject name.

    The container under its file name; the manifest, the event lines and each report under the bundle's id. Packs and
    profiles are not subjects of their own: the manifest lists them with their digests.
    """
    named = {
        f"{facts.bundle_id}/{name}": digest
        for name, digest in facts.members.items()
        if name in (MANIFEST, EVENTS) or name.startswith(_REPORTS)
    }
    return {facts.file: facts.container_sha256, **named}


def predicate(bundles: Sequence[BundleFacts], producer: Mapping[str, str]) -> dict[str, Any]:
    """The whole predicate over some bundles, in the order given."""
    return {"producer": dict(producer), "bundles": [entry(facts) for facts in bundles]}


def _pick(source: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: source[name] for name in names}
