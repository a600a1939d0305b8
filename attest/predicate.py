"""The predicate `urn:affidavit:evidence-bundle:v1`: what a statement says about evidence bundles.

Law: everything in an entry follows from the bundle's own bytes, so a verifier that holds the bundle rebuilds the entry
and compares. Nothing is stated that nobody can check.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PREDICATE_TYPE = "urn:affidavit:evidence-bundle:v1"
"""The one predicate type written and accepted."""

CLOSURE = "reports/closure.json"
FORMULA_RECEIPTS = "reports/formula-receipts.json"
_SUBJECTS = ("manifest.json", "events.ndjson")
_REPORTS = "reports/"


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFacts:
    """What is known of one sealed evidence bundle once its file is complete."""

    file: str
    """Name of the container file, without any directory."""
    container_sha256: str
    manifest: Mapping[str, Any]
    manifest_sha256: str
    members: Mapping[str, str]
    """SHA-256, in hexadecimal, of each member of the container by its name."""
    formula_receipts: Sequence[Mapping[str, Any]]
    """The receipts of `reports/formula-receipts.json`."""

    @property
    def bundle_id(self) -> str:
        """The manifest's digest without itself, which names the bundle."""
        return str(self.manifest["bundle_id"])


def entry(facts: BundleFacts) -> dict[str, Any]:
    """What the predicate says about one bundle."""
    manifest = facts.manifest
    return {
        "bundle_id": facts.bundle_id,
        "run_id": manifest["run_id"],
        "part": manifest["part"],
        "file": facts.file,
        "manifest_sha256": facts.manifest_sha256,
        "event_count": manifest["event_count"],
        "merkle_root": manifest["merkle"]["root"],
        "closure_report_sha256": facts.members[CLOSURE],
        "packs": [_pick(pack, "name", "version", "digest") for pack in manifest["x-assay"]["packs_applied"]],
        "mapping": _pick(manifest["mapping"], "target", "profiles"),
        "formula_receipts": [_pick(receipt, *_RECEIPT) for receipt in facts.formula_receipts],
    }


_RECEIPT = ("formula_id", "formula_version", "input_sha256", "output_sha256")


def subjects(facts: BundleFacts) -> dict[str, str]:
    """SHA-256 in hexadecimal of everything the statement is about, by subject name.

    The container under its file name; the manifest, the event lines and each report under the bundle's id. Packs and
    profiles are not subjects of their own: the manifest lists them with their digests.
    """
    named = {
        f"{facts.bundle_id}/{name}": digest
        for name, digest in facts.members.items()
        if name in _SUBJECTS or name.startswith(_REPORTS)
    }
    return {facts.file: facts.container_sha256, **named}


def predicate(bundles: Sequence[BundleFacts], producer: Mapping[str, str]) -> dict[str, Any]:
    """The whole predicate over some bundles, in the order given."""
    return {"producer": dict(producer), "bundles": [entry(facts) for facts in bundles]}


def _pick(source: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: source[name] for name in names if name in source}
