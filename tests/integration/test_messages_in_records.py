"""Messages that came as log records are, translated, what evidence looks for: the content of the span whose ids they bear."""

import pytest

from evidence import event as events
from evidence.checks.ledger import Ledger
from evidence.signals import registry
from evidence.timestamp import from_unix_nano
from semconv import otlp_json
from tests.evidence.signal_evaluator import SignalEvaluator
from tests.semconv.recorded import Recorded, recorded
from tests.tools.translators import loaded

TRANSLATOR = loaded()
KINDS = {
    "logs": (events.LOG, "log", otlp_json.log_view, TRANSLATOR.log),
    "traces": (events.SPAN, "span", otlp_json.span_view, TRANSLATOR.span),
}
RECORDINGS = [
    ("openllmetry-openai@*", "tools_loop.events"),
    ("opentelemetry-instrumentation-openai-v2@*", "chat_stream"),
    ("opentelemetry-instrumentation-openai-v2@*", "multimodal"),
    ("opentelemetry-instrumentation-openai-v2@*", "tools_loop"),
    ("otel-js-openai@*", "chat"),
]


def signals(producer: str, scenario: str, *, bodies_mapped: bool) -> dict[str, Ledger]:
    """The signals of a run of one recording; logs as they were sent, or as they are translated."""
    evaluator = SignalEvaluator(registry())
    items = [(kind, item) for kind in KINDS for item in recorded(kind, producer) if item.scenario == scenario]
    for seq, (signal, item) in enumerate(items):
        evaluator.add(event(signal, seq, item, mapped=bodies_mapped or signal == "traces"))
    return evaluator.result()


def event(signal: str, seq: int, item: Recorded, *, mapped: bool) -> dict:
    kind, member, view, translate = KINDS[signal]
    translation = translate(view(item.item, otlp_json.surroundings(item.resource, item.scope)))
    data = {"resource": "", "scope": "", member: item.item}
    data |= translation.to_json() if mapped else {}
    return {"id": f"r:{seq}", "seq": seq, "time": from_unix_nano(seq), "runid": "r", "type": kind, "data": data}


@pytest.mark.parametrize(("producer", "scenario"), RECORDINGS)
def test_what_records_say_of_a_span_counts_as_said_by_it(producer, scenario):
    before = signals(producer, scenario, bodies_mapped=False)
    after = signals(producer, scenario, bodies_mapped=True)
    assert (before["llm_io_bodies"].status, after["llm_io_bodies"].status) == ("missing", "captured")
    for name, ledger in after.items():
        assert ledger.expected >= before[name].expected, name
        assert ledger.captured >= before[name].captured, name


@pytest.mark.parametrize(
    ("producer", "scenario", "calls"),
    [("opentelemetry-instrumentation-openai-v2@*", "tools_loop", 3), ("openllmetry-openai@*", "tools_loop.events", 3)],
)
def test_a_tool_that_a_model_asks_for_in_a_record_has_to_be_seen_to_run(producer, scenario, calls):
    """The tools of these recordings ran without spans: until the records were read, nobody could tell."""
    assert signals(producer, scenario, bodies_mapped=False)["tool_calls"].status == "unknown"
    found = signals(producer, scenario, bodies_mapped=True)["tool_calls"]
    assert (found.expected, found.missing) == (calls, calls)
