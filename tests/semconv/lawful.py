"""Translation of spans, logs and metrics made by hand, with the laws asked of each: what is not in the corpus is not in test_laws."""

from typing import Any

from semconv import otlp_json
from semconv.apply import apply_json, apply_log_json, apply_metric_json
from semconv.translate import Translator
from semconv.translation import Translation
from tests.semconv.recorded import Recorded

_SIGNALS = {
    "span": (otlp_json.span_view, apply_json),
    "log": (otlp_json.log_view, apply_log_json),
    "metric": (otlp_json.metric_view, apply_metric_json),
}


def with_events(item: Recorded, *events: tuple[str, dict[str, Any]]) -> Recorded:
    """The span with events on it, in order."""
    made = [{"name": name, "timeUnixNano": "1", "attributes": _pairs(attributes)} for name, attributes in events]
    return _with(item, {**item.item, "events": made})


def log(
    scope: str, event: str, attributes: dict[str, Any], body: Any = None, resource: Any = None
) -> Recorded:  # a plain value
    """A log record nobody recorded."""
    record: dict[str, Any] = {"eventName": event, "attributes": _pairs(attributes)}
    if body is not None:
        record["body"] = otlp_json.any_value(body)
    return Recorded("", "", record, {"attributes": _pairs(resource or {})}, {"name": scope})


def metric(scope: str, name: str, *points: dict[str, Any], unit: str = "s") -> Recorded:
    """A histogram nobody recorded."""
    made = [{"attributes": _pairs(attributes), "count": "1", "sum": 1.0} for attributes in points]
    return Recorded("", "", {"name": name, "unit": unit, "histogram": {"dataPoints": made}}, {}, {"name": scope})


def translate(translator: Translator, item: Recorded, signal: str = "span") -> Translation:
    """The translation of an item, which is balanced, loses nothing more when done again, and has no order."""
    apply = _SIGNALS[signal][1]
    found = _once(translator, item, signal)
    assert found.tally.balanced, found.tally
    assert sum(loss.atoms for loss in found.loss) == found.tally.dropped
    again = _once(translator, _with(item, apply(item.item, found)), signal)
    assert not again.changed, again.to_json()
    assert {(loss.path, loss.reason) for loss in again.loss} <= {(loss.path, loss.reason) for loss in found.loss}
    if signal != "metric":
        turned = {**item.item, "attributes": item.item.get("attributes", [])[::-1]}
        assert _once(translator, _with(item, turned), signal).to_json() == found.to_json()
    return found


def _once(translator: Translator, item: Recorded, signal: str) -> Translation:
    view = _SIGNALS[signal][0](item.item, otlp_json.surroundings(item.resource, item.scope))
    found = getattr(translator, signal)(view)
    assert isinstance(found, Translation)
    return found


def _with(item: Recorded, changed: dict[str, Any]) -> Recorded:
    return Recorded(item.producer, item.scenario, changed, item.resource, item.scope)


def _pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": otlp_json.any_value(value)} for key, value in attributes.items()]
