"""What comes out of a translation is as the target asks, over every recorded item and both targets; and the checker itself."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from semconv import otlp_json, table
from semconv.account.claims import claims
from semconv.apply import applied
from semconv.conformance.conformance import Checker
from semconv.conformance.finding import ABSENT, ADVICE, CODES, SEVERITIES, VIOLATION, Finding
from semconv.conformance.requirements import Condition, requirements
from semconv.conformance.survey import Survey
from semconv.errors import ProfileError
from semconv.table import parse
from semconv.translation import Translation
from semconv.view import EventView, LogView, MetricView, SpanView
from tests.semconv.recorded import Recorded, recorded
from tests.semconv.strategies import ATTRIBUTES, spans
from tests.semconv.translated import SIGNALS, translated, viewed
from tests.tools.examples import times
from tests.tools.translators import loaded

TARGETS = ("gen-ai-dev", "core-1.41.1")
EXCEPTIONS = yaml.safe_load((Path(__file__).parent / "conformance_exceptions.yaml").read_text())

LAWS = settings(max_examples=times(0.6))


@cache
def checker(target: str) -> Checker:
    return Checker.of(loaded(target).target)


@dataclass(frozen=True)
class Checked:
    """A recorded item, its translation, and what departs from the target."""

    item: Recorded
    translation: Translation
    findings: tuple[Finding, ...]


@cache
def corpus(target: str) -> tuple[Checked, ...]:
    return tuple(_checked(target))


def _checked(target: str) -> Iterator[Checked]:
    translate, check = loaded(target), checker(target)
    for signal, (_, verb, _) in SIGNALS.items():
        for item in recorded(signal):
            view = viewed(signal, item)
            translation = translated(translate, signal, item)
            said = claims(view, translation, translate.profiles, translate.target)
            yield Checked(item, translation, getattr(check, verb)(applied(view, translation), said.__contains__))


def excused(target: str, checked: Checked, finding: Finding) -> int | None:
    """The place of the first exception a departure falls under."""
    path = re.sub(r"/\d+(?=/|$)", "/*", finding.path)
    key = finding.path.partition("#")[0]
    lost = {(loss.path.partition("#")[0], loss.reason) for loss in checked.translation.loss}
    of_metric = key == "@name" or key.startswith("@points/")
    reasons = {
        reason for path_lost, reason in lost if path_lost == key or (of_metric and path_lost.startswith("@metrics/"))
    }
    for place, entry in enumerate(EXCEPTIONS):
        if (
            (entry["code"], entry["path"]) == (finding.code, path)
            and target in entry.get("targets", TARGETS)
            and ("lost" not in entry or reasons.intersection(entry["lost"]))
        ):
            return place
    return None


# ------------------------------------------------------------------ the corpus


@pytest.mark.parametrize("target", TARGETS)
def test_no_translated_item_departs_from_its_target_but_for_a_reason_that_is_listed(target):
    unexplained = {
        f"{finding.code} {finding.path}: {checked.item}: got {finding.got}, expected {finding.expected}"
        for checked in corpus(target)
        for finding in checked.findings
        if finding.severity == VIOLATION and excused(target, checked, finding) is None
    }
    assert not unexplained, "\n".join(sorted(unexplained)[:40])


def test_every_reason_that_is_listed_is_needed():
    used = {
        excused(target, checked, finding)
        for target in TARGETS
        for checked in corpus(target)
        for finding in checked.findings
        if finding.severity == VIOLATION
    }
    assert [entry for place, entry in enumerate(EXCEPTIONS) if place not in used] == []


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_absent_at_the_source_is_only_what_is_missing(target):
    """Of what is there nobody may say that the source did not say it."""
    codes = {finding.code for checked in corpus(target) for finding in checked.findings if finding.severity == ABSENT}
    assert codes <= {"missing-required", "missing-conditional", "missing-member", "not-said"}


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("keep_unmapped", [True, False])
def test_the_translated_view_is_the_view_of_the_translated_item(signal, keep_unmapped):
    _, verb, apply = SIGNALS[signal]
    for item in recorded(signal)[::7]:
        view = viewed(signal, item)
        translation = getattr(loaded(), verb)(view)
        made = apply(item.item, translation, keep_unmapped=keep_unmapped)
        after = viewed(signal, Recorded(item.producer, item.scenario, made, item.resource, item.scope))
        expected = applied(view, translation, keep_unmapped=keep_unmapped)
        expected.duplicate_keys = after.duplicate_keys  # the item was changed in place of the last of them
        assert after == expected, str(item)


def test_the_newest_instrumentations_of_the_conventions_own_project_conform():
    seen = 0
    for producer in (
        "opentelemetry-instrumentation-genai-openai@1.3b0",
        "opentelemetry-instrumentation-genai-openai-agents@1.3b0",
    ):
        for item in recorded("traces", producer):
            if item.scope["name"].startswith("opentelemetry.instrumentation.genai"):
                seen += 1
                found = checker("gen-ai-dev").span(viewed("traces", item))
                assert not [finding for finding in found if finding.severity == VIOLATION], str(item)
    assert seen > 100


# ------------------------------------------------------------------ one defect, one finding

MESSAGES = '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]'
ANSWER = '[{"role":"assistant","parts":[{"type":"text","content":"hello"}],"finish_reason":"stop"}]'
CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.input.messages": MESSAGES,
    "gen_ai.output.messages": ANSWER,
    "gen_ai.usage.input_tokens": 10,
    "gen_ai.usage.output_tokens": 5,
}
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "add"}
MCP = {"mcp.method.name": "tools/call", "jsonrpc.request.id": "1", **TOOL}


def chat(changes: dict | None = None, **span) -> SpanView:
    attributes = {key: value for key, value in (CHAT | (changes or {})).items() if value is not ...}
    return SpanView(**{"name": "chat gpt-4o", "kind": 3, "attributes": attributes, "scope_name": "app"} | span)


def parts(*items: str, role: str = "user") -> dict:
    return {"gen_ai.input.messages": f'[{{"role":"{role}","parts":[{",".join(items)}]}}]'}


SPANS = {
    "provider_is_missing": (chat({"gen_ai.provider.name": ...}), "missing-required", "gen_ai.provider.name"),
    "provider_is_empty": (chat({"gen_ai.provider.name": ""}), "missing-required", "gen_ai.provider.name"),
    "model_is_missing_for_a_provider_that_always_has_one": (
        chat({"gen_ai.request.model": ...}, name="chat"), "missing-required", "gen_ai.request.model"),
    "model_is_not_said": (
        chat({"gen_ai.request.model": ..., "gen_ai.provider.name": "anthropic"}, name="chat"), "not-said", "gen_ai.request.model"),
    "port_without_which_an_address_is_half": (chat({"server.address": "x"}), "missing-conditional", "server.port"),
    "error_without_its_type": (chat(status_code=2), "missing-conditional", "error.type"),
    "error_type_on_what_did_not_fail": (chat({"error.type": "timeout"}), "error-without-status", "@status"),
    "kind_of_a_server": (chat(kind=2), "wrong-kind", "@kind"),
    "name_by_another_template": (chat(name="ChatCompletion"), "wrong-name", "@name"),
    "count_as_text": (chat({"gen_ai.usage.input_tokens": "10"}), "wrong-type", "gen_ai.usage.input_tokens"),
    "count_as_double": (chat({"gen_ai.usage.input_tokens": 10.0}), "wrong-type", "gen_ai.usage.input_tokens"),
    "temperature_as_int": (chat({"gen_ai.request.temperature": 1}), "wrong-type", "gen_ai.request.temperature"),
    "flag_as_int": (chat({"gen_ai.request.stream": 1}), "wrong-type", "gen_ai.request.stream"),
    "list_as_text": (chat({"gen_ai.response.finish_reasons": "stop"}), "wrong-type", "gen_ai.response.finish_reasons"),
    "provider_in_capitals": (
        chat({"gen_ai.provider.name": "Anthropic"}), "misspelt-value", "gen_ai.provider.name"),
    "provider_by_its_former_name": (chat({"gen_ai.provider.name": "az.ai.openai"}), "misspelt-value", "gen_ai.provider.name"),
    "provider_of_its_own": (chat({"gen_ai.provider.name": "acme"}), "custom-value", "gen_ai.provider.name"),
    "framework_as_provider": (chat({"gen_ai.provider.name": "langchain"}), "framework-as-provider", "gen_ai.provider.name"),
    "operation_of_its_own": (chat({"gen_ai.operation.name": "ponder"}), "custom-value", "gen_ai.operation.name"),
    "no_operation": (chat({"gen_ai.operation.name": ...}), "no-operation", "gen_ai.operation.name"),
    "system_of_1_36": (chat({"gen_ai.system": "openai"}), "deprecated-attribute", "gen_ai.system"),
    "key_nobody_registered": (chat({"gen_ai.cost": 0.1}), "unknown-attribute", "gen_ai.cost"),
    "key_twice": (chat(duplicate_keys=1), "duplicate-key", "@duplicates"),
    "messages_as_text": (chat({"gen_ai.input.messages": "hi"}), "not-json", "gen_ai.input.messages"),
    "messages_as_object": (chat({"gen_ai.input.messages": "{}"}), "wrong-structure", "gen_ai.input.messages#"),
    "messages_too_deep": (
        chat({"gen_ai.input.messages": "[" * 99 + "]" * 99}), "not-json", "gen_ai.input.messages"),
    "message_without_role": (
        chat({"gen_ai.input.messages": '[{"parts":[]}]'}), "missing-member", "gen_ai.input.messages#/0/role"),
    "role_by_another_name": (chat(parts(role="human")), "misspelt-value", "gen_ai.input.messages#/0/role"),
    "role_of_its_own": (chat(parts(role="narrator")), "custom-value", "gen_ai.input.messages#/0/role"),
    "part_as_text": (chat(parts('"hi"')), "wrong-structure", "gen_ai.input.messages#/0/parts/0"),
    "part_without_type": (chat(parts('{"text":"hi"}')), "wrong-structure", "gen_ai.input.messages#/0/parts/0"),
    "text_without_content": (
        chat(parts('{"type":"text","text":"hi"}')), "missing-member", "gen_ai.input.messages#/0/parts/0/content"),
    "content_that_is_no_text": (
        chat(parts('{"type":"text","content":["hi"]}')), "wrong-structure", "gen_ai.input.messages#/0/parts/0/content"),
    "part_by_another_name": (
        chat(parts('{"type":"tool_use","name":"f"}')), "misspelt-value", "gen_ai.input.messages#/0/parts/0/type"),
    "media_by_another_name": (
        chat(parts('{"type":"image_url","image_url":{"url":"x"}}')), "misspelt-value", "gen_ai.input.messages#/0/parts/0/type"),
    "call_without_name": (
        chat(parts('{"type":"tool_call","id":"1"}')), "missing-member", "gen_ai.input.messages#/0/parts/0/name"),
    "call_with_a_number_as_id": (
        chat(parts('{"type":"tool_call","name":"f","id":1}')), "wrong-structure", "gen_ai.input.messages#/0/parts/0/id"),
    "response_to_no_call": (
        chat(parts('{"type":"tool_call","name":"f","id":"1"}', '{"type":"tool_call_response","id":"2","response":3}')),
        "orphan-tool-response", "gen_ai.input.messages#/0/parts/1/id"),
    "blob_in_hex": (
        chat(parts('{"type":"blob","modality":"image","content":"zz!"}')), "not-base64", "gen_ai.input.messages#/0/parts/0/content"),
    "modality_of_its_own": (
        chat(parts('{"type":"uri","modality":"smell","uri":"x:y"}')), "custom-value", "gen_ai.input.messages#/0/parts/0/modality"),
    "file_without_id": (
        chat(parts('{"type":"file","modality":"image"}')), "missing-member", "gen_ai.input.messages#/0/parts/0/file_id"),
    "finish_reason_of_a_provider": (
        chat({"gen_ai.output.messages": ANSWER.replace("stop", "end_turn")}), "misspelt-value",
        "gen_ai.output.messages#/0/finish_reason"),
    "tool_definition_inside_function": (
        chat({"gen_ai.tool.definitions": '[{"type":"function","function":{"name":"f"}}]'}), "missing-member",
        "gen_ai.tool.definitions#/0/name"),
    "document_with_a_score_in_words": (
        SpanView(name="retrieval", kind=3, attributes={
            "gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": '[{"score":"high"}]'}),
        "wrong-structure", "gen_ai.retrieval.documents#/0/score"),
    "more_cached_than_read": (
        chat({"gen_ai.usage.cache_read.input_tokens": 11}), "inconsistent-count", "gen_ai.usage.input_tokens"),
    "more_reasoned_than_written": (
        chat({"gen_ai.usage.reasoning.output_tokens": 6}), "inconsistent-count", "gen_ai.usage.output_tokens"),
    "fewer_than_none": (chat({"gen_ai.usage.output_tokens": -1}), "inconsistent-count", "gen_ai.usage.output_tokens"),
    "event_of_1_36": (
        chat(events=[EventView("gen_ai.choice", {})]), "deprecated-event", "@events/gen_ai.choice"),
    "event_nobody_registered": (
        chat(events=[EventView("gen_ai.mood", {})]), "unknown-event", "@events/gen_ai.mood"),
    "evaluation_without_name": (
        chat(events=[EventView("gen_ai.evaluation.result", {"gen_ai.evaluation.score.value": 1.0})]), "missing-required",
        "@events/gen_ai.evaluation.result/gen_ai.evaluation.name"),
    "tool_run_as_client": (SpanView(name="execute_tool add", kind=3, attributes=TOOL), "wrong-kind", "@kind"),
    "tool_result_as_text": (
        SpanView(name="execute_tool add", kind=1, attributes=TOOL | {"gen_ai.tool.call.result": "42"}), "unusual-structure",
        "gen_ai.tool.call.result"),
    "tool_result_as_list": (
        SpanView(name="execute_tool add", kind=1, attributes=TOOL | {"gen_ai.tool.call.result": "[42]"}), "unusual-structure",
        "gen_ai.tool.call.result#"),
    "mcp_call_without_tool": (
        SpanView(name="tools/call", kind=3, attributes={k: v for k, v in MCP.items() if k != "gen_ai.tool.name"}),
        "missing-conditional", "gen_ai.tool.name"),
    "mcp_request_without_id": (
        SpanView(name="tools/list", kind=2, attributes={"mcp.method.name": "tools/list"}), "missing-conditional",
        "jsonrpc.request.id"),
}  # fmt: skip


@pytest.mark.parametrize("defect", SPANS)
def test_a_span_with_one_defect_has_one_finding(defect):
    span, code, path = SPANS[defect]
    found = checker("gen-ai-dev").span(span)
    assert [(finding.code, finding.path) for finding in found] == [(code, path)], found
    assert found[0].severity == CODES[code][0]


DETAILS = "gen_ai.client.inference.operation.details"
LOGS = {
    "details_without_provider": ({"gen_ai.operation.name": "chat"}, DETAILS, "missing-required", "gen_ai.provider.name"),
    "messages_as_json": (CHAT, DETAILS, "text-for-structure", "gen_ai.input.messages"),
    "exception_without_anything": ({}, "gen_ai.client.operation.exception", "missing-conditional", "exception.type"),
    "message_of_1_36": ({}, "gen_ai.user.message", "deprecated-event", "@name"),
    "port_of_a_record_that_is_no_event": (
        {"gen_ai.operation.name": "chat", "server.port": "80"}, "acme.call", "wrong-type", "server.port"),
    "type_of_a_count": ({"gen_ai.usage.input_tokens": "3"}, "", "wrong-type", "gen_ai.usage.input_tokens"),
}  # fmt: skip


@pytest.mark.parametrize("defect", LOGS)
def test_a_log_record_with_a_defect_has_its_finding(defect):
    attributes, name, code, path = LOGS[defect]
    found = checker("gen-ai-dev").log(LogView(event_name=name, attributes=attributes))
    assert (code, path) in [(finding.code, finding.path) for finding in found]
    named = LogView(attributes=attributes | {"event.name": name})
    assert [finding.code for finding in checker("gen-ai-dev").log(named)] == [finding.code for finding in found]


def duration(**metric) -> MetricView:
    point = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m"}
    return MetricView(
        **{"name": "gen_ai.client.inference.duration", "type": "histogram", "unit": "s", "points": [point]} | metric
    )


METRICS = {
    "instrument": (duration(type="gauge"), "wrong-instrument", "@instrument"),
    "unit": (duration(unit="ms"), "wrong-unit", "@unit"),
    "annotation": (
        duration(name="gen_ai.invoke_agent.tool_calls", unit="1"), "other-annotation", "@unit"),
    "former_name": (duration(name="gen_ai.client.token.usage"), "deprecated-metric", "@name"),
    "name_nobody_registered": (duration(name="gen_ai.cost"), "unknown-metric", "@name"),
    "point_without_operation": (
        duration(points=[{"gen_ai.provider.name": "openai"}] * 3), "missing-required", "@points/0/gen_ai.operation.name"),
    "type_in_a_later_point": (
        duration(points=[*duration().points, {**duration().points[0], "server.port": "80", "server.address": "x"}]), "wrong-type",
        "@points/1/server.port"),
}  # fmt: skip


@pytest.mark.parametrize("defect", METRICS)
def test_a_metric_with_one_defect_has_one_finding(defect):
    metric, code, path = METRICS[defect]
    assert [(finding.code, finding.path) for finding in checker("gen-ai-dev").metric(metric)] == [(code, path)]


GOOD = {
    "chat": chat(),
    "a_name_that_says_more": chat(name="chat gpt-4o and more"),
    "an_exponential_histogram": duration(type="exponentialHistogram"),
    "a_generic_part": chat(parts('{"type":"mood","colour":"blue"}')),
    "extra_members": chat(parts('{"type":"text","content":"hi","signature":"x"}')),
    "bytes_in_a_structure": chat(
        {
            "gen_ai.input.messages": [
                {"role": "user", "parts": [{"type": "blob", "modality": "image", "content": b"\0"}]}
            ]
        }
    ),
    "an_attribute_without_value": chat({"gen_ai.request.seed": None}),
    "an_error_with_its_type": chat({"error.type": "timeout"}, status_code=2),
    "a_tool_call_over_mcp": SpanView(name="tools/call add", kind=2, attributes=MCP),
    "an_mcp_notification": SpanView(
        name="notifications/initialized", kind=3, attributes={"mcp.method.name": "notifications/initialized"}
    ),
    "a_span_of_another_convention": SpanView(
        name="GET /", kind=2, attributes={"server.port": "80", "http.method": "GET"}
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_right_has_no_finding(name):
    view = GOOD[name]
    check = checker("gen-ai-dev")
    assert (check.span(view) if isinstance(view, SpanView) else check.metric(view)) == ()


def test_the_targets_ask_for_different_things():
    silent = ANSWER.replace(',"finish_reason":"stop"', "")
    assert checker("gen-ai-dev").span(chat({"gen_ai.output.messages": silent})) == ()
    found = checker("core-1.41.1").span(chat({"gen_ai.output.messages": silent}))
    assert [(finding.code, finding.path) for finding in found] == [
        ("missing-member", "gen_ai.output.messages#/0/finish_reason")
    ]
    cached = {"gen_ai.usage.cache_creation.input_tokens": 1}
    assert [finding.expected for finding in checker("gen-ai-dev").span(chat(cached))] == [
        "gen_ai.usage.cache_write.input_tokens"
    ]
    assert checker("core-1.41.1").span(chat(cached)) == ()


# ------------------------------------------------------------------ what the source has said


def test_what_the_source_never_said_is_told_from_what_a_translation_lost():
    view = chat({"gen_ai.provider.name": ...})
    (absent,) = checker("gen-ai-dev").span(view, lambda _: False)
    (missing,) = checker("gen-ai-dev").span(view, lambda key: key == "gen_ai.provider.name")
    assert (absent.severity, missing.severity) == (ABSENT, VIOLATION)


@pytest.mark.parametrize(
    ("attributes", "key", "claimed"),
    [
        ({"gen_ai.system": "openai"}, "gen_ai.provider.name", True),
        ({"gen_ai.system": "langchain"}, "gen_ai.provider.name", False),
        ({"gen_ai.system": ""}, "gen_ai.provider.name", False),
        ({"gen_ai.usage.prompt_tokens": 3}, "gen_ai.usage.input_tokens", True),
        ({"gen_ai.request.model": "m"}, "gen_ai.request.model", True),
        ({"gen_ai.request.model": "m"}, "gen_ai.provider.name", False),
        ({"openinference.span.kind": "LLM", "llm.provider": "openai"}, "gen_ai.provider.name", True),
        (
            {"openinference.span.kind": "LLM", "llm.invocation_parameters": '{"top_p": 0.5}'},
            "gen_ai.request.top_p",
            True,
        ),
        ({"openinference.span.kind": "LLM", "llm.invocation_parameters": "{}"}, "gen_ai.request.top_p", False),
        (
            {"openinference.span.kind": "LLM", "llm.input_messages.0.message.content": "x"},
            "gen_ai.input.messages",
            True,
        ),
    ],
)
def test_a_claim_is_what_a_row_of_a_profile_that_matched_leads_to(attributes, key, claimed):
    translate = loaded()
    view = SpanView(name="x", attributes=attributes)
    assert (key in claims(view, translate.span(view), translate.profiles, translate.target)) is claimed


def test_a_claim_may_stand_on_an_event_or_in_a_name():
    translate = loaded()
    view = SpanView(
        name="x",
        attributes={"gen_ai.system": "openai"},
        events=[EventView("gen_ai.content.prompt", {"gen_ai.prompt": "hi"})],
    )
    assert "gen_ai.input.messages" in claims(view, translate.span(view), translate.profiles, translate.target)


def test_a_claim_may_be_the_body_of_a_log_record():
    translate = loaded()
    view = LogView(event_name="gen_ai.user.message", body={"content": "hi"}, attributes={"gen_ai.system": "openai"})
    assert claims(view, translate.log(view), translate.profiles, translate.target) >= {
        "gen_ai.input.messages", "gen_ai.provider.name"}  # fmt: skip


# ------------------------------------------------------------------ laws


@LAWS
@given(spans(), st.booleans())
def test_a_check_is_total_and_its_findings_are_of_known_codes(span, said):
    view = otlp_json.span_view(span[0], otlp_json.surroundings({}, span[1]))
    for target in TARGETS:
        for finding in checker(target).span(view, (lambda _: said) if said else None):
            assert finding.code in CODES
            assert finding.severity in SEVERITIES
            assert len(finding.got) <= 96
            assert len(finding.expected) <= 96


WRITTEN = {"wrong-type", "not-json", "text-for-structure", "framework-as-provider", "deprecated-attribute"}
"""What no attribute that a translation writes may be, whatever it was made of."""


@pytest.mark.parametrize("target", TARGETS)
@LAWS
@given(spans())
def test_what_a_translation_writes_on_a_span_is_of_the_targets_types(target, span):
    view = otlp_json.span_view(span[0], otlp_json.surroundings({}, span[1]))
    translation = loaded(target).span(view)
    for finding in checker(target).span(applied(view, translation)):
        assert finding.code not in WRITTEN or finding.path.partition("#")[0] not in translation.attributes, finding
        assert finding.code != "wrong-name"


@pytest.mark.parametrize("target", TARGETS)
@LAWS
@given(ATTRIBUTES)
def test_what_a_translation_writes_on_a_log_record_is_of_the_targets_types(target, attributes):
    view = LogView(event_name=DETAILS, attributes=attributes)
    translation = loaded(target).log(view)
    for finding in checker(target).log(applied(view, translation)):
        assert finding.code not in WRITTEN or finding.path.partition("#")[0] not in translation.attributes, finding


@LAWS
@given(ATTRIBUTES)
def test_logs_and_metrics_are_checked_whatever_they_hold(attributes):
    check = checker("gen-ai-dev")
    check.log(LogView(event_name="gen_ai.client.inference.operation.details", attributes=attributes))
    check.metric(duration(points=[attributes, attributes]))


@LAWS
@given(spans())
def test_the_order_of_attributes_does_not_matter(span):
    view = otlp_json.span_view(span[0], otlp_json.surroundings({}, span[1]))
    found = checker("gen-ai-dev").span(view)
    view.attributes = dict(reversed(view.attributes.items()))
    assert checker("gen-ai-dev").span(view) == found


def test_of_a_long_list_of_broken_parts_only_the_first_are_named():
    found = checker("gen-ai-dev").span(chat(parts(*['{"type":"text"}'] * 10_000)))
    assert len(found) == 32


# ------------------------------------------------------------------ the survey


def test_a_survey_groups_by_scope_code_and_place_and_keeps_examples():
    check = checker("gen-ai-dev")
    survey = Survey(check)
    for number in range(5):
        view = chat({"gen_ai.system": f"s{number}"}, trace_id=f"{number}")
        survey.add(view, check.span(view))
    broken = chat(parts('{"type":"text"}', '{"type":"text"}'))
    survey.add(broken, check.span(broken))
    report = survey.report()
    assert report["items"] == {"spans": 6, "logs": 0, "metrics": 0}
    assert report["totals"] == {VIOLATION: 7, ABSENT: 0, ADVICE: 0}
    system, member = report["findings"]
    assert (system["path"], system["items"], len(system["examples"])) == ("gen_ai.system", 5, 3)
    assert (member["path"], member["items"], member["findings"]) == ("gen_ai.input.messages#/*/parts/*/content", 1, 2)
    assert system["examples"][0]["trace_id"] == "0"


def test_a_survey_says_how_many_items_have_to_do_with_the_conventions():
    check = checker("gen-ai-dev")
    survey = Survey(check)
    for view in (
        chat(),
        SpanView(name="GET /", attributes={"http.method": "GET"}),
        duration(),
        LogView(event_name="gen_ai.x"),
    ):
        survey.add(view, ())
    assert survey.concerned == 3


def test_a_survey_of_ever_new_keys_is_bounded_and_counts_the_rest():
    check = checker("gen-ai-dev")
    survey = Survey(check)
    view = chat({f"gen_ai.x{number}": 1 for number in range(5000)})
    survey.add(view, check.span(view))
    report = survey.report()
    assert len(report["findings"]) + report["unlisted"] == report["totals"][ADVICE] == 5000


# ------------------------------------------------------------------ reading requirements

BROKEN = {
    "instrument_nobody_knows": ({"metrics": {"m": {"instrument": "trumpet", "unit": "s"}}}, "instrument:"),
    "metric_without_unit": ({"metrics": {"m": {"instrument": "gauge"}}}, "m:"),
    "type_nobody_defines": (
        {"structures": {"shapes": {"input_messages": "[massage]"}, "values": {}, "objects": {}, "unions": {}}}, "input_messages:"),
    "structures_without_objects": ({"structures": {"shapes": {}, "values": {}, "unions": {}}}, "structures:"),
    "section_nobody_knows": ({"deprecated": {"spans": {}}}, "spans:"),
    "condition_that_is_no_text": ({"events": {"e": {"conditionally_required": {"error.type": 3}}}}, "error.type:"),
    "share_that_is_no_list": ({"within": {"gen_ai.usage.input_tokens": "x"}}, "gen_ai.usage.input_tokens:"),
}  # fmt: skip


@pytest.mark.parametrize("defect", BROKEN)
def test_a_broken_requirement_is_refused_with_its_place(defect):
    change, place = BROKEN[defect]
    shared = {name: parse(table.builtin("tables", name), name) for name in ("enums.yaml", "messages.yaml")}
    target = loaded().target
    data = yaml.safe_dump(parse(table.builtin("targets", "gen-ai-dev.yaml"), "t") | change).encode()
    with pytest.raises(ProfileError) as refused:
        table.read(data, "x.yaml", lambda document: requirements(document, target, shared))
    assert place in data.decode().splitlines()[refused.value.line - 1]


@pytest.mark.parametrize(
    ("words", "said", "failed", "holds"),
    [
        ("operation failed", {}, True, True),
        ("operation failed", {}, None, None),
        ("server.address present", {"server.address": "x"}, None, True),
        ("server.address present", {"server.address": ""}, None, False),
        ("exception.type absent", {}, None, True),
        ("mcp.method.name is tools/call, tools/list", {"mcp.method.name": "tools/list"}, None, True),
        ("mcp.method.name is tools/call", {"mcp.method.name": "ping"}, None, False),
        ("mcp.method.name is not notifications/*", {"mcp.method.name": "notifications/x"}, None, False),
        ("mcp.method.name is not notifications/*", {"mcp.method.name": "ping"}, None, True),
        ("mcp.method.name is ping", {}, None, None),
        ("known", {}, True, None),
    ],
)
def test_a_condition_is_decided_where_its_words_allow(words, said, failed, holds):
    assert Condition.of(words).holds(said.get, failed=failed) is holds


@pytest.mark.parametrize("target", TARGETS)
def test_every_key_a_target_asks_for_is_one_it_has(target):
    asked = checker(target).requirements
    duties = [*asked.spans.values(), *asked.refinements.values(), *asked.events.values()]
    duties += [metric.duty for metric in asked.metrics.values()]
    keys = {key for duty in duties for key in (*duty.required, *duty.conditionally)}
    keys |= {condition.key for duty in duties for condition in duty.conditionally.values() if condition.key}
    keys |= {key for whole, groups in asked.within.items() for group in groups for key in (whole, *group)}
    keys |= {new for news in asked.deprecated["attributes"].values() for new in news}
    assert keys - asked.target.attributes.keys() == set()
    assert {new for news in asked.deprecated["metrics"].values() for new in news} <= asked.metrics.keys()
    assert asked.deprecated["attributes"].keys() & asked.target.attributes.keys() == set()
