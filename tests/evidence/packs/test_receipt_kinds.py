"""docs/receipts.md has every kind of receipt that a signal or a built-in pack reads, with the members it asks for."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.checks.check import Check, CountWithin, ExistsForAll, Join
from evidence.checks.selector import Selector
from evidence.packs import BUILTIN, builtin
from evidence.signals import registry

PAGE = Path(__file__).resolve().parents[3] / "docs" / "receipts.md"
ROW = re.compile(r"^\| `([a-z_]+)` \| (.*?) \| ", re.MULTILINE)


def _asked() -> dict[str, set[str]]:
    """The members that are asked of each kind of receipt."""
    asked: dict[str, set[str]] = {}
    checks = [rule.check for name in BUILTIN for rule in builtin(name).rules if rule.check]
    checks += [check for signal in registry().signals.values() for check in signal.expected]
    for check in checks:
        for selector, names in _names(check):
            for kind in selector.kind if selector.event == "receipt" else ():
                asked.setdefault(kind, set()).update(name for name in names if not name.startswith("@"))
        for kind, names in check.or_receipt if isinstance(check, ExistsForAll) else ():
            asked.setdefault(kind, set()).update(names)
    return asked


def _names(check: Check) -> Iterator[tuple[Selector, set[str]]]:
    if isinstance(check, ExistsForAll):
        yield check.when, {*check.names, *check.when.values}
    elif isinstance(check, CountWithin):
        yield check.when, {*check.per, *filter(None, [check.distinct]), *check.when.values}
        if check.over:
            yield check.over, set(check.over.values)
    elif isinstance(check, Join):
        pairs = [pair for key in check.keys for pair in key] + [(each.left, each.right) for each in check.compare]
        yield check.when, {left for left, _ in pairs} | set(check.when.values)
        yield check.partner, {right for _, right in pairs} | set(check.partner.values)


ASKED = _asked()


@pytest.mark.parametrize("kind", sorted(ASKED))
def test_a_kind_that_is_read_is_documented_with_the_members_that_are_asked_for(kind):
    documented = dict(ROW.findall(PAGE.read_text()))
    assert kind in documented
    missing = [name for name in ASKED[kind] if f"**{name}**" not in documented[kind]]
    assert missing == []


def test_the_page_has_no_kind_that_nothing_reads():
    section = PAGE.read_text().partition("## Kinds")[2]
    assert {kind for kind, _ in ROW.findall(section)} - {"policy"} == set(ASKED)
