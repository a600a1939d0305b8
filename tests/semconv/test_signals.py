"""Log records, metrics, span events and the rules of span identity, case by case."""

import pytest

from semconv import otlp_json
from semconv.apply import applied, apply_json, apply_log_json, apply_metric_json
from semconv.translate import Translator
from semconv.translation import Loss
from semconv.value import document
from semconv.view import EventView, LogView, MetricView, SpanView

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.provider.name": "openai"}


DETAILS = "gen_ai.client.inference.operation.details"
TEXT_HI = {"type": "text", "content": "hi"}


def message(event_name, body, attributes=None, **fields):
    ids = {"trace_id": "01" * 16, "span_id": "02" * 8}
    return LogView(**{"event_name": event_name, "body": body, "attributes": attributes or {}, **ids, **fields})


def span(translator, attributes, **fields):
    return translator.span(SpanView(**{"name": "s", "kind": 3, "attributes": attributes, **fields}))


class TestLogs:
    def test_a_message_is_a_record_of_the_call_it_belongs_to(self, translator):
        body = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}
        translation = translator.log(message("gen_ai.choice", body, {"gen_ai.system": "openai"}))
        assert (translation.event_name, translation.body_removed) == (DETAILS, True)
        assert translation.attributes == {
            "gen_ai.provider.name": "openai",
            "gen_ai.output.messages": [
                {"role": "assistant", "parts": [TEXT_HI], "finish_reason": "stop", "index": 0},
            ],
            "gen_ai.response.finish_reasons": ["stop"],
        }
        assert translation.removed == ("gen_ai.system",)
        assert (translation.loss, translation.notes) == ((), ())
        assert translation.tally.folded == 4  # the leaves of the body
        assert translation.tally.balanced

    @pytest.mark.parametrize(
        ("event", "body", "expected"),
        [
            ("gen_ai.system.message", {"content": "hi"}, {"role": "system", "parts": [TEXT_HI]}),
            ("gen_ai.user.message", {"content": "hi"}, {"role": "user", "parts": [TEXT_HI]}),
            ("gen_ai.user.message", '{"content": "hi"}', {"role": "user", "parts": [TEXT_HI]}),
            ("gen_ai.user.message", "hi", {"role": "user", "parts": [TEXT_HI]}),
            ("gen_ai.user.message", {"content": "hi", "role": "developer"}, {"role": "developer", "parts": [TEXT_HI]}),
            (
                "gen_ai.assistant.message",
                {"tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}]},
                {"role": "assistant", "parts": [{"type": "tool_call", "id": "c", "name": "f", "arguments": {"a": 1}}]},
            ),
            (
                "gen_ai.tool.message",
                {"id": "c", "content": "18"},
                {"role": "tool", "parts": [{"type": "tool_call_response", "response": "18", "id": "c"}]},
            ),
            ("gen_ai.user.message", None, {"role": "user", "parts": []}),  # content was not captured
        ],
    )
    def test_every_message_event_becomes_the_message_it_is(self, translator, event, body, expected):
        translation = translator.log(message(event, body))
        assert translation.event_name == DETAILS
        assert translation.attributes == {"gen_ai.input.messages": [expected]}
        assert translation.body_removed == (body is not None)
        assert not translation.loss
        assert translation.tally.balanced

    def test_the_body_may_be_the_json_of_an_attribute(self, translator):
        attributes = {"gen_ai.event.content": '{"content": "hi"}', "event.name": "gen_ai.user.message"}
        translation = translator.log(message("", "a text for people", attributes))
        assert translation.attributes == {"gen_ai.input.messages": [{"role": "user", "parts": [TEXT_HI]}]}
        assert translation.removed == ("event.name", "gen_ai.event.content")
        assert (translation.event_name, translation.body_removed) == (DETAILS, False)
        assert translation.tally.balanced

    def test_the_name_of_the_event_may_be_an_attribute(self, translator):
        for key in ("event.name", "event_name", "logrecord.event.name"):
            translation = translator.log(message("", {"content": "hi"}, {key: "gen_ai.user.message"}))
            assert (translation.event_name, translation.removed) == (DETAILS, (key,))
            assert translation.tally.balanced

    def test_a_name_of_its_own_beside_the_event_s_is_counted_when_it_goes(self, translator):
        found = translator.log(message("event src/lib.rs:7", {"content": "hi"}, {"event.name": "gen_ai.user.message"}))
        assert found.loss == (Loss("@event_name", "name_changed", 1, 18),)
        assert found.reversal == "irreversible"

    def test_a_record_without_ids_is_translated_as_well_and_noted(self, translator):
        """Who reads the current convention finds its content; nothing of the record is lost, but it cannot be joined."""
        for ids in ({"trace_id": ""}, {"span_id": ""}, {"trace_id": "", "span_id": ""}):
            translation = translator.log(message("gen_ai.user.message", {"content": "hi"}, **ids))
            assert translation.body_removed
            assert not translation.loss
            assert translation.notes == (Loss("@body", "log_unjoined", 0),)

    def test_a_body_of_no_known_shape_stays_and_is_counted(self, translator):
        translation = translator.log(message("gen_ai.choice", [1, 2]))
        assert (translation.event_name, translation.body_removed) == (None, False)
        assert [(loss.path, loss.reason, loss.atoms) for loss in translation.loss] == [("@body", "unstructured", 2)]
        assert not translation.changed
        assert translation.tally.balanced

    def test_messages_the_record_has_already_stand(self, translator):
        own = [{"role": "user", "parts": [{"type": "text", "content": "other"}]}]
        translation = translator.log(message("gen_ai.user.message", {"content": "hi"}, {"gen_ai.input.messages": own}))
        assert not translation.changed
        assert [(loss.path, loss.reason) for loss in translation.loss] == [("@body", "superseded")]
        same = [{"role": "user", "parts": [TEXT_HI]}]
        translation = translator.log(message("gen_ai.user.message", {"content": "hi"}, {"gen_ai.input.messages": same}))
        assert translation.body_removed
        assert translation.tally.derived_only == 1

    def test_what_a_message_became_is_the_message_no_longer(self, any_translator):
        """T(T(x)) = T(x), and evidence says in `mapped` all that is needed to do it again."""
        record = {
            "traceId": "01" * 16,
            "spanId": "02" * 8,
            "eventName": "gen_ai.choice",
            "body": otlp_json.any_value({"index": 0, "message": {"content": "hi"}}),
            "attributes": otlp_json.key_values({"gen_ai.system": "xai"}),
        }
        first = any_translator.log(otlp_json.log_view(record, otlp_json.surroundings({}, {})))
        result = apply_log_json(record, first)
        assert "body" not in result
        assert result["eventName"] == DETAILS
        assert (first.to_json()["mapped"]["event_name"], first.to_json()["mapped"]["body_removed"]) == (DETAILS, True)
        view = otlp_json.log_view(result, otlp_json.surroundings({}, {}))
        assert view == applied(otlp_json.log_view(record, otlp_json.surroundings({}, {})), first)
        second = any_translator.log(view)
        assert not second.changed
        assert not second.loss

    def test_structure_stays_structure_on_a_log_record(self, translator):
        messages = [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]
        current = LogView(
            event_name="gen_ai.client.inference.operation.details", attributes={"gen_ai.input.messages": messages}
        )
        assert not translator.log(current).changed
        as_text = LogView(
            event_name="gen_ai.client.inference.operation.details",
            attributes={"gen_ai.input.messages": '[{"role":"user","content":"hi"}]'},
        )
        assert translator.log(as_text).attributes == {"gen_ai.input.messages": messages}

    def test_a_record_that_is_no_message_keeps_its_body(self, translator):
        record = {
            "eventName": "an.event",
            "body": {"stringValue": "b"},
            "attributes": otlp_json.key_values({"gen_ai.system": "xai"}),
        }
        view = otlp_json.log_view(record, otlp_json.surroundings({}, {}))
        result = apply_log_json(record, translator.log(view))
        assert result["body"] == {"stringValue": "b"}
        assert otlp_json.attributes(result["attributes"]) == {"gen_ai.provider.name": "x_ai"}


class TestMetrics:
    @pytest.mark.parametrize(
        ("name", "points", "expected"),
        [
            (
                "gen_ai.client.operation.duration",
                [{"gen_ai.operation.name": "chat"}],
                "gen_ai.client.inference.duration",
            ),
            ("gen_ai.client.operation.duration", [{"gen_ai.operation.name": "embeddings"}], None),
            (
                "gen_ai.client.operation.duration",
                [{"gen_ai.operation.name": "chat"}, {"gen_ai.operation.name": "embeddings"}],
                None,
            ),
            (
                "gen_ai.client.token.usage",
                [{"gen_ai.token.type": "input"}],
                "gen_ai.client.inference.operation.input_tokens",
            ),
            (
                "gen_ai.client.token.usage",
                [{"gen_ai.token.type": "output"}],
                "gen_ai.client.inference.operation.output_tokens",
            ),
            ("gen_ai.invoke_agent.duration", [{"gen_ai.agent.name": "a"}], None),
        ],
    )
    def test_a_metric_is_renamed_where_all_its_points_agree(self, translator, name, points, expected):
        assert translator.metric(MetricView(name=name, points=points)).name == expected

    def test_a_histogram_over_both_kinds_of_tokens_cannot_move(self, translator):
        points = [{"gen_ai.token.type": "input"}, {"gen_ai.token.type": "output"}]
        translation = translator.metric(MetricView(name="gen_ai.client.token.usage", points=points))
        assert translation.name is None
        assert ("@metrics/gen_ai.client.token.usage", "metric_type_mismatch") in {
            (loss.path, loss.reason) for loss in translation.loss
        }

    def test_points_are_translated_one_by_one(self, translator):
        metric = {
            "name": "m",
            "sum": {
                "dataPoints": [
                    {"asInt": "1", "attributes": otlp_json.key_values({"gen_ai.system": "xai"})},
                    {"asInt": "2", "attributes": otlp_json.key_values({"gen_ai.provider.name": "openai"})},
                ]
            },
        }
        translation = translator.metric(otlp_json.metric_view(metric, otlp_json.surroundings({}, {})))
        assert [point.index for point in translation.points] == [0]
        points = apply_metric_json(metric, translation)["sum"]["dataPoints"]
        assert [otlp_json.attributes(point["attributes"]) for point in points] == [
            {"gen_ai.provider.name": "x_ai"},
            {"gen_ai.provider.name": "openai"},
        ]
        assert [point["asInt"] for point in points] == ["1", "2"]


class TestIdentity:
    @pytest.mark.parametrize(
        ("attributes", "kind", "name", "expected"),
        [
            (CHAT, 3, "chat m", (None, None)),
            (CHAT, 1, "chat m", (None, None)),  # a model in the same process
            (CHAT, 2, "chat m", (None, 3)),
            (CHAT, 0, "chat m", (None, 3)),
            (CHAT, 3, "openai.chat", ("chat m", None)),
            ({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t"}, 3, "t", ("execute_tool t", 1)),
            (
                {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t"},
                1,
                "execute_tool t skill",
                (None, None),
            ),
            ({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a"}, 1, "run", ("invoke_agent a", None)),
            (
                {"gen_ai.operation.name": "invoke_agent"},
                2,
                "invoke_agent",
                (None, None),
            ),  # client or internal: not for us to say
            ({"gen_ai.operation.name": "a_custom_one"}, 2, "whatever", (None, None)),
            ({"mcp.method.name": "tools/list"}, 2, "tools/list", (None, None)),
            ({"mcp.method.name": "resources/read", "mcp.resource.uri": "u"}, 3, "MCP", ("resources/read", None)),
        ],
    )
    def test_name_and_kind_by_the_rules_of_the_span_type(self, translator, attributes, kind, name, expected):
        translation = span(translator, attributes, kind=kind, name=name)
        assert (translation.name, translation.kind) == expected

    def test_a_name_that_says_more_is_counted_as_lost(self, translator):
        translation = span(translator, CHAT, name="My very own name")
        assert translation.loss == (Loss("@name", "name_changed", 1, 16),)
        assert translation.reversal == "irreversible"

    def test_the_error_is_that_of_the_last_exception(self, translator):
        events = [EventView("exception", {"exception.type": kind}) for kind in ("First", "Last")]
        assert span(translator, CHAT, name="chat m", status_code=2, events=events).attributes == {"error.type": "Last"}
        assert not span(translator, CHAT, name="chat m", status_code=1, events=events).changed
        said = {**CHAT, "error.type": "said"}
        assert not span(translator, said, name="chat m", status_code=2, events=events).changed

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("xai", "x_ai"),
            ("az.ai.openai", "azure.ai.openai"),
            ("vertex_ai", "gcp.vertex_ai"),
            ("openrouter", "openrouter"),
        ],
    )
    def test_providers_have_the_registry_s_names_and_custom_ones_their_own(self, translator, value, expected):
        assert span(translator, {"gen_ai.system": value}).attributes == {"gen_ai.provider.name": expected}


class TestValues:
    @pytest.mark.parametrize(
        ("key", "value", "expected"),
        [
            ("gen_ai.request.top_k", 5.0, 5),
            ("gen_ai.request.temperature", 1, 1.0),
            ("gen_ai.usage.input_tokens", "12", 12),
            ("gen_ai.request.stream", "true", True),
            ("gen_ai.response.finish_reasons", '["stop"]', ["stop"]),
            ("gen_ai.response.finish_reasons", "stop", ["stop"]),
            ("gen_ai.tool.call.arguments", {"a": 1}, '{"a":1}'),
            ("gen_ai.system_instructions", "Be brief.", '[{"type":"text","content":"Be brief."}]'),
            (
                "gen_ai.tool.definitions",
                '[{"type":"function","function":{"name":"f"}}]',
                '[{"type":"function","name":"f"}]',
            ),
        ],
    )
    def test_a_key_of_the_target_gets_the_target_s_type(self, translator, key, value, expected):
        translation = span(translator, {key: value})
        assert translation.attributes == {key: expected}
        assert type(translation.attributes[key]) is type(expected)
        assert not translation.loss

    @pytest.mark.parametrize(
        ("key", "value"),
        [("gen_ai.request.top_k", 5.5), ("gen_ai.usage.input_tokens", "many"), ("gen_ai.request.stream", 1)],
    )
    def test_a_value_that_cannot_be_had_in_that_type_is_left_and_counted(self, translator, key, value):
        translation = span(translator, {key: value})
        assert not translation.changed
        assert translation.loss == (Loss(key, "type_coerced"),)

    def test_what_is_there_already_stands_and_the_other_claim_is_counted(self, translator):
        attributes = {**CHAT, "gen_ai.usage.input_tokens": 5, "gen_ai.usage.prompt_tokens": 7}
        translation = span(translator, attributes, name="chat m")
        assert "gen_ai.usage.input_tokens" not in translation.attributes
        assert translation.loss == (Loss("gen_ai.usage.prompt_tokens", "conflict_lost", 1, 8),)
        assert translation.removed == ()

    def test_an_equal_claim_loses_nothing(self, translator):
        attributes = {**CHAT, "gen_ai.usage.input_tokens": 5, "gen_ai.usage.prompt_tokens": 5}
        translation = span(translator, attributes, name="chat m")
        assert translation.removed == ("gen_ai.usage.prompt_tokens",)
        assert translation.tally.derived_only == 1
        assert not translation.loss

    def test_a_total_that_does_not_add_up_stays(self, translator):
        attributes = {
            "openinference.span.kind": "LLM",
            "llm.token_count.prompt": 1,
            "llm.token_count.completion": 2,
            "llm.token_count.total": 4,
        }
        translation = span(translator, attributes)
        assert ("llm.token_count.total", "no_concept") in {(loss.path, loss.reason) for loss in translation.loss}

    def test_messages_of_no_known_shape_are_kept_and_counted(self, translator):
        translation = span(translator, {**CHAT, "gen_ai.input.messages": '[[1, 2], {"odd": true}]'}, name="chat m")
        assert not translation.changed
        assert translation.loss == (Loss("gen_ai.input.messages", "unstructured"),)

    def test_integers_of_any_size_survive_a_structure_that_is_written_anew(self, translator):
        call = '{"id": "c", "function": {"name": "f", "arguments": "{\\"n\\": 123456789012345678901234567890}"}}'
        text = f'[{{"role": "assistant", "tool_calls": [{call}]}}]'
        translation = span(translator, {"gen_ai.completion": text})
        assert '"n":123456789012345678901234567890' in translation.attributes["gen_ai.output.messages"]

    def test_a_text_that_nests_too_deep_is_no_document(self, translator):
        deep = "[" * 200 + "]" * 200
        translation = span(translator, {**CHAT, "gen_ai.input.messages": deep}, name="chat m")
        assert translation.tally.balanced

    def test_duplicate_keys_are_counted_as_superseded(self, translator):
        translation = span(translator, dict(CHAT), name="chat m", duplicate_keys=2)
        assert translation.loss == (Loss("@duplicates", "superseded", 2, 0),)
        assert translation.tally.balanced


class TestApplying:
    def test_changed_values_stay_in_their_places_and_new_ones_follow_by_name(self, translator):
        attributes = {"z": 1, "gen_ai.request.top_k": 5.0, "gen_ai.system": "xai", "a": 2}
        item = {"name": "s", "attributes": otlp_json.key_values(attributes)}
        translation = translator.span(otlp_json.span_view(item, otlp_json.surroundings({}, {})))
        result = apply_json(item, translation)
        assert [pair["key"] for pair in result["attributes"]] == [
            "z",
            "gen_ai.request.top_k",
            "a",
            "gen_ai.provider.name",
        ]
        assert otlp_json.attributes(result["attributes"])["gen_ai.request.top_k"] == 5

    def test_events_that_became_messages_go_and_the_others_stay(self, translator):
        events = [
            {"name": "gen_ai.user.message", "attributes": otlp_json.key_values({"content": "hi"})},
            {"name": "exception"},
        ]
        item = {"name": "chat m", "kind": 3, "attributes": otlp_json.key_values(CHAT), "events": events}
        translation = translator.span(otlp_json.span_view(item, otlp_json.surroundings({}, {})))
        result = apply_json(item, translation)
        assert result["events"] == [{"name": "exception"}]
        messages = otlp_json.attributes(result["attributes"])["gen_ai.input.messages"]
        assert document(messages) == [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]


def histogram(name, unit, **point):
    values = {"count": "2", "sum": 90.0, "min": 15.0, "max": 75.0, "bucketCounts": ["1", "1"], "explicitBounds": [50]}
    return {"name": name, "unit": unit, "histogram": {"dataPoints": [{**values, **point}], "aggregationTemporality": 2}}


def viewed(metric):
    return otlp_json.metric_view(metric, otlp_json.surroundings({}, {}))


class TestMeasures:
    @pytest.mark.parametrize("unit", ["ms", "milliseconds"])
    def test_another_unit_of_an_exact_ratio_is_scaled(self, any_translator, unit):
        metric = histogram("mcp.client.operation.duration", unit, exemplars=[{"asInt": "15"}, {"asDouble": 75}])
        translation = any_translator.metric(viewed(metric))
        assert (translation.name, translation.unit, translation.scale) == (None, "s", (1, 1000))
        assert translation.reversal == "needs_provenance"
        assert translation.to_json()["mapped"] == {"profiles": ["otel_genai"], "unit": "s", "scale": [1, 1000]}
        result = apply_metric_json(metric, translation)
        assert result["unit"] == "s"
        assert result["histogram"]["dataPoints"][0] == {
            "count": "2",
            "sum": 0.09,
            "min": 0.015,
            "max": 0.075,
            "bucketCounts": ["1", "1"],
            "explicitBounds": [0.05],
            "exemplars": [{"asDouble": 0.015}, {"asDouble": 0.075}],
        }
        assert viewed(result) == applied(viewed(metric), translation)
        assert not any_translator.metric(viewed(result)).changed

    @pytest.mark.parametrize(
        ("unit", "expected"),
        [("s", None), ("seconds", "s"), ("", None), ("By", None)],
    )
    def test_a_unit_that_is_the_target_s_is_only_spelled_as_there(self, translator, unit, expected):
        translation = translator.metric(viewed(histogram("mcp.client.operation.duration", unit)))
        assert (translation.unit, translation.scale) == (expected, None)
        assert [loss.reason for loss in translation.loss] == (["metric_type_mismatch"] if unit == "By" else [])
        assert translation.tally.balanced

    def test_a_unit_without_dimension_is_the_target_s_annotation(self, translator):
        translation = translator.metric(viewed(histogram("gen_ai.invoke_agent.tool_calls", "1")))
        assert (translation.unit, translation.scale, translation.loss) == ("{tool_call}", None, ())

    def test_numbers_whose_unit_nobody_names_stay_under_their_own_name(self, translator):
        head = b"id: mine\nversion: '1'\ndetect: {metrics: {mine.*: 1}}\nmetrics:\n"
        table = head + b"  - {name: mine.time, to: gen_ai.execute_tool.duration%s}\n"
        for unit, name, lost in (
            (b"", None, ["unit_ambiguous"]),
            (b", unit: ms", "gen_ai.execute_tool.duration", []),
        ):
            mine = Translator.load(user_profiles={"mine.yaml": table % unit})
            translation = mine.metric(viewed(histogram("mine.time", "")))
            assert translation.name == name
            assert [loss.reason for loss in translation.loss] == lost
            assert translation.tally.balanced
            assert translation.synthesized == ((("@unit", "metric"),) if name else ())

    def test_data_of_another_instrument_stay(self, translator):
        for kind in ("sum", "gauge", "summary"):
            metric = {"name": "mcp.client.operation.duration", "unit": "s", kind: {"dataPoints": [{"asDouble": 1.5}]}}
            translation = translator.metric(viewed(metric))
            assert not translation.changed
            assert [(loss.path, loss.reason) for loss in translation.loss] == [
                ("@metrics/mcp.client.operation.duration", "metric_type_mismatch")
            ]

    def test_buckets_of_powers_are_not_moved_by_a_ratio(self, translator):
        data = {"dataPoints": [{"count": "1", "scale": 3, "positive": {"bucketCounts": ["1"]}}]}
        for unit, lost in (("ms", ["precision_lost"]), ("s", [])):
            metric = {"name": "mcp.client.operation.duration", "unit": unit, "exponentialHistogram": data}
            translation = translator.metric(viewed(metric))
            assert not translation.changed
            assert [loss.reason for loss in translation.loss] == lost

    def test_what_the_new_name_says_its_points_need_not_say(self, translator):
        metric = {
            "name": "gen_ai.client.token.usage",
            "unit": "tokens",
            "histogram": {"dataPoints": [{"attributes": otlp_json.key_values({"gen_ai.token.type": "input"})}]},
        }
        translation = translator.metric(viewed(metric))
        assert (translation.name, translation.unit) == ("gen_ai.client.inference.operation.input_tokens", "{token}")
        assert translation.points[0].removed == ("gen_ai.token.type",)
        assert (translation.loss, translation.tally.derived_only) == ((), 1)
        assert translation.tally.balanced

    def test_a_metric_in_a_convention_s_namespace_without_a_row_is_unknown(self, translator):
        translation = translator.metric(MetricView(name="gen_ai.nobody.knows", points=[{}]))
        assert translation.unknown == ("@metrics/gen_ai.nobody.knows",)
        assert translation.loss == (Loss("@metrics/gen_ai.nobody.knows", "no_concept", 1, 19),)
