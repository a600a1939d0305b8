"""Recorded log records and metrics: what some of them become, written by hand, and the laws over all of them."""

import math
import random
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semconv import otlp_json
from semconv.apply import applied, apply_log_json, apply_metric_json
from semconv.measure import scaled
from tests.semconv.golden import lost
from tests.semconv.recorded import Recorded, recorded
from tests.semconv.strategies import TRANSLATOR, logs, metrics
from tests.semconv.translated import SIGNALS, record, translate, translated, viewed

DETAILS = "gen_ai.client.inference.operation.details"


def metric(producer: str, name: str) -> Recorded:
    return next(item for item in recorded("metrics", producer) if item.item["name"] == name)


def text(content: str, role: str = "user", **beside) -> dict:
    return {"role": role, "parts": [{"type": "text", "content": content}], **beside}


# ------------------------------------------------------------------ messages that are records


@pytest.mark.parametrize(
    ("producer", "scenario", "event", "expected"),
    [
        (
            "opentelemetry-instrumentation-openai-v2@*",
            "chat",
            "gen_ai.system.message",
            {"gen_ai.input.messages": [text("You are a helpful assistant. Be brief.", "system")]},
        ),
        (
            "opentelemetry-instrumentation-openai-v2@*",
            "chat",
            "gen_ai.choice",
            {
                "gen_ai.output.messages": [
                    text("Hello! The capital of France is Paris.", "assistant", finish_reason="stop", index=0)
                ],
                "gen_ai.response.finish_reasons": ["stop"],
            },
        ),
        (
            "semantic-kernel-native@*",
            "",
            "gen_ai.user.message",
            {"gen_ai.input.messages": [text("What is the capital of France?")]},
        ),
        (
            "otel-js-openai@*",
            "mcp_agent",
            "gen_ai.tool.message",
            {
                "gen_ai.input.messages": [
                    {
                        "role": "tool",
                        "parts": [
                            {
                                "type": "tool_call_response",
                                "response": '[{"type":"text","text":"{\\"city\\": \\"Paris\\", \\"temp_c\\": 18, \\"sky\\": \\"sunny\\"}"}]',
                                "id": "call_5107cb257cb4469daa36",
                            }
                        ],
                    }
                ]
            },
        ),
    ],
)
def test_a_message_sent_as_a_record_is_one_of_the_call(translator, producer, scenario, event, expected):
    item = record(producer, event, scenario)
    translation = translate(translator, "logs", item)
    said = {key: value for key, value in translation.attributes.items() if key != "gen_ai.provider.name"}
    assert said == expected
    assert (translation.event_name, translation.body_removed, translation.loss) == (DETAILS, True, ())
    result = apply_log_json(item.item, translation)
    assert (result["traceId"], result["spanId"]) == (item.item["traceId"], item.item["spanId"])  # what joins it


def test_the_calls_a_model_asks_for_keep_their_order_and_their_arguments(translator):
    item = record("ms-agent-framework@*", "gen_ai.choice", "tools_loop")
    (message,) = translate(translator, "logs", item).attributes["gen_ai.output.messages"]
    assert message["finish_reason"] == "tool_call"
    assert [(part["type"], part["name"], part["arguments"]) for part in message["parts"]] == [
        ("tool_call", "get_weather", {"city": "Paris"}),
        ("tool_call", "get_time", {"city": "Tokyo"}),
    ]


def test_a_picture_in_a_body_is_a_blob(translator):
    translation = translate(
        translator, "logs", record("opentelemetry-instrumentation-openai-v2@*", "gen_ai.user.message", "multimodal")
    )
    (message,) = translation.attributes["gen_ai.input.messages"]
    assert [part["type"] for part in message["parts"]] == ["text", "blob"]


def test_a_record_sent_without_its_content_says_who_spoke(translator):
    item = record("opentelemetry-instrumentation-openai-v2@*", "gen_ai.choice", "chat.nocontent")
    translation = translate(translator, "logs", item)
    assert translation.attributes["gen_ai.output.messages"] == [
        {"role": "assistant", "parts": [], "finish_reason": "stop", "index": 0}
    ]


def test_the_vector_of_an_embedding_is_no_message(translator):
    item = record("openllmetry-openai@*", "gen_ai.choice", "embeddings.events")
    translation = translate(translator, "logs", item)
    assert not translation.changed
    assert lost(translation) == {"@body": "unstructured"}


def test_a_record_that_came_without_ids_is_noted(translator):
    notes = [
        (item, translate(translator, "logs", item).notes)
        for item in recorded("logs", "openllmetry-openai@*")
        if not item.item.get("spanId")
    ]
    assert len(notes) == 1
    assert [(note.path, note.reason) for note in notes[0][1]] == [("@body", "log_unjoined")]


# ------------------------------------------------------------------ records of command line agents


def test_a_request_of_claude_code_has_the_usage_of_a_call(translator):
    translation = translate(translator, "logs", record("claude-code-native@*", "api_request"))
    assert translation.attributes == {
        "gen_ai.conversation.id": translation.attributes["gen_ai.conversation.id"],
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-sonnet-4-5",
        "gen_ai.response.time_to_first_chunk": 0.035,
        "gen_ai.usage.cache_read.input_tokens": 200,
        "gen_ai.usage.cache_write.input_tokens": 100,
        "gen_ai.usage.input_tokens": 372,
        "gen_ai.usage.output_tokens": 10,
    }
    assert "gen_ai.operation.name" in dict(translation.synthesized)
    assert lost(translation)["cost_usd"] == "no_concept"


def test_the_end_of_a_stream_of_codex_has_the_numbers_of_the_call(translator):
    items = [item for item in recorded("logs", "codex-cli@*") if "input_token_count" in str(item.item)]
    attributes = translate(translator, "logs", items[0]).attributes
    assert attributes["gen_ai.operation.name"] == "chat"
    assert (attributes["gen_ai.usage.input_tokens"], attributes["gen_ai.usage.output_tokens"]) == (5263, 10)
    assert attributes["gen_ai.response.time_to_first_chunk"] == 0.017


def test_events_of_a_stream_are_no_operations(translator):
    others = [
        view.attributes
        for item in recorded("logs", "codex-cli@*")
        if (view := viewed("logs", item)).attributes.get("event.kind") not in (None, "response.completed")
        and "gen_ai.operation.name" in translate(translator, "logs", item).attributes
    ]
    assert others == []


def test_a_tool_call_of_gemini_has_its_arguments(translator):
    translation = translate(translator, "logs", record("gemini-cli@*", "gemini_cli.tool_call", nth=2))
    assert translation.attributes["gen_ai.operation.name"] == "execute_tool"
    assert translation.attributes["gen_ai.tool.call.arguments"] == {"city": "Paris"}


def test_what_claude_sends_of_the_api_s_bodies_is_taken_apart(translator):
    body = '{"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}], "system": "Be brief."}'
    for cut, expected in ((len(body), [text("hi")]), (40, None)):
        item = {"attributes": otlp_json.key_values({"event.name": "api_request_body", "body": body[:cut]})}
        around = otlp_json.surroundings({}, {"name": "com.anthropic.claude_code.events"})
        translation = translator.log(otlp_json.log_view(item, around))
        assert translation.attributes.get("gen_ai.input.messages") == expected
        assert lost(translation).get("body") == (None if expected else "unparseable")


# ------------------------------------------------------------------ metrics


def test_milliseconds_of_a_recorded_histogram_are_seconds(translator):
    item = metric("strands-native@*", "strands.model.time_to_first_token")
    result = apply_metric_json(item.item, translate(translator, "metrics", item))
    assert (result["name"], result["unit"]) == ("gen_ai.client.inference.time_to_first_chunk", "s")
    point = result["histogram"]["dataPoints"][0]
    assert (point["count"], point["sum"], point["min"], point["max"]) == ("4", 0.559, 0.088, 0.208)
    assert point["explicitBounds"][:5] == [0, 0.005, 0.01, 0.025, 0.05]
    assert [exemplar["asDouble"] for exemplar in point["exemplars"]] == [0.088, 0.152]
    assert point["bucketCounts"] == item.item["histogram"]["dataPoints"][0]["bucketCounts"]


@pytest.mark.parametrize("histogram", [{}, {"dataPoints": []}, {"aggregationTemporality": 2}])
def test_a_metric_without_points_has_its_new_name_and_unit_and_nothing_else_changed(translator, histogram):
    item = metric("strands-native@*", "strands.model.time_to_first_token")
    translation = translate(translator, "metrics", item)
    translation.points = ()
    result = apply_metric_json({**item.item, "histogram": histogram}, translation, keep_unmapped=False)
    assert (result["unit"], translation.scale, result["histogram"]) == ("s", (1, 1000), histogram)


def test_durations_of_tools_have_the_tool_s_name(translator):
    item = metric("gemini-cli@*", "gemini_cli.tool.call.latency")
    translation = translate(translator, "metrics", item)
    assert (translation.name, translation.unit, translation.scale) == ("gen_ai.execute_tool.duration", "s", (1, 1000))
    assert translation.points[0].attributes["gen_ai.tool.name"] == "read_file"


@pytest.mark.parametrize(
    ("producer", "name", "reason"),
    [
        ("claude-code-native@*", "claude_code.token.usage", "accounting"),
        ("claude-code-native@*", "claude_code.cost.usage", "no_concept"),
        ("gemini-cli@*", "gemini_cli.token.usage", "superseded"),
        ("gemini-cli@*", "gen_ai.client.token.usage", "metric_type_mismatch"),
        ("openllmetry-openai@*", "gen_ai.client.generation.choices", "no_concept"),
        ("openlit@*", "gen_ai.usage.cost", "no_concept"),
    ],
)
def test_a_metric_without_a_home_stays_and_says_why(translator, producer, name, reason):
    translation = translate(translator, "metrics", metric(producer, name))
    assert (translation.name, translation.scale) == (None, None)
    assert lost(translation)[f"@metrics/{name}"] == reason


def test_a_foreign_metric_is_no_loss(translator):
    translation = translate(translator, "metrics", metric("openlit@*", "http.client.duration"))
    assert not translation.changed
    assert not translation.loss


def test_units_are_spelled_as_the_target_spells_them(any_translator):
    item = metric("ms-agent-framework@*", "gen_ai.client.token.usage")
    translation = translate(any_translator, "metrics", item)
    kept = any_translator.target.id == "gen-ai-dev"  # there the metric has no home: nothing of it is touched
    assert translation.unit == (None if kept else "{token}")


# ------------------------------------------------------------------ laws over all that was recorded


@pytest.mark.parametrize("signal", ["logs", "metrics"])
def test_every_name_has_a_row(translator, signal):
    unknown = {
        (item.producer, key) for item in recorded(signal) for key in translated(translator, signal, item).unknown
    }
    assert unknown == set()


@pytest.mark.parametrize("signal", ["logs", "metrics"])
def test_the_view_of_the_result_is_the_result_of_the_view(any_translator, signal):
    for item in recorded(signal):
        translation = translated(any_translator, signal, item)
        result = Recorded("", "", SIGNALS[signal][2](item.item, translation), item.resource, item.scope)
        assert viewed(signal, result) == applied(viewed(signal, item), translation), str(item)


def test_a_body_that_goes_is_whole_in_what_stands(translator):
    gone = 0
    for item in recorded("logs"):
        translation = translated(translator, "logs", item)
        paths = {loss.path.partition("#/")[0] for loss in translation.loss}
        assert not (translation.body_removed and "@body" in paths), str(item)
        assert (translation.event_name is not None) == (translation.event_name == DETAILS), str(item)
        gone += translation.body_removed
    assert gone > 150


def test_the_order_of_attributes_says_nothing_on_records(translator):
    shuffle = random.Random(8).shuffle
    for item in recorded("logs"):
        pairs = list(item.item.get("attributes", []))
        shuffle(pairs)
        other = Recorded("", "", {**item.item, "attributes": pairs}, item.resource, item.scope)
        first, second = translated(translator, "logs", item), translate(translator, "logs", other)
        assert (first.to_json(), first.tally) == (second.to_json(), second.tally), str(item)


# ------------------------------------------------------------------ and over some that nobody recorded


@given(logs())
def test_any_record_translates_once(view):
    """T(T(x)) = T(x); a record is never half a message: its name changes exactly where its body found its place."""
    first = TRANSLATOR.log(view)
    after = applied(view, first)
    second = TRANSLATOR.log(after)
    assert not second.changed, (first.to_json(), second.to_json())
    assert not (first.body_removed and first.event_name is None)
    assert (after.body is None) == (view.body is None or first.body_removed)


@given(metrics(), st.sampled_from(["", "s", "ms", "min", "1", "{token}", "tokens", "By"]))
def test_any_metric_translates_once(view, unit):
    """T(T(x)) = T(x); numbers are scaled exactly where the unit is another one afterwards."""
    view = replace(view, unit=unit)
    first = TRANSLATOR.metric(view)
    after = applied(view, first)
    second = TRANSLATOR.metric(after)
    assert not second.changed, (first.to_json(), second.to_json())
    assert first.scale is None or first.unit not in (None, view.unit)  # a row may know the unit that was not said
    assert first.tally.balanced
    assert second.tally.balanced


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([(1, 1000), (1, 1000000), (60, 1), (3600, 1)]))
def test_a_scaled_number_is_the_nearest_there_is(value, by):
    """scaled(v, (n, d)) == float(v * n / d), computed with no rounding in between."""
    exact = Fraction(value) * by[0] / by[1]
    try:
        expected = float(exact)
    except OverflowError:
        expected = math.copysign(math.inf, value)
    assert scaled(value, by) == expected
