"""Links between bundles verified together: contradictions fail, absences are said."""

import pytest

from attest.chain import check_alone, link
from attest.verdict import CHECKS, Check, Facts
from attest.verification import Verification


def manifest(number, **changes):
    return {"bundle_id": f"{number:064x}", "run_id": "run", "part": number, "first_seq": 10 * number,
            "last_seq": 10 * number + 9, **changes}  # fmt: skip


def result(number, signer="key", chain_outcome="pass", **changes):
    own = manifest(number, **changes)
    checks = tuple(
        Check(id=name, outcome=chain_outcome if name == "chain" else "pass", reason="alone") for name in CHECKS
    )
    facts = Facts(bundle_id=own["bundle_id"], manifest=own, manifest_sha256=f"{number:02x}" * 32, signed_by=signer)
    return Verification(file=str(number), attestation="a", checks=checks, facts=facts)


def previous(number, manifest_number=None):
    of = number if manifest_number is None else manifest_number
    return {"bundle_id": f"{number:064x}", "manifest_sha256": f"{of:02x}" * 32}


def chains(*results):
    return [(one.check("chain").outcome, one.check("chain").reason) for one in link(results)]


def test_a_bundle_that_names_no_predecessor_stands_alone():
    assert check_alone(manifest(1)).outcome == "pass"


def test_a_predecessor_that_is_not_at_hand_is_said_and_fails_nothing():
    check = check_alone(manifest(2, previous_bundle=previous(1)))
    assert (check.outcome, check.reason) == ("pass", f"the bundle before it, {1:064x}, is not at hand")


@pytest.mark.parametrize("link_name", ["previous_bundle", "amends"])
def test_a_bundle_that_names_itself_fails(link_name):
    own = {"previous_bundle": previous(1), "amends": f"{1:064x}"}[link_name]
    assert check_alone(manifest(1, **{link_name: own})).outcome == "fail"


def test_a_predecessor_at_hand_is_confirmed_whatever_the_order_of_files():
    second, first = chains(result(2, previous_bundle=previous(1)), result(1))
    assert second == ("pass", f"it follows the bundle {1:064x}, which is at hand")
    assert first == ("pass", "alone")


def test_a_predecessor_with_another_manifest_than_the_one_linked_fails():
    _, second = chains(result(1), result(2, previous_bundle=previous(1, manifest_number=9)))
    assert second[0] == "fail"
    assert "another manifest" in second[1]


def test_a_fork_fails_both_branches():
    one = result(2, previous_bundle=previous(1))
    other = result(3, previous_bundle=previous(1))
    assert [outcome for outcome, _ in chains(one, other)] == ["fail", "fail"]


def test_two_different_bundles_that_claim_the_same_part_fail_both():
    one, other = chains(result(2), result(3, part=2, first_seq=20, last_seq=29))
    assert one == other == ("fail", "2 different bundles claim to be part 2 of this run")


def test_two_sidecars_may_each_record_a_part_of_the_same_run():
    assert [outcome for outcome, _ in chains(result(2), result(3, part=2, signer="other key"))] == ["pass", "pass"]


def test_the_same_bundle_given_twice_is_a_warning_not_a_fork():
    one = result(2, previous_bundle=previous(1))
    assert [outcome for outcome, _ in chains(one, one)] == ["warn", "warn"]


def test_parts_that_do_not_go_on_counting_are_warned_about():
    _, second = chains(result(1), result(2, first_seq=25))
    assert second == ("warn", "it starts with event 25, expected 20 after the part before")


def test_a_chain_that_failed_alone_stays_failed():
    (only,) = link([result(1, chain_outcome="fail")])
    assert only.check("chain").reason == "alone"


def test_a_bundle_that_could_not_be_read_is_passed_over():
    checks = tuple(Check(id=name, outcome="skip", reason="not reached") for name in CHECKS)
    unread = Verification(file="x", attestation=None, checks=checks)
    assert link([unread, result(1)])[0] == unread
