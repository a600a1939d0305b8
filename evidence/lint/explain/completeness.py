"""Says in words how the completeness of a pack came about and what would raise it.

Law: a line for every signal that the pack requires, and none for another.
"""

from collections.abc import Iterator, Mapping

from evidence.canonical import JsonObject
from evidence.lint.explain.brief import brief
from evidence.lint.explain.places import places
from evidence.packs import Pack
from evidence.signals import Registry

_COUNTED = {
    "captured": "counts",
    "redacted": "counts",
    "missing": "does not count",
    "unknown": "does not count: nothing shows that it was captured",
}


def explain_completeness(
    pack: Pack, score: float, details: Mapping[str, JsonObject], registry: Registry
) -> Iterator[str]:
    """The completeness of one pack signal by signal, a line each.

    Args:
        pack: the pack.
        score: its completeness.
        details: `completeness/by_signal` of the closure report over the same events.
        registry: the signals it was made with.
    """
    required = pack.requires_signals
    counted = sum(details[name]["status"] in {"captured", "redacted"} for name in required)
    yield f"completeness of {pack.id} {score:.3f} = {counted} / {len(required)}"
    yield "the required signals captured or withheld against a commitment, over all that are required (completeness_ratio_v1)"
    yield ""
    for name in required:
        status = details[name]["status"]
        yield f"{status:>9}  {name}: {brief(details[name]['reason'])}; {_COUNTED[status]}"
        if status == "missing":
            yield from places(details[name]["evidence_paths"], indent=11)
            yield f"{'':>11}to close it: {registry.signals[name].remedy}"
