"""Says in words how a closure report came about and what would raise it.

Law: a sentence for every term of the sum, and none that the report does not bear.
"""

from collections.abc import Iterator, Mapping

from evidence.canonical import JsonObject
from evidence.lint.explain.brief import brief
from evidence.lint.explain.confidence import reasons
from evidence.lint.explain.places import places
from evidence.signals import Registry

_VERDICT = {
    "captured": "counts in full",
    "redacted": "counts as missing: what is withheld cannot be replayed until it is disclosed",
    "missing": "counts as missing",
    "unknown": "is left out of the sum",
}
_BY_DISCLOSURE = "disclose the withheld bodies (affidavit evidence disclose)"


def explain_closure(report: JsonObject, health: Mapping[str, int | bool], registry: Registry) -> Iterator[str]:
    """The closure score term by term, a line each.

    Args:
        report: a `closure-v1` report with `by_signal` and `scoring`, as `evidence.scores` writes it.
        health: the capture health of the same events.
        registry: the signals it was made with.
    """
    closure, details = report["closure"], report["completeness"]["by_signal"]
    weights = closure["scoring"]["weights"]
    expected = {name: weight for name, weight in weights.items() if details[name]["status"] != "unknown"}
    captured = {name: weight for name, weight in expected.items() if details[name]["status"] == "captured"}
    yield f"closure {closure['score']:.3f} = {_sum(captured)} / {_sum(expected)}"
    yield "the weight of the captured signals over the weight of the expected ones (weighted_ratio_v1)"
    yield f"confidence {closure['confidence']}: {'; '.join(reasons(closure['confidence'], health, registry))}"
    yield ""
    for name, weight in weights.items():
        yield from _term(name, weight, details[name])
    yield from _closing(details, weights, sum(captured.values()), sum(expected.values()), registry)
    if dependencies := closure.get("uncontrolled_dependencies"):
        yield from ["", "not under control in a replay:", *(f"  {text}" for text in dependencies)]


def _sum(weights: Mapping[str, int]) -> str:
    total = sum(weights.values())
    return f"{total} ({' + '.join(map(str, weights.values()))})" if len(weights) > 1 else str(total)


def _term(name: str, weight: int, detail: JsonObject) -> Iterator[str]:
    status = detail["status"]
    yield f"{status:>9}  {weight}  {name}: {brief(detail['reason'])}; {_VERDICT[status]}"
    if status in {"missing", "redacted"}:
        yield from places(detail["evidence_paths"], indent=14)


def _closing(
    details: Mapping[str, JsonObject], weights: Mapping[str, int], captured: int, expected: int, registry: Registry
) -> Iterator[str]:
    """What would close the gap, and what each step brings when it is the only one."""
    lacking = [name for name in weights if details[name]["status"] in {"missing", "redacted"}]
    if not lacking:
        return
    yield from ["", "what would close it:"]
    for name in lacking:
        remedy = _BY_DISCLOSURE if details[name]["status"] == "redacted" else registry.signals[name].remedy
        alone = (captured + weights[name]) / expected
        yield f"  {name} (closure {alone:.3f} with it): {remedy}"
