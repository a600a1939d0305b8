"""One entry of a timeline on its own line: what kind of event it is, of what, and what else is known of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from evidence.canonical import JsonObject
from evidence.reading.excerpt import INPUT
from evidence.reading.facts import ABOUT_SENDER
from evidence.reading.timeline import Entry
from sidecar.cli.columns import Chunk
from sidecar.cli.evidence.amounts import count, fact_words
from sidecar.cli.evidence.said_text import common_attributes, short_error

__all__ = ["details", "title"]

_OTHERS_MAX = 4
"""Further attributes of a log record, or of a span of no known operation; JSON texts are not among them."""
_RESOURCE_MAX = 8
"""Attributes of a resource."""

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
        told.append(Chunk(f"{count(again, 'input')} told before", "dim"))
    return told


def _oddities(entry: Entry) -> Iterator[Chunk]:
    if error := short_error(entry):
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
    others = facts.get("others", {}).items()
    short = {key: value for key, value in others if not (isinstance(value, str) and value[:1] in {"{", "["})}
    yield from list(_members(short))[:_OTHERS_MAX]


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
            yield Chunk(f"{name}={fact_words(value)}", "dim")


def _metric(entry: Entry) -> Iterator[Chunk]:
    facts = entry.facts
    yield Chunk(f"{facts['kind']} {facts['unit']}".rstrip(), "dim")
    yield Chunk(count(facts["point_count"], "point"), "dim")
    common = common_attributes(facts["points"]).items()
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
    yield from _members(dict(list(shown.items())[:_RESOURCE_MAX]))
    if left := len(others) - min(len(shown), _RESOURCE_MAX):
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
