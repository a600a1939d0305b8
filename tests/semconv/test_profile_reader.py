"""Profiles that are not as they should be are refused with the line of the defect; those that are, are picked up."""

from pathlib import Path

import pytest

from semconv import otlp_json, table
from semconv.errors import ProfileError
from semconv.translate import Translator
from semconv.view import SpanView

BROKEN = sorted((Path(__file__).parent / "broken").glob("profile_*.yaml"))
MINE = b"""
id: mine
version: "1"
detect: {keys: {mine.*: 1}}
namespaces: [mine.]
rows:
  - {key: mine.kind, to: gen_ai.operation.name, op: {enum: kind, miss: enum_no_equivalent}}
  - {key: mine.tool, to: gen_ai.tool.name, when: {operation: execute_tool}}
  - {key: mine.tool, lost: no_concept}
  - {key: mine.millis, to: gen_ai.response.time_to_first_chunk, op: {scale: [1, 1000]}}
enums:
  kind: {t: execute_tool}
"""


def span(**attributes):
    return SpanView(name="s", attributes=attributes)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_profile_is_refused_with_its_line(path):
    data = path.read_bytes()
    lines = data.decode().splitlines()
    here = next(number for number, line in enumerate(lines, 1) if line.endswith("# <- here"))
    with pytest.raises(ProfileError) as refused:
        Translator.load(user_profiles={path.name: data})
    assert refused.value.file == path.name
    assert refused.value.line == here, str(refused.value)
    assert lines[0].removeprefix("# expect: ") in refused.value.reason


def test_there_is_a_broken_profile_for_every_kind_of_defect():
    assert len(BROKEN) >= 25


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"x" * (table.TABLE_BYTES_MAX + 1), "expected at most"),
        (b"\xff\xfe\x00", "not YAML"),
        (b"", "expected a mapping, got nothing"),
    ],
    ids=["too large", "no text", "empty"],
)
def test_what_is_no_table_is_refused(data, reason):
    with pytest.raises(ProfileError, match=reason):
        Translator.load(user_profiles={"mine.yaml": data})


def test_an_unknown_target_names_those_there_are():
    with pytest.raises(ProfileError, match=r"unknown target 'newest'; known: core-1.41.1, gen-ai-dev"):
        Translator.load("newest")


def test_a_user_profile_is_picked_up_and_named_with_its_digest():
    translator = Translator.load(user_profiles={"mine.yaml": MINE})
    translation = translator.span(
        span(**{"mine.kind": "t", "mine.tool": "hammer", "mine.millis": 1500, "mine.else": 1})
    )
    assert translation.profiles == ("mine",)
    assert translation.attributes == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "hammer",
        "gen_ai.response.time_to_first_chunk": 1.5,
    }
    assert translation.name == "execute_tool hammer"
    assert translation.unknown == ("mine.else",)
    described = {profile["id"]: profile for profile in translator.describe()["profiles"]}
    assert described["mine"]["digest"].startswith("sha256:")


def test_a_user_profile_that_overrides_a_built_in_one_takes_its_place():
    mine = MINE.replace(b"id: mine", b"id: openinference\noverride: true")
    replaced = Translator.load(user_profiles={"openinference.yaml": mine})
    builtin = Translator.load()
    assert {profile.id for profile in replaced.profiles} == {profile.id for profile in builtin.profiles}
    assert replaced.span(span(**{"openinference.span.kind": "LLM"})).profiles == ()


def test_a_user_profile_may_extend_another_and_its_own_rows_come_first():
    extending = b"""
id: openinference
version: "1-mine"
extends: openinference
detect: {keys: {openinference.span.kind: 9}}
rows:
  - {key: llm.cost.total, keep: true}
"""
    translator = Translator.load(user_profiles={"mine.yaml": extending})
    translation = translator.span(
        span(**{"openinference.span.kind": "LLM", "llm.cost.total": 0.5, "llm.cost.prompt": 0.1})
    )
    assert [loss.path for loss in translation.loss if loss.reason == "no_concept"] == ["llm.cost.prompt"]
    assert translation.attributes["gen_ai.operation.name"] == "chat"


def test_extending_what_is_not_there_names_what_is():
    with pytest.raises(ProfileError, match=r"extends 'nothing', which is no profile; known: .*openinference"):
        Translator.load(user_profiles={"mine.yaml": MINE + b"extends: nothing\n"})


def test_the_digest_is_of_the_table_and_not_of_its_layout():
    reordered = MINE.replace(b'id: mine\nversion: "1"', b'version: "1"\n# a comment\nid:   mine')
    first, second = (Translator.load(user_profiles={"m.yaml": data}).describe() for data in (MINE, reordered))
    assert first == second
    other = Translator.load(user_profiles={"m.yaml": MINE.replace(b"1000", b"1001")}).describe()
    assert other != first


def test_the_file_name_and_order_of_user_profiles_do_not_matter():
    other = MINE.replace(b"id: mine", b"id: other").replace(b"mine.", b"other.")
    views = [span(**{"mine.tool": "x", "other.tool": "y", "mine.kind": "t"})]
    one = Translator.load(user_profiles={"a.yaml": MINE, "b.yaml": other})
    two = Translator.load(user_profiles={"x.yaml": other, "y.yaml": MINE})
    assert one.describe() == two.describe()
    assert [one.span(view).to_json() for view in views] == [two.span(view).to_json() for view in views]


def test_every_row_of_the_built_in_tables_leads_to_a_key_of_some_target():
    """The tables load for both targets: no concept is misspelt, and what a target lacks it declares."""
    for target in ("gen-ai-dev", "core-1.41.1"):
        translator = Translator.load(target)
        assert {profile.id for profile in translator.profiles} >= {
            "otel_genai", "otel_legacy_genai", "openinference", "openllmetry", "mcp_sdk",
        }  # fmt: skip


def test_a_view_from_otlp_json_and_one_made_by_hand_translate_alike(translator):
    attributes = {"openinference.span.kind": "TOOL", "tool.name": "t", "input.value": "x"}
    by_hand = SpanView(name="s", attributes=attributes)
    from_json = otlp_json.span_view(
        {"name": "s", "attributes": otlp_json.key_values(attributes)}, otlp_json.surroundings({}, {})
    )
    assert translator.span(by_hand) == translator.span(from_json)
