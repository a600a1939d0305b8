"""What an event of each type says, in a few plain values: the models, tools and tokens of a span, the body of a receipt.

Law: bounded whatever the event holds: a text by `TEXT_MAX`, a list by `LIST_MAX`; nothing raises on content. Names are
those of the conventions, after translation.
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from evidence.canonical import JsonObject
from evidence.checks.item import Item, integer, mapping, pairs, plain, readable, sequence, text, withheld_in
from evidence.event import DRIFT, RECEIPT, REDACTION, RESOURCE, RUN_CLOSED, RUN_GAP, RUN_OPENED, SCOPE
from evidence.reading.excerpt import BODIES, one_line

TEXT_MAX = 240
"""Characters of a text."""
LIST_MAX = 32
"""Entries of a list or object."""

NAMED: Mapping[str, str] = {
    "agent": "gen_ai.agent.name",
    "agent_version": "gen_ai.agent.version",
    "workflow": "gen_ai.workflow.name",
    "provider": "gen_ai.provider.name",
    "requested_model": "gen_ai.request.model",
    "responding_model": "gen_ai.response.model",
    "tool": "gen_ai.tool.name",
    "tool_call_id": "gen_ai.tool.call.id",
    "mcp_method": "mcp.method.name",
    "mcp_resource": "mcp.resource.uri",
    "prompt": "gen_ai.prompt.name",
    "prompt_version": "gen_ai.prompt.version",
    "data_source": "gen_ai.data_source.id",
    "finish_reasons": "gen_ai.response.finish_reasons",
    "streamed": "gen_ai.request.stream",
}
"""What is said of a span or log record, and the attribute that says it."""
TOKENS: Mapping[str, str] = {
    "input": "gen_ai.usage.input_tokens",
    "output": "gen_ai.usage.output_tokens",
    "cache_read": "gen_ai.usage.cache_read.input_tokens",
    "cache_write": "gen_ai.usage.cache_write.input_tokens",
    "reasoning": "gen_ai.usage.reasoning.output_tokens",
}
"""Token counts of a call, and the attribute of each. Parts of the input or output are counted in it as well."""

_TOLD = frozenset({*NAMED.values(), *TOKENS.values(), *BODIES, "gen_ai.operation.name", "error.type"})
ABOUT_SENDER = (
    "event.name", "event.timestamp", "event.sequence", "session.", "user.", "app.", "terminal.", "organization.", "conversation.",
    "gen_ai.conversation.", "gen_ai.response.id", "exception.", "code.", "thread.", "installation.", "prompt.id",
)  # fmt: skip
"""How attributes begin that say the same on every record of a sender, or what is said elsewhere."""
_TELLING = (
    ".kind",
    "decision",
    "success",
    "status",
    "source",
    "duration",
    "cost",
    "reason",
    "error",
)  # they come first

_IDS = ("_id", ".id")  # and they last

_POINTS = {
    "gauge": "gauge",
    "sum": "sum",
    "histogram": "histogram",
    "exponentialHistogram": "histogram",
    "summary": "summary",
}


def facts_of(event: JsonObject, item: Item | None) -> JsonObject:
    """What an event says, by name; what it does not say is not there."""
    if item is not None:
        return _metric(item) if item.kind == "metric" else _call(item)
    read = _READERS.get(event["type"])
    return read(event["data"]) if read else {}


def error_of(item: Item) -> dict[str, str]:
    """Type and message of the error that an item met; empty for none."""
    raised: Mapping[str, Any] = {}
    for event in sequence(item.received.get("events")):
        if mapping(event).get("name") == "exception":
            raised = {key: plain(value) for key, value in pairs(event.get("attributes"))}
    kind = item.text("error.type") or text(raised.get("exception.type")) or item.text("exception.type")
    status = text(mapping(item.received.get("status")).get("message")) if item.failed else ""
    message = text(raised.get("exception.message")) or status or item.text("exception.message")
    if not item.failed and not kind:
        return {}
    found = {"type": one_line(kind, TEXT_MAX), "message": one_line(readable(message), TEXT_MAX)}
    return {name: words for name, words in found.items() if words}


def scalar(value: Any) -> Any:  # noqa: ANN401 - whatever an attribute can hold
    """A value as JSON that has a canonical form and a bounded size: numbers that JSON cannot hold are text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if -(2**53) < value < 2**53 else str(value)
    if isinstance(value, str):
        return one_line(readable(value[: 8 * TEXT_MAX]), TEXT_MAX)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return [one_line(item, TEXT_MAX) for item in value[:LIST_MAX]]
    try:
        return one_line(readable(orjson.dumps(value).decode()), TEXT_MAX)
    except (TypeError, ValueError, RecursionError):
        return "(nested too deeply to be written)"


def _call(item: Item) -> JsonObject:
    found = {name: scalar(item.value(key)) for name, key in NAMED.items() if key in item.attributes}
    tokens = {name: count for name, key in TOKENS.items() if (count := item.count(key))}
    if tokens:
        found["tokens"] = {name: scalar(count) for name, count in tokens.items()}
    if item.kind == "log" and (severity := text(item.received.get("severityText"))):
        found["severity"] = scalar(severity)
    others = [key for key in item.attributes if key not in _TOLD and not key.startswith(ABOUT_SENDER)]
    if others and (item.kind == "log" or "gen_ai.operation.name" not in item.attributes):
        others.sort(key=lambda key: (key.endswith(_IDS), not any(word in key for word in _TELLING)))
        found["others"] = {key[:TEXT_MAX]: scalar(item.value(key)) for key in others[:LIST_MAX]}
    return found


def _metric(item: Item) -> JsonObject:
    kind = next((name for name in _POINTS if name in item.received), "")
    points = sequence(mapping(item.received.get(kind)).get("dataPoints"))
    renamed = {
        mapping(change).get("index"): dict(pairs(mapping(change).get("attributes")))
        for change in sequence(item.mapped.get("points"))
    }
    return {
        "kind": _POINTS.get(kind, "unknown"),
        "unit": scalar(text(item.mapped.get("unit")) or text(item.received.get("unit"))),
        "point_count": len(points),
        "points": [_point(mapping(point), renamed.get(index, {})) for index, point in enumerate(points[:LIST_MAX])],
    }


def _point(point: JsonObject, renamed: JsonObject) -> JsonObject:
    attributes = {**dict(pairs(point.get("attributes"))), **renamed}
    found: JsonObject = {
        "attributes": {key: scalar(plain(value)) for key, value in list(attributes.items())[:LIST_MAX]},
    }
    for name, value in (
        ("value", point.get("asDouble", integer(point.get("asInt")))),
        ("count", integer(point.get("count"))),
        ("sum", point.get("sum")),
    ):
        if value is not None:
            found[name] = scalar(value)
    return found


def _bounded(value: object) -> JsonObject:
    """The members of an object, each bounded, those of an object inside as `outer.inner`; what is withheld says so."""
    flat: JsonObject = {}
    for name, item in list(mapping(value).items())[:LIST_MAX]:
        inside = {} if withheld_in(item) else mapping(item)
        told = {f"{name}.{inner}": each for inner, each in list(inside.items())[:LIST_MAX]} or {name: item}
        flat |= {key[:TEXT_MAX]: _member(each) for key, each in told.items()}
    return dict(list(flat.items())[:LIST_MAX])


def _member(value: object) -> Any:  # noqa: ANN401 - JSON
    commitment = withheld_in(value)
    return f"withheld: {commitment.reason}, {commitment.size_bytes} bytes" if commitment else scalar(value)


def _resource(data: JsonObject) -> JsonObject:
    attributes = dict(pairs(mapping(data["resource"]).get("attributes")))
    return {key[:TEXT_MAX]: scalar(plain(value)) for key, value in list(attributes.items())[:LIST_MAX]}


def _scope(data: JsonObject) -> JsonObject:
    scope = mapping(data["scope"])
    return {name: scalar(text(scope.get(name))) for name in ("name", "version") if text(scope.get(name))}


def _receipt(data: JsonObject) -> JsonObject:
    return {"body": _bounded(data["body"]), **_bounded({"sequence": data["sequence"]} if "sequence" in data else {})}


_READERS: Mapping[str, Callable[[JsonObject], JsonObject]] = {
    RUN_OPENED: _bounded,
    RUN_CLOSED: _bounded,
    RUN_GAP: _bounded,
    RESOURCE: _resource,
    SCOPE: _scope,
    RECEIPT: _receipt,
    DRIFT: _bounded,
    REDACTION: _bounded,
}
