"""Holding bundles to a policy: what is met, what is missed, and what may not count because nobody computed it again."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attest.errors import AttestError
from attest.policy.policy import CONFIDENCES, PackThreshold, Policy, Thresholds
from attest.policy.requirements import judge_policy
from attest.trust.trust import Trust
from attest.verdict import Check, Facts
from attest.verify import verify_file
from evidence.errors import EvidenceError
from evidence.packs import builtin, read_pack
from tests.attest import world

AT = "2026-11-21T12:00:00Z"
DIGEST = "sha256:" + "1" * 64
MANIFEST = {
    "capture_health": {"gaps": 2, "unclosed": True, "spans": 9},
    "files": [{"path": "events.ndjson"}],
    "x-assay": {"packs_applied": [{"name": "baseline", "version": "1.0.0", "digest": DIGEST, "kind": "quality"}]},
}
FACTS = Facts(
    manifest=MANIFEST,
    closure={"closure": {"score": 0.5, "confidence": "medium"}},
    completeness={"baseline@1.0.0": 0.75},
    mapping_loss={"totals": {"atoms_in": 200, "dropped": 10, "dropped_by_severity": {"major": 1, "minor": 9}}},
)
RECOMPUTED = (
    Check(id="reports", outcome="pass", reason="r"),
    Check(id="mapping", outcome="pass", reason="r"),
)


def policy(expires=None, **thresholds):
    return Policy(
        name="p", version="1", digest="sha256:" + "0" * 64, expires=expires, thresholds=Thresholds(**thresholds)
    )


def judged(checks=RECOMPUTED, facts=FACTS, at=AT, expires=None, **thresholds):
    check, requirements = judge_policy(policy(expires, **thresholds), checks, facts, at)
    return check.outcome, {each.id: each for each in requirements}


def pack(name="baseline", completeness_min=0.0, digest=None):
    return PackThreshold(name=name, completeness_min=completeness_min, digest=digest)


@pytest.mark.parametrize(
    ("name", "met", "missed"),
    [
        ("packs.baseline.completeness", {"packs": (pack(completeness_min=0.75),)}, {"packs": (pack(completeness_min=0.76),)}),
        ("packs.baseline.digest", {"packs": (pack(digest=DIGEST),)}, {"packs": (pack(digest="sha256:" + "2" * 64),)}),
        ("closure.score", {"closure_min": 0.5}, {"closure_min": 0.51}),
        ("closure.confidence", {"confidence_min": "medium"}, {"confidence_min": "high"}),
        ("mapping_loss.dropped_ratio", {"dropped_ratio_max": 0.05}, {"dropped_ratio_max": 0.049}),
        ("mapping_loss.dropped_major", {"dropped_major_max": 1}, {"dropped_major_max": 0}),
        ("capture_health.gaps", {"capture_max": {"gaps": 2}}, {"capture_max": {"gaps": 1}}),
        ("capture_health.unclosed", {"capture_max": {"unclosed": 1}}, {"capture_max": {"unclosed": 0}}),
    ],
)  # fmt: skip
def test_each_threshold_is_met_at_its_figure_and_missed_beyond_it(name, met, missed):
    outcome, requirements = judged(**met)
    assert (outcome, requirements[name].outcome) == ("pass", "met")
    outcome, requirements = judged(**missed)
    assert (outcome, requirements[name].outcome) == ("miss", "missed")


EVERYTHING = {
    "packs": (pack(completeness_min=0.1, digest=DIGEST),),
    "closure_min": 0.1,
    "confidence_min": "medium",
    "dropped_ratio_max": 0.5,
    "dropped_major_max": 5,
    "built_in_tables": True,
    "capture_max": {"gaps": 5},
}


@pytest.mark.parametrize("outcome", ["skip", "undecided", "fail", "warn"])
@pytest.mark.parametrize(
    ("not_made", "unknown"),
    [("reports", {"packs", "closure", "capture_health"}), ("mapping", {"mapping_loss"})],
)
def test_figures_that_were_not_computed_again_are_unknown_and_never_met(not_made, unknown, outcome):
    checks = tuple(replace(check, outcome=outcome) if check.id == not_made else check for check in RECOMPUTED)
    answer, requirements = judged(checks=checks, **EVERYTHING)
    assert answer == ("skip" if outcome == "fail" else "undecided")
    for name, requirement in requirements.items():
        expected = "unknown" if name.partition(".")[0] in unknown else "met"
        assert (requirement.outcome, requirement.got is None) == (expected, expected == "unknown"), name


def test_a_claimed_figure_does_not_help_when_the_check_behind_it_was_never_made():
    outcome, requirements = judged(checks=(), **EVERYTHING)
    assert outcome == "undecided"
    assert {each.outcome for each in requirements.values()} == {"unknown"}


def test_a_bundle_that_was_not_scored_by_a_pack_misses_it():
    outcome, requirements = judged(packs=(pack("soc2"),))
    assert outcome == "miss"
    assert requirements["packs.soc2.completeness"].got == "not scored by it"


def test_a_pack_of_the_same_name_that_somebody_brought_does_not_stand_for_the_one_that_is_pinned():
    brought = {"name": "baseline", "version": "9.9.9", "digest": "sha256:" + "9" * 64, "kind": "quality"}
    only = replace(
        FACTS, manifest={**MANIFEST, "x-assay": {"packs_applied": [brought]}}, completeness={"baseline@9.9.9": 1.0}
    )
    outcome, requirements = judged(facts=only, packs=(pack(completeness_min=0.5, digest=DIGEST),))
    assert (outcome, requirements["packs.baseline.digest"].outcome) == ("miss", "missed")


def test_of_several_packs_of_one_name_the_worst_counts_unless_one_is_pinned():
    brought = {"name": "baseline", "version": "9.9.9", "digest": "sha256:" + "9" * 64, "kind": "quality"}
    applied = [brought, *MANIFEST["x-assay"]["packs_applied"]]
    both = replace(
        FACTS,
        manifest={**MANIFEST, "x-assay": {"packs_applied": applied}},
        completeness={"baseline@9.9.9": 1.0, "baseline@1.0.0": 0.75},
    )
    assert judged(facts=both, packs=(pack(completeness_min=0.8),))[0] == "miss"
    assert judged(facts=both, packs=(pack(completeness_min=0.8, digest=DIGEST),))[0] == "miss"
    assert judged(facts=both, packs=(pack(completeness_min=0.7, digest=DIGEST),))[0] == "pass"


def test_tables_that_the_bundle_brought_are_not_the_built_in_ones():
    files = [*MANIFEST["files"], {"path": "profiles/lenient.yaml"}]
    own = replace(FACTS, manifest={**MANIFEST, "files": files})
    assert judged(built_in_tables=True)[0] == "pass"
    outcome, requirements = judged(facts=own, built_in_tables=True)
    assert (outcome, requirements["mapping_loss.built_in_tables"].got) == ("miss", "profiles/lenient.yaml")
    assert judged(facts=own, dropped_major_max=1)[0] == "pass"


def test_nothing_translated_means_nothing_lost():
    facts = replace(FACTS, mapping_loss={"totals": {"atoms_in": 0, "dropped": 0}})
    assert judged(facts=facts, dropped_ratio_max=0)[0] == "pass"


def test_a_miss_outweighs_what_is_unknown():
    checks = (RECOMPUTED[0],)
    assert judged(checks=checks, closure_min=0.9, dropped_major_max=0)[0] == "miss"


def test_what_a_policy_does_not_ask_for_is_no_requirement():
    check, requirements = judge_policy(policy(), RECOMPUTED, FACTS, AT)
    assert (check.outcome, requirements) == ("pass", ())
    assert "asks nothing of what the bundle holds" in check.reason


def test_the_reason_counts_what_was_missed_and_names_the_first():
    check, _ = judge_policy(policy(closure_min=0.9, confidence_min="high", dropped_major_max=0), RECOMPUTED, FACTS, AT)
    assert check.reason == (
        "p 1: 3 of 3 requirements missed: closure.score is 0.5, expected at least 0.9; "
        "closure.confidence is medium, expected high; mapping_loss.dropped_major is 1, expected at most 0"
    )


@pytest.mark.parametrize(
    ("at", "outcome"),
    [
        ("2026-12-01T00:00:00+00:00", "undecided"),
        ("2026-12-01T01:00:00+01:00", "undecided"),
        ("2026-11-30T23:59:59.999999999Z", "pass"),
        ("2027-01-01T00:00:00Z", "undecided"),
        (None, "undecided"),
    ],
)
def test_a_policy_decides_until_the_moment_it_expires(at, outcome):
    assert judged(at=at, expires="2026-12-01T00:00:00.000000000Z", closure_min=0.1)[0] == outcome


def test_an_expired_policy_does_not_find_a_miss_either():
    assert judged(expires="2026-01-01T00:00:00.000000000Z", closure_min=0.9)[0] == "undecided"


def test_what_time_it_is_must_be_a_time():
    with pytest.raises(EvidenceError, match="expected a time"):
        judged(at="today", expires="2026-12-01T00:00:00.000000000Z")


# ------------------------------------------------------------------ laws

_share = st.floats(0, 1)
_count = st.integers(0, 20)
_figures = st.builds(
    lambda score, confidence, share, dropped, major, gaps: Facts(
        manifest={**MANIFEST, "capture_health": {"gaps": gaps, "unclosed": bool(gaps % 2)}},
        closure={"closure": {"score": score, "confidence": confidence}},
        completeness={"baseline@1.0.0": share},
        mapping_loss={"totals": {"atoms_in": 20, "dropped": dropped, "dropped_by_severity": {"major": major}}},
    ),
    _share, st.sampled_from(CONFIDENCES), _share, _count, _count, _count,
)  # fmt: skip
_checks = st.tuples(
    *(
        st.sampled_from(["pass", "warn", "skip", "undecided"]).map(lambda outcome, name=name: Check(id=name, outcome=outcome, reason=""))
        for name in ("reports", "mapping")
    )
)  # fmt: skip
_laxer = st.builds(
    Thresholds,
    packs=st.just(()) | st.builds(lambda share: (pack(completeness_min=share),), _share),
    closure_min=st.none() | _share,
    confidence_min=st.none() | st.sampled_from(CONFIDENCES),
    dropped_ratio_max=st.none() | _share,
    dropped_major_max=st.none() | _count,
    built_in_tables=st.booleans(),
    capture_max=st.dictionaries(st.sampled_from(["gaps", "unclosed"]), _count),
)


@st.composite
def _stricter(draw, laxer):
    """The same thresholds, each as high or higher, and perhaps more of them."""
    extra = draw(_laxer)
    completeness = max([each.completeness_min for each in (*laxer.packs, *extra.packs)], default=0)
    ranks = [CONFIDENCES.index(word) for word in (laxer.confidence_min, extra.confidence_min) if word]
    lowest = {
        name: min(maximum for maximum in found if maximum is not None) if any(m is not None for m in found) else None
        for name in ("dropped_ratio_max", "dropped_major_max")
        for found in [(getattr(laxer, name), getattr(extra, name))]
    }
    closures = [score for score in (laxer.closure_min, extra.closure_min) if score is not None]
    return Thresholds(
        packs=(pack(completeness_min=completeness, digest=draw(st.none() | st.just(DIGEST))),)
        if laxer.packs or extra.packs
        else (),
        closure_min=max(closures, default=None),
        confidence_min=CONFIDENCES[max(ranks)] if ranks else None,
        built_in_tables=laxer.built_in_tables or extra.built_in_tables,
        capture_max={
            name: min(each[name] for each in (laxer.capture_max, extra.capture_max) if name in each)
            for name in laxer.capture_max.keys() | extra.capture_max.keys()
        },
        **lowest,
    )


@given(st.data(), _laxer, _figures, _checks)
def test_a_stricter_policy_never_accepts_what_a_laxer_one_refuses(data, laxer, facts, checks):
    """Law: whatever passes the stricter passes the laxer, whichever figures were computed again."""
    stricter = data.draw(_stricter(laxer))
    outcome = {
        name: judge_policy(Policy(name="p", version="1", digest="d", thresholds=each), checks, facts, AT)[0].outcome
        for name, each in (("laxer", laxer), ("stricter", stricter))
    }
    assert outcome["stricter"] != "pass" or outcome["laxer"] == "pass"


@given(_laxer, _figures, _checks)
def test_the_check_passes_exactly_when_every_requirement_is_met(thresholds, facts, checks):
    check, requirements = judge_policy(
        Policy(name="p", version="1", digest="d", thresholds=thresholds), checks, facts, AT
    )
    outcomes = {each.outcome for each in requirements}
    expected = "miss" if "missed" in outcomes else "undecided" if "unknown" in outcomes else "pass"
    assert check.outcome == expected


@given(_laxer, _figures, _checks)
def test_a_figure_that_was_not_computed_again_never_matters(thresholds, facts, checks):
    """Law: changing it changes no answer."""
    unproven = {check.id for check in checks if check.outcome != "pass"}
    other = replace(
        facts,
        **({"mapping_loss": FACTS.mapping_loss} if "mapping" in unproven else {}),
        **(
            {"closure": FACTS.closure, "completeness": FACTS.completeness, "manifest": FACTS.manifest}
            if "reports" in unproven
            else {}
        ),
    )
    made = Policy(name="p", version="1", digest="d", thresholds=thresholds)
    assert judge_policy(made, checks, facts, AT) == judge_policy(made, checks, other, AT)


# ------------------------------------------------------------------ through the verifier


@pytest.fixture(scope="module")
def case(tmp_path_factory, key):
    facts = world.seal_run(tmp_path_factory.mktemp("policy"))
    return world.Case(facts=facts, attestation=world.attest(key, facts), key=key)


class Agreeing:
    """A translator that gives what the bundle says."""

    def begin(self, manifest, profiles):
        return None

    def events(self, batch):
        return None

    def report(self):
        return world.MAPPING_LOSS


def by(case, **thresholds):
    made = replace(policy(**thresholds), trust=Trust.of(case.key.public))
    return verify_file(case.path, policy=made, at=AT, mapping=Agreeing())


def test_a_bundle_that_amounts_to_what_the_policy_asks_is_verified(case):
    result = by(case, packs=(pack(completeness_min=0.1),), confidence_min="medium", dropped_major_max=0)
    assert (result.verdict, result.exit_code) == ("verified", 0)
    assert result.check("policy").outcome == "pass"
    assert [each.outcome for each in result.policy.requirements] == ["met", "met", "met"]


def test_a_sound_bundle_that_does_not_is_insufficient_and_says_so_first(case):
    result = by(case, closure_min=0.9)
    assert (result.verdict, result.exit_code) == ("insufficient", 5)
    assert result.integrity.startswith("Integrity: whole, but NOT ENOUGH.")
    assert "closure.score is 0, expected at least 0.9" in result.integrity


def test_without_recomputing_a_policy_with_thresholds_decides_nothing(case):
    made = replace(policy(confidence_min="medium"), trust=Trust.of(case.key.public))
    result = verify_file(case.path, policy=made, at=AT, recompute=False)
    assert (result.verdict, result.exit_code) == ("undecided", 4)


def test_the_policy_says_whom_to_trust(case, other_key):
    made = replace(policy(), trust=Trust.of(other_key.public))
    result = verify_file(case.path, policy=made)
    assert result.check("trust").outcome == "fail"
    assert result.check("policy") == Check(id="policy", outcome="skip", reason="not reached: signature failed")


def test_a_policy_and_other_trust_beside_it_are_refused(case):
    with pytest.raises(AttestError, match="says by itself whom to trust"):
        verify_file(case.path, trust=Trust.of(case.key.public), policy=policy())


def test_the_result_as_json_has_the_policy_and_every_requirement(case):
    said = by(case, closure_min=0.9, dropped_major_max=0).to_json()["policy"]
    assert said == {
        "name": "p",
        "version": "1",
        "digest": "sha256:" + "0" * 64,
        "expires": None,
        "requirements": [
            {"id": "closure.score", "outcome": "missed", "got": 0, "expected": "at least 0.9", "reason": ""},
            {"id": "mapping_loss.dropped_major", "outcome": "met", "got": 0, "expected": "at most 0", "reason": ""},
        ],
    }


def test_without_a_policy_the_result_has_none(case):
    result = verify_file(case.path, trust=Trust.of(case.key.public))
    assert result.to_json()["policy"] is None


# ------------------------------------------------------------------ an operator who helps himself

_BROUGHT = b"""name: baseline
version: "9.9.9"
kind: quality
description: Asks for what every run has
x-assay:
  requires_signals: [session_lifecycle]
rules:
  - {id: B-1, title: It begins and ends, severity: error, signals: [{id: session_lifecycle, min_state: captured}]}
"""


def test_an_operator_who_brings_an_easy_pack_under_a_known_name_passes_only_where_nothing_is_pinned(tmp_path, key):
    """The attack: a bundle is scored by a pack of its own, carries it, and all is sound. Only the pin tells it from the known one."""
    facts = world.seal_run(tmp_path, packs=[read_pack(_BROUGHT, "baseline.yaml")])
    world.attest(key, facts)
    outcome = {}
    for digest in (None, builtin("baseline").digest):
        asked = policy(packs=(pack(completeness_min=1.0, digest=digest),))
        outcome[digest] = verify_file(facts.path, policy=replace(asked, trust=Trust.of(key.public))).verdict
    assert list(outcome.values()) == ["verified", "insufficient"]
