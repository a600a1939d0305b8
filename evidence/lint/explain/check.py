"""Says in words what a check looks at and what it asks for.

Law: everything that a check says stands in its words, so two checks that differ read differently.
"""

from collections.abc import Iterator, Sequence

from evidence.checks.check import Check, Compare, CountWithin, ExistsForAll, Join
from evidence.checks.selector import Selector

_KINDS = {
    "span": "span",
    "log": "log record",
    "resource": "resource",
    "receipt": "receipt",
    "run": "run",
    "gap": "gap event",
    "requested_tool_call": "tool call that a model's output asks for",
    "tool_definition": "tool definition that a span offers",
    "withheld": "commitment in place of content",
    "secret": "secret that a detector finds",
}
_FLAGS = {
    "failed": ("that failed", "that did not fail"),
    "has_parent": ("with a parent", "without a parent"),
    "offers_tools": ("that offers tools or asks for one", "that neither offers tools nor asks for one"),
    "gated": ("that is under policy", "that is not under policy"),
    "needs_approval": ("that needs approval", "that needs no approval"),
}
_RELATIONS = {
    "equal": "{right} equal to {left}",
    "subset": "{right} within {left}",
    "digest": "{right} that is the SHA-256 of {left}",
}


def check_in_words(check: Check) -> str:
    """One sentence, without its full stop."""
    if isinstance(check, ExistsForAll):
        return f"every {instances(check.when)} has {_demanded(check)}"
    if isinstance(check, Join):
        return f"every {instances(check.when)} has {_partner(check)}"
    return _count(check)


def instances(selector: Selector) -> str:
    """What a selector picks, as a noun in the singular."""
    return " ".join([*_kind_of(selector), _KINDS[selector.event], *_narrowing(selector)])


def _kind_of(selector: Selector) -> Iterator[str]:
    if selector.kind:
        yield _or(selector.kind)


def _narrowing(selector: Selector) -> Iterator[str]:
    if selector.operation or selector.mcp_method:
        yield f"of {_or([*selector.operation, *selector.mcp_method])}"
    for flag, (yes, no) in _FLAGS.items():
        if (value := getattr(selector, flag)) is not None:
            yield yes if value else no
    if selector.attribute:
        yield f"that has {selector.attribute}"
    values = [f"whose {name} is {'anything' if texts == ('*',) else _or(texts)}" for name, texts in selector.where]
    values += [f"whose {name} is at least {number:.15g}" for name, number in selector.at_least]
    if values:
        yield " and ".join(values)


def _demanded(check: ExistsForAll) -> str:
    parts = [*check.all_of, *([_or(check.any_of)] if check.any_of else [])]
    receipts = [f"{kind} with {_or(names)}" for kind, names in check.or_receipt]
    return " and ".join(parts) + (f", or the run has a receipt of kind {_or(receipts)}" if receipts else "")


def _partner(check: Join) -> str:
    when = {
        "ordered_before": " before it",
        "within_time": f" within {check.seconds:.15g} s after it" if check.seconds is not None else "",
    }.get(check.type, "")
    keys = _or([" and ".join(_pair(left, right) for left, right in key) for key in check.keys])
    agrees = "".join(f", with {_agreement(each)}" for each in check.compare)
    partner = instances(check.partner)
    return f"{'an' if partner[0] in 'aeiou' else 'a'} {partner}{when} with the same {keys}{agrees}"


def _pair(left: str, right: str) -> str:
    return left if left == right else f"{left} (there {right})"


def _agreement(compare: Compare) -> str:
    return _RELATIONS[compare.relation].format(left=f"its own {compare.left}", right=compare.right)


def _count(check: CountWithin) -> str:
    counted = f"{f'different {check.distinct} of ' if check.distinct else ''}{instances(check.when)}"
    groups = f" for each {' and '.join(check.per)}" if check.per else ""
    over = f", where there is any {instances(check.over)}" if check.over is not None else ""
    if check.most == 0:
        return f"there is no {counted}{groups}{over}"
    bounds = [f"at least {check.least}"] if check.least else []
    bounds += [f"at most {check.most}"] if check.most is not None else []
    return f"the count of {counted}{groups} is {' and '.join(bounds)}{over}"


def _or(words: Sequence[str]) -> str:
    return " or ".join(words)
