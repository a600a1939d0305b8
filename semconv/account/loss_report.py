"""The `mapping-loss-v1` report of an account's sums.

Laws: it is a function of the sums; it holds only what JSON can say exactly; its lists are sorted and bounded, and say how many
entries there are in all.
"""

from __future__ import annotations

from typing import Any, Final

from semconv.account.counts import SHOWN_MAX, most
from semconv.account.sums import Sums
from semconv.reasons import REASONS, SEVERITIES

SCHEMA_VERSION: Final = "mapping-loss-v1"


def loss_report(sums: Sums) -> dict[str, Any]:
    """The report as a JSON value; sorted, bounded, and the same for the same books."""
    atoms, content = sums.buckets["atoms_in"], sums.bytes["bytes_in"]
    report: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "balanced": sums.unbalanced == 0,
        "profiles": [_profile(sums, id_) for id_ in sorted(sums.margins)],
        "totals": {
            **sums.items,
            **sums.buckets,
            "balanced": sums.unbalanced == 0,
            **sums.bytes,
            "dropped_by_severity": _by_severity(sums),
            "loss_ratio_atoms": _ratio(sums.buckets["dropped"], atoms),
            "loss_ratio_bytes": _ratio(sums.bytes["bytes_lost"], content),
            "distinct": _distinct(sums),
        },
        "by_reason": _by_reason(sums),
        "by_source": _shown(_by_source(sums)),
        "by_key": _shown(_by_key(sums)),
        "conflicts": _shown(_by_conflict(sums)),
        "source_side": {
            "redacted_at_source": sums.source_side.get("redacted_at_source", 0),
            "truncated_at_source": sums.source_side.get("truncated_at_source", 0),
            "absent_at_source": [],
        },
        "synthesized": _shown(
            [{"target": target, "rule": rule, "count": count} for (target, rule), count in most(sums.synthesized)]
        ),
        "unknown_keys": _shown([{"key": key, "count": count} for key, count in most(sums.unknown)]),
        "accounting": {"cache_in_input": _meaning(sums), "usage_rollups": sums.roll_ups},
        "reversible": {
            "lossless_spans": sums.reversal.get("lossless", 0),
            "needs_provenance": sums.reversal.get("needs_provenance", 0),
            "irreversible": sums.reversal.get("irreversible", 0),
        },
    }
    if sums.tables is not None:
        report["target"] = dict(sums.tables.target)
    return report


def _profile(sums: Sums, id_: str) -> dict[str, Any]:
    histogram = sums.margins[id_]
    items = sum(histogram.values())
    middle, seen = 0, 0
    for margin in sorted(histogram):
        seen += histogram[margin]
        if seen * 2 >= items:
            middle = margin
            break
    facts = sums.tables.profiles.get(id_, {}) if sums.tables else {}
    return {"id": id_, **facts, "items": items, "margin": {"min": min(histogram), "p50": middle}}


def _distinct(sums: Sums) -> dict[str, int]:
    return {
        "by_source": len(sums.sources),
        "by_key": len(sums.keys),
        "conflicts": len(sums.conflicts),
        "synthesized": len(sums.synthesized),
        "unknown_keys": len(sums.unknown),
    }


def _by_severity(sums: Sums) -> dict[str, int]:
    """What was dropped, by how much it matters: what is said elsewhere once more (`info`) is told from what is gone."""
    atoms = dict.fromkeys(SEVERITIES, 0)
    for reason, total in sums.reasons.items():
        atoms[REASONS.get(reason, "minor")] += total.count
    return atoms


def _by_reason(sums: Sums) -> list[dict[str, Any]]:
    lost = [
        {
            "reason": reason,
            "severity": REASONS.get(reason, "minor"),
            "atoms": total.count,
            "bytes": total.bytes,
            "recoverable": total.retained,
        }
        for reason, total in sorted(sums.reasons.items(), key=lambda item: (-item[1].count, item[0]))
    ]
    noted = [
        {"reason": reason, "severity": REASONS.get(reason, "info"), "atoms": 0, "noted": count}
        for reason, count in most(sums.notes)
    ]
    return lost + noted


def _by_source(sums: Sums) -> list[dict[str, Any]]:
    return [
        {
            "profile": profile,
            "scope": scope,
            "atoms_in": source.atoms_in,
            "dropped": source.dropped,
            "by_reason": dict(sorted(source.by_reason.items())),
        }
        for (profile, scope), source in sorted(sums.sources.items(), key=lambda item: (-item[1].atoms_in, item[0]))
    ]


def _by_key(sums: Sums) -> list[dict[str, Any]]:
    return [
        {
            "key": path,
            "container": container,
            "reason": reason,
            "count": key.count,
            "bytes": key.bytes,
            "target": key.target or None,
            "declared": key.declared,
            "example": {"trace_id": key.example[0], "span_id": key.example[1]},
        }
        for (path, container, reason), key in sorted(sums.keys.items(), key=lambda item: (-item[1].count, item[0]))
    ]


def _by_conflict(sums: Sums) -> list[dict[str, Any]]:
    return [
        {"concept": key, "chosen": {"key": key}, "lost": [{"key": path}], "count": count}
        for (key, path), count in most(sums.conflicts)
    ]


def _meaning(sums: Sums) -> str:
    said = sorted(sums.cache_in_input)
    return said[0] if len(said) == 1 else "mixed" if said else "unknown"


def _shown(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return entries[:SHOWN_MAX]


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0
