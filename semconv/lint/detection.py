"""How a profile is recognised, and what it calls its own: marks that never or always match, namespaces of others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from semconv.lint.finding import Remark
from semconv.profile.profile import LAYERS, Mark, Profile, has_index
from semconv.table import Path
from semconv.target import Target

_SHARED: Final = (
    "client.", "cloud.", "code.", "container.", "db.", "deployment.", "enduser.", "error.", "event.", "exception.", "host.", "http.", "k8s.",
    "messaging.", "net.", "network.", "os.", "otel.", "peer.", "process.", "rpc.", "server.", "service.", "session.", "span.", "telemetry.",
    "thread.", "url.", "user.", "user_agent.",
)  # fmt: skip
"""Namespaces of OpenTelemetry's registry that any instrumentation writes. Source: its attribute registry, by namespace."""

_STAR: Final = re.compile(r"\*(?!$)")


def detection(profile: Profile, common: Sequence[Profile]) -> Iterator[Remark]:
    """Whether the marks of a profile, taken together, can reach its threshold, and by what.

    `common` are the conventions' own profiles: what they have rows for, many producers write.
    """
    yield from _odd_marks(profile)
    if profile.threshold <= 0:
        message = f"the threshold is {profile.threshold}: the profile matches every item there is"
        yield Remark(("detect", "threshold"), "detects-everything", message)
        return
    best = _reach(profile.marks)
    if best < profile.threshold:
        what = "no mark" if not profile.marks else f"all marks that can be there together count {best}"
        yield Remark(("detect",), "undetectable", f"{what}, and the threshold is {profile.threshold}: it never matches")
        return
    if profile.layer != LAYERS["vendor"]:
        return
    everywhere = [mark for mark in profile.marks if _is_everywhere(mark)]
    shared = [mark for mark in profile.marks if mark in everywhere or _is_shared(mark, common)]
    if _reach(everywhere) >= profile.threshold:
        yield Remark(
            _path(everywhere[0]),
            "detects-everything",
            f"`{_sign(everywhere[0])}` alone makes it match, and that is on anything",
        )
    elif _reach(shared) >= profile.threshold:
        signs = ", ".join(f"`{_sign(mark)}`" for mark in shared[:3])
        message = (
            f"{signs} suffice to match, and many producers write that: ask for a scope or a key of its own as well"
        )
        yield Remark(_path(shared[0]), "detects-by-shared-keys", message)


def namespaces(profile: Profile, target: Target, written: object) -> Iterator[Remark]:
    """Namespaces that hold one of the registry's: what other conventions write there would count as unknown."""
    if profile.layer != LAYERS["vendor"]:
        return
    for at, space in enumerate(profile.namespaces):
        inside = next((name for name in (*target.namespaces, *_SHARED) if name.startswith(space)), None)
        if inside is not None:
            path: Path = ("namespaces", at) if isinstance(written, list) else ("namespaces",)
            message = f"{space!r} holds the registry's {inside!r}: all that others write there would count as unknown and lost"
            yield Remark(path, "swallows-registry", message)


def _odd_marks(profile: Profile) -> Iterator[Remark]:
    for mark in profile.marks:
        if mark.kind in ("values", "resource"):
            continue
        if not has_index(mark.pattern) and _STAR.search(mark.pattern):
            message = f"`{mark.pattern}` never matches: a star stands at the end, or beside a hole such as {{i}}"
            yield Remark(_path(mark), "mark-never-matches", message)


def _reach(marks: Sequence[Mark]) -> int:
    """The most that marks can count on one item: of marks for the values of one key, or for scopes, one."""
    alone = sum(mark.weight for mark in marks if mark.kind in ("keys", "events", "metrics") and mark.weight > 0)
    best: dict[tuple[str, str], int] = {}
    for mark in marks:
        if mark.kind == "scopes":
            best["scopes", ""] = max(best.get(("scopes", ""), 0), mark.weight + _beside(mark, marks))
        elif mark.kind in ("values", "resource"):
            best[mark.kind, mark.pattern] = max(best.get((mark.kind, mark.pattern), 0), mark.weight)
    return alone + sum(best.values())


def _beside(mark: Mark, marks: Sequence[Mark]) -> int:
    """What other marks for scopes count where one matches: a name and its beginning are there together."""
    return sum(
        other.weight for other in marks if other is not mark and other.kind == "scopes" and other.matches(mark.pattern)
    )


def _is_everywhere(mark: Mark) -> bool:
    """Whether the mark is on any item at all."""
    fixed = re.split(r"[*{]", mark.pattern, maxsplit=1)[0]
    return mark.kind in ("keys", "scopes", "events", "metrics") and len(fixed) < 2 and fixed != mark.pattern


def _is_shared(mark: Mark, common: Sequence[Profile]) -> bool:
    """Whether many producers write a key that bears the mark."""
    if mark.kind != "keys":
        return False
    return mark.pattern.startswith(_SHARED) or any(
        profile.rows(mark.pattern) or any(mark.matches(key) for key in profile.exact) for profile in common
    )


def _path(mark: Mark) -> Path:
    return ("detect", mark.kind, _sign(mark))


def _sign(mark: Mark) -> str:
    return f"{mark.pattern}={mark.value}" if mark.value else mark.pattern
