"""Explanations: every term of a sum, every signal of a pack, what a rule asks for, and what would close it."""

from pathlib import Path

import pytest

from evidence.errors import PackError
from evidence.event import SPAN
from evidence.lint.explain import explain, parse_target
from evidence.lint.explain.brief import brief
from evidence.lint.explain.check import check_in_words
from evidence.lint.explain.confidence import reasons
from evidence.lint.lint import Options, lint
from evidence.packs import BUILTIN, builtin, read_pack
from evidence.redaction.commitment import Commitment
from evidence.signals import registry
from tests.evidence.make import CHAT, TOOL, gap, opened, resource, sealed, span, whole

BASELINE = builtin("baseline")
WITHHELD = Commitment(alg="sha256", digest="ab" * 32, size_bytes=12).to_any_value()


def counted(*items):
    """A whole run whose sender counted the spans that are there."""
    return whole(*items, sender_counts={"spans_ended": sum(kind == SPAN for kind, _ in items)})


ONE_MISSING = counted(span(1, CHAT), span(2, {**CHAT, "gen_ai.response.model": None}))


def linted(folder: Path, items, *packs, **options):
    return lint(sealed(folder, items).path, Options(packs=packs or (BASELINE,), **options))


def explained(folder, items, target, *packs, **options):
    packs = packs or (BASELINE,)
    return "\n".join(explain(parse_target(target, packs), linted(folder, items, *packs, **options)))


# ------------------------------------------------------------------ closure


def test_closure_has_a_line_for_every_term_of_the_sum(tmp_path):
    text = explained(tmp_path, ONE_MISSING, "closure.score")
    assert text.startswith("closure 0.700 = 7 (2 + 3 + 2) / 10 (3 + 2 + 3 + 2)\n")
    for signal in registry().signals.values():
        assert (f"  {signal.weight}  {signal.id}: " in text) is signal.replay_critical
    assert "1 of 2 expected instances lack gen_ai.response.model (1); counts as missing" in text
    assert "run-1:2#/data/span/attributes/gen_ai.response.model" in text


def test_closure_says_what_each_missing_signal_would_bring_by_itself(tmp_path):
    items = counted(resource({"service.name": "a"}), span(1, {**CHAT, "gen_ai.response.model": None}))
    text = explained(tmp_path, items, "closure.score")
    assert text.startswith(f"closure {7 / 11:.3f} = ")
    assert f"  model_identity (closure {10 / 11:.3f} with it): " in text
    assert f"  environment_provenance (closure {8 / 11:.3f} with it): " in text


def test_what_is_withheld_is_closed_by_disclosing_it(tmp_path):
    bodies = dict.fromkeys(("gen_ai.input.messages", "gen_ai.output.messages"), WITHHELD)
    text = explained(tmp_path, counted(span(1, CHAT | bodies)), "closure.score")
    assert "llm_io_bodies (closure 1.000 with it): disclose the withheld bodies" in text


def test_a_closed_run_needs_nothing(tmp_path):
    assert "what would close it" not in explained(tmp_path, counted(span(1, CHAT)), "closure.score")


def test_the_remedy_of_a_signal_is_what_the_registry_says(tmp_path):
    text = explained(tmp_path, ONE_MISSING, "closure")
    assert f"model_identity (closure 1.000 with it): {registry().signals['model_identity'].remedy}" in text


# ------------------------------------------------------------------ confidence


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([opened(), span(1, CHAT)], "no event closes the run"),
        (counted(span(1, CHAT), gap("rejected", 3)), "the recorder says that something is missing (1)"),
        (counted(span(1, CHAT, parentSpanId="00000000000000ff")), "the parent of a span is not there (1)"),
        (counted(span(1, CHAT)), "no counter of capture health speaks against it"),
        (counted(), "no event says that anything replay-critical should be there"),
    ],
    ids=["unclosed", "gap", "orphan", "none", "nothing-expected"],
)
def test_confidence_is_explained_by_the_counters_that_decided_it(tmp_path, items, expected):
    bundle = linted(tmp_path, items)
    level = bundle.scores.closure["closure"]["confidence"]
    assert expected in reasons(level, bundle.capture_health, registry())


# ------------------------------------------------------------------ completeness


def test_completeness_has_a_line_for_every_required_signal_and_no_other(tmp_path):
    text = explained(tmp_path, ONE_MISSING, "completeness")
    states = [line.split()[1].rstrip(":") for line in text.splitlines()[3:] if line[:9].strip()]
    assert states == list(BASELINE.requires_signals)


def test_completeness_counts_what_is_withheld(tmp_path):
    bodies = dict.fromkeys(("gen_ai.input.messages", "gen_ai.output.messages"), WITHHELD)
    text = explained(tmp_path, counted(span(1, CHAT | bodies)), "completeness:baseline")
    assert "llm_io_bodies: 1 of 1 expected instances are withheld and committed to; counts" in text


# ------------------------------------------------------------------ rules

PACK = b"""
name: mine
version: "1"
kind: compliance
description: d
disclaimer: Evidence supports; it never proves.
x-assay: {requires_signals: [tool_calls]}
rules:
  - id: R1
    title: Every failed span says why
    severity: error
    framework: A Law
    ref: "12(1)"
    ref_title: Logging
    applies_from: "2027-12-02"
    profile: special
    role: provider
    basis: secondary
    to_be_checked: true
    rationale: Because.
    source_url: https://example.org/law
    checked_on: "2026-11-21"
    remedy: Set error.type.
    check: {type: exists_for_all, when: {event: span, failed: true}, all_of: [error.type]}
  - id: R2
    title: Tool calls are whole
    severity: warning
    signals: [{id: tool_calls, min_state: captured}]
"""
MINE = read_pack(PACK, "mine.yaml")
FAILED = counted(*(span(number, failed=True) for number in range(1, 13)))


def test_a_rule_is_explained_with_reference_marks_dates_and_remedy(tmp_path):
    text = explained(tmp_path, FAILED, "mine:R1", MINE)
    for said in (
        "mine@1:R1 (error): Every failed span says why",
        "A Law 12(1) (Logging)",
        "Because.",
        "2027-12-02",
        "only with --profile special",
        "provider",
        "secondary sources only",
        "to be checked against the primary text",
        "https://example.org/law, checked on 2026-11-21",
        "every span that failed has error.type",
        "What would close it: Set error.type.",
        "Evidence supports; it never proves.",
    ):
        assert said in text


def test_a_failed_rule_says_how_many_it_looked_at_and_that_places_are_more_than_shown(tmp_path):
    text = explained(tmp_path, FAILED, "R1", MINE)
    assert "it fails: 12 of 12" in text
    assert "12 looked at, 12 of them lacking." in text
    assert text.count("#/data/span/attributes/error.type") == 8
    assert "    and 4 more\n" in text


def test_a_rule_that_does_not_apply_is_explained_all_the_same(tmp_path):
    text = explained(tmp_path, FAILED, "R1", MINE)
    assert "It decides nothing here: only for the profile special, which was not asked for." in text
    again = explained(tmp_path, FAILED, "R1", MINE, profiles=frozenset({"special"}), as_of="2028-01-01")
    assert "decides nothing" not in again


def test_a_rule_over_a_signal_says_where_the_signal_is_expected(tmp_path):
    text = explained(tmp_path, counted(span(1, TOOL | {"gen_ai.tool.call.id": None})), "mine@1:R2", MINE)
    assert "signal tool_calls: missing" in text
    for check in registry().signals["tool_calls"].expected:
        assert check_in_words(check) in text


@pytest.mark.parametrize("target", ["mine:R9", "R9", "theirs:R1", "closure.scores", "", ":", "completeness:theirs"])
def test_an_unknown_target_names_what_there_is(target):
    with pytest.raises(PackError, match=r"R1, R2|mine@1"):
        parse_target(target, (MINE,))


def test_a_rule_id_of_two_packs_must_say_which():
    other = read_pack(PACK.replace(b"name: mine", b"name: other"), "other.yaml")
    with pytest.raises(PackError, match="several rules"):
        parse_target("R1", (MINE, other))
    assert parse_target("other:R1", (MINE, other)).packs == (other,)


# ------------------------------------------------------------------ checks in words


def checks():
    rows = [
        (f"{signal.id}-{n}", row) for signal in registry().signals.values() for n, row in enumerate(signal.expected)
    ]
    rules = [(f"{name}-{rule.id}", rule.check) for name in BUILTIN for rule in builtin(name).rules if rule.check]
    return rows + rules


def test_checks_that_differ_read_differently():
    words = {}
    for _, check in checks():
        words.setdefault(check_in_words(check), set()).add(check)
    assert {said: found for said, found in words.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (
            (
                "{type: joined_by_key, when: {event: span, gated: true}, with: {event: receipt, kind: [policy_decision]},"
                " key: [{gen_ai.tool.call.id: tool_call_id}], compare: {equal: {gen_ai.tool.name: tool_name}}}"
            ),
            (
                "every span that is under policy has a policy_decision receipt with the same gen_ai.tool.call.id (there"
                " tool_call_id), with tool_name equal to its own gen_ai.tool.name"
            ),
        ),
        (
            (
                "{type: within_time, seconds: 60, when: {event: receipt, kind: [incident]}, with: {event: receipt, kind: [freeze]},"
                " key: [{incident_id: incident_id}]}"
            ),
            "every incident receipt has a freeze receipt within 60 s after it with the same incident_id",
        ),
        (
            (
                "{type: within_time, seconds: 1296001, when: {event: receipt, kind: [incident]}, with: {event: receipt, kind: [freeze],"
                ' where: {by: ["*"]}}, key: [{incident_id: incident_id}]}'
            ),
            "every incident receipt has a freeze receipt whose by is anything within 1296001 s after it with the same incident_id",
        ),
        (
            "{type: count_within, when: {event: gap}, max: 0, over: {event: run}}",
            "there is no gap event, where there is any run",
        ),
        (
            (
                "{type: count_within, when: {event: span, where: {gen_ai.tool.name: [a, b]}, at_least: {x: 2}}, min: 2, max: 5,"
                " per: [gen_ai.tool.name], over: {event: span}}"
            ),
            (
                "the count of span whose gen_ai.tool.name is a or b and whose x is at least 2 for each gen_ai.tool.name is at least 2"
                " and at most 5, where there is any span"
            ),
        ),
    ],
    ids=["joined", "within", "fifteen_days", "none", "count"],
)
def test_a_check_in_words(check, expected):
    head = PACK.partition(b"rules:")[0].decode()
    pack = read_pack(f"{head}rules:\n  - {{id: A, title: t, severity: info, check: {check}}}\n".encode(), "a.yaml")
    assert check_in_words(pack.rules[0].check) == expected


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("1 of 2 expected instances lack a or b or c (1)", "1 of 2 expected instances lack a or b or c (1)"),
        ("lack a.b or c-d or e or f (1), g (2)", "lack any of a.b, c-d or 2 others (1), g (2)"),
        ("lack g (2), a or b or c or d or e (1)", "lack g (2), any of a, b or 3 others (1)"),
        ("nothing in the run is what it is about", "nothing in the run is what it is about"),
    ],
)
def test_of_many_alternatives_two_are_named_and_the_rest_is_counted(reason, said):
    assert brief(reason) == said
