"""Coverage: every name has one fate, the counts agree with the account, and what no table names is named."""

from functools import cache

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semconv import otlp_json
from semconv.account import counts
from semconv.account.account import Account
from semconv.account.coverage import Coverage
from semconv.account.fates import FATES, fates
from semconv.translate import Translator
from semconv.view import EventView, LogView, MetricView, SpanView
from tests.semconv.recorded import recorded
from tests.semconv.strategies import TRANSLATOR, logs, metrics, spans
from tests.semconv.translated import SIGNALS, translated, viewed
from tests.tools.examples import times

PROFILES = {profile.id: profile for profile in TRANSLATOR.profiles}
MINE = b"""
id: mine
version: "1"
detect: {keys: {mine.kind: 1}, metrics: {mine.*: 1}}
namespaces: [mine.]
rows:
  - {key: mine.kind, to: gen_ai.operation.name, op: {enum: kind, miss: enum_no_equivalent}}
  - {key: mine.tool, to: gen_ai.tool.name, when: {operation: execute_tool}}
  - {key: mine.tool, lost: vendor_internal}
  - {key: mine.id, keep: true}
  - {key: mine.request, split: {seed: {to: gen_ai.request.seed}}}
  - {key: "mine.items.{i}", lost: no_concept}
events:
  - {event: mine.heard, lost: event_dropped}
logs:
  - {event: mine.log, lost: log_unjoined}
metrics:
  - {name: mine.duration, to: gen_ai.execute_tool.duration, unit: s}
enums:
  kind: {t: execute_tool}
"""


@cache
def seen() -> list:
    return [
        (item.producer, viewed(signal, item), translated(TRANSLATOR, signal, item))
        for signal in SIGNALS
        for item in recorded(signal)[::3]
    ]


@cache
def of_recordings() -> dict:
    coverage = Coverage(TRANSLATOR)
    for producer, view, translation in seen():
        coverage.add(view, translation, file=producer)
    return coverage.report()


def span_view(span, scope) -> SpanView:
    return otlp_json.span_view(span, otlp_json.surroundings({}, scope))


def covered(*views) -> dict:
    translator = Translator.load(user_profiles={"mine.yaml": MINE})
    coverage = Coverage(translator)
    for view in views:
        verb = {SpanView: translator.span, LogView: translator.log, MetricView: translator.metric}[type(view)]
        coverage.add(view, verb(view), file="here")
    return coverage.report()


def mine(report) -> dict:
    return next(profile for profile in report["profiles"] if profile["id"] == "mine")


def test_every_attribute_and_event_of_recorded_telemetry_has_one_fate():
    for _, view, translation in seen():
        matched = [PROFILES[id_] for id_ in translation.profiles]
        found = list(fates(view, translation, matched, TRANSLATOR.target))
        points = view.points if isinstance(view, MetricView) else [view.attributes]
        assert [fate.name for fate in found if fate.kind == "attribute"] == [key for point in points for key in point]
        if isinstance(view, SpanView):
            assert [fate.name for fate in found if fate.kind == "event"] == [event.name for event in view.events]
        assert {fate.fate for fate in found} <= set(FATES)


def test_what_a_translation_lost_or_changed_is_what_the_fates_say():
    for _, view, translation in seen():
        if isinstance(view, MetricView) or not translation.profiles:
            continue
        matched = [PROFILES[id_] for id_ in translation.profiles]
        found = {
            fate.name: fate for fate in fates(view, translation, matched, TRANSLATOR.target) if fate.kind == "attribute"
        }
        lost = {loss.path.partition("#/")[0] for loss in translation.loss if not loss.path.startswith("@")}
        assert lost == {name for name, fate in found.items() if fate.fate in ("lost", "in_part", "unknown")}
        assert set(translation.removed) - lost <= {name for name, fate in found.items() if fate.fate == "mapped"}
        assert {name for name, fate in found.items() if fate.fate == "unknown"} <= set(translation.unknown)
        assert all(fate.profile in translation.profiles for fate in found.values() if fate.fate != "kept")


def test_the_totals_are_those_of_an_account_of_every_item():
    books = Account()
    for _, view, translation in seen():
        books.add(view, translation)
    totals, expected = of_recordings()["totals"], books.report()
    assert totals["atoms"] == {bucket: expected["totals"][bucket] for bucket in totals["atoms"]}
    assert [(entry["reason"], entry["atoms"]) for entry in totals["lost"]] == [
        (entry["reason"], entry["atoms"]) for entry in expected["by_reason"] if entry["atoms"]
    ]
    assert {signal: totals["items"][signal] for signal in ("spans", "logs", "metrics")} == {
        signal: expected["totals"][signal] for signal in ("spans", "logs", "metrics")
    }


def test_an_item_that_several_profiles_match_is_counted_with_each():
    report = of_recordings()
    for profile in report["profiles"]:
        matched = [translation for _, _, translation in seen() if profile["id"] in translation.profiles]
        items = profile["items"]
        assert items["spans"] + items["logs"] + items["metrics"] == len(matched) > 0
        assert sum(entry["items"] for entry in profile["scopes"]) == len(matched)
        assert profile["atoms"]["dropped"] == sum(translation.tally.dropped for translation in matched)


def test_the_report_is_json_and_only_its_examples_depend_on_the_order():
    def without_examples(value):
        if isinstance(value, dict):
            return {name: without_examples(inner) for name, inner in value.items() if name != "example"}
        return [without_examples(inner) for inner in value] if isinstance(value, list) else value

    backwards = Coverage(TRANSLATOR)
    for producer, view, translation in reversed(seen()):
        backwards.add(view, translation, file=producer)
    report = of_recordings()
    assert orjson.loads(orjson.dumps(report)) == report
    assert without_examples(report) == without_examples(backwards.report())


def test_each_name_says_what_became_of_it_how_often_and_why():
    views = [
        SpanView(
            name="s", span_id="a1", scope_name="lib",
            attributes={"mine.kind": "t", "mine.tool": "x", "mine.request": '{"seed": 1, "more": 2}', "mine.id": "1",
                        "mine.items.0": 1, "mine.items.17": 2, "http.route": "/"},
            events=[EventView("mine.heard", {}), EventView("else", {})],
        ),
        SpanView(name="s", attributes={"mine.kind": "other", "mine.tool": "x"}),
    ]  # fmt: skip
    report = covered(*views)
    names = {entry.pop("name"): entry for entry in mine(report)["names"]}
    for entry in names.values():
        assert entry.pop("example") == {"file": "here", "signal": "span", "trace_id": "", "span_id": "a1"}
    assert names == {
        "mine.kind": {"kind": "attribute", "mapped": 1, "lost": 1, "reasons": {"enum_no_equivalent": 1}},
        "mine.tool": {"kind": "attribute", "mapped": 1, "lost": 1, "reasons": {"vendor_internal": 1}},
        "mine.request": {"kind": "attribute", "in_part": 1, "reasons": {"partial_no_concept": 1}},
        "mine.id": {"kind": "attribute", "kept": 1, "reasons": {}},
        "mine.items.{i}": {"kind": "attribute", "lost": 2, "reasons": {"no_concept": 2}},
        "mine.heard": {"kind": "event", "lost": 1, "reasons": {"event_dropped": 1}},
    }
    assert mine(report)["distinct"] == {"mapped": 2, "in_part": 1, "kept": 1, "lost": 4, "unknown": 0}
    assert [(entry["kind"], entry["name"]) for entry in report["foreign"]] == [
        ("attribute", "http.route"),
        ("event", "else"),
    ]
    assert mine(report)["scopes"] == [{"scope": "", "items": 1}, {"scope": "lib", "items": 1}]


def test_logs_and_the_points_of_metrics_count_as_well():
    log = LogView(event_name="mine.log", body="hello", attributes={"mine.kind": "t"})
    metric = MetricView(name="mine.duration", points=[{"mine.tool": "x"}, {"mine.tool": "y", "mine.new": 1}])
    report = covered(log, metric)
    assert mine(report)["items"] == {"spans": 0, "logs": 1, "metrics": 1, "points": 2}
    fate = {(entry["kind"], entry["name"]): entry for entry in mine(report)["names"]}
    assert fate["body", "mine.log"]["reasons"] == {"log_unjoined": 1}
    assert fate["metric", "mine.duration"]["mapped"] == 1
    assert fate["attribute", "mine.tool"]["lost"] == 2
    assert fate["attribute", "mine.new"]["unknown"] == 1
    assert fate["attribute", "mine.new"]["example"] == {"file": "here", "metric": "mine.duration"}


def test_an_unknown_name_is_named_with_its_profile_and_where_it_was_first_seen():
    attributes = {"mine.kind": "t", "mine.new.3.x": 1}
    views = [SpanView(name="s", attributes=attributes, span_id=span_id) for span_id in ("a", "b")]
    report = covered(SpanView(name="s", attributes={"mine.kind": "t"}, span_id="0"), *views)
    (entry,) = report["unknown"]
    assert (entry["profile"], entry["name"], entry["unknown"]) == ("mine", "mine.new.{i}.x", 2)
    assert entry["example"]["span_id"] == "a"
    assert report["distinct"]["unknown"] == 1


def test_items_no_profile_matches_are_told_from_those_that_look_like_agent_telemetry():
    strange = SpanView(name="s", scope_name="new.lib", attributes={"mine.tool": "x", "http.route": "/"})
    report = covered(strange, strange, SpanView(name="GET", attributes={"http.route": "/"}))
    assert report["profiles"] == []
    assert report["totals"]["unmatched"]["spans"] == 3
    (entry,) = report["unmatched"]
    assert (entry["scope"], entry["items"], entry["namespaces"]) == ("new.lib", 2, ["mine"])
    assert entry["names"] == [{"name": "mine.tool", "count": 2}]


def test_names_and_scopes_made_up_as_they_go_take_a_bounded_place(monkeypatch):
    monkeypatch.setattr(counts, "ENTRIES_MAX", 8)
    views = [
        SpanView(name="s", scope_name=f"lib-{at}-{'x' * 1000}", attributes={"mine.kind": "t", f"mine.n{at}" * 99: 1})
        for at in range(40)
    ]
    report = covered(*views)
    assert len(mine(report)["names"]) <= 9
    assert len(mine(report)["scopes"]) <= 9
    assert sum(entry["items"] for entry in mine(report)["scopes"]) == 40
    assert sum(entry.get("unknown", 0) for entry in mine(report)["names"]) == 40
    assert len(orjson.dumps(report)) < 20_000


@given(st.lists(spans().map(lambda given_span: span_view(*given_span)) | logs() | metrics(), max_size=4))
@settings(max_examples=times(0.4))
def test_anything_is_covered_name_by_name(views):
    coverage, expected = Coverage(TRANSLATOR), 0
    for view in views:
        verb = {SpanView: TRANSLATOR.span, LogView: TRANSLATOR.log, MetricView: TRANSLATOR.metric}[type(view)]
        translation = verb(view)
        coverage.add(view, translation)
        points = view.points if isinstance(view, MetricView) else [view.attributes]
        expected += sum(map(len, points)) if translation.profiles else 0
    report = coverage.report()
    assert orjson.loads(orjson.dumps(report)) == report
    counted = [count for names in coverage._names.values() for (kind, _), count in names.items() if kind == "attribute"]
    assert sum(sum(count.fates.values()) for count in counted) == expected


@pytest.mark.parametrize("fate", FATES)
def test_there_is_every_fate_in_the_recordings_but_the_unknown(fate):
    """Unknown keys are for the tables' own tests; here it is only seen that the others occur."""
    found = sum(profile["distinct"][fate] for profile in of_recordings()["profiles"])
    assert found or fate == "unknown"
