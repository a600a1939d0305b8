"""What a bundle says of its part as a whole: who, when, how much, and the scores that it states.

Law: a function of the manifest and of the reports as they stand. Only `verify` recomputes them, and the manifest's digest
does not hold all of them.
"""

from evidence import manifest as layout
from evidence.bundle.reader import BundleFacts
from evidence.canonical import JsonObject, parse_object
from evidence.checks.item import integer, mapping, text
from evidence.errors import CanonicalError

_IDENTITY = (
    "run_id",
    "part",
    "amends",
    "bundle_id",
    "opened_at",
    "closed_at",
    "close_reason",
    "producer",
    "event_count",
    "redaction",
)
_COUNTS = ("spans", "logs", "metrics", "receipts")
_NO_HARM = frozenset((*_COUNTS, "lossy_items"))
_SEVERITIES = ("major", "minor", "info", "none")
_NAMES_MAX = 64
_WORD_MAX = 100


def head_of(facts: BundleFacts) -> JsonObject:
    """What is said of the part as a whole: by its manifest, and by its reports as they stand."""
    manifest = facts.manifest
    closure = _report(facts, layout.CLOSURE)
    outputs = mapping(_report(facts, layout.FORMULA_RECEIPTS).get("outputs"))
    completeness = mapping(outputs.get("completeness"))
    totals = mapping(_report(facts, layout.MAPPING_LOSS).get("totals"))
    stated, lost = mapping(closure.get("closure")), mapping(totals.get("dropped_by_severity"))
    health: JsonObject = manifest["capture_health"]
    return {
        **{name: manifest[name] for name in _IDENTITY if name in manifest},
        "manifest_sha256": facts.manifest_sha256,
        "source": facts.source,
        "counts": {name: health.get(name, 0) for name in _COUNTS},
        "packs": [
            {"name": pack["name"], "version": pack["version"], "completeness": _ratio(completeness, pack)}
            for pack in manifest["x-assay"]["packs_applied"]
        ],
        "closure": {
            "score": score if type(score := stated.get("score")) in {int, float} else None,
            "confidence": text(stated.get("confidence"))[:_WORD_MAX],
        },
        "signals": {
            name[:_WORD_MAX]: text(mapping(detail).get("status"))[:_WORD_MAX]
            for name, detail in list(mapping(mapping(closure.get("completeness")).get("by_signal")).items())[
                :_NAMES_MAX
            ]
        },
        "capture_health": {
            name: count for name, count in list(health.items())[:_NAMES_MAX] if count and name not in _NO_HARM
        },
        "mapping": {
            "target": manifest["mapping"]["target"]["id"],
            "atoms_in": integer(totals.get("atoms_in")) or 0,
            "lost": {severity: integer(lost.get(severity)) or 0 for severity in _SEVERITIES},
        },
    }


def _report(facts: BundleFacts, name: str) -> JsonObject:
    """A report as the bundle has it; empty when it is none. The manifest's digest does not hold all of them."""
    try:
        return parse_object(facts.reports.get(name, b"{}"))
    except CanonicalError:
        return {}


def _ratio(completeness: JsonObject, pack: JsonObject) -> object:
    found = completeness.get(f"{pack['name']}@{pack['version']}")
    return found if type(found) in {int, float} else None
