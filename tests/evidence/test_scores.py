"""Scores: formula vectors, receipts, rules and explanations. Whole reports: test_golden.py."""

import math

import pytest

from evidence import formulas
from evidence.canonical import canonical
from evidence.digest import tagged
from evidence.errors import FormulaError
from evidence.formulas import Context
from evidence.packs import builtin, load
from evidence.redaction.commitment import Commitment
from evidence.scores import Assessment
from evidence.signals import registry
from tests.evidence.make import CHAT, DIGEST, TOOL, decoded, gap, opened, resource, span, whole

CONTEXT = Context(
    run_id="run-1",
    computed_at="2026-01-01T00:00:00.000000000Z",
    manifest_digest=DIGEST,
    events_digest="sha256:" + "cd" * 32,
)
WITHHELD = Commitment(alg="sha256", digest="ab" * 32, size_bytes=12).to_any_value()
ONE, COUNTED = ({"sender_counts": {"spans_ended": spans}} for spans in (1, 2))

RUNS = {
    "whole": whole(
        resource({"service.name": "a", "vcs.ref.head.revision": "c"}), span(1, CHAT), span(2, TOOL), **COUNTED
    ),
    "nothing": whole(),
    "one_missing": whole(span(1, CHAT), span(2, {**CHAT, "gen_ai.response.model": None}), **COUNTED),
    "all_redacted": whole(
        span(1, CHAT | dict.fromkeys(("gen_ai.input.messages", "gen_ai.output.messages"), WITHHELD)), **ONE
    ),
    "unclosed": [opened(), span(1, CHAT)],
    "gap": whole(span(1, CHAT), gap("rejected"), **ONE),
    "orphan": whole(span(1, CHAT, parentSpanId="00000000000000ff"), **ONE),
}


def assess(items, packs=None):
    assessment = Assessment([builtin("baseline")] if packs is None else packs)
    for event, line in decoded(items):
        assessment.add(event, line)
    return assessment.scores(CONTEXT)


def test_the_score_is_the_weight_captured_over_the_weight_expected():
    closure = assess(RUNS["one_missing"]).closure["closure"]
    assert closure["captured"] == ["prompt_lineage", "llm_io_bodies", "sampling_params"]
    assert closure["missing"] == ["model_identity"]
    assert closure["score"] == (2 + 3 + 2) / (2 + 3 + 2 + 3)


def test_a_withheld_body_counts_as_missing_for_closure_and_not_for_completeness():
    report = assess(RUNS["all_redacted"]).closure
    assert "llm_io_bodies" in report["closure"]["missing"]
    assert report["completeness"]["redacted"] == ["llm_io_bodies"]
    assert report["completeness"]["by_signal"]["llm_io_bodies"]["commitment"]["size_bytes"] == 24


def test_with_nothing_expected_the_score_is_zero_and_the_confidence_low():
    closure = assess(RUNS["nothing"]).closure["closure"]
    assert (closure["score"], closure["confidence"]) == (0, "low")


@pytest.mark.parametrize(
    ("name", "level"), [("whole", "high"), ("orphan", "medium"), ("gap", "low"), ("unclosed", "low")]
)
def test_confidence_follows_capture_health(name, level):
    assert assess(RUNS[name]).closure["closure"]["confidence"] == level


def test_without_the_senders_counts_confidence_is_not_high():
    assert assess(whole(span(1, CHAT))).closure["closure"]["confidence"] == "medium"


@pytest.mark.parametrize("counter", [name for names in registry().confidence.values() for name in names])
def test_each_counter_of_the_confidence_table_alone_lowers_it(counter):
    level = next(level for level, names in registry().confidence.items() if counter in names)
    table = {name: list(names) for name, names in registry().confidence.items()}
    counters = dict.fromkeys([*table["low"], *table["medium"]], 0)
    inputs = {"expected": 1, "table": table}
    assert formulas.compute("confidence_table_v1", {**inputs, "counters": counters})[0] == "high"
    assert formulas.compute("confidence_table_v1", {**inputs, "counters": {**counters, counter: 1}})[0] == level


@pytest.mark.parametrize("taken", range(1, 5))
def test_taking_an_event_out_never_raises_the_confidence(taken):
    items = list(RUNS["whole"])
    items.pop(taken)
    rank = ["low", "medium", "high"].index
    assert rank(assess(items).closure["closure"]["confidence"]) <= rank(
        assess(RUNS["whole"]).closure["closure"]["confidence"]
    )


def test_what_is_required_is_what_any_pack_requires_in_the_order_of_the_registry():
    other = load(
        builtin("baseline")
        .source.replace(b"name: baseline", b"name: b")
        .replace(b"- agent_identity", b"- human_approvals")
    )
    required = assess(RUNS["whole"], [builtin("baseline"), other]).closure["completeness"]["required"]
    union = set(builtin("baseline").requires_signals) | {"human_approvals"}
    assert required == [name for name in registry().signals if name in union]


def test_without_packs_nothing_is_required_and_closure_stands():
    scores = assess(RUNS["whole"], [])
    assert (scores.closure["completeness"]["required"], scores.completeness) == ([], {})
    assert scores.closure["closure"]["score"] == 1


# ------------------------------------------------------------------ formulas and receipts

VECTORS = [(name, vector) for name, spec in formulas.specs().items() for vector in spec["test_vectors"]]


@pytest.mark.parametrize(
    ("name", "vector"), VECTORS, ids=lambda value: value if isinstance(value, str) else value["test_vector_id"]
)
def test_a_formula_gives_what_its_vector_says(name, vector):
    output, omitted = formulas.compute(name, vector["input"])
    assert output == vector["expected_output"]
    assert list(omitted) == vector["expected_omissions"]


SPEC_FIELDS = {
    "formula_id",
    "owner_doc",
    "semantic_version",
    "purpose",
    "expression_ref",
    "expression_language",
    "inputs",
    "output",
    "missing_input_policy",
    "rounding_policy",
    "test_vectors",
    "schema_version",
}
RECEIPT_FIELDS = {
    "receipt_id",
    "formula_id",
    "formula_semantic_version",
    "producer_ref",
    "input_refs",
    "input_manifest_hash",
    "input_value_hash",
    "output_ref",
    "output_value_hash",
    "omitted_input_names",
    "finite_number_check",
    "validation_codes",
    "computed_at",
    "schema_version",
}


@pytest.mark.parametrize("name", formulas.specs())
def test_a_formula_spec_has_the_required_fields_and_vectors(name):
    spec = formulas.specs()[name]
    assert set(spec) >= SPEC_FIELDS
    assert len(spec["test_vectors"]) >= 3


def test_every_score_has_its_receipt_with_the_required_fields():
    scores = assess(RUNS["whole"])
    receipts = scores.receipts["receipts"]
    assert [receipt["formula_id"] for receipt in receipts] == [
        "weighted_ratio_v1",
        "confidence_table_v1",
        "completeness_ratio_v1",
    ]
    assert all(set(receipt) >= RECEIPT_FIELDS for receipt in receipts)
    assert len({receipt["receipt_id"] for receipt in receipts}) == 3


def test_a_receipt_names_the_digest_of_the_value_it_is_for():
    scores = assess(RUNS["one_missing"])
    places = {receipt["output_ref"]["uri"]: receipt["output_value_hash"] for receipt in scores.receipts["receipts"]}
    assert places == {
        "reports/closure.json#/closure/score": tagged(canonical(scores.closure["closure"]["score"])),
        "reports/closure.json#/closure/confidence": tagged(canonical(scores.closure["closure"]["confidence"])),
        "reports/formula-receipts.json#/outputs/completeness/baseline@1.0.0": tagged(
            canonical(scores.receipts["outputs"]["completeness"]["baseline@1.0.0"])
        ),
    }


def test_a_receipt_says_which_signals_were_left_out():
    scores = assess(RUNS["one_missing"])
    details = scores.closure["completeness"]["by_signal"]
    critical = [name for name, signal in registry().signals.items() if signal.replay_critical]
    unknown = sorted(name for name in critical if details[name]["status"] == "unknown")
    assert scores.receipts["receipts"][0]["omitted_input_names"] == unknown


def test_a_formula_that_is_not_there_or_lacks_an_input_is_refused():
    with pytest.raises(FormulaError, match="expected one of"):
        formulas.compute("taste_v1", {})
    with pytest.raises(FormulaError, match="expected the input 'signals'"):
        formulas.compute("weighted_ratio_v1", {})


@pytest.mark.parametrize("weight", [math.nan, math.inf])
def test_a_number_that_is_not_finite_is_refused(weight):
    with pytest.raises(FormulaError, match="finite"):
        formulas.compute("weighted_ratio_v1", {"signals": {"a": {"status": "captured", "weight": weight}}})


# ------------------------------------------------------------------ rules and explanations


def outcomes(items):
    return {result.rule.id: result.outcome for result in assess(items).rules}


def test_rules_hold_fail_or_stay_undecided():
    assert outcomes(RUNS["whole"])["BASE-002"] == "holds"
    assert outcomes(RUNS["one_missing"])["BASE-002"] == "fails"
    assert outcomes(RUNS["nothing"])["BASE-002"] == "undecided"
    assert outcomes(RUNS["all_redacted"])["BASE-003"] == "holds"


def test_one_failed_span_without_an_error_type_among_many_fails_the_rule_with_its_place():
    items = whole(*(span(n, {"error.type": "x"}, failed=True) for n in range(1, 5)), span(5, failed=True))
    result = next(result for result in assess(items).rules if result.rule.id == "BASE-007")
    assert (result.outcome, result.id) == ("fails", "baseline@1.0.0:BASE-007")
    assert result.evidence_paths == ("run-1:5#/data/span/attributes/error.type",)
