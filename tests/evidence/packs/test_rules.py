"""Every rule of every built-in pack can hold and can fail: asserted over sealed bundles, read back."""

from functools import cache
from pathlib import Path

import pytest

from evidence.bundle import EvidenceBundle
from evidence.formulas import Context
from evidence.packs import BUILTIN, builtin
from evidence.redaction.commitment import Commitment
from evidence.scores import Assessment, RuleResult
from tests.evidence import make
from tests.evidence.packs.defects import DEFECTS, Defect, plus, with_attributes
from tests.evidence.packs.exemplary import ARGUMENTS, EXEMPLARY, Run, digest, events, span

PACKS = [builtin(name) for name in BUILTIN]
RULES = [(pack.name, rule.id) for pack in PACKS for rule in pack.rules]


def judged(folder: Path, run: Run) -> dict[tuple[str, str], RuleResult]:
    """The rules of all packs over a run that was sealed and read back."""
    path = make.sealed(folder, events(run), packs=PACKS).path
    assessment = Assessment(PACKS)
    with EvidenceBundle.open(path) as bundle:
        for event, line in bundle.events():
            assessment.add(event, line)
        bundle.finish()
        manifest, manifest_digest = bundle.manifest, bundle.manifest_sha256
    context = Context(
        run_id=manifest["run_id"],
        manifest_digest=manifest_digest,
        events_digest=manifest["files"][0]["sha256"],
        computed_at=manifest["closed_at"],
    )
    found = assessment.scores(context).rules
    return {(result.pack.partition("@")[0], result.rule.id): result for result in found}


@pytest.fixture(scope="module")
def exemplary(tmp_path_factory) -> dict[tuple[str, str], RuleResult]:
    return judged(tmp_path_factory.mktemp("exemplary"), EXEMPLARY)


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """The rules over the exemplary run with a defect; many rules share one."""

    @cache
    def judge(defect: Defect) -> dict[tuple[str, str], RuleResult]:
        return judged(tmp_path_factory.mktemp("broken"), defect(EXEMPLARY))

    return judge


def test_every_rule_has_a_run_in_which_it_fails():
    assert [(pack, rule) for pack, defects in DEFECTS.items() for rule in defects] == RULES


@pytest.mark.parametrize("rule", RULES, ids=":".join)
def test_a_rule_holds_in_the_exemplary_run(exemplary, rule):
    result = exemplary[rule]
    assert (result.outcome, result.lacking) == ("holds", 0), result.reason


@pytest.mark.parametrize("rule", RULES, ids=":".join)
def test_a_rule_fails_when_what_it_asks_for_is_not_there(broken, rule):
    pack, name = rule
    result = broken(DEFECTS[pack][name])[rule]
    assert result.outcome == "fails"
    assert result.lacking > 0
    assert result.reason
    assert result.evidence_paths


def test_another_view_of_a_tool_on_the_span_of_its_call_is_no_new_definition(tmp_path):
    """Instrumentations write what a tool is on its own span too, in words of their own; a model was not offered that."""
    seen = span(12, 7, {**make.TOOL, "gen_ai.tool.definitions": '[{"name":"search","description":"in other words"}]'})
    result = judged(tmp_path, plus(seen)(EXEMPLARY))[("cicd-starter", "CICD-016")]
    assert result.outcome == "holds"


def test_nothing_holds_of_a_run_in_which_nothing_took_place_but_what_is_asked_of_every_run(tmp_path):
    found = judged(tmp_path, {})
    decided = {rule for (_, rule), result in found.items() if result.outcome != "undecided"}
    holding = {rule for (_, rule), result in found.items() if result.outcome == "holds"}
    assert holding == EVERY_RUN
    assert decided == EVERY_RUN


def _withheld(alg: str, digest: str) -> dict:
    return Commitment(alg=alg, digest=digest, size_bytes=9, reason="data_class:personal").to_any_value()


def test_what_is_withheld_is_enough_where_a_rule_says_so_and_decides_nothing_where_its_value_is_asked_for(tmp_path):
    salted = _withheld("hmac-sha256", "ab" * 32)
    run = with_attributes("chat", {"gen_ai.input.messages": salted})(EXEMPLARY)
    run = with_attributes("transfer", {"gen_ai.tool.call.arguments": salted})(run)
    run = with_attributes("retrieval", {"gen_ai.retrieval.documents": salted})(run)
    found = judged(tmp_path, run)
    enough = {result.rule.id for result in found.values() if set(result.rule.signals.values()) == {"redacted"}}
    assert {rule for (_, rule), result in found.items() if result.outcome == "holds"} >= enough
    undecided = {rule for (_, rule), result in found.items() if result.outcome == "undecided"}
    assert {"EUAI-14-4-digest", "ASI09", "ASI06"} <= undecided
    assert {rule for (_, rule), result in found.items() if result.outcome == "fails"} == set()


def test_a_plain_digest_of_what_is_withheld_is_held_to_what_was_approved(tmp_path):
    for number, (alone, outcome) in enumerate([(ARGUMENTS, "holds"), ("other", "fails")]):
        plain = _withheld("sha256", digest(alone).removeprefix("sha256:"))
        (tmp_path / str(number)).mkdir()
        run = with_attributes("transfer", {"gen_ai.tool.call.arguments": plain})(EXEMPLARY)
        found = judged(tmp_path / str(number), run)
        assert found[("eu-ai-act-high-risk", "EUAI-14-4-digest")].outcome == outcome


EVERY_RUN = {
    *("BASE-001", "BASE-006", "CICD-001", "CICD-002", "CICD-004"),
    *("EUAI-12-1", "EUAI-12-2b", "EUAI-12-3", "EUAI-13-3f"),
    *("GOV-1.5", "MEAS-2.4", "MAN-4.1-monitoring"),
    *("ISO-A.6.2.8", "ISO-A.6.2.8-counts", "ISO-A.6.2.8-gaps"),
    *("ASI10", "ASI10-counts", "MCP01", "MCP08-counts"),
    *("SOC-CC7.2", "SOC-PI1.4", "SOC-PI1.5", "SOC-C1.1-secrets", "SEC-f2iA"),
}
"""What is about the run as such: its two ends, its counts, its gaps, and secrets in it."""


ALLOWED_BEFORE = [
    ("cicd-starter", "CICD-008"),
    ("nist-ai-rmf-genai", "MEAS-2.7-allowed"),
    ("iso-42001-logging", "ISO-A.9.4-allowed"),
    ("assurance-records", "SOC-CC6.3-allowed"),
]


@pytest.mark.parametrize("rule", ALLOWED_BEFORE, ids=":".join)
def test_an_mcp_call_that_names_no_operation_is_under_policy_too(tmp_path, rule):
    """Some MCP libraries write `mcp.method.name` alone; a call of theirs that nobody allowed must not escape."""
    call = span(
        12, 7, {"mcp.method.name": "tools/call", "gen_ai.tool.name": "unheard_of", "affidavit.policy.gated": True}
    )
    result = judged(tmp_path, plus(call)(EXEMPLARY))[rule]
    assert (result.outcome, result.lacking) == ("fails", 1), result.reason


@pytest.mark.parametrize("parent", ["0" * 16, ""], ids=["zeros", "empty"])
def test_a_failed_root_that_writes_an_invalid_parent_is_a_root(tmp_path, parent):
    failed = make.span(99, {}, failed=True, parentSpanId=parent)
    items = make.whole(make.span(98, {}), failed)
    path = make.sealed(tmp_path, items, packs=PACKS).path
    assessment = Assessment(PACKS)
    with EvidenceBundle.open(path) as bundle:
        for event, line in bundle.events():
            assessment.add(event, line)
    context = Context(run_id="r", manifest_digest="", events_digest="", computed_at="")
    found = {result.rule.id: result.outcome for result in assessment.scores(context).rules}
    assert found["CICD-003"] == "fails"


ARRIVED = [
    ("eu-ai-act-high-risk", "EUAI-12-2b"),
    ("nist-ai-rmf-genai", "MEAS-2.4"),
    ("iso-42001-logging", "ISO-A.6.2.8-counts"),
    ("owasp-agentic-mcp", "MCP08-counts"),
    ("assurance-records", "SOC-CC7.2"),
]


@pytest.mark.parametrize("kind", ["sender_spans_ended", "sender_logs", "sender_receipts"])
@pytest.mark.parametrize("rule", ARRIVED, ids=":".join)
def test_counts_that_came_do_not_say_that_what_they_count_did(tmp_path, rule, kind):
    result = judged(tmp_path, plus(make.gap(kind, 99))(EXEMPLARY))[rule]
    assert (result.outcome, result.lacking) == ("fails", 1), result.reason


def test_an_incident_of_an_unheard_of_consequence_escapes_no_deadline_unseen(tmp_path):
    incident = make.receipt(
        "incident", {"incident_id": "i-9", "severity": "high", "aware_at": "2026-11-21", "consequence": "mild"}
    )
    result = judged(tmp_path, plus(incident)(EXEMPLARY))[("eu-ai-act-high-risk", "EUAI-73-due")]
    assert (result.outcome, result.lacking) == ("fails", 1), result.reason
