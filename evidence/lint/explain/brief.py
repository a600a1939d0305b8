"""Reasons for people: of many alternatives the first two are named, and the rest is counted. Reports keep all of them."""

import re

_SHOWN = 2
_ALTERNATIVES = re.compile(r"[^\s,()]+(?: or [^\s,()]+){3,}")


def brief(reason: str) -> str:
    """A reason of `evidence.checks.ledger`: `lack a or b or c or d (1)` as `lack any of a, b or 2 others (1)`."""
    return _ALTERNATIVES.sub(_counted, reason)


def _counted(found: re.Match[str]) -> str:
    names = found.group().split(" or ")
    return f"any of {', '.join(names[:_SHOWN])} or {len(names) - _SHOWN} others"
