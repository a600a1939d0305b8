"""The soak report: what a run comes to, how iterations add up, and the schema that it keeps."""

import hashlib
from importlib.resources import files
from typing import Any

import jsonschema
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.limits import DEFAULT
from evidence.packs import builtin
from evidence.soak.reliability import wilson95
from evidence.soak.soak import UNDECIDED_RUN, DecisionPolicy, Iteration, RuleVerdict, Soak, Verdict, assess, report
from tests.evidence import make

SCHEMA_BYTES = files("evidence").joinpath("schemas", "soak-report-v1.schema.json").read_bytes()
SCHEMA = orjson.loads(SCHEMA_BYTES)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
OUTCOMES = ("holds", "fails", "undecided")
SEVERITIES = ("error", "warning", "info")


def rule(outcome: str, severity: str = "error", name: str = "R-1", *, applies: bool = True) -> RuleVerdict:
    return RuleVerdict(id=f"p@1:{name}", severity=severity, outcome=outcome, applies=applies)


def run(index: int, *rules: RuleVerdict, profile: str = "none", **values: Any) -> Iteration:
    verdict = Verdict(rules=rules, closure=0.5, confidence="medium")
    return Iteration(index=index, profile=profile, verdicts=(verdict,), **values)


def trouble(index: int, kind: str = "io_error") -> Iteration:
    return Iteration(index=index, profile="none", infra_kind=kind, infra_message="why")


def soaked(*iterations: Iteration, keep_runs: bool = False, **policy: Any) -> Soak:
    soak = Soak(policy=DecisionPolicy(**policy), keep_runs=keep_runs)
    for iteration in iterations:
        soak.add(iteration)
    return soak


def reported(soak: Soak, **changes: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "iterations": 10,
        "seed": 7,
        "time_budget_secs": 60,
        "limits": DEFAULT,
        "packs": [("built-in", builtin("baseline"))],
        "suite": "mixed",
        "version": "0.1.0",
        "generated_at": "2026-11-21T00:00:00.000000000Z",
    }
    made = report(soak, **(facts | changes))
    VALIDATOR.validate(made)
    return made


PASS, FAIL, OPEN = rule("holds"), rule("fails"), rule("undecided")


# ------------------------------------------------------------------ what a run comes to

JUDGED = {
    "a rule that holds": ((PASS,), {}, "pass"),
    "a rule that fails": ((PASS, rule("fails", name="R-2")), {}, "fail"),
    "a warning under a policy of errors": ((PASS, rule("fails", "warning", "R-2")), {}, "pass"),
    "a warning under a policy of warnings": (
        (PASS, rule("fails", "warning", "R-2")),
        {"fail_severity": "warning"},
        "fail",
    ),
    "an error under a policy of infos": ((FAIL,), {"fail_severity": "info"}, "fail"),
    "an undecided rule beside one that holds": ((PASS, rule("undecided", name="R-2")), {}, "pass"),
    "an undecided rule, strictly": ((PASS, rule("undecided", name="R-2")), {"strict": True}, "fail"),
    "an undecided warning, strictly": ((PASS, rule("undecided", "warning", "R-2")), {"strict": True}, "pass"),
    "a failing rule that does not apply": ((PASS, rule("fails", name="R-2", applies=False)), {}, "pass"),
    "an undecided rule that does not apply, strictly": (
        (PASS, rule("undecided", name="R-2", applies=False)),
        {"strict": True},
        "pass",
    ),
    "nothing decided": ((OPEN,), {}, "infra_error"),
    "nothing decided that counts": ((OPEN, rule("holds", "info", "R-2")), {}, "infra_error"),
    "nothing decided that applies": ((rule("holds", applies=False),), {}, "infra_error"),
    "nothing decided, strictly": ((OPEN,), {"strict": True}, "fail"),
}


@pytest.mark.parametrize(("rules", "policy", "status"), JUDGED.values(), ids=JUDGED)
def test_what_a_run_comes_to(rules, policy, status):
    assert Soak(policy=DecisionPolicy(**policy)).add(run(1, *rules)) == status


def test_a_run_in_which_nothing_was_decided_did_not_pass():
    soak = soaked(run(1, PASS), run(2, OPEN))
    assert (soak.passes, soak.failures, dict(soak.infra)) == (1, 0, {UNDECIDED_RUN: 1})
    assert not soak.pass_all


def test_several_runs_of_one_iteration_pass_together_or_not_at_all():
    both = Iteration(index=1, profile="none", verdicts=run(1, PASS).verdicts + run(1, FAIL).verdicts)
    assert soaked(both).results()["violations_by_rule"] == {"p@1:R-1": 1}
    half = Iteration(index=1, profile="none", verdicts=run(1, PASS).verdicts + run(1, OPEN).verdicts)
    assert dict(soaked(half).infra) == {UNDECIDED_RUN: 1}


# ------------------------------------------------------------------ how they add up


def test_the_results_say_what_was_found():
    failing = (FAIL, rule("fails", name="R-2"), rule("fails", "info", "R-3"))
    soak = soaked(
        run(1, PASS), trouble(2), run(3, *failing, profile="late"), run(4, FAIL), trouble(5, "bundle_invalid")
    )
    assert soak.results() == {
        "runs": 5,
        "passes": 1,
        "failures": 2,
        "infra_errors": 2,
        "pass_rate": 1 / 3,
        "pass_all": False,
        "first_failure_at": 3,
        "violations_by_rule": {"p@1:R-1": 2, "p@1:R-2": 1},
        "infra_errors_by_kind": {"bundle_invalid": 1, "io_error": 1},
        "pass_rate_ci95": list(wilson95(1, 3)),
    }
    assert dict(soak.surface) == {("p@1:R-1", "late"): 1, ("p@1:R-2", "late"): 1, ("p@1:R-1", "none"): 1}
    assert dict(soak.tolerated) == {"p@1:R-3": 1}
    assert soak.infra_example == {"io_error": "why", "bundle_invalid": "why"}


def test_with_nothing_evaluated_the_rate_is_0_and_has_no_interval():
    results = soaked(trouble(1)).results()
    assert (results["pass_rate"], results["pass_all"], results["first_failure_at"]) == (0.0, False, None)
    assert "pass_rate_ci95" not in results


def test_one_infrastructure_error_is_enough_not_to_have_passed_all():
    assert soaked(run(1, PASS)).pass_all
    assert not soaked(run(1, PASS), trouble(2)).pass_all


def test_nothing_at_all_is_no_result():
    with pytest.raises(ValueError, match="no iteration"):
        soaked().results()
    assert not soaked().pass_all


@pytest.mark.parametrize(
    ("policy", "enough"),
    [
        ({}, [False, False, False]),
        ({"stop_on_first_failure": True}, [True, True, True]),
        ({"max_failures": 2}, [False, True, True]),
        ({"max_failures": 2, "stop_on_first_failure": True}, [True, True, True]),
    ],
)
def test_the_policy_says_when_there_were_enough_failures(policy, enough):
    soak = soaked(run(1, PASS), trouble(2), **policy)
    assert not soak.is_enough
    found = []
    for index in range(3, 6):
        soak.add(run(index, FAIL))
        found.append(soak.is_enough)
    assert found == enough


RULES = st.lists(
    st.tuples(st.sampled_from(OUTCOMES), st.sampled_from(SEVERITIES), st.booleans()), min_size=1, max_size=4
)
ITERATIONS = st.lists(st.one_of(RULES, st.none()), min_size=1, max_size=20)


@given(ITERATIONS, st.sampled_from(SEVERITIES), st.booleans())
def test_every_report_keeps_the_schema_and_its_own_sums(drawn, severity, strict):
    soak = Soak(policy=DecisionPolicy(fail_severity=severity, strict=strict), keep_runs=True)
    for index, rules in enumerate(drawn, 1):
        made = [rule(o, s, f"R-{n}", applies=a) for n, (o, s, a) in enumerate(rules or ())]
        soak.add(run(index, *made) if rules else trouble(index))
    made = reported(soak, iterations=len(drawn))
    results = made["results"]
    assert results["runs"] == results["passes"] + results["failures"] + results["infra_errors"] == len(drawn)
    assert [each["index"] for each in made["runs"]] == list(range(1, len(drawn) + 1))
    statuses = [each["status"] for each in made["runs"]]
    assert [statuses.count(word) for word in ("pass", "fail", "infra_error")] == [
        results["passes"], results["failures"], results["infra_errors"],
    ]  # fmt: skip
    first = statuses.index("fail") + 1 if "fail" in statuses else None
    assert results["first_failure_at"] == first
    assert results["pass_all"] == (set(statuses) == {"pass"})
    violated = [name for each in made["runs"] if each["status"] == "fail" for name in each["violated_rules"]]
    assert results["violations_by_rule"] == {name: violated.count(name) for name in sorted(set(violated))}


@given(RULES, st.booleans())
def test_a_stricter_policy_never_makes_a_failure_a_pass(rules, strict):
    made = [rule(o, s, f"R-{n}", applies=a) for n, (o, s, a) in enumerate(rules)]
    order = ["pass", "infra_error", "fail"]
    for looser, tighter in (("error", "warning"), ("warning", "info")):
        came = [
            Soak(policy=DecisionPolicy(fail_severity=severity, strict=strict)).add(run(1, *made))
            for severity in (looser, tighter)
        ]
        if came[0] == "fail":
            assert came[1] == "fail"
    came = [Soak(policy=DecisionPolicy(strict=each)).add(run(1, *made)) for each in (False, True)]
    assert came[0] == came[1] or order.index(came[1]) > order.index(came[0])


# ------------------------------------------------------------------ the report


def test_the_schema_is_the_normative_one():
    digest = "977f9c997f5b941e97000bed3d4e531fc8f54194bc215c6278ff0b294b43e771"
    assert hashlib.sha256(SCHEMA_BYTES).hexdigest() == digest
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_report_names_packs_limits_and_policy():
    made = reported(soaked(run(1, PASS), fail_severity="warning", max_failures=3))
    pack = builtin("baseline")
    source = {
        "name": pack.name,
        "version": pack.version,
        "kind": pack.kind,
        "digest": pack.digest,
        "source": "built-in",
    }
    assert made["packs"] == [source]
    assert made["limits"] == DEFAULT.to_json()
    assert made["decision_policy"] == {
        "pass_on_severity_at_or_above": "warning",
        "stop_on_first_failure": False,
        "max_failures": 3,
    }
    assert (made["schema_version"], made["mode"], made["suite"], made["seed"]) == ("soak-report-v1", "soak", "mixed", 7)


def test_what_nobody_asked_for_is_not_in_the_report():
    made = reported(soaked(run(1, PASS)), generated_at=None)
    assert made.keys() & {"runs", "generated_at"} == set()
    assert "max_failures" not in made["decision_policy"]


def test_each_run_is_there_when_it_was_asked_for():
    soak = soaked(run(1, PASS, duration_ms=5), run(2, FAIL), trouble(3), keep_runs=True)
    assert reported(soak)["runs"] == [
        {"index": 1, "status": "pass", "duration_ms": 5},
        {"index": 2, "status": "fail", "duration_ms": 0, "violated_rules": ["p@1:R-1"]},
        {
            "index": 3,
            "status": "infra_error",
            "duration_ms": 0,
            "infra_error_kind": "io_error",
            "infra_error_message": "why",
        },
    ]


# ------------------------------------------------------------------ one run


def judged(*items: make.Item, applies: bool = True) -> Verdict:
    return assess(
        make.decoded(items),
        [builtin("baseline")],
        run_id=make.RUN_ID,
        closed_at="2026-11-21T00:00:00.000000000Z",
        inapplicable=lambda _: "" if applies else "not here",
    )


def test_a_run_is_judged_as_its_own_reports_judge_it(tmp_path):
    items = make.whole(make.resource({"service.name": "agent"}), make.span(1, make.CHAT), make.span(2, make.TOOL))
    facts = make.sealed(tmp_path, items=items)
    closure = orjson.loads(facts.reports["reports/closure.json"])["closure"]
    verdict = judged(*items)
    assert (verdict.closure, verdict.confidence) == (closure["score"], closure["confidence"])
    assert {each.id.partition(":")[0] for each in verdict.rules} == {builtin("baseline").id}
    assert len(verdict.rules) == len(builtin("baseline").rules)


def test_what_does_not_apply_is_evaluated_and_decides_nothing():
    items = make.whole(make.span(1, {"gen_ai.operation.name": "chat"}))
    policy = DecisionPolicy(strict=True)
    assert policy.violated(judged(*items))
    here, elsewhere = judged(*items), judged(*items, applies=False)
    assert [each.outcome for each in here.rules] == [each.outcome for each in elsewhere.rules]
    assert not policy.violated(elsewhere)
    assert not policy.decides(elsewhere)
