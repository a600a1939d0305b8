"""A timeline: where every event stands, what is said of it, and that nothing it is given makes it fail."""

from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from evidence import event as types
from evidence.canonical import canonical
from evidence.errors import BundleError
from evidence.limits import DEFAULT
from evidence.reading.lookup import find_events, has_span_id
from evidence.reading.outline import has_id
from evidence.reading.timeline import View, read_timeline
from evidence.redaction.commitment import Commitment
from tests.evidence import make
from tests.evidence.hostile import bundle_of, items
from tests.tools.examples import times

AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "boss"}
HELD = Commitment(alg="hmac-sha256", digest="ab" * 32, size_bytes=42, reason="data_class/person")
SECRET = "the body that is withheld"


ALL = View()


def at(second: int, took: int = 1) -> dict[str, str]:
    start = make.START + second * 10**9
    return {"startTimeUnixNano": str(start), "endTimeUnixNano": str(start + took * 10**9)}


def below(number: int) -> dict[str, str]:
    return {"parentSpanId": f"{number:016x}"}


def timeline(folder: Path, *made: make.Item, view: View = ALL, limits=DEFAULT):
    return read_timeline(bundle_of(folder, made), view, limits)


def shape(found) -> list[tuple[int, str]]:
    """Depth and name of each entry."""
    return [(entry.place.depth, entry.name or entry.type) for entry in found.entries]


@cache
def schema() -> Draft202012Validator:
    return Draft202012Validator(
        orjson.loads(files("evidence").joinpath("schemas/timeline-v1.schema.json").read_bytes())
    )


# ---------------------------------------------------------------- places


def test_spans_stand_below_their_parents_by_start_in_whatever_order_they_came(tmp_path):
    spans = [
        make.span(3, name="late child", **at(5), **below(1)),
        make.span(2, name="early child", **at(2), **below(1)),
        make.span(4, name="grandchild", **at(3), **below(2)),
        make.span(1, AGENT, name="root", **at(1)),
    ]
    expected = [(0, "root"), (1, "early child"), (2, "grandchild"), (1, "late child")]
    assert shape(timeline(tmp_path, *spans)) == expected
    assert shape(timeline(tmp_path, *reversed(spans))) == expected


def test_what_describes_the_run_stands_before_and_after_it(tmp_path):
    found = timeline(
        tmp_path, make.span(1, **at(-5)), make.opened(), make.resource({"service.name": "a"}), make.closed([])
    )
    assert [entry.type for entry in found.entries] == ["run.opened", "resource", "span", "run.closed"]
    assert found.started_nanos == make.START - 5 * 10**9


def test_logs_and_receipts_of_a_span_stand_below_it_and_of_an_unknown_span_beside(tmp_path):
    found = timeline(
        tmp_path,
        make.span(1, name="known", **at(0, 9)),
        make.log(1, {"event.name": "in it"}, timeUnixNano=str(make.START + 1)),
        make.receipt(
            "policy_decision", {}, trace_id=make.TRACE, span_id=f"{1:016x}", time_unix_nano=str(make.START + 2)
        ),
        make.log(7, {"event.name": "of another"}, timeUnixNano=str(make.START + 3)),
    )
    assert shape(found) == [(0, "known"), (1, "in it"), (1, "policy_decision"), (0, "of another")]
    assert [entry.place.notes for entry in found.entries] == [()] * 4


def test_gaps_stand_at_their_time(tmp_path):
    found = timeline(
        tmp_path, make.span(1, name="before", **at(-1)), make.gap("rejected"), make.span(2, name="after", **at(1))
    )
    assert shape(found) == [(0, "before"), (0, "rejected"), (0, "after")]


def test_a_parent_that_is_not_there_is_said_but_not_of_one_in_another_process(tmp_path):
    found = timeline(tmp_path, make.span(1, **below(8)), make.span(2, flags=0x300, **below(9)), make.span(3))
    assert [entry.place.notes for entry in found.entries] == [("parent_absent",), ("parent_remote",), ()]


def test_a_remote_parent_that_is_there_is_a_parent(tmp_path):
    found = timeline(tmp_path, make.span(1, name="client"), make.span(2, name="server", flags=0x300, **below(1)))
    assert shape(found) == [(0, "client"), (1, "server")]
    assert found.entries[1].place.notes == ()


def test_a_cycle_of_parents_begins_at_its_earliest_span(tmp_path):
    found = timeline(tmp_path, make.span(1, name="a", **at(2), **below(2)), make.span(2, name="b", **at(1), **below(1)))
    assert shape(found) == [(0, "b"), (1, "a")]
    assert [entry.place.notes for entry in found.entries] == [("parent_cycle",), ()]


def test_of_two_spans_with_one_id_both_are_shown_and_children_hang_on_the_first(tmp_path):
    found = timeline(
        tmp_path,
        make.span(1, name="first", **at(0)),
        make.span(1, name="again", **at(1)),
        make.span(2, name="child", **at(2), **below(1)),
    )
    assert shape(found) == [(0, "first"), (1, "child"), (0, "again")]
    assert found.entries[2].place.notes == ("span_id_repeated",)


def test_spans_of_two_traces_with_one_span_id_are_not_mixed(tmp_path):
    other = "0af7651916cd43dd8448eb211c80319c"
    found = timeline(
        tmp_path,
        make.span(1, name="mine", **at(0)),
        make.span(1, name="theirs", traceId=other, **at(1)),
        make.span(2, name="their child", traceId=other, **at(2), **below(1)),
    )
    assert shape(found) == [(0, "mine"), (0, "theirs"), (1, "their child")]


# ---------------------------------------------------------------- parts of it


def run_of_agents(agents: int, calls: int) -> list[make.Item]:
    made = []
    for agent in range(1, agents + 1):
        made.append(make.span(1000 * agent, AGENT, name=f"agent {agent}", **at(100 * agent)))
        for call in range(1, calls + 1):
            made.append(
                make.span(
                    1000 * agent + call, make.CHAT, failed=call == 2, **at(100 * agent + call), **below(1000 * agent)
                )
            )
    return made


def test_a_limit_prefers_what_is_near_the_root_and_counts_the_rest_where_it_would_stand(tmp_path):
    found = timeline(tmp_path, *run_of_agents(2, 3), view=View(limit=3))
    assert shape(found) == [(0, "agent 1"), (1, "a span"), (0, "agent 2")]
    assert [entry.place.hidden.to_json() for entry in found.entries if entry.place.hidden] == [
        {"events": 2, "failed": 1, "labels": {"chat": 2}},
        {"events": 3, "failed": 1, "labels": {"chat": 3}},
    ]
    assert found.hidden is None


def test_what_is_hidden_below_nothing_is_counted_for_the_run(tmp_path):
    found = timeline(tmp_path, *run_of_agents(3, 1), view=View(limit=2))
    assert shape(found) == [(0, "agent 1"), (0, "agent 2")]
    assert found.hidden.to_json() == {"events": 2, "failed": 0, "labels": {"chat": 1, "invoke_agent": 1}}
    assert sum(entry.place.hidden.events for entry in found.entries) == 2


def test_below_shows_one_span_and_what_is_under_it(tmp_path):
    found = timeline(tmp_path, *run_of_agents(2, 2), view=View(below=f"{2000:016x}"))
    assert shape(found) == [(0, "agent 2"), (1, "a span"), (1, "a span")]


def test_what_is_kept_stands_below_the_nearest_that_is_kept(tmp_path):
    view = View(keep=lambda name, failed: failed or name == "receipt")
    found = timeline(
        tmp_path,
        make.span(1, failed=True, name="a"),
        make.span(2, **below(1)),
        make.span(3, failed=True, name="c", **below(2)),
        view=view,
    )
    assert shape(found) == [(0, "a"), (1, "c")]


def test_events_beyond_the_bound_are_counted_and_not_shown(tmp_path):
    found = timeline(tmp_path, *run_of_agents(1, 9), limits=replace(DEFAULT, spans_tracked_max=4))
    assert (len(found.entries), found.untracked) == (4, 6)
    assert list(found.to_json())[-1] == {"record": "end", "entries": 4, "hidden": None, "untracked": 6}


# ---------------------------------------------------------------- what is said


def test_a_call_says_its_models_tokens_and_first_words(tmp_path):
    attributes = make.CHAT | {"gen_ai.usage.input_tokens": 7, "gen_ai.usage.output_tokens": 3}
    (entry,) = timeline(tmp_path, make.span(1, attributes, **at(0))).entries
    assert entry.facts["requested_model"] == "gpt-x"
    assert entry.facts["responding_model"] == "gpt-x-1"
    assert entry.facts["tokens"] == {"input": 7, "output": 3}
    assert [(each.speaker, each.words) for each in entry.excerpts] == [
        ("system", "be brief"),
        ("user", "hi"),
        ("assistant", "ho"),
    ]
    assert entry.duration_nanos == 10**9


def test_names_are_those_after_translation(tmp_path):
    kind, data = make.span(1, {"llm.model_name": "gpt-x", "kept": "k"}, name="ChatOpenAI")
    data["mapped"] = {
        "profiles": ["openinference"],
        "name": "chat gpt-x",
        "attributes": make.pairs({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-x"}),
        "removed": ["llm.model_name"],
    }
    data["loss"] = {"no_concept": ["a", "b"]}
    (entry,) = timeline(tmp_path, (kind, data)).entries
    assert (entry.name, entry.label, entry.facts["requested_model"]) == ("chat gpt-x", "chat", "gpt-x")
    assert (entry.profiles, entry.losses) == (("openinference",), {"no_concept": 2})


def test_an_exception_is_the_error_of_its_span(tmp_path):
    raised = {
        "name": "exception",
        "attributes": make.pairs({"exception.type": "ValueError", "exception.message": "no such city"}),
    }
    (entry,) = timeline(tmp_path, make.span(1, failed=True, events=[raised])).entries
    assert entry.error == {"type": "ValueError", "message": "no such city"}


@pytest.mark.parametrize("value", [HELD.to_any_value(), HELD.to_mark()], ids=["member", "mark"])
def test_a_withheld_body_is_shown_as_withheld_with_reason_and_size(tmp_path, value):
    (entry,) = timeline(tmp_path, make.span(1, make.TOOL | {"gen_ai.tool.call.result": value})).entries
    result = entry.excerpts[-1]
    assert (result.speaker, result.words, result.withheld) == ("result", "", HELD)


def test_a_withheld_piece_of_a_message_says_so_in_words(tmp_path):
    messages = orjson.dumps(
        [{"role": "user", "parts": [{"type": "text", "content": f"I am {HELD.to_mark()}."}]}]
    ).decode()
    (entry,) = timeline(tmp_path, make.span(1, {"gen_ai.input.messages": messages})).entries
    (said,) = entry.excerpts
    assert said.words == "I am [withheld: data_class/person, 42 bytes]."
    assert said.withheld_pieces == 1


def test_what_a_model_is_told_again_is_marked_but_its_answers_and_new_inputs_are_not(tmp_path):
    def chat(number, *messages):
        text = orjson.dumps(
            [{"role": role, "parts": [{"type": "text", "content": said}]} for role, said in messages]
        ).decode()
        return make.span(number, {"gen_ai.operation.name": "chat", "gen_ai.input.messages": text}, **at(number))

    found = timeline(
        tmp_path,
        chat(1, ("user", "hi")),
        chat(2, ("user", "hi"), ("assistant", "ho"), ("user", "yes")),
        chat(3, ("user", "hi"), ("assistant", "ho"), ("user", "yes"), ("assistant", "what?"), ("user", "yes")),
    )
    told = [[(each.words, each.repeated) for each in entry.excerpts] for entry in found.entries]
    assert told[0] == [("hi", False)]
    assert told[1] == [("hi", True), ("ho", False), ("yes", False)]
    assert told[2] == [("hi", True), ("ho", True), ("yes", True), ("what?", False), ("yes", False)]


def test_what_an_agent_was_told_is_not_told_again_by_the_call_below_it(tmp_path):
    inputs = {"gen_ai.input.messages": make.CHAT["gen_ai.input.messages"]}
    found = timeline(tmp_path, make.span(1, AGENT | inputs, **at(0)), make.span(2, make.CHAT, **at(1), **below(1)))
    assert [each.repeated for each in found.entries[1].excerpts] == [False, True, False]


def test_words_are_bounded_and_bodies_are_whole_on_request(tmp_path):
    long = "word " * 10_000
    span = make.span(1, make.TOOL | {"gen_ai.tool.call.result": long})
    short, whole = (
        timeline(tmp_path, span, view=View(bodies=bodies)).entries[0].excerpts[-1] for bodies in (False, True)
    )
    assert (len(short.words) <= 240, short.characters) == (True, len(long))
    assert whole.words == long


def test_whole_bodies_end_where_their_bound_is_reached(tmp_path):
    spans = [make.span(n, {"gen_ai.tool.call.result": "x" * 1000}, **at(n)) for n in range(1, 5)]
    found = timeline(tmp_path, *spans, view=View(bodies=True), limits=replace(DEFAULT, shown_characters_max=1500))
    assert [len(entry.excerpts[0].words) for entry in found.entries] == [1000, 1000, 240, 240]


def test_metrics_say_their_points_after_translation(tmp_path):
    point = {"attributes": make.pairs({"gen_ai.system": "openai"}), "count": "2", "sum": 12.5}
    metric = {"name": "gen_ai.client.token.usage", "unit": "{token}", "histogram": {"dataPoints": [point]}}
    change = {"points": [{"index": 0, "attributes": make.pairs({"gen_ai.provider.name": "openai"})}]}
    data = {"resource": make.DIGEST, "scope": make.SCOPE, "metric": metric, "mapped": change}
    (entry,) = timeline(tmp_path, (types.METRIC, data)).entries
    assert entry.name == "gen_ai.client.token.usage"
    assert entry.facts["points"][0] == {
        "attributes": {"gen_ai.system": "openai", "gen_ai.provider.name": "openai"},
        "count": 2,
        "sum": 12.5,
    }


# ---------------------------------------------------------------- single events


def test_an_event_is_found_by_id_or_number_and_a_span_with_what_belongs_to_it(tmp_path):
    path = bundle_of(tmp_path, [make.opened(), make.span(1), make.log(1, {}), make.span(2)])
    assert [event["seq"] for event in find_events(path, lambda event: has_id(event, "2"))[0]] == [2]
    assert [event["seq"] for event in find_events(path, lambda event: has_id(event, f"{make.RUN_ID}:3"))[0]] == [3]
    assert [event["seq"] for event in find_events(path, lambda event: has_span_id(event, f"{1:016X}"))[0]] == [1, 2]


def test_of_very_many_events_of_one_span_the_rest_is_counted(tmp_path):
    path = bundle_of(tmp_path, [make.span(1)] + [make.log(1, {})] * 5)
    found, more = find_events(path, lambda event: has_span_id(event, f"{1:016x}"), replace(DEFAULT, events_shown_max=2))
    assert (len(found), more) == (2, 4)


def test_of_an_invalid_bundle_nothing_is_shown(tmp_path):
    path = bundle_of(tmp_path, [make.opened(), make.span(1)])
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(BundleError):
        read_timeline(path, View())
    with pytest.raises(BundleError):
        find_events(path, lambda _: True)


# ---------------------------------------------------------------- hostile events


@settings(max_examples=times(0.5))
@given(items(), st.none() | st.integers(1, 6))
def test_any_events_have_a_timeline_that_fits_its_schema_loses_none_and_is_always_the_same(made, limit):
    """Law: entries, what is hidden and what is untracked are all events; the same bundle gives the same bytes."""
    limits = replace(DEFAULT, spans_tracked_max=9)
    with TemporaryDirectory() as folder:
        path = bundle_of(Path(folder), made)
        records = [list(read_timeline(path, View(limit=limit), limits).to_json()) for _ in range(2)]
    assert [canonical(record) for record in records[0]] == [canonical(record) for record in records[1]]
    for record in records[0]:
        schema().validate(record)
    _, *entries, end = records[0]
    hidden = [end["hidden"], *(entry["hidden"] for entry in entries)]
    assert len(entries) + sum(each["events"] for each in hidden if each) + end["untracked"] == len(made)


@pytest.mark.parametrize(
    "fields",
    [
        {"startTimeUnixNano": "99999999999999999999"},
        {"startTimeUnixNano": "-5", "endTimeUnixNano": []},
        {"startTimeUnixNano": str(2**64 - 1), "endTimeUnixNano": "1"},
        {"spanId": 7, "traceId": None, "parentSpanId": {}},
        {"attributes": {"a": 1}},
        {"attributes": [1, {"key": 2}, {"key": "a"}, {"key": "a", "value": {"arrayValue": 3}}]},
        {"attributes": [{"key": "gen_ai.operation.name", "value": {"kvlistValue": {"values": "x"}}}]},
        {"attributes": [{"key": "gen_ai.usage.input_tokens", "value": {"intValue": "9" * 30}}]},
        {"attributes": [{"key": "gen_ai.usage.input_tokens", "value": {"doubleValue": "NaN"}}]},
        {"events": [3, {"name": "exception", "attributes": "x"}], "status": [], "kind": {}, "flags": "x"},
        {"name": {"a": 1}},
    ],
    ids="-".join,
)
def test_a_span_of_no_shape_is_an_entry_all_the_same(tmp_path, fields):
    kind, data = make.span(1)
    data["span"] |= fields
    found = timeline(tmp_path, (kind, data))
    assert [entry.type for entry in found.entries] == ["span"]
    schema().validate(orjson.loads(canonical(list(found.to_json())[1])))


def test_messages_that_nest_deeply_are_an_entry_all_the_same(tmp_path):
    deep = "[" * 900 + "]" * 900
    (entry,) = timeline(tmp_path, make.span(1, {"gen_ai.input.messages": deep})).entries
    assert len(entry.excerpts) == 1
