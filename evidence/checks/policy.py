"""What a run says is under policy: which tools need a decision, and which an approval.

It says so in the context of `OpenRun` (`affidavit.run.opened.v1`, `context.policy`) or in a receipt of kind `policy`, with the
members `gated_tools` and `approval_tools`: lists of tool names in which `*` stands for any text. A span says so itself with
`affidavit.policy.gated` or `affidavit.approval.required`.

Law: what is said holds from where it stands in the order of events; nothing that is said later takes it back.
"""

from evidence.canonical import JsonObject
from evidence.limits import DEFAULT, Limits

GATED = "affidavit.policy.gated"
NEEDS_APPROVAL = "affidavit.approval.required"
RECEIPT_KIND = "policy"
_NAME_MAX = 256  # characters of a tool's name whose answer is remembered
_KNOWN_MAX = 1024  # of such names
_MEMBERS = ("gated_tools", "approval_tools")


class Policy:
    """The patterns that a run has told so far; at most `Limits.policy_patterns_max` of them, further ones stand for any tool."""

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self._most = limits.policy_patterns_max
        self._patterns: dict[str, dict[str, None]] = {name: {} for name in _MEMBERS}
        self._known: dict[str, tuple[bool, bool]] = {}

    def add(self, said: object) -> None:
        """Take in what a context or a receipt says; what has not the form of a policy says nothing."""
        for name, known in self._patterns.items():
            patterns = said.get(name) if isinstance(said, dict) else None
            for pattern in patterns if isinstance(patterns, list) else ():
                if isinstance(pattern, str):
                    known["*" if len(known) >= self._most else pattern] = None
        self._known.clear()

    def tool(self, name: str) -> tuple[bool, bool]:
        """Whether calls of this tool are under policy, and whether they need an approval."""
        known = self._known.get(name)
        if known is None:
            known = self._look(name)
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            if len(name) <= _NAME_MAX:
                self._known[name] = known
        return known

    def _look(self, name: str) -> tuple[bool, bool]:
        gated, approval = (any(_fits(pattern, name) for pattern in self._patterns[member]) for member in _MEMBERS)
        return gated or approval, approval


def is_true(value: JsonObject | None) -> bool:
    """Whether an OTLP/JSON value says true."""
    return value is not None and (value.get("boolValue") is True or value.get("stringValue") == "true")


def _fits(pattern: str, name: str) -> bool:
    """Whether `name` is `pattern` with any text for each `*`; in linear time, whatever the pattern."""
    first, *rest = pattern.split("*")
    if not rest:
        return name == pattern
    if not name.startswith(first) or len(name) < len(first) + len(rest[-1]) or not name.endswith(rest[-1]):
        return False
    at, end = len(first), len(name) - len(rest[-1])
    for piece in rest[:-1]:
        at = name.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True
