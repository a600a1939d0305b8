"""docs/rules.md: every rule of the built-in packs, with its reference and its check in words. Made from the packs."""

from __future__ import annotations

from collections.abc import Iterator

from evidence.lint.explain.rule import asks
from evidence.packs import BUILTIN, Pack, Rule, builtin
from evidence.signals import registry
from tests.tools import markdown

HEAD = """\
# Rules of the built-in packs

Made from the packs in `evidence/builtin/` by `make proto`; not to be edited. What a pack is: [docs/packs.md](packs.md).
A rule that holds says that the evidence supports it, never that anybody complies. `affidavit packs show NAME` says the same in a terminal,
with remedies and rationale; `affidavit evidence lint BUNDLE --explain PACK:RULE` how a rule came out.

*b*: the text is known from secondary sources. *p*: the check is a proposal of this project. *c*: to be checked against the primary text.
"""

MARKS = {"secondary": "b", "proposal": "p"}


def rules() -> str:
    """The whole document."""
    return "\n".join([HEAD, *(line for name in BUILTIN for line in _pack(builtin(name)))]).rstrip() + "\n"


def _pack(pack: Pack) -> Iterator[str]:
    yield f"## {pack.name}"
    yield ""
    yield f"Version {pack.version}, {pack.kind}, {len(pack.rules)} rules. {pack.description}."
    yield f"Completeness is over {', '.join(f'`{name}`' for name in pack.requires_signals)}."
    yield ""
    for said in _applies(pack):
        yield said
        yield ""
    if pack.disclaimer:
        yield f"> {pack.disclaimer}"
        yield ""
    has_references = any(rule.framework for rule in pack.rules)
    yield from markdown.table(
        ["Rule", "Severity", "Title", *(["Reference", "Marks"] if has_references else []), "Asks that"],
        (_row(rule, has_references=has_references) for rule in pack.rules),
    )


def _applies(pack: Pack) -> Iterator[str]:
    """When its rules apply, where they name a day; rules of the same days together."""
    days: dict[str, list[str]] = {}
    for rule in pack.rules:
        said = ", ".join(f"{since}{name and f' ({name})'}" for name, since in rule.applies_from.items())
        days.setdefault(said, []).append(rule.id)
    yield from (f"From {said}: {', '.join(ids)}." for said, ids in days.items() if said)


def _row(rule: Rule, *, has_references: bool) -> list[str]:
    marks = MARKS.get(rule.basis or "", "") + ("c" if rule.to_be_checked else "")
    only = [f"only with `--profile {rule.profile}`"] if rule.profile else []
    about = [" ".join(filter(None, (rule.framework, rule.ref))), rule.ref_title and f"({rule.ref_title})", rule.role]
    reference = [" ".join(filter(None, about)), " ".join(marks)] if has_references else []
    return [
        f"`{rule.id}`",
        rule.severity,
        "; ".join([rule.title, *only]),
        *reference,
        "; and ".join(asks(rule, registry())),
    ]
