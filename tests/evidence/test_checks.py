"""The check language: for each type what holds, fails, stays undecided, is withheld, and what happens at a bound."""

import gc
import hashlib
from collections import OrderedDict, deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.checks.check import read_check
from evidence.checks.evaluation import Evaluation
from evidence.checks.presence import Placeholders
from evidence.limits import Limits
from evidence.redaction.commitment import Commitment, commit
from evidence.strict_yaml import load
from tests.evidence.make import CHAT, START, TOOL, decoded, gap, log, opened, receipt, resource, span, whole

SECOND = 1_000_000_000
ARGUMENTS = '{"to":"b","amount":5}'
PAY = TOOL | {"gen_ai.tool.name": "pay", "gen_ai.tool.call.arguments": ARGUMENTS}
PLAIN = Commitment(alg="sha256", digest=hashlib.sha256(ARGUMENTS.encode()).hexdigest(), size_bytes=21)
SALTED = commit(ARGUMENTS, b"s" * 32, "policy")
PLACEHOLDERS = Placeholders(whole=frozenset({"[REDACTED]"}), inside=("__REDACTED__",))


def check(text):
    return read_check(load(text.encode(), "c.yaml"))


def ledger(text, *items, run=None, limits=Limits()):  # noqa: B008 - frozen
    evaluation = Evaluation({"it": [check(text)]}, PLACEHOLDERS, limits)
    for event, line in decoded(whole(*items) if run is None else run):
        evaluation.add(event, line)
    return evaluation.result()["it"]


def counts(*args, **kwargs):
    """Satisfied, withheld and lacking instances."""
    found = ledger(*args, **kwargs)
    return found.captured, found.redacted, found.missing


def at(number, attributes, start, end, **fields):
    return span(number, attributes, startTimeUnixNano=str(start), endTimeUnixNano=str(end), **fields)


def told(kind, body, when=None):
    """A receipt with a time of its own, `when` seconds after the start."""
    return receipt(kind, body, **({} if when is None else {"time_unix_nano": str(START + int(when * SECOND))}))


# ------------------------------------------------------------------ exists_for_all, by kind of instance

EXISTS = {
    "span": (
        "when: {event: span, operation: [chat]}\nall_of: [gen_ai.request.model]",
        [span(1, CHAT)],
        [span(1, {"gen_ai.operation.name": "chat"})],
    ),
    "span_by_where": (
        'when: {event: span, where: {gen_ai.tool.name: ["pa*", search]}}\nall_of: [gen_ai.tool.call.id]',
        [span(1, PAY), span(2, {"gen_ai.tool.name": "other"})],
        [span(1, {"gen_ai.tool.name": "pay"})],
    ),
    "span_by_at_least": (
        "when: {event: span, at_least: {gen_ai.usage.input_tokens: 100}}\nall_of: [gen_ai.request.model]",
        [span(1, CHAT | {"gen_ai.usage.input_tokens": 100}), span(2, {"gen_ai.usage.input_tokens": 99})],
        [span(1, {"gen_ai.usage.input_tokens": 100.5})],
    ),
    "span_has_parent": (
        'when: {event: span, operation: [chat]}\nall_of: ["@parent_span_id"]',
        [span(1, CHAT, parentSpanId="00000000000000ff")],
        [span(1, CHAT)],
    ),
    "log": (
        "when: {event: log, attribute: gen_ai.input.messages}\nall_of: [gen_ai.conversation.id]",
        [log(1, {"gen_ai.input.messages": "hi", "gen_ai.conversation.id": "c"}), log(2, {})],
        [log(1, {"gen_ai.input.messages": "hi"})],
    ),
    "log_of_a_role": (
        'when: {event: log, attribute: gen_ai.input.messages}\nall_of: ["gen_ai.input.messages[role=user]"]',
        [log(1, {"gen_ai.input.messages": '[{"role":"user","content":"hi"}]'})],
        [log(1, {"gen_ai.input.messages": '[{"role":"system","content":"hi"}]'})],
    ),
    "resource": (
        "when: {event: resource}\nall_of: [service.version]",
        [resource({"service.version": "1"})],
        [resource({"service.name": "a"})],
    ),
    "receipt_inner_member": (
        "when: {event: receipt, kind: [note]}\nall_of: [who.name]",
        [receipt("note", {"who": {"name": "a"}}), receipt("other", {})],
        [receipt("note", {"who": {"name": None}})],
    ),
    "receipt_of_a_span": (
        'when: {event: receipt, kind: [note]}\nall_of: ["@span_id"]',
        [receipt("note", {}, span_id="00000000000000ff")],
        [receipt("note", {}, span_id="0000000000000000")],
    ),
    "gap": ("when: {event: gap}\nall_of: [detail]", [gap("rejected")], None),
    "requested_tool_call": (
        "when: {event: requested_tool_call, where: {name: [pay]}}\nall_of: [id, tool_span]",
        [
            span(1, {"gen_ai.output.messages": '[{"parts":[{"type":"tool_call","id":"call-1","name":"pay"}]}]'}),
            span(2, PAY),
        ],
        [span(1, {"gen_ai.output.messages": '[{"parts":[{"type":"tool_call","name":"pay"}]}]'}), span(2, PAY)],
    ),
    "tool_definition": (
        "when: {event: tool_definition}\nall_of: [name, description]",
        [span(1, {"gen_ai.tool.definitions": '[{"type":"function","function":{"name":"a","description":"b"}}]'})],
        [span(1, {"gen_ai.tool.definitions": '[{"type":"function","name":"a"}]'})],
    ),
    "withheld": (
        "when: {event: withheld}\nall_of: [reason]",
        [span(1, {"any.key": f"before {SALTED.to_mark()} after"})],
        [receipt("note", {"inner": [PLAIN.to_member()]})],
    ),
}


@pytest.mark.parametrize("kind", EXISTS)
def test_what_is_demanded_is_there_for_every_instance(kind):
    text, held, lacking = EXISTS[kind]
    assert counts(f"type: exists_for_all\n{text}", *held) == (1, 0, 0)
    assert counts(f"type: exists_for_all\n{text}") == (0, 0, 0)
    if lacking:
        assert counts(f"type: exists_for_all\n{text}", *lacking) == (0, 0, 1)
        assert counts(f"type: exists_for_all\n{text}", *lacking, *held, *held)[2] == 1


BODIES = "type: exists_for_all\nwhen: {event: span, operation: [execute_tool]}\nall_of: [gen_ai.tool.call.arguments]"
STANDS_FOR_CONTENT = {
    "a_mark": SALTED.to_mark(),
    "a_mark_in_json": '{"to":"' + SALTED.to_mark() + '","amount":5}',
    "a_member_in_json": '{"to":{"affidavit.redacted":{"alg":"sha256","digest":"ab","size_bytes":1}}}',
    "json_in_json": '{"inner":"{\\"to\\":{\\"affidavit.redacted\\":{\\"alg\\":\\"x\\",\\"digest\\":\\"a\\",\\"size_bytes\\":1}}}"}',
    "an_otlp_value": SALTED.to_any_value(),
    "an_otlp_value_inside": {"arrayValue": {"values": [{"stringValue": "a"}, SALTED.to_any_value()]}},
}
STANDS_FOR_NOTHING = {
    "null": None,
    "an_empty_text": "",
    "a_placeholder": "[REDACTED]",
    "a_placeholder_in_json": '{"to":"__REDACTED__"}',
    "a_mark_without_digest": "affidavit.redacted(alg=sha256,size_bytes=1)",
    "a_member_without_size": '{"affidavit.redacted":{"alg":"sha256","digest":"ab"}}',
}


@pytest.mark.parametrize("form", STANDS_FOR_CONTENT)
def test_content_that_is_withheld_even_in_part_is_not_there(form):
    assert counts(BODIES, span(1, TOOL | {"gen_ai.tool.call.arguments": STANDS_FOR_CONTENT[form]})) == (0, 1, 0)


@pytest.mark.parametrize("form", STANDS_FOR_NOTHING)
def test_what_commits_to_nothing_is_absent(form):
    assert counts(BODIES, span(1, TOOL | {"gen_ai.tool.call.arguments": STANDS_FOR_NOTHING[form]})) == (0, 0, 1)


@pytest.mark.parametrize("value", ["affidavit.redacted", "see affidavit.redacted(alg=...)"])
def test_a_receipt_that_only_speaks_of_withholding_withholds_nothing(value):
    text = "type: exists_for_all\nwhen: {event: receipt, kind: [note]}\nall_of: [said]"
    assert counts(text, receipt("note", {"said": value}))[1] == 0


def test_looks_beyond_the_bound_come_out_the_same():
    text = "type: exists_for_all\nwhen: {event: span}\nany_of: [a, b, c, d]\nall_of: [e, f]"
    spans = [
        span(n, {key: "x" for place, key in enumerate("abcdef") if n >> place & 1}) for n in range(1, 64) for _ in "ab"
    ]
    many, one = ledger(text, *spans), ledger(text, *spans, limits=Limits(looks_max=1))
    assert (many.captured, many.missing, many.absent) == (one.captured, one.missing, one.absent)
    assert many.evidence_paths == one.evidence_paths
    assert (many.captured, many.missing) == (30, 96)


# ------------------------------------------------------------------ joins

PAIR = """
type: joined_by_key
when: {event: span, operation: [execute_tool]}
with: {event: receipt, kind: [policy_decision], where: {decision: [allow]}}
key: [{gen_ai.tool.call.id: tool_call_id}, {gen_ai.tool.name: tool_name}]
"""
ALLOW = {"decision": "allow", "tool_call_id": "call-1"}


@pytest.mark.parametrize("first", ["span", "receipt"])
def test_a_partner_of_equal_key_satisfies_whichever_comes_first(first):
    items = [span(1, TOOL), told("policy_decision", ALLOW)]
    assert counts(PAIR, *(items if first == "span" else items[::-1])) == (1, 0, 0)


def test_each_instance_needs_a_partner_and_one_partner_serves_many():
    second = TOOL | {"gen_ai.tool.call.id": "call-2"}
    items = [span(1, TOOL), span(2, second), span(3, TOOL), told("policy_decision", ALLOW)]
    found = ledger(PAIR, *items)
    assert (found.captured, found.missing) == (2, 1)
    assert found.evidence_paths == ["run-1:2#/data/span/attributes"]
    assert "receipt policy_decision of equal tool_call_id or tool_name (1)" in found.reason


def test_a_partner_that_the_selector_does_not_take_is_none():
    assert counts(PAIR, span(1, TOOL), told("policy_decision", ALLOW | {"decision": "deny"})) == (0, 0, 1)


def test_without_an_instance_a_join_is_undecided():
    assert ledger(PAIR, told("policy_decision", ALLOW)).status == "unknown"


def test_the_first_key_whose_names_an_instance_has_is_the_one_that_counts():
    by_name = told("policy_decision", {"decision": "allow", "tool_name": "search"})
    assert counts(PAIR, span(1, TOOL), by_name) == (0, 0, 1)
    nameless = {key: value for key, value in TOOL.items() if key != "gen_ai.tool.call.id"}
    assert counts(PAIR, span(1, nameless), by_name) == (1, 0, 0)


def test_an_instance_without_any_key_is_lacking_and_one_with_a_withheld_key_withheld():
    operation = {"gen_ai.operation.name": "execute_tool"}
    assert counts(PAIR, span(1, operation), told("policy_decision", ALLOW)) == (0, 0, 1)
    hidden = operation | {"gen_ai.tool.call.id": SALTED.to_mark()}
    assert counts(PAIR, span(1, hidden), told("policy_decision", ALLOW)) == (0, 1, 0)


def test_a_tagged_digest_equals_the_bare_one():
    text = (
        "type: joined_by_key\nwhen: {event: receipt, kind: [a]}\nwith: {event: receipt, kind: [b]}\nkey: [{digest: of}]"
    )
    digest = "ab" * 32
    assert counts(text, receipt("a", {"digest": "sha256:" + digest}), receipt("b", {"of": digest})) == (1, 0, 0)


def test_ids_of_spans_and_receipts_are_keys():
    text = (
        "type: joined_by_key\nwhen: {event: span, operation: [chat]}\nwith: {event: receipt, kind: [note]}\n"
        'key: [{"@trace_id": "@trace_id", "@span_id": "@span_id"}]'
    )
    item = span(255, CHAT)
    ids = {"trace_id": item[1]["span"]["traceId"].upper(), "span_id": "00000000000000FF"}
    assert counts(text, item, receipt("note", {}, **ids)) == (1, 0, 0)
    assert counts(text, item, receipt("note", {}, **ids | {"span_id": "00000000000000fe"})) == (0, 0, 1)


EQUAL = """
type: joined_by_key
when: {event: tool_definition}
with: {event: receipt, kind: [tool_pin]}
key: [{name: name}]
compare: {equal: {digest: digest}}
"""
DEFINITION = '{"description":"finds","name":"search","type":"function"}'
PIN = {"name": "search", "digest": "sha256:" + hashlib.sha256(DEFINITION.encode()).hexdigest()}
OFFER = span(1, {"gen_ai.tool.definitions": f"[{DEFINITION}]"})


@pytest.mark.parametrize("order", [1, -1])
def test_a_partner_must_agree_in_what_is_compared(order):
    assert counts(EQUAL, *[OFFER, receipt("tool_pin", PIN)][::order]) == (1, 0, 0)
    other = receipt("tool_pin", PIN | {"digest": "sha256:" + "00" * 32})
    found = ledger(EQUAL, *[OFFER, other][::order])
    assert found.missing == 1
    assert "with digest equal to digest" in found.reason
    assert counts(EQUAL, *[OFFER, other, receipt("tool_pin", PIN)][::order]) == (1, 0, 0)


SUBSET = """
type: joined_by_key
when: {event: receipt, kind: [delegation], at_least: {depth: 1}}
with: {event: receipt, kind: [delegation]}
key: [{delegator: delegate}]
compare: {subset: {scopes: scopes}}
"""


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("given", "had", "holds"),
    [
        (["read"], ["read", "write"], True),
        ("read", ["write", "read"], True),
        ([], ["read"], True),
        ("read write", "read", False),
        (["admin"], ["read", "write"], False),
    ],
)
def test_what_is_passed_on_is_a_subset_of_what_was_had(order, given, had, holds):
    first = receipt("delegation", {"delegator": "user", "delegate": "a", "scopes": had, "depth": 0})
    second = receipt("delegation", {"delegator": "a", "delegate": "b", "scopes": given, "depth": 1})
    assert counts(SUBSET, *[first, second][::order]) == ((1, 0, 0) if holds else (0, 0, 1))


def test_a_partner_that_withholds_what_is_compared_leaves_the_instance_withheld():
    first = receipt("delegation", {"delegate": "a", "scopes": SALTED.to_member(), "depth": 0})
    second = receipt("delegation", {"delegator": "a", "scopes": ["read"], "depth": 1})
    assert counts(SUBSET, first, second) == (0, 1, 0)
    enough = receipt("delegation", {"delegate": "a", "scopes": ["read"], "depth": 0})
    assert counts(SUBSET, first, second, enough) == (1, 0, 0)


BEFORE = PAIR.replace("joined_by_key", "ordered_before")


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(("decided", "holds"), [(4, True), (5, True), (6, False), (11, False)])
def test_a_partner_stands_before_the_start_of_its_instance_whatever_the_order_of_events(order, decided, holds):
    call = at(1, TOOL, START + 5 * SECOND, START + 10 * SECOND)
    found = ledger(BEFORE, *[call, told("policy_decision", ALLOW, decided)][::order])
    assert found.status == ("captured" if holds else "missing")
    assert holds or "before it" in found.reason


def test_one_partner_in_time_is_enough():
    call = at(1, TOOL, START + 5 * SECOND, START + 6 * SECOND)
    late, early = told("policy_decision", ALLOW, 8), told("policy_decision", ALLOW, 2)
    assert counts(BEFORE, late, call, early) == (1, 0, 0)
    assert counts(BEFORE, late, early, call) == (1, 0, 0)


def test_a_call_that_does_not_say_when_it_started_has_nothing_before_it():
    assert counts(BEFORE, told("policy_decision", ALLOW, 1), at(1, TOOL, 0, START + 9 * SECOND)) == (0, 0, 1)


WITHIN = """
type: within_time
when: {event: receipt, kind: [incident]}
with: {event: receipt, kind: [freeze]}
key: [{incident_id: incident_id}]
seconds: 10
"""


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(("frozen", "holds"), [(5, True), (15, True), (4.999, False), (15.001, False)])
def test_a_partner_comes_within_the_seconds_after_its_instance(order, frozen, holds):
    items = [told("incident", {"incident_id": "i"}, 5), told("freeze", {"incident_id": "i"}, frozen)]
    assert counts(WITHIN, *items[::order]) == ((1, 0, 0) if holds else (0, 0, 1))


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_partners_one_within_the_time_is_enough(order):
    others = [told("freeze", {"incident_id": "i"}, when) for when in (1, 40, 12, 60)]
    incidents = [told("incident", {"incident_id": "i"}, when) for when in (5, 30, 50)]
    assert counts(WITHIN, *(others + incidents)[::order]) == (3, 0, 0)
    assert counts(WITHIN, *(others[:2] + incidents)[::order]) == (1, 0, 2)


DIGEST = """
type: matches_digest
when: {event: span, operation: [execute_tool]}
with: {event: receipt, kind: [human_approval]}
key: [{gen_ai.tool.call.id: tool_call_id}]
digest: {of: gen_ai.tool.call.arguments, in: argument_digest}
"""
CANONICAL = hashlib.sha256(b'{"amount":5,"to":"b"}').hexdigest()


def approval(digest):
    return receipt("human_approval", {"tool_call_id": "call-1", "argument_digest": digest})


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("tag", ["", "sha256:"])
def test_a_digest_is_of_the_text_as_it_is_or_of_the_canonical_form_of_its_json(order, tag):
    for digest in (hashlib.sha256(ARGUMENTS.encode()).hexdigest(), CANONICAL):
        assert counts(DIGEST, *[span(1, PAY), approval(tag + digest)][::order]) == (1, 0, 0)
    assert counts(DIGEST, *[span(1, PAY), approval(tag + "00" * 32)][::order]) == (0, 0, 1)


def test_a_digest_of_a_structured_value_is_of_its_canonical_form():
    values = [{"key": "to", "value": {"stringValue": "b"}}, {"key": "amount", "value": {"intValue": "5"}}]
    structured = PAY | {"gen_ai.tool.call.arguments": {"kvlistValue": {"values": values}}}
    assert counts(DIGEST, span(1, structured), approval(CANONICAL)) == (1, 0, 0)


def test_a_commitment_by_plain_sha256_is_itself_the_digest():
    hidden = span(1, PAY | {"gen_ai.tool.call.arguments": PLAIN.to_any_value()})
    assert counts(DIGEST, hidden, approval(PLAIN.digest)) == (1, 0, 0)
    assert counts(DIGEST, hidden, approval("00" * 32)) == (0, 0, 1)


def test_a_salted_commitment_leaves_it_open_when_there_is_a_partner_and_lacking_when_there_is_none():
    hidden = span(1, PAY | {"gen_ai.tool.call.arguments": SALTED.to_any_value()})
    assert counts(DIGEST, hidden, approval(SALTED.digest)) == (0, 1, 0)
    assert counts(DIGEST, hidden) == (0, 0, 1)


def test_a_digest_may_be_demanded_of_a_partner_that_stands_before():
    text = PAIR.replace("joined_by_key", "ordered_before") + "compare: {digest: {gen_ai.tool.call.arguments: digest}}"
    call = at(1, PAY, START + 5 * SECOND, START + 6 * SECOND)
    assert counts(text, call, told("policy_decision", ALLOW | {"digest": CANONICAL}, 1)) == (1, 0, 0)
    assert counts(text, call, told("policy_decision", ALLOW | {"digest": CANONICAL}, 9)) == (0, 0, 1)
    assert counts(text, call, told("policy_decision", ALLOW | {"digest": "00" * 32}, 1)) == (0, 0, 1)


@pytest.mark.parametrize("text", [PAIR, BEFORE])
def test_what_a_join_cannot_hold_on_to_is_lacking_and_never_satisfied(text):
    spans = [span(n, TOOL | {"gen_ai.tool.call.id": f"call-{n}"}) for n in range(1, 6)]
    decisions = [told("policy_decision", ALLOW | {"tool_call_id": f"call-{n}"}, 0) for n in range(1, 6)]
    few = Limits(open_instances_max=2)
    assert counts(text, *spans, *decisions, limits=few) == (2, 0, 3)
    assert counts(text, *decisions, *spans, limits=few) == (2, 0, 3)
    assert counts(text, *spans, *decisions) == counts(text, *decisions, *spans) == (5, 0, 0)


def test_a_key_with_more_partners_than_can_be_looked_at_is_no_hole():
    had = [receipt("delegation", {"delegate": "a", "scopes": [f"s{n}"], "depth": 0}) for n in range(5)]
    asks = [receipt("delegation", {"delegator": "a", "scopes": [f"s{n}"], "depth": 1}) for n in range(5)]
    few = Limits(partners_per_key_max=2)
    assert counts(SUBSET, *had, *asks, limits=few) == (2, 0, 3)
    assert counts(SUBSET, *asks, *had, limits=few) == (2, 0, 3)
    assert counts(SUBSET, *had, *asks) == (5, 0, 0)


MOMENT = st.integers(min_value=0, max_value=6)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), MOMENT), max_size=6), st.lists(st.tuples(st.sampled_from("ab"), MOMENT))
)
def test_joins_in_time_come_out_as_by_trying_every_pair(lefts, rights):
    """Law: the streaming join equals the definition, for any order of events."""
    incidents = [told("incident", {"incident_id": key}, when) for key, when in lefts]
    freezes = [told("freeze", {"incident_id": key}, when) for key, when in rights]
    mixed = [item for pair in zip(incidents, freezes, strict=False) for item in pair]
    mixed += incidents[len(freezes) :] + freezes[len(incidents) :]
    tests = {
        WITHIN.replace("10", "2"): lambda left, right: 0 <= right - left <= 2,
        WITHIN.replace("within_time", "ordered_before").replace("seconds: 10\n", ""): lambda left, right: right <= left,
    }
    for text, fits in tests.items():
        good = sum(any(key == other and fits(left, right) for other, right in rights) for key, left in lefts)
        assert counts(text, *mixed) == (good, 0, len(lefts) - good)


# ------------------------------------------------------------------ count_within

NO_GAP = "type: count_within\nwhen: {event: gap}\nmax: 0\nover: {event: run}"
RETRIES = """
type: count_within
when: {event: span, operation: [execute_tool]}
per: [gen_ai.tool.name, gen_ai.tool.call.arguments]
max: 2
over: {event: span, operation: [execute_tool]}
"""


def test_nothing_of_what_must_not_be_is_counted_over_the_whole_run():
    assert counts(NO_GAP) == (1, 0, 0)
    found = ledger(NO_GAP, gap("rejected"), gap("rejected"))
    assert (found.missing, found.evidence_paths) == (1, ["run-1:1#/data"])
    assert found.reason == "1 of 1 expected instances lack a count of at most 0 (1)"


def test_without_a_population_a_count_is_undecided():
    text = "type: count_within\nwhen: {event: span, failed: true}\nmax: 0\nover: {event: span, operation: [chat]}"
    assert ledger(text, span(1, failed=True)).status == "unknown"
    assert ledger(text, span(1, CHAT)).status == "captured"
    assert ledger(text, span(1, CHAT), span(2, failed=True)).status == "missing"


def test_each_group_is_counted_by_itself_and_the_place_is_where_it_was_too_many():
    other = TOOL | {"gen_ai.tool.call.arguments": '{"page":2}'}
    found = ledger(RETRIES, *(span(n, TOOL) for n in range(1, 5)), span(5, other))
    assert (found.captured, found.missing) == (1, 1)
    assert found.evidence_paths == ["run-1:3#/data/span/attributes"]


def test_what_a_group_is_told_apart_by_may_be_absent_but_not_withheld():
    bare = {"gen_ai.operation.name": "execute_tool"}
    assert counts(RETRIES, *(span(n, bare) for n in range(1, 4))) == (0, 0, 1)
    hidden = bare | {"gen_ai.tool.call.arguments": SALTED.to_mark()}
    assert counts(RETRIES, *(span(n, hidden) for n in range(1, 4))) == (0, 3, 0)


AT_LEAST_TWO = """
type: count_within
when: {event: receipt, kind: [human_approval]}
per: [subject]
distinct: approver
min: 2
"""


def approved(subject, approver):
    return receipt("human_approval", {"subject": subject, "approver": approver})


def test_distinct_values_are_counted_once():
    assert counts(AT_LEAST_TWO, approved("a", "x"), approved("a", "y"), approved("a", "x")) == (1, 0, 0)
    assert counts(AT_LEAST_TWO, approved("a", "x"), approved("a", "x"), approved("b", "y")) == (0, 0, 2)
    assert ledger(AT_LEAST_TWO).status == "unknown"


def test_a_value_that_is_not_there_counts_to_the_disadvantage():
    assert counts(AT_LEAST_TWO, approved("a", "x"), approved("a", None)) == (0, 0, 1)
    most = AT_LEAST_TWO.replace("min: 2", "max: 1\nover: {event: receipt, kind: [human_approval]}")
    assert counts(most, approved("a", "x"), approved("a", None)) == (0, 0, 1)
    assert counts(most, approved("a", None)) == (1, 0, 0)


def test_a_value_that_is_withheld_leaves_it_open():
    hidden = SALTED.to_member()
    assert counts(AT_LEAST_TWO, approved("a", "x"), approved("a", hidden)) == (0, 1, 0)
    assert counts(AT_LEAST_TWO, approved("a", "x"), approved("a", "y"), approved("a", hidden)) == (1, 0, 0)
    assert counts(AT_LEAST_TWO, approved("a", hidden)) == (0, 0, 1)


def test_at_least_one_in_a_whole_run_fails_without_any_unless_there_is_no_population():
    text = "type: count_within\nwhen: {event: receipt, kind: [environment]}\nmin: 1"
    assert counts(text, receipt("environment", {})) == (1, 0, 0)
    found = ledger(text)
    assert (found.missing, found.evidence_paths) == (1, ["run-1#/run"])
    assert ledger(text + "\nover: {event: span, operation: [chat]}").status == "unknown"
    assert ledger(text + "\nover: {event: span, operation: [chat]}", span(1, CHAT)).status == "missing"


def test_every_group_of_the_population_is_held_to_the_least():
    text = (
        "type: count_within\nwhen: {event: span, operation: [chat]}\nper: [gen_ai.conversation.id]\nmin: 1\n"
        "over: {event: span, operation: [invoke_agent]}"
    )
    agent = [
        span(n, {"gen_ai.operation.name": "invoke_agent", "gen_ai.conversation.id": key})
        for n, key in enumerate("ab", 1)
    ]
    assert counts(text, *agent, span(3, CHAT | {"gen_ai.conversation.id": "a"})) == (1, 0, 1)


def test_no_more_than_one_definition_of_a_tool():
    text = (
        "type: count_within\nwhen: {event: tool_definition}\nper: [server, name]\ndistinct: digest\nmax: 1\n"
        "over: {event: tool_definition}"
    )
    changed = span(2, {"gen_ai.tool.definitions": f"[{DEFINITION.replace('finds', 'sends')}]"})
    listed = {"mcp.method.name": "tools/list", "server.address": "s"}
    elsewhere = span(3, listed | {"gen_ai.tool.definitions": f"[{DEFINITION.replace('finds', 'sends')}]"})
    assert counts(text, OFFER, OFFER) == (1, 0, 0)
    assert counts(text, OFFER, elsewhere) == (2, 0, 0)
    assert ledger(text, OFFER, changed).evidence_paths == ["run-1:2#/data/span/attributes/gen_ai.tool.definitions/0"]


def test_groups_and_values_that_cannot_be_held_are_lacking():
    few = Limits(open_instances_max=2)
    calls = [span(n, TOOL | {"gen_ai.tool.name": f"t{n}"}) for n in range(1, 6)]
    assert counts(RETRIES, *calls, limits=few) == (2, 0, 3)
    assert counts(AT_LEAST_TWO, *(approved("a", each) for each in "xyz"), limits=few) == (1, 0, 0)
    assert counts(AT_LEAST_TWO, *(approved(s, a) for s in "ab" for a in "xy"), limits=few) == (1, 0, 1)


# ------------------------------------------------------------------ secrets and run context

SECRETS = "type: count_within\nwhen: {event: secret}\nmax: 0\nover: {event: run}"
KEY = "AKIA" + "IOSFODNN7ABCDEFG"


@pytest.mark.parametrize(
    "item",
    [
        span(1, {"app.anything": f"use {KEY} then"}),
        log(1, {}, body={"stringValue": f"use {KEY} then"}),
        receipt("note", {"a": [{"b": f"use {KEY} then"}]}),
        resource({"app.config": f"use {KEY} then"}),
    ],
    ids=["span", "log", "receipt", "resource"],
)
def test_a_secret_is_found_in_any_event(item):
    assert counts(SECRETS, span(2, CHAT)) == (1, 0, 0)
    assert counts(SECRETS, item) == (0, 0, 1)


def test_a_secret_that_translation_repeats_is_one():
    item = span(1, {"a": f"use {KEY} then"})
    item[1]["mapped"] = {
        "attributes": [{"key": "gen_ai.x", "value": {"stringValue": f"use {KEY} then"}}],
        "removed": ["a"],
        "profiles": ["p"],
    }
    text = "type: count_within\nwhen: {event: secret}\nmin: 2"
    assert counts(text, item)[0] == 0
    assert counts(text, item, span(2, {"a": f"use {KEY} then"}))[0] == 1


GATED = (
    "type: exists_for_all\nwhen: {event: span, operation: [execute_tool], gated: true}\nall_of: [gen_ai.tool.call.id]"
)
APPROVAL = GATED.replace("gated", "needs_approval")


def under(context):
    return lambda *items: [(opened()[0], opened()[1] | {"context": context}), *items]


def test_the_context_of_a_run_says_which_tools_are_under_policy():
    run = under({"policy": {"gated_tools": ["sea*ch"], "approval_tools": ["pay"]}})
    assert counts(GATED, run=run(span(1, TOOL), span(2, PAY), span(3, TOOL | {"gen_ai.tool.name": "other"})))[0] == 2
    assert counts(APPROVAL, run=run(span(1, TOOL), span(2, PAY)))[0] == 1
    assert counts(GATED, run=[opened(), span(1, TOOL)]) == (0, 0, 0)


def test_a_policy_receipt_says_so_for_what_follows():
    policy = receipt("policy", {"gated_tools": ["*"]})
    assert counts(GATED, span(1, TOOL), policy, span(2, PAY))[0] == 1


def test_a_span_may_say_itself_that_it_is_under_policy():
    assert counts(GATED, span(1, TOOL | {"affidavit.policy.gated": True}))[0] == 1
    assert counts(GATED, span(1, TOOL | {"affidavit.approval.required": "true"}))[0] == 1
    assert counts(APPROVAL, span(1, TOOL | {"affidavit.approval.required": True}))[0] == 1
    assert counts(APPROVAL, span(1, TOOL | {"affidavit.policy.gated": True}))[0] == 0
    assert counts(GATED, span(1, CHAT | {"affidavit.policy.gated": True})) == (0, 0, 0)


@pytest.mark.parametrize("context", [{"policy": 5}, {"policy": {"gated_tools": "*"}}, {"policy": {"gated_tools": [5]}}])
def test_a_context_that_is_not_shaped_like_a_policy_says_nothing(context):
    assert counts(GATED, run=under(context)(span(1, TOOL))) == (0, 0, 0)


def test_more_patterns_than_can_be_held_put_every_tool_under_policy():
    run = under({"policy": {"gated_tools": ["a", "b", "c"]}})
    assert counts(GATED, run=run(span(1, TOOL)), limits=Limits(policy_patterns_max=2))[0] == 1


# ------------------------------------------------------------------ laws


def test_equal_checks_of_several_owners_come_out_alike():
    evaluation = Evaluation({"a": [check(PAIR)], "b": [check(PAIR), check(NO_GAP)]})
    for event, line in decoded(whole(span(1, TOOL), told("policy_decision", ALLOW))):
        evaluation.add(event, line)
    result = evaluation.result()
    assert (result["a"].captured, result["b"].captured) == (1, 2)


def test_asking_in_between_changes_nothing():
    items = decoded(whole(span(1, TOOL), OFFER, told("policy_decision", ALLOW), span(2, PAY), gap("x")))
    checks = {text: [check(text)] for text in (PAIR, BEFORE, EQUAL, RETRIES, NO_GAP, SECRETS, BODIES)}
    asked, not_asked = Evaluation(checks), Evaluation(checks)
    for event, line in items:
        asked.add(event, line)
        asked.result()
        not_asked.add(event, line)
    for name, found in not_asked.result().items():
        again = asked.result()[name]
        assert (again.reason, again.evidence_paths) == (found.reason, found.evidence_paths)


def test_the_canonical_form_is_made_when_it_is_not_given():
    evaluation = Evaluation({"it": [check(SECRETS)]})
    for event, _ in decoded(whole(receipt("note", {"a": f"use {KEY} then"}))):
        evaluation.add(event)
    assert evaluation.result()["it"].missing == 1


HELD = (dict, list, tuple, set, frozenset, str, int, deque, OrderedDict)


def reachable(root):
    """How many objects hang on one, code and classes apart."""
    seen, left = {id(root)}, [root]
    while left:
        for each in gc.get_referents(left.pop()):
            module = type(each).__module__
            if id(each) not in seen and (isinstance(each, HELD) or module.startswith("evidence.")):
                seen.add(id(each))
                left.append(each)
    return len(seen)


def varied(number):
    """Events of which no two say the same, and which lack what would let go of them."""
    spans = [f"{number:016x}", f"{number + 1_000_000:016x}"]
    asks = f'[{{"parts":[{{"type":"tool_call","id":"asked-{number}","name":"t{number}"}}]}}]'
    offers = f'[{{"type":"function","name":"t{number}"}}]'
    call = {
        "gen_ai.tool.name": f"t{number}",
        "gen_ai.tool.call.id": f"c{number}",
        "gen_ai.tool.call.arguments": f"{number}",
    }
    chat = {"gen_ai.operation.name": "chat", "gen_ai.output.messages": asks, "gen_ai.tool.definitions": offers}
    scopes = {"delegator": "a", "delegate": "a", "scopes": [f"s{number}"], "depth": number % 2}
    return [
        span(number, chat, spanId=spans[0]),
        span(number, {"gen_ai.operation.name": "execute_tool"} | call, spanId=spans[1], parentSpanId=spans[0]),
        log(number + 2_000_000, {"gen_ai.input.messages": f"message {number}"}),
        told("policy_decision", {"decision": "allow", "tool_call_id": f"other-{number}"}, number),
        told("incident", {"incident_id": f"i{number}"}, number),
        told("freeze", {"incident_id": f"f{number}"}, number),
        told("policy", {"gated_tools": [f"t{number}"]}),
        told("human_approval", {"subject": f"s{number}", "approver": f"a{number}"}),
        receipt("delegation", scopes),
    ]


def test_what_is_held_on_to_does_not_grow_with_the_events():
    checks = [PAIR, BEFORE, WITHIN, DIGEST, EQUAL, SUBSET, RETRIES, AT_LEAST_TWO, SECRETS, BODIES, GATED]
    checks += [f"type: exists_for_all\n{text}" for text, _, _ in EXISTS.values()]
    limits = Limits(open_instances_max=20, looks_max=10, policy_patterns_max=5, partners_per_key_max=5)
    evaluation = Evaluation({str(n): [check(text)] for n, text in enumerate(checks)}, PLACEHOLDERS, limits)
    held = []
    for event, line in decoded(item for number in range(1, 301) for item in varied(number)):
        evaluation.add(event, line)
        if event["seq"] in {900, 2600}:
            held.append(reachable(evaluation))
    assert held[1] < held[0] * 1.05


def test_ids_of_any_length_are_paired_and_none_is_held_on_to_as_it_came():
    long = "c" * 5_000
    asks = {"gen_ai.output.messages": f'[{{"parts":[{{"type":"tool_call","id":"{long}","name":"pay"}}]}}]'}
    text = "type: exists_for_all\nwhen: {event: requested_tool_call}\nall_of: [tool_span]"
    done = span(2, PAY | {"gen_ai.tool.call.id": long})
    assert counts(text, span(1, asks), done) == counts(text, done, span(1, asks)) == (1, 0, 0)
    assert counts(PAIR, done, told("policy_decision", ALLOW | {"tool_call_id": long})) == (1, 0, 0)
    assert counts(PAIR, done, told("policy_decision", ALLOW | {"tool_call_id": long + "c"})) == (0, 0, 1)
