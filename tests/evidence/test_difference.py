"""What changed between two runs: each facet shows its own changes, and what always differs is no difference."""

from collections.abc import Sequence
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
from evidence.limits import Limits
from evidence.reading.difference import difference
from evidence.reading.facets import FACETS
from evidence.reading.run_profile import OTHERS, Profile, read_profile
from evidence.redaction.commitment import Commitment
from tests.evidence import make
from tests.evidence.hostile import bundle_of, items
from tests.tools.examples import times

HELD = Commitment(alg="hmac-sha256", digest="ab" * 32, size_bytes=42, reason="key/prompt")
OTHER = Commitment(alg="hmac-sha256", digest="cd" * 32, size_bytes=42, reason="key/prompt")
AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "boss"}
TOKENS = {"gen_ai.usage.input_tokens": 7, "gen_ai.usage.output_tokens": 3}
CHAT = make.CHAT | TOKENS


def profile(folder: Path, made: Sequence[make.Item], name: str = "a") -> Profile:
    return read_profile(bundle_of(folder, made, f"{name}.evidence.tar.gz"))


def changes(folder: Path, a: Sequence[make.Item], b: Sequence[make.Item]) -> dict[str, list[tuple]]:
    """By facet: name and both values of each change."""
    found = difference(profile(folder, a, "a"), profile(folder, b, "b"))
    schema().validate(orjson.loads(canonical(found.to_json())))
    return {facet: [(each.name, each.a, each.b) for each in made] for facet, made in found.changes.items()}


@cache
def schema() -> Draft202012Validator:
    return Draft202012Validator(
        orjson.loads(files("evidence").joinpath("schemas/run-diff-v1.schema.json").read_bytes())
    )


def definitions(**parameters: dict[str, str]) -> dict[str, str]:
    tools = [{"type": "function", "name": name, "parameters": schema} for name, schema in parameters.items()]
    return {"gen_ai.tool.definitions": orjson.dumps(tools).decode()}


def instructions(text: str) -> dict[str, str]:
    return {"gen_ai.system_instructions": orjson.dumps([{"type": "text", "content": text}]).decode()}


def asking(name: str) -> dict[str, str]:
    parts = [{"type": "tool_call", "id": "c", "name": name, "arguments": {}}]
    return {"gen_ai.output.messages": orjson.dumps([{"role": "assistant", "parts": parts}]).decode()}


def scope(name: str, version: str) -> make.Item:
    return types.SCOPE, {"digest": make.DIGEST, "scope": {"name": name, "version": version}}


def policy(digest: str) -> make.Item:
    return make.receipt("policy", {"id": "p", "digest": digest})


def opened_under(*gated: str) -> make.Item:
    kind, data = make.opened()
    return kind, {**data, "context": {"policy": {"id": "p", "gated_tools": list(gated)}}}


def lossy(reason: str, profile: str) -> make.Item:
    kind, data = make.span(1)
    return kind, {**data, "loss": {reason: ["a", "b"]}, "mapped": {"profiles": [profile]}}


# ---------------------------------------------------------------- every facet

CASES = {
    "agents": (
        [make.span(1, AGENT)],
        [make.span(1, AGENT | {"gen_ai.agent.name": "chief"})],
        [("boss", 1, None), ("chief", None, 1)],
    ),
    "models": (
        [make.span(1, CHAT), make.span(2, CHAT)],
        [make.span(1, CHAT), make.span(2, CHAT | {"gen_ai.response.model": "gpt-x-2"})],
        [("openai gpt-x → gpt-x-1", 2, 1), ("openai gpt-x → gpt-x-2", None, 1)],
    ),
    "sampling": (
        [make.span(1, CHAT)],
        [make.span(1, CHAT | {"gen_ai.request.temperature": 1, "gen_ai.request.seed": 4})],
        [("seed", None, "4"), ("temperature", "0.5", "1")],
    ),
    "tools_offered": (
        [make.span(1, CHAT | definitions(search={"q": "string"}, read={}))],
        [make.span(1, CHAT | definitions(search={"q": "integer"}, read={}))],
        [("search", "parameters 741b6229b821da3d", "parameters f3128d34afb22a2e")],
    ),
    "tools_requested": (
        [make.span(1, CHAT | asking("a"))],
        [make.span(1, CHAT | asking("b"))],
        [("a", 1, None), ("b", None, 1)],
    ),
    "tools_called": (
        [make.span(1, make.TOOL)],
        [make.span(1, make.TOOL), make.span(2, make.TOOL | {"gen_ai.tool.call.id": "call-2"})],
        [("search", 1, 2)],
    ),
    "finish_reasons": (
        [make.span(1, CHAT)],
        [
            make.span(
                1, CHAT | {"gen_ai.response.finish_reasons": {"arrayValue": {"values": [{"stringValue": "length"}]}}}
            )
        ],
        [("length", None, 1)],
    ),
    "errors": (
        [make.span(1, make.TOOL)],
        [make.span(1, make.TOOL | {"error.type": "timeout"}, failed=True)],
        [("execute_tool search: timeout", None, 1)],
    ),
    "policies": ([policy("d1")], [policy("d2")], [("p", "digest=d1", "digest=d2")]),
    "decisions": (
        [make.receipt("policy_decision", {"decision": "allow", "tool_name": "t"})],
        [make.receipt("policy_decision", {"decision": "deny", "tool_name": "t"})],
        [("decision=allow tool_name=t", 1, None), ("decision=deny tool_name=t", None, 1)],
    ),
    "approvals": (
        [],
        [make.receipt("human_approval", {"decision": "approve", "approver": "ada"})],
        [("decision=approve approver=ada", None, 1)],
    ),
    "receipts": ([make.receipt("sandbox", {})], [], [("sandbox", 1, None)]),
    "gaps": ([make.gap("rejected", 2)], [make.gap("rejected", 5)], [("rejected", 2, 5)]),
    "tokens": ([make.span(1, CHAT)], [make.span(1, CHAT), make.span(2, CHAT)], [("input", 7, 14), ("output", 3, 6)]),
    "counts": ([make.span(1, CHAT)], [make.span(1, CHAT), make.log(1, {"event.name": "e"})], [("log e", None, 1)]),
    "environment": (
        [make.resource({"container.image.id": "sha256:1", "service.instance.id": "x", "process.pid": 4})],
        [make.resource({"container.image.id": "sha256:2", "service.instance.id": "y", "process.pid": 5})],
        [("container.image.id", "sha256:1", "sha256:2")],
    ),
    "instrumentation": ([scope("openinference", "1")], [scope("openinference", "2")], [("openinference", "1", "2")]),
    "mapping": (
        [lossy("no_concept", "x")],
        [lossy("ambiguous", "y")],
        [
            ("lost: ambiguous", None, 2),
            ("lost: no_concept", 2, None),
            ("translated by x", True, None),
            ("translated by y", None, True),
        ],
    ),
    "withheld": (
        [make.span(1, make.TOOL)],
        [make.span(1, make.TOOL | {"gen_ai.tool.call.result": HELD.to_mark()})],
        [("gen_ai.tool.call.result", None, 1)],
    ),
}


@pytest.mark.parametrize("facet", sorted(CASES))
def test_a_change_shows_in_its_facet_and_exchanging_the_runs_exchanges_its_sides(tmp_path, facet):
    a, b, expected = CASES[facet]
    always = [make.opened()]
    assert changes(tmp_path, [*always, *a], [*always, *b])[facet] == expected
    assert changes(tmp_path, [*always, *b], [*always, *a])[facet] == [
        (name, after, before) for name, before, after in expected
    ]


def test_a_change_of_one_definition_changes_its_facet_alone(tmp_path):
    a, b, _ = CASES["tools_offered"]
    assert set(changes(tmp_path, a, b)) == {"tools_offered"}


def test_another_policy_in_the_run_context_is_a_change_of_policies(tmp_path):
    found = changes(tmp_path, [opened_under("a", "b")], [opened_under("b", "a", "c")])
    assert found == {"policies": [("p", "gated_tools=a,b", "gated_tools=a,b,c")]}


def test_another_prompt_is_a_change_that_says_both_in_words(tmp_path):
    a = profile(tmp_path, [make.span(1, CHAT | instructions("be brief"))], "a")
    b = profile(tmp_path, [make.span(1, CHAT | instructions("be careful"))], "b")
    found = difference(a, b)
    assert sorted((each.words, each.a, each.b) for each in found.changes["prompts"]) == [
        ("be brief", 8, None),
        ("be careful", None, 10),
    ]
    assert list(found.changes) == ["prompts"]


def test_instructions_are_the_same_wherever_a_framework_puts_them(tmp_path):
    text = orjson.dumps([{"role": "system", "parts": [{"type": "text", "content": "be brief"}]}]).decode()
    bare = {
        key: value for key, value in CHAT.items() if key not in {"gen_ai.system_instructions", "gen_ai.input.messages"}
    }
    inside = make.span(1, bare | {"gen_ai.input.messages": text})
    apart = make.span(1, bare | instructions("be brief"))
    assert changes(tmp_path, [inside], [apart]) == {}


def test_other_templates_and_inputs_are_changes(tmp_path):
    template = {"gen_ai.prompt.name": "greet", "gen_ai.prompt.version": "1"}
    said = '[{"role":"user","parts":[{"type":"text","content":"bye"}]}]'
    found = changes(
        tmp_path,
        [make.span(1, CHAT | template)],
        [make.span(1, CHAT | template | {"gen_ai.prompt.version": "2", "gen_ai.input.messages": said})],
    )
    assert found["prompts"] == [("template greet", "1", "2")]
    assert sorted(found["inputs"], key=str) == sorted(
        [("sha256:8f434346648f6b96", 2, None), ("sha256:b49f425a7e1f9cff", None, 3)], key=str
    )


def test_a_prompt_before_a_long_conversation_is_compared_all_the_same(tmp_path):
    def call(prompt):
        turns = [{"role": "system", "parts": [{"type": "text", "content": prompt}]}]
        turns += [{"role": "user", "parts": [{"type": "text", "content": f"say {n}"}]} for n in range(100)]
        return [make.span(1, {"gen_ai.operation.name": "chat", "gen_ai.input.messages": orjson.dumps(turns).decode()})]

    assert set(changes(tmp_path, call("be brief"), call("be careful"))) == {"prompts"}


def test_the_order_of_members_in_a_definition_is_no_difference(tmp_path):
    one = '[{"name":"t","parameters":{"a":1,"b":2}}]'
    other = '[{"type":"function","function":{"parameters":{"b":2,"a":1},"name":"t"}}]'
    a, b = ([make.span(1, CHAT | {"gen_ai.tool.definitions": text})] for text in (one, other))
    assert changes(tmp_path, a, b) == {}


# ---------------------------------------------------------------- what is no difference


def test_ids_times_and_places_in_memory_are_no_difference(tmp_path):
    a = make.whole(
        make.resource({"service.name": "s", "service.instance.id": "1"}), make.span(1, CHAT), make.span(2, make.TOOL)
    )
    later = {
        "startTimeUnixNano": str(make.START + 9),
        "endTimeUnixNano": str(make.START + 5 * 10**9),
        "traceId": "ab" * 16,
    }
    b = make.whole(
        make.resource({"service.name": "s", "service.instance.id": "2"}),
        make.span(7, CHAT | {"gen_ai.response.id": "r", "gen_ai.conversation.id": "c"}, **later),
        make.span(9, make.TOOL | {"gen_ai.tool.call.id": "other"}, **later),
    )
    assert changes(tmp_path, a, b) == {}


def test_what_span_and_log_both_tell_is_counted_once(tmp_path):
    span = make.span(1, CHAT)
    assert set(changes(tmp_path, [span], [span, make.log(1, CHAT)])) == {"counts"}


def test_calls_that_only_logs_tell_are_counted_from_them(tmp_path):
    found = changes(tmp_path, [make.log(1, {"event.name": "x"})], [make.log(1, CHAT | {"event.name": "x"})])
    assert found["models"] == [("openai gpt-x → gpt-x-1", None, 1)]
    assert found["tokens"] == [("input", None, 7), ("output", None, 3)]


def test_two_spans_of_one_tool_call_are_one_call(tmp_path):
    assert "tools_called" not in changes(
        tmp_path, [make.span(1, make.TOOL)], [make.span(1, make.TOOL), make.span(2, make.TOOL)]
    )


def test_an_agent_that_repeats_its_models_answer_asks_for_no_second_call(tmp_path):
    chat = make.span(1, CHAT | asking("t"))
    found = changes(tmp_path, [chat], [chat, make.span(2, AGENT | asking("t"))])
    assert "tools_requested" not in found


# ---------------------------------------------------------------- withheld


def test_of_withheld_bodies_it_is_said_that_it_cannot_be_told(tmp_path):
    a, b = (
        profile(tmp_path, [make.span(1, CHAT | {"gen_ai.system_instructions": held.to_mark()})])
        for held in (HELD, OTHER)
    )
    found = difference(a, b)
    assert not found.differs
    assert found.withheld == {"prompts": (1, 1)}
    assert "prompts" not in (*found.same, *found.silent)


def test_an_input_of_which_a_piece_is_withheld_cannot_be_told(tmp_path):
    def said(text):
        content = orjson.dumps([{"role": "user", "parts": [{"type": "text", "content": text}]}]).decode()
        return profile(tmp_path, [make.span(1, CHAT | {"gen_ai.input.messages": content})])

    for other, counts in ((f"I am {OTHER.to_mark()}", (1, 1)), ("I am here", (1, 0))):
        found = difference(said(f"I am {HELD.to_mark()}"), said(other))
        assert (found.differs, found.withheld) == (False, {"inputs": counts})


def test_what_one_run_says_may_be_what_the_other_withholds(tmp_path):
    """No difference is made of it; what the withholding run says besides is one."""
    open_ = profile(
        tmp_path, [make.span(1, CHAT | instructions("be brief") | asking("t")), make.span(2, CHAT | asking("t"))], "a"
    )
    withheld = {"gen_ai.system_instructions": HELD.to_mark(), "gen_ai.output.messages": HELD.to_mark()}
    closed = profile(
        tmp_path,
        [make.span(1, CHAT | asking("u")), make.span(2, CHAT | withheld | {"gen_ai.system_instructions": {}})],
        "b",
    )
    found = difference(open_, closed, ignore={"withheld"})
    assert {facet: [each.name for each in made] for facet, made in found.changes.items()} == {"tools_requested": ["u"]}
    assert found.withheld == {"tools_requested": (0, 1)}


# ---------------------------------------------------------------- laws


def test_what_is_ignored_is_not_compared_and_is_said(tmp_path):
    a, b = profile(tmp_path, [make.span(1, CHAT)]), profile(tmp_path, [make.span(1, make.TOOL)])
    found = difference(a, b, ignore=set(FACETS) - {"agents"})
    assert not found.differs
    assert set(found.ignored) == set(FACETS) - {"agents"}


def test_every_facet_is_accounted_for_exactly_once(tmp_path):
    a = profile(tmp_path, make.whole(make.span(1, CHAT | {"gen_ai.input.messages": HELD.to_any_value()})))
    b = profile(tmp_path, make.whole(make.span(1, make.TOOL)))
    found = difference(a, b, ignore={"receipts"})
    placed = [*found.changes, *found.same, *found.silent, *found.ignored]
    assert sorted({*placed, *found.withheld}) == sorted(FACETS)
    assert len(placed) == len(set(placed))


def test_a_table_is_bounded_and_counts_what_does_not_fit_together(tmp_path):
    made = [
        make.span(n, make.TOOL | {"gen_ai.tool.name": f"t{n}", "gen_ai.tool.call.id": f"c{n}"}) for n in range(1, 6)
    ]
    table = read_profile(bundle_of(tmp_path, made), Limits(profile_names_max=2)).tables["tools_called"]
    assert table == {"t1": 1, "t2": 1, OTHERS: 3}


@settings(max_examples=times(0.5))
@given(items(), items(), st.sets(st.sampled_from(sorted(FACETS)), max_size=3))
def test_any_run_is_the_same_as_itself_and_differences_mirror_and_fit_their_schema(one, other, ignored):
    with TemporaryDirectory() as folder:
        a, b = profile(Path(folder), one, "a"), profile(Path(folder), other, "b")
        again = profile(Path(folder), one, "a")
    assert not difference(a, again, ignored).differs
    forth, back = difference(a, b, ignored).to_json(), difference(b, a, ignored).to_json()
    schema().validate(orjson.loads(canonical(forth)))
    mirrored = {
        facet: [(each["name"], each["b"], each["a"]) for each in made] for facet, made in forth["changes"].items()
    }
    assert mirrored == {
        facet: [(each["name"], each["a"], each["b"]) for each in made] for facet, made in back["changes"].items()
    }
    assert (forth["same"], forth["silent"]) == (back["same"], back["silent"])


def test_the_facets_of_the_schema_are_those_of_the_code():
    assert schema().schema["$defs"]["facet"]["enum"] == list(FACETS)
