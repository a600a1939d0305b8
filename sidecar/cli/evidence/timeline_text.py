"""A timeline as lines for people: a head, then the tree with times in front.

Law: every line fits the columns; colour adds nothing that the words do not say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from evidence.canonical import JsonObject
from evidence.excerpt import INPUT, Excerpt
from evidence.facts import ABOUT_SENDER
from evidence.outline import Hidden
from evidence.timeline import Entry, Timeline
from evidence.timestamp import to_unix_nano
from sidecar.cli.columns import Chunk, clip, styled, wrapped
from sidecar.cli.evidence.amounts import count, seconds, span_of_time

__all__ = ["timeline_lines"]

_LINES_MAX = 8
"""Excerpts of one entry, unless whole bodies are shown."""
_OTHERS_MAX = 4
"""Further attributes of a log record, or of a span of no known operation."""
_ERROR_BESIDE_MAX = 32
"""Characters of an error that stands on the entry's own line; a longer one has lines of its own."""
_DEPTH_MAX = 12
"""Levels that are indented, where there is room; a deeper one says how deep it is."""
_WORDS_COLUMNS_MIN = 24
"""Columns that are left for words at any depth."""
_TIME_COLUMNS = 19

_STYLES = {
    "span": "bold",
    "log": "cyan",
    "metric": "cyan",
    "receipt": "magenta",
    "run.gap": "yellow",
    "drift": "yellow",
    "redaction": "yellow",
}
_OPERATION_STYLES = {"chat": "bold blue", "generate_content": "bold blue", "text_completion": "bold blue"} | {
    "execute_tool": "bold green",
    "tools/call": "bold green",
    "invoke_agent": "bold",
    "invoke_workflow": "bold",
}
_TIMELESS = frozenset({"run.opened", "resource", "scope"})
_BELOW_IT = frozenset({"assistant", "model", "tool"})


def timeline_lines(timeline: Timeline, columns: int, *, bodies: bool = False) -> Iterator[str]:
    """The lines of a timeline.

    Args:
        timeline: what is shown.
        columns: the width of a line.
        bodies: whether its excerpts are whole bodies, to be shown with all their lines.
    """
    yield from head_lines(timeline.head, columns)
    yield ""
    tree = _Tree(timeline, columns)
    for entry in timeline.entries:
        yield from _entry_lines(entry, tree, timeline.started_nanos, columns, bodies=bodies)
        for hidden, prefix in tree.hidden_after(entry):
            yield from _hidden_lines(hidden, prefix, columns)
    if timeline.hidden:
        yield from _hidden_lines(timeline.hidden, "", columns)
    if timeline.untracked:
        yield styled([Chunk(f"{count(timeline.untracked, 'event')} beyond the bound of a timeline left out", "yellow")])


# ------------------------------------------------------------------ the head


def head_lines(head: JsonObject, columns: int) -> Iterator[str]:
    """What is known of the part as a whole."""
    part = "" if head["part"] == 1 and "amends" not in head else f", part {head['part']}"
    yield styled([Chunk(clip(f"Run {head['run_id']}{part}", columns), "bold")])
    for name, chunks in _head(head):
        for number, line in enumerate(wrapped(chunks, columns - 13, ", ")):
            yield styled([Chunk(f"  {'' if number else name:9}  ", "dim"), *line])
    note = "Not checked here: signature, scores, mapping. `affidavit verify` checks them."
    yield styled([Chunk("  "), Chunk(clip(note, columns - 2), "dim")])


def _head(head: JsonObject) -> Iterator[tuple[str, list[Chunk]]]:
    opened, closed = head["opened_at"], head["closed_at"]
    took = seconds(to_unix_nano(closed) - to_unix_nano(opened))
    reason = f"closed by {head['close_reason'].replace('_', ' ')}"
    yield "recorded", [Chunk(span_of_time(opened, closed)), Chunk(took), Chunk(reason)]
    producer = head["producer"]
    yield "by", [Chunk(f"{producer['name']} {producer['version']}"), Chunk(f"bundle {head['bundle_id'][:16]}…")]
    if "amends" in head:
        yield "amends", [Chunk(f"bundle {head['amends'][:16]}…")]
    counts = [Chunk(count(number, name[:-1])) for name, number in head["counts"].items() if number]
    yield "holds", [Chunk(count(head["event_count"], "event")), *counts]
    for pack in head["packs"]:
        ratio = pack["completeness"]
        said = "completeness not said" if ratio is None else f"completeness {ratio:.2f}"
        yield "pack", [Chunk(f"{pack['name']} {pack['version']}: {said}")]
    score, confidence = head["closure"]["score"], head["closure"]["confidence"]
    if isinstance(score, int | float):
        yield "closure", [Chunk(f"{score:.2f}"), Chunk(f"confidence {confidence}", _confidence_style(confidence))]
    if head["signals"]:
        yield "signals", list(_signals(head["signals"]))
        missing = [Chunk(name) for name, state in head["signals"].items() if state == "missing"]
        yield from [("missing", missing)] if missing else []
    yield "capture", [_counter(*each) for each in head["capture_health"].items()] or [Chunk("nothing amiss")]
    mapping = head["mapping"]
    if mapping.get("atoms_in"):
        yield "mapping", [Chunk(f"to {mapping['target']}"), *_lost(mapping)]
    if "redaction" in head:
        yield "redacted", [Chunk(f"under the policy {head['redaction']['policy_digest'][:23]}…")]


def _signals(signals: Mapping[str, str]) -> Iterator[Chunk]:
    by_state = Counter(signals.values())
    for state, style in (("captured", "green"), ("redacted", "yellow"), ("missing", "red"), ("unknown", "dim")):
        if by_state[state]:
            yield Chunk(f"{by_state[state]} {state}", style)


def _lost(mapping: Mapping[str, Any]) -> Iterator[Chunk]:
    """What translation lost that matters: the other severities are of what is said elsewhere, or by nobody's will."""
    lost = {severity: mapping["lost"].get(severity, 0) for severity in ("major", "minor")}
    for severity, number in lost.items():
        if number:
            yield Chunk(
                f"{number:,} {severity} {'loss' if number == 1 else 'losses'}", "yellow" if severity == "major" else ""
            )
    said = f"of {count(mapping['atoms_in'], 'atom')}"
    yield Chunk(said if any(lost.values()) else f"nothing that matters lost {said}", "dim")


def _counter(name: str, number: int | bool) -> Chunk:  # noqa: FBT001 - a counter of capture health may be a flag
    words = name.replace("_", " ")
    return Chunk(words if number is True else f"{words}: {number:,}", "yellow")


def _confidence_style(confidence: object) -> str:
    return {"high": "green", "medium": "yellow", "low": "red"}.get(str(confidence), "")


# ------------------------------------------------------------------ the tree


class _Tree:
    """The signs in front of each entry."""

    def __init__(self, timeline: Timeline, columns: int) -> None:
        self._depth_max = min(_DEPTH_MAX, (columns - _TIME_COLUMNS - _WORDS_COLUMNS_MIN) // 3)
        self._entries = {entry.place.row: entry for entry in timeline.entries}
        self._last: dict[int, int] = {}
        """The last child shown below a row."""
        for entry in timeline.entries:
            if entry.place.parent is not None:
                self._last[entry.place.parent] = entry.place.row
        self.several_services = len({entry.service for entry in timeline.entries if entry.service}) > 1
        self._ends = self._positions_of_ends(timeline)

    def _positions_of_ends(self, timeline: Timeline) -> dict[int, list[int]]:
        """After which row the subtrees end that have something hidden: the innermost first."""
        ends: dict[int, list[int]] = {}
        for entry in timeline.entries:
            if entry.place.hidden:
                row = entry.place.row
                while row in self._last:
                    row = self._last[row]
                ends.setdefault(row, []).insert(0, entry.place.row)
        return ends

    def has_children(self, entry: Entry) -> bool:
        return entry.place.row in self._last or entry.place.hidden is not None

    def prefixes(self, entry: Entry) -> tuple[str, str]:
        """What stands before the first line of an entry and before its others."""
        above = self._above(entry)
        last = entry.place.depth and self._is_last(entry)
        own = ("└─ " if last else "├─ ") if entry.place.depth else ""
        below = "│  " if self.has_children(entry) else "   "
        beside = ("   " if last else "│  ") if entry.place.depth else ""
        return above + own, above + beside + below

    def hidden_after(self, entry: Entry) -> Iterator[tuple[Hidden, str]]:
        """What was left out below entries whose last shown one this is, with the signs before it."""
        for row in self._ends.get(entry.place.row, ()):
            owner = self._entries[row]
            assert owner.place.hidden is not None
            beside = ("   " if self._is_last(owner) else "│  ") if owner.place.depth else ""
            yield owner.place.hidden, self._above(owner) + beside + "└─ "

    def above(self, entry: Entry) -> list[Entry]:
        """The entries above, the nearest first; as many as are indented."""
        found: list[Entry] = []
        parent = entry.place.parent
        while parent is not None and len(found) < self._depth_max:
            found.append(self._entries[parent])
            parent = found[-1].place.parent
        return found

    def _is_last(self, entry: Entry) -> bool:
        parent = entry.place.parent
        return parent is not None and self._last[parent] == entry.place.row and not self._entries[parent].place.hidden

    def _above(self, entry: Entry) -> str:
        """The lines of the entries above that go on."""
        signs = [("   " if self._is_last(up) else "│  ") for up in self.above(entry) if up.place.depth]
        if entry.place.depth <= self._depth_max:
            return "".join(reversed(signs))
        return "".join(reversed(signs[: self._depth_max - 3])) + f"({entry.place.depth}) "


def _entry_lines(entry: Entry, tree: _Tree, started_nanos: int, columns: int, *, bodies: bool) -> Iterator[str]:
    first, others = tree.prefixes(entry)
    room = columns - _TIME_COLUMNS
    told = [title(entry), *details(entry, tree.above(entry), several_services=tree.several_services)]
    for number, line in enumerate(wrapped(told, room - len(others))):
        before = others if number else first
        yield styled([Chunk(_times(entry, started_nanos, number), "dim"), Chunk(before, "dim"), *line])
    blank = Chunk(" " * _TIME_COLUMNS + others, "dim")
    for line in _said(entry, room - len(others), tree.has_children(entry), bodies=bodies):
        yield styled([blank, *line])


def _times(entry: Entry, started_nanos: int, number: int) -> str:
    if number or entry.type in _TIMELESS:
        return " " * _TIME_COLUMNS
    offset = seconds(entry.began_nanos - started_nanos, signed=True)
    duration = "" if entry.duration_nanos is None else seconds(entry.duration_nanos)
    return f"{offset:>9} {duration:>7}  "


def title(entry: Entry) -> Chunk:
    """What kind of event it is, and of what."""
    style = "bold red" if entry.failed else _OPERATION_STYLES.get(entry.label, _STYLES.get(entry.type, "dim"))
    facts = entry.facts
    if entry.type == "span":
        words: list[Any] = [_span_title(entry)]
    elif entry.type == "resource":
        words = [entry.type, facts.get("service.name"), facts.get("service.version")]
    elif entry.type == "scope":
        words = [entry.type, facts.get("name"), facts.get("version")]
    else:
        words = [entry.type.replace("run.gap", "gap").replace(".", " "), entry.name]
    return Chunk(" ".join(str(word) for word in words if word), style)


def _span_title(entry: Entry) -> str:
    """The span's name as the conventions make it: `{operation} {subject}`, `{mcp method} {subject}`; else as it came."""
    method = entry.facts.get("mcp_method")
    if entry.label == "span" or (isinstance(method, str) and method and entry.name.startswith(method)):
        return entry.name or entry.label
    return f"{entry.label} {_subject(entry)}".rstrip()


def _subject(entry: Entry) -> str:
    found = entry.facts.get(_SUBJECTS.get(entry.label, "requested_model"))
    if isinstance(found, str) and found:
        return found
    return entry.name.removeprefix(entry.label).strip()


_SUBJECTS = {
    "invoke_agent": "agent",
    "create_agent": "agent",
    "execute_tool": "tool",
    "tools/call": "tool",
    "invoke_workflow": "workflow",
}


# ------------------------------------------------------------------ details


def details(entry: Entry, above: Sequence[Entry] = (), *, several_services: bool = False) -> list[Chunk]:
    """What else is said on the entry's own line, without what the entries above it say.

    Args:
        entry: the entry.
        above: those above it, the nearest first.
        several_services: whether it has to be said whose it is.
    """
    read = _DETAILS.get(entry.type)
    told = [*_oddities(entry), *(read(entry) if read else ())]
    if (
        entry.type == "span"
        and entry.name not in {"", entry.label, _span_title(entry)}
        and _subject(entry) not in entry.name
    ):
        told.append(Chunk(f"named {entry.name}", "dim"))
    if several_services and entry.service and (not above or above[0].service != entry.service):
        told.insert(0, Chunk(f"in {entry.service}", "cyan"))
    agent = next((each.facts["agent"] for each in above if "agent" in each.facts), None)
    said = {chunk.text for chunk in _call(above[0])} if above and entry.type == "log" else set()
    told = [chunk for chunk in told if chunk.text not in said and chunk.text != f"agent {agent}"]
    again = entry.excerpts_left_out + sum(each.key == INPUT and each.repeated for each in entry.excerpts)
    if again and not said:
        told.append(Chunk(f"{count(again, 'part')} of input told before", "dim"))
    return told


def _error(entry: Entry) -> str:
    """The error in words; "" for none."""
    words = ": ".join(filter(None, (entry.error.get("type"), entry.error.get("message"))))
    return f"! {words or 'failed'}" if entry.failed or entry.error else ""


def _oddities(entry: Entry) -> Iterator[Chunk]:
    if 0 < len(error := _error(entry)) <= _ERROR_BESIDE_MAX:
        yield Chunk(error, "red")
    yield from (Chunk(note.replace("_", " "), "yellow") for note in entry.place.notes)
    if (entry.duration_nanos or 0) < 0:
        yield Chunk("ends before it begins", "yellow")
    if entry.type == "span" and entry.kind and ("mcp_method" in entry.facts or entry.label == "span"):
        yield Chunk(entry.kind, "dim")


def _call(entry: Entry) -> Iterator[Chunk]:
    facts, name = entry.facts, _span_title(entry) if entry.type == "span" else entry.name
    requested, responding = facts.get("requested_model"), facts.get("responding_model")
    if isinstance(requested, str) and requested not in name and entry.label not in {"invoke_agent", "invoke_workflow"}:
        yield Chunk(requested)
    if responding and responding != requested:
        yield Chunk(f"→ {responding}")
    for key in ("provider", "agent", "workflow", *_SAID_ALWAYS):
        value = facts.get(key)
        if not isinstance(value, str) or not value or value in name:
            continue
        if (
            (key == "provider" and requested)
            or (key in {"agent", "workflow"} and "tool" not in facts)
            or key in _SAID_ALWAYS
        ):
            yield Chunk(value if key == "provider" else f"{key.replace('_', ' ')} {value}", "dim")
    if tokens := facts.get("tokens"):
        yield Chunk(_tokens(tokens))
    reasons = facts.get("finish_reasons")
    if isinstance(reasons, list) and set(reasons) - {"stop"}:
        yield Chunk(f"ended by {', '.join(sorted(set(map(str, reasons))))}", "dim")
    if facts.get("streamed") is True:
        yield Chunk("streamed", "dim")
    if isinstance(called := facts.get("tool_call_id"), str):
        yield Chunk(called, "dim")
    if (severity := facts.get("severity")) not in (None, "INFO"):
        yield Chunk(str(severity), "yellow")
    yield from list(_members(facts.get("others", {})))[:_OTHERS_MAX]


_SAID_ALWAYS = ("tool", "mcp_resource", "data_source", "prompt")


def _tokens(tokens: Mapping[str, Any]) -> str:
    """`41 in (20 from cache), 17 out`."""
    said = []
    for kind, word, parts in (("input", "in", ("cache_read", "cache_write")), ("output", "out", ("reasoning",))):
        inside = ", ".join(f"{tokens[part]} {_TOKEN_PARTS[part]}" for part in parts if part in tokens)
        if kind in tokens or inside:
            said.append(f"{tokens.get(kind, 0)} {word}" + (f" ({inside})" if inside else ""))
    return ", ".join(said)


_TOKEN_PARTS = {"cache_read": "from cache", "cache_write": "to cache", "reasoning": "reasoning"}


def _members(facts: JsonObject, without: Sequence[str] = ()) -> Iterator[Chunk]:
    for name, value in facts.items():
        if name not in without and value not in (None, "", 0, {}, []):
            yield Chunk(f"{name}={_plain(value)}", "dim")


def _metric(entry: Entry) -> Iterator[Chunk]:
    facts = entry.facts
    yield Chunk(f"{facts['kind']} {facts['unit']}".rstrip(), "dim")
    yield Chunk(count(facts["point_count"], "point"), "dim")
    common = _common(facts["points"]).items()
    yield from _members({key: value for key, value in common if not key.startswith(ABOUT_SENDER)})


def _resource(facts: JsonObject) -> Iterator[Chunk]:
    """What tells one workload from another; the rest is counted."""
    sdk = [
        str(facts[key])
        for key in ("telemetry.sdk.name", "telemetry.sdk.language", "telemetry.sdk.version")
        if key in facts
    ]
    if sdk:
        yield Chunk(" ".join(sdk), "dim")
    others = {
        key: value
        for key, value in facts.items()
        if not key.startswith(("telemetry.sdk.", "service.name", "service.version"))
    }
    shown = {key: value for key, value in others.items() if key.startswith(_TELLING)}
    yield from _members(dict(list(shown.items())[:_LINES_MAX]))
    if left := len(others) - min(len(shown), _LINES_MAX):
        yield Chunk(f"{left} more attributes" if left > 1 else "1 more attribute", "dim")


_TELLING = (
    "deployment.",
    "container.image",
    "oci.",
    "vcs.",
    "cloud.",
    "k8s.",
    "host.name",
    "process.runtime.",
    "gen_ai.",
    "affidavit.",
)

_DETAILS: Mapping[str, Callable[[Entry], Iterator[Chunk]]] = {
    "span": _call,
    "log": _call,
    "metric": _metric,
    "resource": lambda entry: _resource(entry.facts),
    "receipt": lambda entry: _members({**entry.facts, **entry.facts["body"]}, ("body",)),
    "run.gap": lambda entry: _members(entry.facts, ("kind",)),
    "run.opened": lambda entry: _members(entry.facts, ("run_id", "part")),
    "run.closed": lambda entry: _members(entry.facts, ("events", "spans", "logs", "metrics", "receipts")),
    "drift": lambda entry: _members(entry.facts),
    "redaction": lambda entry: _members(entry.facts),
}


def _plain(value: Any) -> str:  # noqa: ANN401 - a fact
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


# ------------------------------------------------------------------ what was said


def _said(entry: Entry, room: int, has_children: bool, *, bodies: bool) -> Iterator[list[Chunk]]:  # noqa: FBT001 - a fact of the tree
    if entry.type == "metric":
        yield from _points(entry.facts, room)
    if len(error := _error(entry)) > _ERROR_BESIDE_MAX:
        yield from wrapped([Chunk(word, "red") for word in error.split()], room, " ")
    shown = [each for each in entry.excerpts if not _is_told_elsewhere(each, has_children)]
    shown = [each for each in shown if each.key != "body" or not entry.name or not each.words.endswith(entry.name)]
    between = 0 if bodies else len(shown) - _LINES_MAX
    for number, each in enumerate(shown):
        if between > 0 and number == _LINES_MAX // 2:
            yield [Chunk(f"… {between:,} more (--bodies)", "dim")]
        if between <= 0 or not 0 <= number - _LINES_MAX // 2 < between:
            yield from _excerpt_lines(each, room, bodies=bodies)


def _is_told_elsewhere(excerpt: Excerpt, has_children: bool) -> bool:  # noqa: FBT001 - a fact of the tree
    """Whether it stands further up, or is a turn that the entries below tell."""
    return excerpt.repeated or (excerpt.key == INPUT and has_children and excerpt.speaker in _BELOW_IT)


def _excerpt_lines(excerpt: Excerpt, room: int, *, bodies: bool) -> Iterator[list[Chunk]]:
    speaker = Chunk(clip(f"{excerpt.speaker}: ", 24) if excerpt.speaker else "", _SPEAKERS.get(excerpt.speaker, "dim"))
    room -= len(speaker.text)
    if excerpt.withheld:
        held = excerpt.withheld
        yield [
            speaker,
            Chunk(clip(f"withheld ({held.reason or 'no reason said'}, {held.size_bytes:,} bytes)", room), "yellow"),
        ]
        return
    sign = "→ " if "tool_call" in excerpt.part and "response" not in excerpt.part else ""
    about = (
        f"({excerpt.part}) "
        if excerpt.part not in {"text", "tools"} and not excerpt.part.startswith("tool_call")
        else ""
    )
    if bodies:
        for number, line in enumerate(excerpt.words.splitlines() or [""]):
            yield from (
                [speaker if not number else Chunk(" " * len(speaker.text)), part]
                for part in _folded(about + sign + line, room)
            )
        return
    words = about + sign + excerpt.words
    tail = f" ({excerpt.characters:,} characters)"
    if max(excerpt.characters, len(words)) <= room or len(tail) > room // 2:
        tail = ""
    yield [speaker, Chunk(clip(words, room - len(tail)) + tail)]


_SPEAKERS = {"user": "cyan", "assistant": "blue", "model": "blue", "system": "magenta", "tool": "green"}


def _folded(line: str, room: int) -> Iterator[Chunk]:
    """A line of a body in as many lines as it takes."""
    for start in range(0, max(len(line), 1), room):
        yield Chunk(clip(line[start : start + room], room))


def _points(facts: JsonObject, room: int) -> Iterator[list[Chunk]]:
    points = facts["points"]
    common = _common(points)
    for point in points[:_LINES_MAX]:
        about = ", ".join(f"{key}={_plain(value)}" for key, value in point["attributes"].items() if key not in common)
        amount = ", ".join(f"{name} {_number(point[name])}" for name in ("value", "count", "sum") if name in point)
        yield [Chunk(clip(f"{amount}  {about}".rstrip(), room))]
    if facts["point_count"] > _LINES_MAX:
        yield [Chunk(f"… {facts['point_count'] - _LINES_MAX} more points", "dim")]


def _common(points: Sequence[JsonObject]) -> JsonObject:
    """What all points say of themselves."""
    if not points:
        return {}
    first, *others = (point["attributes"] for point in points)
    return {key: value for key, value in first.items() if all(other.get(key) == value for other in others)}


def _number(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _hidden_lines(hidden: Hidden, prefix: str, columns: int) -> Iterator[str]:
    labels = [Chunk(f"{number:,} {label}", "dim") for label, number in list(hidden.labels.items())[:6]]
    failed = [Chunk(f"{hidden.failed:,} failed", "red")] if hidden.failed else []
    chunks = [Chunk(f"… {hidden.events:,} more:"), *failed, *labels]
    for number, line in enumerate(wrapped(chunks, columns - _TIME_COLUMNS - len(prefix))):
        before = " " * _TIME_COLUMNS + (" " * len(prefix) if number else prefix)
        yield styled([Chunk(before, "dim"), *line])
