"""What waits for a signature: the order, the batches, the rests. No thread, no clock, no signer."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.spool import Pace, Spool


def spool(rows: int = 0, **pace: float) -> Spool:
    made = Spool(Pace(**pace), Random(7))
    for row in range(1, rows + 1):
        made.add(row, row, None, 0.0)
    return made


def rows(batch) -> list[int]:
    return [each.row for each in batch]


def test_what_came_first_is_tried_first_and_up_to_a_batch():
    waiting = spool(5, batch_bundles_max=3)
    assert waiting.due_in(0.0) == 0.0
    assert rows(waiting.take(0.0)) == [1, 2, 3]
    waiting.done(waiting.take(0.0))
    assert rows(waiting.take(0.0)) == [4, 5]


def test_what_was_taken_stays_until_it_is_done():
    waiting = spool(2)
    waiting.take(0.0)
    assert len(waiting) == 2
    waiting.done(waiting.take(0.0))
    assert (len(waiting), waiting.due_in(0.0)) == (0, None)


def test_a_part_that_waits_already_is_not_there_twice():
    waiting = spool(1)
    waiting.add(1, 1, None, 5.0)
    assert rows(waiting.take(0.0)) == [1]


def test_a_bundle_waits_for_others_until_there_is_a_batch_or_the_time_is_over():
    waiting = spool(1, batch_bundles_max=3, batch_wait_seconds=2.0)
    assert waiting.due_in(0.5) == 1.5
    waiting.add(2, 2, None, 1.0)
    assert waiting.due_in(1.0) == 1.0
    waiting.add(3, 3, None, 1.0)
    assert waiting.due_in(1.0) == 0.0


def test_in_a_hurry_nobody_waits_for_others_and_the_signer_is_asked_at_once():
    waiting = spool(1, batch_wait_seconds=60.0)
    waiting.hurry()
    assert waiting.due_in(0.0) == 0.0
    waiting.refused(waiting.take(0.0), 0.0, lasting=False)
    waiting.hurry()
    assert waiting.due_in(0.0) == 0.0


def test_while_the_signer_is_away_the_rests_grow_to_the_longest_and_a_success_ends_them():
    waiting = spool(4, retry_initial_seconds=1.0, retry_max_seconds=10.0)
    now, rests = 0.0, []
    for _ in range(8):
        rests.append(waiting.refused(waiting.take(now), now, lasting=False))
        assert waiting.due_in(now) == pytest.approx(rests[-1])
        now += rests[-1]
    assert all(0.5 * most <= rest <= most for rest, most in zip(rests, [1, 2, 4, 8, 10, 10, 10, 10], strict=True))
    waiting.done(waiting.take(now))
    assert waiting.refused(waiting.take(now), now, lasting=False) <= 1.0


def test_after_a_failure_half_as_many_are_tried_and_after_a_success_twice_as_many():
    waiting = spool(64, batch_bundles_max=8)
    now, sizes = 0.0, []
    for _ in range(4):
        batch = waiting.take(now)
        sizes.append(len(batch))
        now += waiting.refused(batch, now, lasting=False)
    for _ in range(5):
        batch = waiting.take(now)
        sizes.append(len(batch))
        waiting.done(batch)
    assert sizes == [8, 4, 2, 1, 1, 2, 4, 8, 8]


def test_one_that_times_out_alone_lets_the_others_have_their_turn():
    waiting = spool(3, batch_bundles_max=1)
    rest = waiting.refused(waiting.take(0.0), 0.0, lasting=False)
    assert rows(waiting.take(rest)) == [2]


def test_what_failed_by_itself_rests_longer_and_longer_while_the_others_go_on():
    waiting = spool(2, retry_initial_seconds=1.0, retry_max_seconds=300.0)
    now, rests = 0.0, []
    for _ in range(3):
        (first,) = [each for each in waiting.take(now) if each.row == 1]
        rests.append(waiting.set_aside(first, now))
        assert rows(waiting.take(now)) == [2]
        now += rests[-1]
    assert rests == sorted(rests)


def test_a_key_that_nobody_accepts_is_tried_ever_more_seldom():
    """A 401 for everything: after the halvings and two different bundles alone it is the signer, asked every few minutes."""
    waiting = spool(64, batch_bundles_max=64, retry_initial_seconds=1.0, retry_max_seconds=300.0)
    now, tries = 0.0, []
    while now < 3600:
        now += waiting.due_in(now)
        tries.append(now)
        now += waiting.refused(waiting.take(now), now, lasting=True)
    assert len([at for at in tries if at < 60]) <= 9
    assert len(tries) <= 9 + 3600 / 150
    assert len(waiting) == 64


def test_two_different_bundles_refused_alone_are_the_signers_fault_and_one_is_its_own():
    waiting = spool(3, batch_bundles_max=1, retry_initial_seconds=1.0, retry_max_seconds=300.0)
    own = waiting.refused(waiting.take(0.0), 0.0, lasting=True)
    assert own <= 1.0
    signers = waiting.refused(waiting.take(own), own, lasting=True)
    assert 150.0 <= signers <= 300.0


def test_the_facts_of_a_bundle_are_held_while_few_wait_and_let_go_when_it_fails():
    waiting = Spool(Pace(batch_bundles_max=1_000), Random(7))
    facts = object()
    for row in range(1, 300):
        waiting.add(row, row, facts, 0.0)
    batch = waiting.take(0.0)
    assert [each.facts is facts for each in batch] == [row <= 256 for row in range(1, 300)]
    waiting.set_aside(batch[0], 0.0)
    assert batch[0].facts is None


@given(count=st.integers(2, 200), poison=st.integers(0, 199), width=st.sampled_from([1, 2, 7, 64]))
def test_one_bundle_that_no_signature_can_be_had_for_is_found_and_holds_nobody_up(count, poison, width):
    waiting = spool(count, batch_bundles_max=width, retry_initial_seconds=1.0, retry_max_seconds=300.0)
    poison = poison % count + 1
    now, tries = 0.0, 0
    while len(waiting) > 1:
        seconds = waiting.due_in(now)
        assert seconds is not None
        now += seconds
        batch = waiting.take(now)
        tries += 1
        if poison in rows(batch):
            waiting.refused(batch, now, lasting=True)
        else:
            waiting.done(batch)
        assert tries <= 10 * count + 100
    assert rows(waiting.take(now + 1000)) == [poison]
    assert now < 10 * count + 600


@given(
    steps=st.lists(
        st.one_of(
            st.just("add"), st.just("done"), st.just("later"), st.just("never"), st.just("aside"), st.just("wait")
        ),
        max_size=60,
    )
)
def test_nothing_is_lost_and_nothing_is_taken_twice(steps):
    waiting, added, finished, now = spool(batch_bundles_max=4), 0, [], 0.0
    for step in steps:
        batch = waiting.take(now)
        assert len({*rows(batch)}) == len(batch) <= 4
        if step == "add":
            added += 1
            waiting.add(added, added, None, now)
        elif step == "wait":
            now += waiting.due_in(now) or 0.0
        elif batch and step == "done":
            finished += rows(batch)
            waiting.done(batch)
        elif batch and step == "aside":
            waiting.set_aside(batch[0], now)
        elif batch:
            waiting.refused(batch, now, lasting=step == "never")
        assert len(waiting) + len(finished) == added
    now += 1e6
    while len(waiting):
        batch = waiting.take(now)
        finished += rows(batch)
        waiting.done(batch)
    assert sorted(finished) == list(range(1, added + 1))
