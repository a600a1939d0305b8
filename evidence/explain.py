"""Says in words how a closure report came about and what would raise it. The report is all it reads.

Law: a sentence for every term of the sum, and none that the report does not bear.
"""

from evidence.canonical import JsonObject

_VERDICT = {
    "captured": "counts in full",
    "redacted": "counts as missing: what is withheld cannot be replayed until it is disclosed",
    "missing": "counts as missing",
    "unknown": "is left out: nothing says that it should be there",
}


def explain(report: JsonObject) -> str:
    """The closure score of a `closure-v1` report, term by term, for people.

    Args:
        report: a report with `by_signal` and `scoring`, as `evidence.scores` writes it.
    """
    closure, details = report["closure"], report["completeness"]["by_signal"]
    weights = closure["scoring"]["weights"]
    expected = {name: weight for name, weight in weights.items() if details[name]["status"] != "unknown"}
    captured = sum(weight for name, weight in expected.items() if details[name]["status"] == "captured")
    ratio = f"{captured} / {sum(expected.values())} (weight of captured signals / weight of expected signals)"
    lines = [
        f"closure {closure['score']:.3f} = {ratio}",
        f"confidence {closure['confidence']}, from capture health",
        "",
    ]
    for name, weight in weights.items():
        lines += _term(name, weight, details[name])
    if dependencies := closure.get("uncontrolled_dependencies"):
        lines += ["", "not under control in a replay:", *(f"  {text}" for text in dependencies)]
    return "\n".join(lines) + "\n"


def _term(name: str, weight: int, detail: JsonObject) -> list[str]:
    status = detail["status"]
    lines = [f"{status:>9}  {weight}  {name}: {_VERDICT[status]}; {detail['reason']}"]
    if status in {"missing", "redacted"}:
        lines += [f"{'':>14}{path}" for path in detail["evidence_paths"]]
    return lines
