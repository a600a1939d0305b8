"""The report: its books close, its lists are sorted and bounded, and it says the same for the same items."""

import orjson
import pytest

from semconv.account import counts
from semconv.account.account import Account
from semconv.reasons import REASONS
from semconv.translation import Translation
from semconv.view import EventView, LogView, MetricView, SpanView
from tests.semconv.recorded import recorded
from tests.semconv.translated import SIGNALS, translated, viewed
from tests.tools.translators import loaded


@pytest.fixture(scope="module")
def books(request) -> Account:
    translator = loaded()
    account = Account()
    for signal in SIGNALS:
        for item in recorded(signal)[::5]:
            account.add(viewed(signal, item), translated(translator, signal, item))
    return account


def entered(translator, *views) -> dict:
    account = Account()
    for view in views:
        verb = {SpanView: translator.span, LogView: translator.log, MetricView: translator.metric}[type(view)]
        account.add(view, verb(view))
    return account.report()


def test_the_books_close(books):
    report = books.report()
    totals = report["totals"]
    assert report["schema_version"] == "mapping-loss-v1"
    assert report["balanced"] is totals["balanced"] is True
    buckets = ("kept", "renamed", "converted", "folded", "derived_only", "dropped")
    assert sum(totals[bucket] for bucket in buckets) == totals["atoms_in"]
    assert sum(entry["atoms"] for entry in report["by_reason"]) == totals["dropped"]
    assert sum(totals["dropped_by_severity"].values()) == totals["dropped"]
    for severity, atoms in totals["dropped_by_severity"].items():
        assert atoms == sum(entry["atoms"] for entry in report["by_reason"] if entry["severity"] == severity)
    assert sum(entry["atoms_in"] for entry in report["by_source"]) == totals["atoms_in"]
    assert sum(entry["dropped"] for entry in report["by_source"]) == totals["dropped"]
    assert totals["bytes_retained_raw"] <= totals["bytes_lost"] <= totals["bytes_in"]


def test_the_report_is_exact_json(books):
    report = books.report()
    assert orjson.loads(orjson.dumps(report)) == report
    assert all(reason["reason"] in REASONS for reason in report["by_reason"])


def test_every_list_is_sorted_by_weight_and_says_how_long_it_would_be(books):
    report = books.report()
    assert [entry["count"] for entry in report["by_key"]] == sorted(
        (e["count"] for e in report["by_key"]), reverse=True
    )
    assert len(report["by_key"]) == min(report["totals"]["distinct"]["by_key"], counts.SHOWN_MAX)


def test_names_of_any_length_make_no_report_that_cannot_be_read_again(translator):
    long = "k" * 100_000
    attributes = {"openinference.span.kind": "LLM", f"llm.{long}": "v", f"@{long}": "v", f"llm.{long}.1": "v"}
    views = [
        SpanView(name="s", attributes={**attributes, f"llm.{number}{long}": "v"}, scope_name=f"{number}{long}")
        for number in range(3)
    ]
    log = LogView(event_name="e", attributes=attributes, scope_name=long, trace_id="0" * 100_000, span_id="0" * 100_000)
    report = entered(translator, *views, log)
    assert report["balanced"]
    assert len(orjson.dumps(report)) < 20_000
    shown = [entry["key"] for entry in report["by_key"]] + [entry["scope"] for entry in report["by_source"]]
    assert max(map(len, shown)) == counts.NAME_CHARS_MAX + len("…")


def test_a_span_nobody_knows_is_counted_and_kept(translator):
    report = entered(translator, SpanView(name="GET /", attributes={"http.method": "GET"}, scope_name="http"))
    assert report["profiles"] == []
    assert report["by_source"] == [{"profile": "", "scope": "http", "atoms_in": 5, "dropped": 0, "by_reason": {}}]
    assert (
        report["totals"]["kept"] == report["totals"]["atoms_in"] == 5
    )  # name, kind, scope name and version, one attribute


def test_a_lost_key_is_named_with_its_numbers_as_one_and_an_example(translator):
    views = [
        SpanView(
            name="r",
            attributes={"openinference.span.kind": "EMBEDDING", f"embedding.embeddings.{at}.embedding.text": "four"},
            trace_id=f"{at:032x}",
            span_id="00f067aa0ba902b7",
        )
        for at in (1, 2)
    ]
    entry = next(entry for entry in entered(translator, *views)["by_key"] if entry["key"].startswith("embedding."))
    assert entry == {
        "key": "embedding.embeddings.{i}.embedding.text",
        "container": "span.attribute",
        "reason": "no_concept",
        "count": 2,
        "bytes": 8,
        "target": None,
        "declared": True,
        "example": {"trace_id": f"{1:032x}", "span_id": "00f067aa0ba902b7"},
    }


def test_a_key_without_a_row_is_unknown_and_not_declared(translator):
    report = entered(translator, SpanView(name="r", attributes={"openinference.span.kind": "LLM", "llm.brand.new": 1}))
    assert report["unknown_keys"] == [{"key": "llm.brand.new", "count": 1}]
    assert [entry["declared"] for entry in report["by_key"] if entry["key"] == "llm.brand.new"] == [False]


def test_a_conflict_is_recorded_with_who_stood_and_who_lost(translator):
    attributes = {"openinference.span.kind": "LLM", "gen_ai.usage.input_tokens": 5, "llm.token_count.prompt": 7}
    report = entered(translator, SpanView(name="chat", attributes=attributes))
    assert report["conflicts"] == [
        {
            "concept": "gen_ai.usage.input_tokens",
            "chosen": {"key": "gen_ai.usage.input_tokens"},
            "lost": [{"key": "llm.token_count.prompt"}],
            "count": 1,
        }
    ]
    assert next(e for e in report["by_reason"] if e["reason"] == "conflict_lost")["severity"] == "major"


def test_what_was_missing_before_it_came_is_told_apart(translator):
    hidden = SpanView(
        name="l",
        attributes={"openinference.span.kind": "LLM", "input.value": "__REDACTED__"},
        dropped_attributes_count=3,
    )
    report = entered(translator, hidden)
    assert report["source_side"] == {"redacted_at_source": 1, "truncated_at_source": 3, "absent_at_source": []}
    assert not any(entry["key"] == "input.value" for entry in report["by_key"])


def test_roll_ups_and_the_meaning_of_token_counts_are_said(translator):
    agent = SpanView(name="a", attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 9})
    report = entered(translator, agent)
    assert report["accounting"] == {"cache_in_input": "included", "usage_rollups": 1}


def test_reversibility_is_counted_by_span(translator):
    report = entered(
        translator,
        SpanView(name="x", attributes={}),
        SpanView(name="chat m", kind=3, attributes={"gen_ai.system": "openai", "gen_ai.operation.name": "chat"}),
        SpanView(name="ChatCompletion", attributes={"openinference.span.kind": "LLM"}),
    )
    assert report["reversible"] == {"lossless_spans": 2, "needs_provenance": 0, "irreversible": 1}


def test_what_an_account_remembers_is_bounded(translator, monkeypatch):
    monkeypatch.setattr(counts, "ENTRIES_MAX", 10)
    keys = [f"llm.brand.new.{'x' * at}" for at in range(1, 40)]
    views = [SpanView(name="r", attributes={"openinference.span.kind": "LLM", key: 1}) for key in keys]
    report = entered(translator, *views)
    assert report["totals"]["distinct"]["by_key"] <= 12
    assert sum(entry["count"] for entry in report["by_key"]) == report["totals"]["dropped"]
    assert any(entry["key"] == "*" for entry in report["by_key"])


def test_an_item_that_does_not_balance_is_not_hidden(translator):
    view = SpanView(name="x", attributes={})
    translation = translator.span(view)
    broken = Translation(type(translation.tally)(atoms_in=9, kept=8))
    account = Account()
    account.add(view, broken)
    assert account.report()["balanced"] is False


def test_logs_metrics_events_and_links_are_counted(translator):
    span = SpanView(name="x", attributes={}, events=[EventView("e", {"a": 1})], links=[{"attributes": {"b": 1}}])
    report = entered(translator, span, LogView(body="b"), MetricView(name="m", points=[{}]))
    assert {name: report["totals"][name] for name in ("spans", "logs", "metrics", "events", "links")} == {
        "spans": 1, "logs": 1, "metrics": 1, "events": 1, "links": 1,
    }  # fmt: skip
    assert report["balanced"]
