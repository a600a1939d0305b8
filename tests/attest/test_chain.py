"""Links between bundles verified together: contradictions fail, absences are said, and nobody unvouched discredits who is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attest.many.chain import Link, check_alone, look


def name(number):
    return f"{number:064x}"


def link(number, follows=None, *, digest=None, **changes):
    """Bundle `number`, part `number` of one run, that follows another by number."""
    return Link(
        **{
            "bundle_id": name(number),
            "manifest_sha256": f"{number:02x}" * 32,
            "signer": "key",
            "source": "urn:one",
            "vouched": True,
            "run_id": "run",
            "part": number,
            "first_seq": 10 * number,
            "last_seq": 10 * number + 9,
            "opened_at": f"2026-11-21T10:{number:02d}:00.000000000Z",
            "closed_at": f"2026-11-21T10:{number:02d}:30.000000000Z",
            "previous_id": name(follows) if follows else None,
            "previous_sha256": f"{digest or follows:02x}" * 32 if follows else None,
            **changes,
        }
    )


def own_run(number, follows=None, **changes):
    """A run of its own."""
    return link(number, follows, **{"run_id": f"run-{number}", "part": 1, **changes})


def found(*links, complete=False, invalid=()):
    """Outcome and kind of what is broken, by position."""
    chain = look(links, complete=complete, invalid=invalid)
    return {finding.at: (finding.outcome, finding.kind) for finding in chain.breaks}


def reason(*links, at, **options):
    return look(links, **{"complete": False, **options}).checks()[at].reason


# ---------------------------------------------------------------- one bundle


def manifest(number, **changes):
    return {"bundle_id": name(number), **changes}


def test_a_bundle_that_names_no_predecessor_stands_alone():
    assert check_alone(manifest(1)).outcome == "pass"


def test_a_predecessor_that_is_not_at_hand_is_said_and_fails_nothing():
    check = check_alone(manifest(2, previous_bundle={"bundle_id": name(1)}))
    assert (check.outcome, check.reason) == ("pass", f"the bundle before it, {name(1)}, is not at hand")


@pytest.mark.parametrize("which", ["previous_bundle", "amends"])
def test_a_bundle_that_names_itself_fails(which):
    own = {"previous_bundle": {"bundle_id": name(1)}, "amends": name(1)}[which]
    assert check_alone(manifest(1, **{which: own})).outcome == "fail"


# ---------------------------------------------------------------- what holds


def test_a_chain_in_any_order_is_confirmed_and_has_one_beginning_and_one_head():
    links = (link(3, 2), link(1), link(2, 1))
    chain = look(links, complete=True)
    assert chain.breaks == ()
    assert (chain.beginnings, chain.heads) == ((1,), (0,))
    assert chain.checks()[2].reason == f"it follows the bundle {name(1)}, which is at hand"


def test_two_sidecars_may_each_record_a_part_of_the_same_run():
    for other in ({"signer": "other"}, {"source": "urn:two"}):
        assert found(link(2), link(3, part=2, first_seq=20, last_seq=29, **other)) == {}


def test_what_takes_no_part_is_passed_over():
    assert found(None, link(1), None) == {}
    assert look([], complete=True).checks() == {}


def test_runs_that_overlap_and_are_sealed_as_they_close_are_no_rollback():
    first = own_run(1, closed_at="2026-11-21T10:20:00.000000000Z")
    assert found(first, own_run(2, 1)) == {}


# ---------------------------------------------------------------- what does not


BROKEN = {
    "the_same_bundle_twice": (
        [link(2, 1), link(2, 1)],
        {0: ("warn", "duplicate"), 1: ("warn", "duplicate")},
        "the same bundle is here 2 times",
    ),
    "two_bundles_claim_one_part": (
        [link(1), link(9, part=1)],
        {0: ("fail", "duplicate_part"), 1: ("fail", "duplicate_part")},
        "2 different bundles claim to be part 1 of run run",
    ),
    "two_branches_closed_at_once": (
        [own_run(2, 1), own_run(3, 1, closed_at=own_run(2).closed_at)],
        {0: ("fail", "fork"), 1: ("fail", "fork")},
        f"the chain forks: 2 different bundles name {name(1)} before them",
    ),
    "two_sidecars_follow_one_bundle": (
        [own_run(2, 1), own_run(3, 1, source="urn:two")],
        {0: ("fail", "fork"), 1: ("fail", "fork")},
        "the chain forks",
    ),
    "a_chain_that_goes_back_to_an_older_link": (
        [own_run(5, 1), own_run(2, 1)],
        {0: ("fail", "rollback"), 1: ("fail", "fork")},
        f"the chain goes back to {name(1)}: {name(2)} had followed that already, closed at 2026-11-21T10:02:30",
    ),
    "closed_before_its_predecessor_was_opened": (
        [own_run(2, 5), own_run(5)],
        {0: ("warn", "rollback")},
        "before the bundle that it follows was opened",
    ),
    "a_predecessor_with_another_manifest": (
        [link(2, 1, digest=9), link(1)],
        {0: ("fail", "other_manifest")},
        "has another manifest than the one linked",
    ),
    "a_ring": (
        [own_run(1, 3, opened_at=""), own_run(2, 1, opened_at=""), own_run(3, 2, opened_at="")],
        dict.fromkeys(range(3), ("fail", "cycle")),
        "the chain is a ring",
    ),
    "an_amendment_of_another_run": (
        [own_run(2, amends=name(1)), own_run(1)],
        {0: ("fail", "other_run")},
        f"it amends {name(1)}, which is of the run run-1, and is itself of run-2",
    ),
    "parts_that_do_not_go_on_counting": (
        [link(2, first_seq=25), link(1)],
        {0: ("warn", "sequence")},
        "it starts with event 25, expected 20 after the part before",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_named_in_words_of_its_own(case):
    links, expected, words = BROKEN[case]
    assert found(*links) == expected
    assert words in reason(*links, at=0)


MISSING = {
    "bundle": ([own_run(2, 1)], "missing_bundle", f"the bundle before it, {name(1)}, is "),
    "amended": ([own_run(2, amends=name(1))], "missing_amended", f"the bundle that it amends, {name(1)}, is "),
}


@pytest.mark.parametrize("case", MISSING)
def test_what_is_missing_is_a_warning_where_everything_should_be_at_hand_and_is_said_elsewhere(case):
    links, kind, words = MISSING[case]
    assert found(*links, complete=True) == {0: ("warn", kind)}
    assert reason(*links, at=0, complete=True) == words + "missing: removed, or never handed over"
    assert found(*links) == {}
    assert reason(*links, at=0) == words + "not at hand"


def test_a_part_that_is_missing_is_a_warning_where_everything_should_be_at_hand():
    links = [link(1), link(3)]
    assert found(*links, complete=True) == {1: ("warn", "missing_part")}
    assert reason(*links, at=1, complete=True) == "part 2 of run run is missing: removed, or never handed over"
    assert found(*links) == {}


@pytest.mark.parametrize("complete", [True, False])
def test_a_predecessor_that_is_here_and_invalid_is_a_warning(complete):
    links = [own_run(2, 1)]
    assert found(*links, complete=complete, invalid={name(1)}) == {0: ("warn", "missing_bundle")}
    assert reason(*links, at=0, invalid={name(1)}) == f"the bundle before it, {name(1)}, is here and is invalid"


def test_the_beginning_of_a_chain_whose_older_bundles_were_removed_is_named():
    chain = look([own_run(3, 2), own_run(4, 3)], complete=True)
    assert (chain.beginnings, chain.heads) == ((0,), (1,))
    assert [finding.kind for finding in chain.breaks] == ["missing_bundle"]


# ---------------------------------------------------------------- who contradicts whom


def test_a_bundle_that_nobody_trusted_signed_cannot_make_a_vouched_one_fail():
    forged = own_run(3, 1, vouched=False, closed_at=own_run(2).closed_at)
    assert found(own_run(2, 1), forged) == {0: ("warn", "fork"), 1: ("fail", "fork")}
    twin = link(9, part=1, vouched=False)
    assert found(link(1), twin) == {0: ("warn", "duplicate_part"), 1: ("fail", "duplicate_part")}


def test_among_bundles_that_nobody_trusted_signed_every_contradiction_fails():
    links = [own_run(number, 1, vouched=False, closed_at="2026") for number in (2, 3)]
    assert found(*links) == {0: ("fail", "fork"), 1: ("fail", "fork")}


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9), st.booleans()), max_size=12), st.booleans(), st.randoms()
)
def test_the_order_in_which_files_are_given_changes_no_outcome(shape, complete, random):
    links = [own_run(number, follows or None, vouched=vouched) for number, follows, vouched in shape]
    shuffled = list(range(len(links)))
    random.shuffle(shuffled)

    def outcomes(order):
        chain = look([links[at] for at in order], complete=complete)
        broken = sorted((order[each.at], each.kind, each.outcome) for each in chain.breaks)
        return broken, sorted(order[at] for at in chain.heads), sorted(order[at] for at in chain.beginnings)

    if len({one.bundle_id for one in links}) == len(links):
        assert outcomes(shuffled) == outcomes(list(range(len(links))))


@given(st.integers(2, 30), st.data())
def test_removing_any_bundle_but_the_newest_from_a_complete_chain_shows(length, data):
    links = [
        own_run(number, number - 1 or None, opened_at="", closed_at=f"{number:03}") for number in range(1, length + 1)
    ]
    gone = data.draw(st.integers(0, length - 2))
    left = links[:gone] + links[gone + 1 :]
    kinds = [finding.kind for finding in look(left, complete=True).breaks]
    assert kinds == ["missing_bundle"]
    assert look(links, complete=True).breaks == ()
