"""What becomes of items of any signal; of recorded ones, about which many tests ask, it is worked out once a process."""

import hashlib
from functools import cache

from semconv import otlp_json
from semconv.apply import apply_json, apply_log_json, apply_metric_json
from semconv.translate import Translator
from semconv.translation import Translation
from semconv.view import LogView, MetricView, SpanView
from tests.semconv.recorded import Recorded, recorded
from tests.tools.translators import loaded

SIGNALS = {
    "traces": (otlp_json.span_view, "span", apply_json),
    "logs": (otlp_json.log_view, "log", apply_log_json),
    "metrics": (otlp_json.metric_view, "metric", apply_metric_json),
}


def viewed(signal: str, item: Recorded) -> SpanView | LogView | MetricView:
    return SIGNALS[signal][0](item.item, otlp_json.surroundings(item.resource, item.scope))


def translate(translator: Translator, signal: str, item: Recorded) -> Translation:
    """Worked out anew."""
    return getattr(translator, SIGNALS[signal][1])(viewed(signal, item))


@cache
def translated(translator: Translator, signal: str, item: Recorded) -> Translation:
    """Worked out when it is first asked for."""
    return translate(translator, signal, item)


def record(producer: str, name: str, scenario: str = "", nth: int = 0) -> Recorded:
    """A recorded log record by its event name, wherever that stands."""
    found = (item for item in recorded("logs", producer) if scenario in ("", item.scenario))
    said = [(item, viewed("logs", item)) for item in found]
    return [item for item, view in said if name in (view.event_name, view.attributes.get("event.name"))][nth]


def said_of_everything() -> str:
    """A digest of what is said of a sample of all recorded items."""
    digest = hashlib.sha256()
    for signal in SIGNALS:
        for item in recorded(signal)[::7]:
            digest.update(repr(translate(loaded(), signal, item)).encode())
    return digest.hexdigest()
