"""The verdict follows from the checks alone, and fails closed."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attest.many.summary import Summary
from attest.verdict import CHECKS, Check, Facts, in_order, verdict_of
from attest.verification import Verification

OUTCOMES = ["pass", "warn", "skip", "miss", "undecided", "fail"]
OPTIONAL = {"reports", "mapping", "disclosed", "time", "log", "cosigned", "policy"}


def answers(**outcomes):
    return tuple(Check(id=name, outcome=outcomes.get(name, "pass"), reason="r") for name in CHECKS)


def verification(strict=False, **outcomes):
    return Verification(file="f", attestation="a", checks=answers(**outcomes), strict=strict)


@pytest.mark.parametrize("name", CHECKS)
def test_a_failure_of_any_check_makes_the_whole_invalid(name):
    others = {other: "undecided" for other in CHECKS if other != name}
    assert verification(**{**others, name: "fail"}).exit_code == 1


@pytest.mark.parametrize("name", CHECKS)
def test_an_undecided_check_keeps_the_whole_from_being_verified(name):
    assert verification(**{name: "undecided"}).exit_code == 4


@pytest.mark.parametrize("name", CHECKS)
def test_only_these_checks_may_be_left_out_of_a_verified_verdict(name):
    expected = 0 if name in OPTIONAL else 4
    assert verification(**{name: "skip"}).exit_code == expected


def test_a_warning_decides_under_strict_only():
    assert verification(events="warn").exit_code == 0
    assert verification(strict=True, events="warn").exit_code == 3


def test_no_check_at_all_verifies_nothing():
    assert verdict_of(in_order(()), strict=False) == "undecided"


@given(st.lists(st.sampled_from(OUTCOMES), min_size=len(CHECKS), max_size=len(CHECKS)), st.booleans())
def test_exit_code_zero_means_that_every_demanded_check_was_made_and_passed(outcomes, strict):
    """Law: nothing but passes (and warnings, unless strict) where a pass is demanded, and no failure anywhere."""
    result = verification(strict=strict, **dict(zip(CHECKS, outcomes, strict=True)))
    good = {"pass"} if strict else {"pass", "warn"}
    lenient = OPTIONAL
    clean = all(
        outcome in good | ({"skip"} if name in lenient else set())
        for name, outcome in zip(CHECKS, outcomes, strict=True)
    )
    assert (result.exit_code == 0) == clean


@given(st.lists(st.sampled_from(OUTCOMES), min_size=len(CHECKS), max_size=len(CHECKS)))
def test_the_first_line_says_intact_only_with_exit_code_zero(outcomes):
    result = verification(**dict(zip(CHECKS, outcomes, strict=True)))
    assert result.integrity.startswith("Integrity: intact.") == (result.exit_code == 0)


@given(st.lists(st.sampled_from(OUTCOMES), min_size=len(CHECKS), max_size=len(CHECKS)))
def test_the_second_line_always_names_what_cannot_be_shown(outcomes):
    result = verification(**dict(zip(CHECKS, outcomes, strict=True)))
    assert "never reached the sidecar" in result.assurance
    assert "Nobody is shown to stand behind it" in result.assurance
    assert result.assurance.startswith("Assurance and limits: ")


def test_a_failed_check_explains_why_later_ones_were_not_reached():
    made = in_order([Check(id="files", outcome="fail", reason="r"), Check(id="manifest", outcome="pass", reason="r")])
    assert [check.reason for check in made if check.id == "events"] == ["not reached: files failed"]


def test_checks_out_of_order_cannot_be_a_verification():
    with pytest.raises(ValueError, match="expected"):
        Verification(file="f", attestation=None, checks=tuple(reversed(answers())))


def test_a_reason_never_carries_control_characters_or_floods_a_terminal():
    check = Check(id="events", outcome="fail", reason="\x1b[31mred\x07\u202e" + "x" * 10_000)
    assert check.reason.startswith("\ufffd[31mred\ufffd\ufffdxxx")
    assert len(check.reason) == 400


@pytest.mark.parametrize(
    ("kinds", "code"),
    [
        (["verified"], 0),
        (["verified", "warnings"], 3),
        (["warnings", "insufficient"], 5),
        (["insufficient", "undecided"], 4),
        (["undecided", "invalid"], 1),
    ],
)
def test_the_worst_result_decides_over_several(kinds, code):
    make = {
        "verified": verification(),
        "warnings": verification(strict=True, events="warn"),
        "insufficient": verification(policy="miss"),
        "undecided": verification(trust="undecided"),
        "invalid": verification(files="fail"),
    }
    for order in itertools.permutations(kinds):
        assert Summary(results=tuple(make[kind] for kind in order)).exit_code == code


def test_a_summary_of_nothing_decides_nothing():
    assert Summary(results=()).exit_code == 4


def test_a_summary_counts_by_verdict():
    summary = Summary(results=(verification(), verification(files="fail"), verification())).to_json()
    assert summary["counts"] == {"invalid": 1, "undecided": 0, "insufficient": 0, "warnings": 0, "verified": 2}
    assert [result["verdict"] for result in summary["results"]] == ["verified", "invalid", "verified"]


def test_a_result_is_the_same_json_each_time_and_names_its_schema():
    result = verification()
    assert result.to_json() == verification().to_json()
    assert result.to_json()["schema_version"] == "verification-v1"
    assert [check["id"] for check in result.to_json()["checks"]] == list(CHECKS)


def test_facts_of_nothing_are_all_null_or_empty():
    assert not any(Facts().to_json().values())
