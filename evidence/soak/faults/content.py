"""Faults of content: bodies that are stripped, withheld or cut, attributes over a limit, a span told twice in two ways.

Each acts on an item as its translation left it: it is written as an agent of the current conventions would have sent it,
so that translating it again changes nothing, and then loses what the fault takes.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from evidence.canonical import JsonObject, canonical
from evidence.redaction.commitment import commit
from evidence.signals import registry
from evidence.soak.draw import Draw
from evidence.soak.faults.fault import Fault, Stream, with_data
from evidence.soak.rerecording import ITEMS


def conflict(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    """The span comes again as it was when it began, without what was set on it later."""
    for arrival in stream:
        yield arrival
        if not arrival.absent and fault.meets(arrival.event, draw):
            data = _translated(arrival.event)
            data["span"] = {key: value for key, value in data["span"].items() if key not in {"attributes", "events"}}
            yield with_data(arrival, data)


def strip(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    """Takes the bodies away that the signal registry names."""
    return _each(stream, fault, draw, _stripped)


def withhold(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    """Puts a commitment in the place of each body that the signal registry names."""
    return _each(stream, fault, draw, _withheld)


def truncate(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    """Cuts texts at a length limit."""
    return _each(stream, fault, draw, _truncated)


def drop_attributes(stream: Stream, fault: Fault, draw: Draw, _total: int) -> Stream:
    """Drops attributes over a limit of their number."""
    return _each(stream, fault, draw, _limited)


def _each(stream: Stream, fault: Fault, draw: Draw, change: Callable[[JsonObject, Fault, Draw, str], bool]) -> Stream:
    """Changes the items that are met; one in which there is nothing to change stays as it is."""
    for arrival in stream:
        if not arrival.absent and fault.meets(arrival.event, draw):
            data = _translated(arrival.event)
            item = data[ITEMS[arrival.event["type"]]]
            if change(item, fault, draw, arrival.event["id"]):
                yield with_data(arrival, data)
                continue
        yield arrival


def _stripped(item: JsonObject, _fault: Fault, _draw: Draw, _name: str) -> bool:
    kept = [pair for pair in item["attributes"] if pair.get("key") not in _bodies()]
    changed = len(kept) != len(item["attributes"])
    item["attributes"] = kept
    return changed


def _withheld(item: JsonObject, _fault: Fault, draw: Draw, name: str) -> bool:
    changed = False
    for position, pair in enumerate(item["attributes"]):
        if pair.get("key") in _bodies():
            value = pair.get("value")
            text = value.get("stringValue") if isinstance(value, dict) else None
            body = text if isinstance(text, str) else canonical(value).decode()
            commitment = commit(body, draw.octets(f"{name}/{pair['key']}"), "perturbation")
            item["attributes"][position] = {"key": pair["key"], "value": commitment.to_any_value()}
            changed = True
    return changed


def _truncated(item: JsonObject, fault: Fault, _draw: Draw, _name: str) -> bool:
    """As the SDK's attribute value length limit: texts, and the texts in arrays.

    https://opentelemetry.io/docs/specs/otel/common/#attribute-limits
    """
    before = item["attributes"]
    item["attributes"] = [{**pair, "value": _cut(pair.get("value"), fault.characters)} for pair in before]
    return bool(item["attributes"] != before)


def _cut(value: Any, characters: int) -> Any:  # noqa: ANN401 - an OTLP/JSON AnyValue of any shape
    if not isinstance(value, dict):
        return value
    if isinstance(text := value.get("stringValue"), str) and len(text) > characters:
        return {**value, "stringValue": text[:characters]}
    if isinstance(array := value.get("arrayValue"), dict) and isinstance(array.get("values"), list):
        return {**value, "arrayValue": {**array, "values": [_cut(each, characters) for each in array["values"]]}}
    return value


def _limited(item: JsonObject, fault: Fault, draw: Draw, name: str) -> bool:
    """As the SDK's attribute count limit, which says how many went; which ones differs by language and is drawn."""
    attributes = item["attributes"]
    if len(attributes) <= fault.keep:
        return False
    order = sorted(range(len(attributes)), key=lambda position: draw.octets(f"{name}/{position}"))
    kept = sorted(order[: fault.keep])
    item["droppedAttributesCount"] = item.get("droppedAttributesCount", 0) + len(attributes) - len(kept)
    item["attributes"] = [attributes[position] for position in kept]
    return True


@cache
def _bodies() -> frozenset[str]:
    """The attributes that hold content, by the signal registry."""
    return frozenset(name for signal in registry().signals.values() for name in signal.bodies)


def _translated(event: JsonObject) -> JsonObject:
    """The data of an event with the translation carried out, and nothing said of it any more. The item is a new object."""
    name = ITEMS[event["type"]]
    data = {key: value for key, value in event["data"].items() if key not in {"mapped", "loss"}}
    mapped = event["data"].get("mapped", {})
    item = dict(data[name])
    new = {pair["key"]: pair for pair in mapped.get("attributes", ())}
    gone = {*mapped.get("removed", ()), *new}
    item["attributes"] = [pair for pair in item.get("attributes", ()) if pair.get("key") not in gone] + list(
        new.values()
    )
    for own, said in (("name", "name"), ("kind", "kind"), ("eventName", "event_name")):
        if said in mapped:
            item[own] = mapped[said]
    if removed := set(mapped.get("events_removed", ())):
        item["events"] = [each for index, each in enumerate(item["events"]) if index not in removed]
    if mapped.get("body_removed"):
        item.pop("body", None)
    return {**data, name: item}
