"""An explanation says what the tables say, and where they say it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semconv import table
from semconv.explain import Explainer
from semconv.profile.sources import sources
from semconv.reasons import MEANINGS, REASONS
from semconv.translate import Translator
from tests.tools.examples import times
from tests.tools.translators import loaded

MINE = b"""\
id: mine
version: "1"
detect: {threshold: 3, keys: {mine.*: 2}, scopes: {my.lib*: 3}}
namespaces: [mine.]
sentinels: {__GONE__: redacted_at_source}
rows:
  - {key: mine.millis, to: gen_ai.response.time_to_first_chunk, op: {scale: [1, 1000]}}
  - {key: mine.status, to: error.type, op: {enum: failed}, when: {value: {mine.status: [error]}}}
  - {key: mine.status, derived: true, when: {value: {mine.status: [success]}}}
  - {key: mine.status, lost: no_concept}
  - {key: mine.model, to: gen_ai.response.model, yields: ambiguous, when: {any: ["mine.answer.*"]}}
  - {key: mine.model, to: gen_ai.request.model}
  - {key: mine.tool, to: gen_ai.tool.name, when: {scope: my.lib.metrics}}
  - {key: [mine.other, gen_ai.tool.name], to: gen_ai.tool.name, op: lower, evict: true}
  - {key: mine.answer, object: response, split: {usage: {lost: accounting}}}
  - {key: mine.question, object: request}
  - key: mine.parameters
    split: {seed: {to: gen_ai.request.seed}}
folds:
  - {to: gen_ai.input.messages, keys: {"mine.said.{i}.who": "{i}.role", "mine.said.{i}.what": "{i}.content"}}
names:
  - {pattern: "mine {gen_ai.agent.name}!"}
events:
  - {event: [mine.said, mine.heard*], lost: event_dropped}
  - {event: mine.told, attributes: {content: {to: gen_ai.tool.call.result}, id: {to: gen_ai.tool.call.id}}}
logs:
  - {event: mine.log, lost: log_unjoined}
metrics:
  - {name: mine.duration, to: gen_ai.execute_tool.duration}
enums:
  failed: {error: tool_error}
"""
OVER = b"""\
id: mine
version: "1"
extends: strands
rows:
  - {key: strands.mood, to: gen_ai.output.type}
"""
EXPLAINER = Explainer(loaded(), sources({}))
EARLIER = Explainer(loaded("core-1.41.1"), sources({}))
OWN = Explainer(Translator.load(user_profiles={"mine.yaml": MINE}), sources({"mine.yaml": MINE}))
LINES = {name: table.builtin("profiles", name).decode().splitlines() for name in table.builtin_names("profiles")}


def rows_of(name, **options):
    return EXPLAINER.explain(name, **options)["rows"]


def own_rows(name, **options):
    return OWN.explain(name, profile="mine", **options)["rows"]


def written(row):
    """The row as it stands in its file."""
    lines = LINES[row["file"]][row["line"] - 1 :]
    indent = len(lines[0]) - len(lines[0].lstrip())
    end = next((at for at, line in enumerate(lines[1:], 1) if re.match(rf" {{0,{indent}}}\S", line)), len(lines))
    return "\n".join(lines[:end])


def test_every_key_of_every_table_is_explained_by_the_row_that_is_written_there():
    seen = 0
    for profile in EXPLAINER.translator.profiles:
        for key in profile.exact:
            found = [row for row in rows_of(key, profile=profile.id) if row["list"] in ("rows", "folds")]
            assert found, key
            for row in found:
                seen += 1
                assert any(name in written(row) for name in row["names"]), (key, row)
    assert seen > 1000


def test_every_row_that_claims_a_concept_is_found_from_it():
    for source in sources({}):
        for at, row in enumerate(source.content.get("rows", [])):
            if "to" not in row or row["to"].endswith("*"):
                continue
            reached = EXPLAINER.explain(row["to"], profile=source.id)["reached_from"]
            line = source.place(("rows", at))[1]
            assert (source.file, line) in {(way["file"], way["line"]) for way in reached}


def test_rows_come_in_the_order_in_which_they_are_asked():
    found = own_rows("mine.model")
    assert [(row["line"], row["target"], row["when"]) for row in found] == [
        (11, "gen_ai.response.model", "with one of `mine.answer.*`"),
        (12, "gen_ai.request.model", ""),
    ]
    assert [row["layer"] for row in rows_of("gen_ai.system")] == sorted(
        (row["layer"] for row in rows_of("gen_ai.system")), key=["vendor", "legacy", "current"].index
    )


def test_a_row_says_operations_with_their_inverse_reasons_and_whether_the_source_follows():
    (row,) = own_rows("mine.millis")
    assert row["operations"] == [{"words": "times 1/1000", "inverse": "scale"}]
    assert row["reversal"] == "lossless"
    row = own_rows("mine.status")[-1]
    assert row["reasons"] == [{"reason": "no_concept", "severity": "minor", "meaning": MEANINGS["no_concept"]}]
    assert row["reversal"] == "lossless"  # it stays
    assert own_rows("mine.status")[1]["reversal"] == own_rows("mine.parameters")[0]["reversal"] == "needs_provenance"
    (row,) = own_rows("mine.other")
    assert row["operations"] == [{"words": "in lower case", "inverse": None}]
    assert row["reversal"] == "irreversible"


@pytest.mark.parametrize("key", ["mine.said.{i}.who", "mine.said.7.who"])
def test_numbers_may_be_given_as_holes(key):
    (row,) = own_rows(key)
    assert (row["names"], row["target"], row["place"]) == (["mine.said.{i}.who"], "gen_ai.input.messages", "{i}.role")


def test_the_path_of_a_lost_member_gives_the_row_of_that_member_alone():
    (row,) = own_rows("mine.parameters#/seed")
    assert [(member["name"], member["target"]) for member in row["members"]] == [("#/seed", "gen_ai.request.seed")]
    (row,) = own_rows("mine.parameters#/bias")
    assert [(member["name"], member["reasons"][0]["reason"]) for member in row["members"]] == [
        ("the rest", "partial_no_concept")
    ]


def test_members_of_a_shared_object_are_found_where_they_are_written():
    (row,) = own_rows("mine.question#/seed")
    (member,) = row["members"]
    assert (member["target"], member["file"]) == ("gen_ai.request.seed", "objects.yaml")
    shared = table.builtin("tables", "objects.yaml").decode().splitlines()
    assert "seed" in shared[member["line"] - 1]
    (row,) = own_rows("mine.question#/no_such_member")
    assert row["members"][0]["reasons"][0]["reason"] == "partial_no_concept"


def test_a_row_s_own_member_goes_before_that_of_its_object():
    (row,) = own_rows("mine.answer#/usage/prompt_tokens")
    assert [reason["reason"] for reason in row["members"][0]["reasons"]] == ["accounting"]
    assert "file" not in row["members"][0]


def test_objects_lead_to_a_concept_as_a_whole_and_say_by_which_member():
    found = OWN.explain("gen_ai.request.seed", profile="mine")
    ways = {way["names"][0]: way["inside"] for way in found["reached_from"]}
    assert ways == {"mine.question": [" (object `request`)"], "mine.parameters": ["#/seed"]}
    assert ("settings", "seed") in {(member["object"], member["name"]) for member in found["reached_inside"]}


@pytest.mark.parametrize(
    ("name", "list_"),
    [
        ("mine.said", "events"),
        ("mine.heard.twice", "events"),
        ("@events/mine.said", "events"),
        ("@events/mine.said/attribute", "events"),
        ("mine.log", "logs"),
        ("mine.duration", "metrics"),
        ("@metrics/mine.duration", "metrics"),
        ("mine helper!", "names"),
        ("mine !", None),
        ("mine.said.more", None),
    ],
)
def test_events_logs_metrics_and_span_names_are_explained_as_well(name, list_):
    assert [row["list"] for row in own_rows(name)] == ([list_] if list_ else [])


def test_the_path_of_an_attribute_of_an_event_gives_the_row_of_that_attribute():
    (row,) = own_rows("@events/mine.told/content")
    assert [(member["name"], member["target"]) for member in row["members"]] == [("content", "gen_ai.tool.call.result")]


@pytest.mark.parametrize("path", ["@name", "@kind", "@body", "@duplicates"])
def test_paths_of_a_loss_report_that_are_no_names_are_explained(path):
    found = OWN.explain(path)
    assert found["path"].endswith(".")
    assert (found["rows"], found["nearest"]) == ([], [])


def test_rows_of_another_scope_are_left_out():
    assert own_rows("mine.tool", scope="my.lib.metrics")
    assert not own_rows("mine.tool", scope="my.lib")
    assert own_rows("mine.model", scope="my.lib")
    ways = OWN.explain("gen_ai.tool.name", profile="mine", scope="my.lib")["reached_from"]
    assert [way["names"] for way in ways] == [["mine.other", "gen_ai.tool.name"]]


def test_values_are_put_to_the_row_itself():
    (row,) = own_rows("mine.millis", values=[1500, "soon", "__GONE__"])
    assert [tried["outcome"] for tried in row["tried"]] == ["carried", "not_taken", "sentinel"]
    assert row["tried"][0]["sets"] == {"gen_ai.response.time_to_first_chunk": 1.5}
    assert row["tried"][1]["reason"] == "type_coerced"
    assert own_rows("mine.model", values=["m"])[0]["tried"][0]["outcome"] == "moved"
    outcomes = [row["tried"][0]["outcome"] for row in own_rows("mine.status", values=["success"])]
    assert outcomes == ["not_asked", "carried", "dropped"]
    (row,) = own_rows("mine.parameters", values=['{"seed": 7, "x": 1}'])
    assert row["tried"][0]["sets"] == {"gen_ai.request.seed": 7}
    assert row["tried"][0]["lost"] == [{"path": "mine.parameters#/x", "reason": "partial_no_concept"}]


def test_a_name_of_the_target_says_what_it_holds_and_who_asks_for_it():
    found = EXPLAINER.explain("gen_ai.tool.name")["target_name"]
    assert (found["kind"], found["type"], found["name"]) == ("attribute", "string", "gen_ai.tool.name")
    assert {"type": "gen_ai.execute_tool.internal", "level": "required"} in found["span_types"]
    assert EXPLAINER.explain("gen_ai.execute_tool.duration")["target_name"]["kind"] == "metric"
    assert EXPLAINER.explain("gen_ai.evaluation.result")["target_name"]["kind"] == "event"


def test_what_the_chosen_target_has_no_key_for_is_said():
    lacking = next(concept for concept in sorted(EARLIER.target.absent) if EXPLAINER.target.key_of(concept))
    assert EARLIER.explain(lacking)["target_name"] == {"kind": "attribute", "concept": lacking, "name": None}
    assert {row["target"] for row in EARLIER.explain(lacking)["reached_from"] if row["concept"] == lacking} <= {None}


def test_an_unknown_key_names_who_would_claim_it_and_what_is_like_it():
    found = OWN.explain("mine.modle")
    assert (found["rows"], found["target_name"], found["namespaces"]) == ([], None, ["mine"])
    assert found["nearest"][0] == "mine.model"
    foreign = OWN.explain("http.route")
    assert (foreign["rows"], foreign["namespaces"]) == ([], [])


def test_marks_say_what_a_name_counts_for():
    assert OWN.explain("mine.model", profile="mine")["marks"] == [
        {"profile": "mine", "kind": "keys", "sign": "mine.*", "weight": 2, "threshold": 3}
    ]
    assert [mark["kind"] for mark in OWN.explain("my.lib.tracing", profile="mine")["marks"]] == ["scopes"]


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_every_reason_has_a_severity_and_a_sentence(reason):
    found = EXPLAINER.explain(reason)["reason"]
    assert found["severity"] in {"none", "info", "minor", "major"}
    assert found["meaning"].endswith(".")
    assert found["meaning"][0].isupper()


def test_a_row_of_the_users_is_told_from_an_inherited_one():
    mine = {"mine.yaml": OVER}
    explainer = Explainer(Translator.load(user_profiles=mine), sources(mine))
    (own,) = [row for row in explainer.explain("strands.mood", profile="mine")["rows"] if row["user"]]
    assert (own["file"], own["line"]) == ("mine.yaml", 5)
    (below,) = explainer.explain("event_loop.cycle_id", profile="mine")["rows"]
    assert (below["file"], below["user"]) == ("strands.yaml", False)


def test_the_same_question_has_the_same_answer():
    assert EXPLAINER.explain("gen_ai.system", values=["x"]) == EXPLAINER.explain("gen_ai.system", values=["x"])


@given(
    st.text(max_size=40) | st.sampled_from(["", "@events/", "#/", "a#/", "{", "{}", "*", "mine.said.{i}", "@events//"]),
    st.lists(st.text(max_size=5) | st.integers() | st.floats() | st.booleans(), max_size=2),
)
@settings(max_examples=times(0.4))
def test_any_question_is_answered(name, values):
    found = OWN.explain(name, values=values)
    assert found["asked"] == name
    assert {row["profile"] for row in found["rows"]} <= {profile.id for profile in OWN.translator.profiles}
