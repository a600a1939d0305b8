"""The signal registry: for each signal a run that has it, one that lacks it, and the four states."""

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.checks.ledger import MANY
from evidence.errors import PackError
from evidence.limits import Limits
from evidence.redaction.commitment import Commitment
from evidence.signals import read_registry, registry
from tests.evidence.make import CHAT, TOOL, decoded, log, opened, receipt, resource, span, whole
from tests.evidence.signal_evaluator import SignalEvaluator

SALTED = Commitment(alg="hmac-sha256", digest="ab" * 32, size_bytes=12, reason="policy")
WITHHELD = Commitment(alg="sha256", digest="ab" * 32, size_bytes=12, reason="policy").to_any_value()


def ledgers(items, limits=Limits()):  # noqa: B008 - frozen
    evaluator = SignalEvaluator(registry(), limits)
    for event, _ in decoded(items):
        evaluator.add(event)
    return evaluator.result()


def status(signal, *items):
    return ledgers(whole(*items))[signal].status


def without(attributes, *keys):
    return {key: value for key, value in attributes.items() if key not in keys}


RETRIEVAL = {"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": "[]"}
MEMORY = {"gen_ai.operation.name": "search_memory", "gen_ai.memory.record.id": "7"}
AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a"}
LINEAGE = ("gen_ai.system_instructions", "gen_ai.input.messages")
HOLLOW = {"gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text"}]}]'}
ASKS = CHAT | {
    "gen_ai.output.messages": '[{"parts":[{"type":"tool_call","id":"call-1","name":"search","arguments":{}}]}]',
    "gen_ai.tool.definitions": '[{"type":"function","name":"search"}]',
}
DECISION = {"policy_id": "p", "decision": "allow"}
APPROVAL = {"approver": "a", "decision": "yes", "argument_digest": "sha256:00"}

# For each signal: items that hold it, and items that should and do not.
CASES = {
    "agent_identity": [
        ([resource({"service.name": "a"})], [resource({"host.name": "h"})]),
        ([resource({"service.name": "a"})], [resource({"service.name": "unknown_service"})]),
        ([span(1, AGENT)], [span(1, without(AGENT, "gen_ai.agent.name"))]),
    ],
    "model_identity": [
        ([span(1, CHAT)], [span(1, without(CHAT, "gen_ai.response.model"))]),
        ([span(1, CHAT)], [span(1, CHAT), span(2, without(CHAT, "gen_ai.provider.name"))]),
        (
            [span(1, without(CHAT, "gen_ai.response.model"), failed=True)],
            [span(1, without(CHAT, "gen_ai.request.model"), failed=True)],
        ),
    ],
    "prompt_lineage": [
        ([span(1, CHAT)], [span(1, without(CHAT, *LINEAGE))]),
        ([span(1, without(CHAT, "gen_ai.system_instructions"))], [span(1, without(CHAT, *LINEAGE) | HOLLOW)]),
        ([span(1, without(CHAT, *LINEAGE) | {"gen_ai.prompt.name": "greeting"})], [span(1, without(CHAT, *LINEAGE))]),
    ],
    "llm_io_bodies": [
        ([span(1, CHAT)], [span(1, without(CHAT, "gen_ai.output.messages"))]),
        ([span(1, CHAT)], [span(1, CHAT | {"gen_ai.input.messages": None})]),
        ([span(1, CHAT)], [span(1, CHAT | {"gen_ai.input.messages": "__REDACTED__"})]),
        ([span(1, CHAT)], [span(1, CHAT | {"gen_ai.input.messages": '[{"parts":["__REDACTED__"]}]'})]),
    ],
    "tool_calls": [
        ([span(1, TOOL)], [span(1, without(TOOL, "gen_ai.tool.name"))]),
        ([span(1, TOOL)], [span(1, without(TOOL, "gen_ai.tool.call.id"))]),
        ([span(1, ASKS), span(2, TOOL)], [span(1, ASKS)]),
        ([span(2, TOOL), span(1, ASKS)], [span(1, ASKS), span(2, TOOL | {"gen_ai.tool.call.id": "call-2"})]),
        (
            [span(1, {"mcp.method.name": "tools/call", "gen_ai.tool.name": "t", "jsonrpc.request.id": "1"})],
            [span(1, {"mcp.method.name": "tools/call", "gen_ai.tool.name": "t"})],
        ),
    ],
    "tool_io_bodies": [
        ([span(1, TOOL)], [span(1, without(TOOL, "gen_ai.tool.call.result"))]),
        (
            [span(1, without(TOOL, "gen_ai.tool.call.result"), failed=True)],
            [span(1, without(TOOL, "gen_ai.tool.call.arguments"), failed=True)],
        ),
    ],
    "tool_definitions": [([span(1, ASKS)], [span(1, without(ASKS, "gen_ai.tool.definitions"))])],
    "policy_decisions": [
        ([receipt("policy_decision", DECISION)], [receipt("policy_decision", DECISION | {"decision": None})])
    ],
    "human_approvals": [
        ([receipt("human_approval", APPROVAL)], [receipt("human_approval", without(APPROVAL, "approver"))])
    ],
    "delegation_chain": [
        (
            [span(1, AGENT, parentSpanId="00000000000000ff")],
            [span(1, without(AGENT, "gen_ai.agent.name"), parentSpanId="00000000000000ff")],
        )
    ],
    "memory_context": [
        ([span(1, RETRIEVAL)], [span(1, without(RETRIEVAL, "gen_ai.retrieval.documents"))]),
        ([span(1, MEMORY)], [span(1, without(MEMORY, "gen_ai.memory.record.id"))]),
    ],
    "sampling_params": [([span(1, CHAT)], [span(1, without(CHAT, "gen_ai.request.temperature"))])],
    "environment_provenance": [
        ([resource({"vcs.ref.head.revision": "abc"})], [resource({"service.version": "1"})]),
        (
            [resource({}), receipt("environment", {"digest": "sha256:00"})],
            [resource({"a": 1}), receipt("environment", {})],
        ),
    ],
    "capture_health": [],
    "session_lifecycle": [],
    "errors_incidents": [
        ([span(1, {"error.type": "timeout"}, failed=True)], [span(1, {"error.message": "timeout"}, failed=True)]),
    ],
}
PAIRS = [(signal, index) for signal, cases in CASES.items() for index in range(len(cases))]


def test_every_signal_of_the_registry_has_its_cases():
    assert set(CASES) == set(registry().signals)
    assert len(registry().signals) == 16


@pytest.mark.parametrize(("signal", "index"), PAIRS)
def test_a_signal_is_captured_when_every_instance_is_there(signal, index):
    assert status(signal, *CASES[signal][index][0]) == "captured"


@pytest.mark.parametrize(("signal", "index"), PAIRS)
def test_a_signal_is_missing_when_one_instance_is_not(signal, index):
    assert status(signal, *CASES[signal][index][1]) == "missing"


JOINED = {("tool_calls", 2), ("tool_calls", 3), ("environment_provenance", 1)}
"""Where what is held supplies what is lacking: the span of the same call, a receipt for the whole run."""


NO_DIGEST = {
    "nothing": {},
    "blank": {"digest": " "},
    "null": {"digest": None},
    "words": {"note": "built on a laptop"},
    "withheld": {"digest": SALTED.to_member()},
}


@pytest.mark.parametrize("body", NO_DIGEST.values(), ids=NO_DIGEST)
def test_a_receipt_that_says_nothing_stands_for_nothing(body):
    assert status("environment_provenance", resource({}), receipt("environment", body)) == "missing"


@pytest.mark.parametrize("kind", ["environment", "ai_bom"])
@pytest.mark.parametrize("member", ["digest", "lock_digest", "bom_digest"])
def test_any_digest_of_what_ran_stands_for_every_resource(kind, member):
    assert status("environment_provenance", resource({}), receipt(kind, {member: "sha256:00"})) == "captured"


@pytest.mark.parametrize(("signal", "index"), [pair for pair in PAIRS if pair not in JOINED])
def test_one_missing_instance_outweighs_any_number_of_captured_ones(signal, index):
    held, lacking = CASES[signal][index]
    assert status(signal, *lacking, *held, *held) == "missing"


@pytest.mark.parametrize("signal", [name for name in CASES if name not in {"session_lifecycle", "capture_health"}])
def test_without_an_expected_instance_a_signal_is_unknown_and_never_captured(signal):
    ledger = ledgers(whole(span(1, {"http.route": "/"})))[signal]
    assert (ledger.status, ledger.expected, ledger.evidence_paths) == ("unknown", 0, [])


def test_a_run_without_its_end_lacks_its_lifecycle():
    assert ledgers([opened()])["session_lifecycle"].status == "missing"
    assert ledgers(whole())["session_lifecycle"].status == "captured"


def test_capture_health_wants_the_senders_own_counts():
    assert ledgers(whole())["capture_health"].status == "missing"
    assert ledgers(whole(sender_counts={"spans_ended": 0}))["capture_health"].status == "captured"


def test_counts_of_something_else_are_no_counts_of_spans():
    """As `sender_uncounted` of capture health has it: without them a span that is missing does not show."""
    assert ledgers(whole(sender_counts={"receipts": "0", "spans_started": "1"}))["capture_health"].status == "missing"


# ------------------------------------------------------------------ withheld bodies


def test_a_signal_is_redacted_when_every_absent_body_is_committed_to():
    ledger = ledgers(whole(span(1, CHAT | {"gen_ai.input.messages": WITHHELD}), span(2, CHAT)))["llm_io_bodies"]
    assert ledger.status == "redacted"
    assert ledger.commitment == Commitment(alg="sha256", digest="ab" * 32, size_bytes=12, reason="policy")


def test_many_withheld_bodies_have_one_commitment_over_all_of_them():
    both = CHAT | {"gen_ai.input.messages": WITHHELD, "gen_ai.output.messages": WITHHELD}
    commitment = ledgers(whole(span(1, both)))["llm_io_bodies"].commitment
    assert (commitment.alg, commitment.size_bytes) == (MANY, 24)


def test_a_missing_body_beside_withheld_ones_is_missing():
    one = CHAT | {"gen_ai.input.messages": WITHHELD}
    assert status("llm_io_bodies", span(1, one), span(2, without(CHAT, "gen_ai.input.messages"))) == "missing"


@pytest.mark.parametrize("part", ["alg", "digest", "size_bytes"])
def test_a_commitment_that_lacks_a_part_commits_to_nothing(part):
    value = Commitment(alg="sha256", digest="ab", size_bytes=1).to_any_value()
    inner = value["kvlistValue"]["values"][0]["value"]["kvlistValue"]["values"]
    inner[:] = [entry for entry in inner if entry["key"] != part]
    ledger = ledgers(whole(span(1, CHAT | {"gen_ai.input.messages": value})))["llm_io_bodies"]
    assert ledger.commitment is None


# ------------------------------------------------------------------ translation, logs, joins


def test_the_translated_attributes_are_what_counts():
    item = span(1, without(CHAT, "gen_ai.provider.name") | {"gen_ai.system": "openai"})
    assert status("model_identity", item) == "missing"
    item[1]["mapped"] = {
        "attributes": [{"key": "gen_ai.provider.name", "value": {"stringValue": "openai"}}],
        "removed": ["gen_ai.system"],
        "profiles": ["legacy"],
    }
    assert status("model_identity", item) == "captured"


def test_an_attribute_that_translation_removed_is_not_there():
    item = span(1, CHAT)
    item[1]["mapped"] = {"attributes": [], "removed": ["gen_ai.response.model"], "profiles": ["p"]}
    assert status("model_identity", item) == "missing"


BODIES = ("gen_ai.input.messages", "gen_ai.output.messages")
CONTENT = {key: CHAT[key] for key in BODIES}


def test_content_may_come_in_a_log_of_the_span_before_or_after_it():
    bare = span(1, without(CHAT, *BODIES))
    assert status("llm_io_bodies", log(1, CONTENT), bare) == "captured"
    assert status("llm_io_bodies", bare, log(1, CONTENT)) == "captured"
    halves = [log(1, {key: value}) for key, value in CONTENT.items()]
    assert status("llm_io_bodies", halves[0], bare, halves[1]) == "captured"
    assert status("llm_io_bodies", bare, *halves) == "captured"
    assert status("llm_io_bodies", bare, halves[0]) == "missing"


def test_a_log_of_another_span_says_nothing_about_this_one():
    assert status("llm_io_bodies", span(1, without(CHAT, *BODIES)), log(2, CONTENT)) == "missing"


def test_structured_messages_in_a_log_are_read_as_well():
    said = {"key": "content", "value": {"stringValue": "be brief"}}
    message = {"kvlistValue": {"values": [{"key": "role", "value": {"stringValue": "system"}}, said]}}
    structured = {"gen_ai.input.messages": {"arrayValue": {"values": [message]}}}
    bare = span(1, without(CHAT, "gen_ai.system_instructions", *BODIES))
    assert status("prompt_lineage", bare, log(1, structured)) == "captured"


def test_a_call_told_in_span_and_log_is_one_call():
    asks = {"gen_ai.output.messages": ASKS["gen_ai.output.messages"]}
    ledger = ledgers(whole(span(1, ASKS), span(2, TOOL), log(1, asks)))["tool_calls"]
    assert (ledger.expected, ledger.status) == (2, "captured")


def test_a_tool_span_without_id_stands_for_one_call_of_its_name():
    nameless = without(TOOL, "gen_ai.tool.call.id") | {"jsonrpc.request.id": "9"}
    assert status("tool_calls", span(1, ASKS), span(2, nameless)) == "captured"
    second = ASKS | {"gen_ai.output.messages": ASKS["gen_ai.output.messages"].replace("call-1", "call-2")}
    assert status("tool_calls", span(1, ASKS), span(3, second), span(2, nameless)) == "missing"


def test_calls_without_ids_are_each_expected():
    anonymous = CHAT | {"gen_ai.output.messages": '[{"parts":[{"type":"tool_call","name":"search"}]}]'}
    ledger = ledgers(whole(span(1, anonymous), span(2, anonymous), span(3, TOOL)))["tool_calls"]
    assert (ledger.missing, ledger.captured) == (2, 1)


@pytest.mark.parametrize(
    "text",
    ["not json tool_call", '{"tool_call":1}', '[{"parts":"tool_call"}]', '["tool_call"]', '[{"parts":["tool_call"]}]'],
)
def test_output_that_is_not_shaped_like_messages_asks_for_nothing(text):
    ledger = ledgers(whole(span(1, CHAT | {"gen_ai.output.messages": text})))["tool_calls"]
    assert ledger.expected == 0


# ------------------------------------------------------------------ locations and bounds


def test_locations_are_bounded_and_totals_are_not():
    items = whole(*(span(number, without(CHAT, "gen_ai.response.model")) for number in range(1, 21)))
    ledger = ledgers(items, Limits(evidence_paths_max=3))["model_identity"]
    assert ledger.evidence_paths == [f"run-1:{seq}#/data/span/attributes/gen_ai.response.model" for seq in (1, 2, 3)]
    assert ledger.reason == "20 of 20 expected instances lack gen_ai.response.model (20)"


def test_what_does_not_fit_in_memory_counts_as_missing():
    bare = [span(number, without(CHAT, *BODIES)) for number in range(1, 5)]
    logs = [log(number, CONTENT) for number in range(1, 5)]
    ledger = ledgers(whole(*bare, *logs), Limits(open_instances_max=2))["llm_io_bodies"]
    assert (ledger.captured, ledger.missing) == (2, 2)


def test_asking_before_the_end_gives_what_is_known_so_far():
    evaluator = SignalEvaluator(registry())
    for event, _ in decoded([opened(), span(1, without(CHAT, *BODIES))]):
        evaluator.add(event)
    assert evaluator.result()["llm_io_bodies"].status == "missing"
    evaluator.add(decoded([log(1, CONTENT)])[0][0])
    assert evaluator.result()["llm_io_bodies"].status == "captured"


@given(st.lists(st.sampled_from(sorted(CHAT)), unique=True), st.sampled_from(sorted(CHAT)))
def test_filling_in_what_an_event_lacked_never_takes_a_captured_signal_away(absent, key):
    """Law of issue-level trust: more evidence in the same event is never worse."""
    absent = [name for name in absent if name != "gen_ai.operation.name"]
    before = ledgers(whole(span(1, without(CHAT, *absent))))
    after = ledgers(whole(span(1, without(CHAT, *(name for name in absent if name != key)))))
    for signal, ledger in before.items():
        assert after[signal].captured >= ledger.captured


# ------------------------------------------------------------------ the registry file

SMALL = b"""id: x
version: "1"
placeholders: ["-"]
placeholders_inside: ["-"]
signals:
  - id: a
    title: A
    replay_critical: true
    weight: 1
    bodies: []
    expected:
      - when: {event: run}
        all_of: [opened]
    remedy: R
uncontrolled: {a: "text"}
"""
SMALL += (
    files("evidence").joinpath("registry.yaml").read_bytes().partition(b"\n# What the counters")[2].partition(b"\n")[2]
)


def test_a_registry_that_changes_in_one_word_has_another_digest():
    assert read_registry(SMALL, "r").digest != read_registry(SMALL.replace(b"title: A", b"title: B"), "r").digest
    assert read_registry(SMALL, "r").digest == read_registry(b"# a comment\n" + SMALL, "r").digest


BROKEN = {
    "weight_without_replay": (b"replay_critical: true", b"replay_critical: false", "r:9"),
    "never_expected": (b"      - when: {event: run}\n        all_of: [opened]", b"      []", "r:11"),
    "unknown_signal": (b'uncontrolled: {a: "text"}', b'uncontrolled: {b: "text"}', "r:15: unknown signal 'b'"),
    "unknown_counter": (b"    gaps:", b"    holes:", r"r:\d+: capture health has no counter 'holes'"),
    "no_remedy": (b"    remedy: R\n", b"", "r:6: expected the key 'remedy'"),
    "unknown_key": (b"title: A", b"titel: A", "r:7: unknown key 'titel'|r:6"),
    "name_of_another_kind": (b"all_of: [opened]", b"all_of: [started]", "r:13"),
    "row_that_demands_nothing": (b"        all_of: [opened]\n", b"", "r:12: cannot fail"),
    "condition_of_another_kind": (b"{event: run}", b"{event: run, failed: true}", "unknown key 'failed'"),
}


@pytest.mark.parametrize("defect", BROKEN)
def test_a_registry_with_a_defect_is_refused_with_file_and_line(defect):
    old, new, words = BROKEN[defect]
    assert old in SMALL
    with pytest.raises(PackError, match=words):
        read_registry(SMALL.replace(old, new), "r")


def test_a_signal_told_twice_is_refused():
    entry = SMALL[SMALL.index(b"  - id: a") : SMALL.index(b"uncontrolled")]
    with pytest.raises(PackError, match="stands twice"):
        read_registry(SMALL.replace(entry, entry + entry), "r")


NO_KEY = {"value": {"stringValue": "x"}}


@pytest.mark.parametrize("member", ["span", "resource", "log"])
def test_an_attribute_with_an_empty_key_is_no_obstacle(member):
    """OTLP/JSON leaves an empty key out, as it does every default."""
    structured = {"arrayValue": {"values": [{"kvlistValue": {"values": [NO_KEY, {}]}}]}}
    items = {"span": span(1, CHAT), "resource": resource({}), "log": log(1, {"gen_ai.output.messages": structured})}
    items[member][1][member]["attributes"][:0] = [NO_KEY, {}]
    assert ledgers(whole(items[member]))["session_lifecycle"].status == "captured"


# ------------------------------------------------------------------ messages without their content


NO_CONTENT = {
    "no_messages": "[]",
    "a_message_without_parts": '[{"role":"user","parts":[]}]',
    "a_role_alone": '[{"role":"system"}]',
    "a_text_without_content": '[{"role":"user","parts":[{"type":"text"}]}]',
    "one_text_of_two_without_content": '[{"parts":[{"type":"text","content":"hi"},{"type":"text"}]}]',
    "an_image_that_was_dropped": '[{"parts":[{"type":"text","content":"hi"},{"type":"blob","content":null}]}]',
    "an_answer_of_a_tool_that_was_dropped": '[{"role":"tool","parts":[{"type":"tool_call_response","id":"1"}]}]',
    "a_tool_call_whose_arguments_were_dropped": '[{"parts":[{"type":"tool_call","id":"1","name":"now"}]}]',
    "parts_of_a_message_alone": '[{"type":"text"}]',
}
CONTENT_OF_SOME_KIND = {
    "plain_text": "be brief",
    "a_text_said_to_be_empty": '[{"role":"assistant","parts":[{"type":"text","content":""}]}]',
    "a_tool_call_with_no_arguments": '[{"parts":[{"type":"tool_call","id":"1","name":"now","arguments":{}}]}]',
    "a_part_of_another_type": '[{"role":"user","parts":[{"type":"x-audio","at":"there"}]}]',
    "the_older_form": '[{"role":"user","content":"hi"}]',
    "an_object_that_is_no_message": '[{"callId":"1","request":{}}]',
    "no_list_of_messages": '{"status":"ok"}',
    "a_number_inside": '[{"parts":[{"type":"tool_call_response","response":5}]}]',
}


@pytest.mark.parametrize("defect", NO_CONTENT)
def test_messages_without_their_content_are_not_there(defect):
    assert status("llm_io_bodies", span(1, CHAT | {"gen_ai.input.messages": NO_CONTENT[defect]})) == "missing"


@pytest.mark.parametrize("form", CONTENT_OF_SOME_KIND)
def test_content_in_any_form_is_there(form):
    assert status("llm_io_bodies", span(1, CHAT | {"gen_ai.input.messages": CONTENT_OF_SOME_KIND[form]})) == "captured"


def test_an_empty_text_is_no_value():
    assert status("model_identity", span(1, CHAT | {"gen_ai.response.model": ""})) == "missing"


@pytest.mark.parametrize("name", ["unknown_service", "unknown_service:node", "unknown_service:/usr/bin/java"])
def test_a_service_that_was_given_no_name_has_none(name):
    assert status("agent_identity", resource({"service.name": name})) == "missing"


# ------------------------------------------------------------------ what a failed span may say of its error


def exception(kind):
    return {"name": "exception", "attributes": [{"key": "exception.type", "value": {"stringValue": kind}}]}


SAYS_ITS_ERROR = {
    "error_type": ([span(1, {"error.type": "timeout"}, failed=True)], "captured"),
    "exception_event": ([span(1, {}, failed=True, events=[exception("ValueError")])], "captured"),
    "the_last_exception_event_counts": ([span(1, {}, failed=True, events=[exception("E"), exception("")])], "missing"),
    "event_that_is_no_exception": ([span(1, {}, failed=True, events=[{"name": "retry"}])], "missing"),
    "exception_in_a_log_record": ([span(1, {}, failed=True), log(1, {"exception.type": "ValueError"})], "captured"),
    "http_status": ([span(1, {"http.status_code": 429}, failed=True)], "captured"),
    "message_alone": ([span(1, {}, failed=True, name="it broke")], "missing"),
    "exception_without_failure": ([span(1, {}, events=[exception("ValueError")])], "unknown"),
}


@pytest.mark.parametrize("way", SAYS_ITS_ERROR)
def test_a_failed_span_says_of_what_kind_its_error_is(way):
    items, state = SAYS_ITS_ERROR[way]
    assert status("errors_incidents", *items) == state
