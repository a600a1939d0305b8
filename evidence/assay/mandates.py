"""Mandates in an Assay bundle, and whether their uses keep to them: that one stands in a bundle shows nothing yet.

Law: only what the bundle itself says is compared. Whether a mandate was signed, and by whom, is not looked at here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from evidence.assay import timestamp
from evidence.assay.event_types import MANDATE, MANDATE_REVOKED, MANDATE_USED
from evidence.assay.limits import AssayLimits
from evidence.canonical import JsonObject, canonical
from evidence.digest import tagged
from evidence.errors import EvidenceError

_NOT_HASHED = ("mandate_id", "signature")

Finding = tuple[str, str, int]
"""Id of a doubt, what it says, and the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mandate:
    not_before: int | None
    expires_at: int | None
    uses_max: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    line: int
    use_id: str
    consumed_at: int


@dataclass(slots=True)
class Mandates:
    """Looks at the events of one bundle in order; judges at the end, because a mandate may be told after its use."""

    limits: AssayLimits
    _mandates: dict[str, _Mandate] = field(default_factory=dict)
    _revoked: dict[str, int] = field(default_factory=dict)
    _uses: dict[str, list[_Use]] = field(default_factory=dict)
    _found: list[Finding] = field(default_factory=list)
    _kept: int = 0

    def add(self, event: JsonObject, line: int) -> None:
        """Look at the event of that line."""
        read = _READERS.get(event["type"])
        if read is None:
            return
        if self._kept >= self.limits.mandates_max:
            if self._kept == self.limits.mandates_max:
                self._kept += 1
                self._found.append(("mandates_not_all", "more mandates and uses than are compared", line))
            return
        self._kept += 1
        try:
            read(self, event["data"], line)
        except (EvidenceError, KeyError, TypeError, AttributeError):
            self._found.append(("mandate_unreadable", "mandates or uses that are not in their own form", line))

    def findings(self) -> Iterator[Finding]:
        """What speaks against taking the mandates for more than their words."""
        yield from self._found
        for mandate_id, uses in self._uses.items():
            mandate = self._mandates.get(mandate_id)
            if mandate is None:
                yield from (("mandate_absent", "uses of mandates that are not there", use.line) for use in uses)
            else:
                yield from _against(mandate, self._revoked.get(mandate_id), uses)

    # ------------------------------------------------------------ the three types

    def _mandate(self, data: Any, line: int) -> None:  # noqa: ANN401 - what the bundle holds
        made = tagged(canonical({name: value for name, value in data.items() if name not in _NOT_HASHED}))
        if data["mandate_id"] != made:
            self._found.append(("mandate_id_differs", "mandates whose id is not the digest of their content", line))
        validity, constraints = data["validity"], data["constraints"]
        self._mandates[_text(data["mandate_id"])] = _Mandate(
            not_before=_time(validity, "not_before"),
            expires_at=_time(validity, "expires_at"),
            uses_max=1 if constraints.get("single_use") is True else _count(constraints.get("max_uses")),
        )

    def _use(self, data: Any, line: int) -> None:  # noqa: ANN401 - as above
        consumed_at = timestamp.to_unix_nano(_text(data["consumed_at"]))
        use = _Use(line=line, use_id=_text(data["use_id"]), consumed_at=consumed_at)
        self._uses.setdefault(_text(data["mandate_id"]), []).append(use)

    def _revocation(self, data: Any, line: int) -> None:  # noqa: ANN401 - as above
        del line
        at, mandate_id = timestamp.to_unix_nano(_text(data["revoked_at"])), _text(data["mandate_id"])
        self._revoked[mandate_id] = min(at, self._revoked.get(mandate_id, at))


_READERS = {
    MANDATE: Mandates._mandate,  # noqa: SLF001 - this module's own table
    MANDATE_USED: Mandates._use,  # noqa: SLF001 - as above
    MANDATE_REVOKED: Mandates._revocation,  # noqa: SLF001 - as above
}


def _against(mandate: _Mandate, revoked_at: int | None, uses: list[_Use]) -> Iterator[Finding]:
    seen: set[str] = set()
    for number, use in enumerate(uses, 1):
        early = mandate.not_before is not None and use.consumed_at < mandate.not_before
        if early or (mandate.expires_at is not None and use.consumed_at >= mandate.expires_at):
            yield "mandate_outside_window", "mandates used before or after they are valid", use.line
        if revoked_at is not None and use.consumed_at >= revoked_at:
            yield "mandate_revoked", "mandates used after they were revoked", use.line
        if use.use_id in seen or (mandate.uses_max is not None and number > mandate.uses_max):
            yield "mandate_used_too_often", "mandates used more often than they allow, or one use twice", use.line
        seen.add(use.use_id)


def _time(holder: Mapping[str, Any], name: str) -> int | None:
    return timestamp.to_unix_nano(_text(holder[name])) if name in holder else None


def _count(value: object) -> int | None:
    if value is None:
        return None
    if type(value) is not int:
        raise TypeError
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
