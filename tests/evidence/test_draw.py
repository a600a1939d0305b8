"""Seeded draws: the same numbers everywhere, for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.soak.draw import Draw

NAMES = st.text(max_size=40)


def test_the_numbers_are_those_of_every_platform_and_version():
    draw = Draw(7, 3, "0/lose")
    assert draw.octets("run-1:4").hex() == GOLDEN_OCTETS
    assert [draw.below(1000, f"run-1:{seq}") for seq in range(6)] == GOLDEN_BELOW
    assert draw.between(-5, 5, "run-1:4") == GOLDEN_BETWEEN


GOLDEN_OCTETS = "36545c4ebe0500bf83f70dd7ec876023886f8751d3997e4b44695a4526107e4a"
GOLDEN_BELOW = [959, 807, 50, 796, 212, 348]
GOLDEN_BETWEEN = -2.877752597578187


@given(st.integers(0, 2**53), st.integers(1, 10**6), NAMES, NAMES)
def test_a_number_does_not_depend_on_what_else_is_drawn(seed, iteration, one, other):
    alone = Draw(seed, iteration).octets(one)
    draw = Draw(seed, iteration)
    draw.octets(other)
    assert draw.octets(one) == alone


@given(st.integers(0, 1000), NAMES)
def test_seed_iteration_and_part_each_make_another_number(seed, name):
    draws = (Draw(seed, 1), Draw(seed + 1, 1), Draw(seed, 2), Draw(seed, 1, "x"))
    assert len({draw.octets(name) for draw in draws}) == 4


@given(NAMES)
def test_what_has_no_chance_never_happens_and_what_is_sure_always_does(name):
    draw = Draw(1, 1)
    assert not draw.happens(0.0, name)
    assert draw.happens(1.0, name)


@given(st.integers(1, 10**9), NAMES)
def test_an_integer_lies_below_its_end_and_a_number_between_its_bounds(end, name):
    draw = Draw(1, 1)
    assert 0 <= draw.below(end, name) < end
    assert -1.5 <= draw.between(-1.5, 2.5, name) < 2.5


@pytest.mark.parametrize("chance", [0.01, 0.3, 0.5, 0.97])
def test_things_happen_as_often_as_their_chance_says(chance):
    draw = Draw(42, 1)
    happened = sum(draw.happens(chance, str(number)) for number in range(20_000))
    assert (
        abs(happened / 20_000 - chance) < 5 * (chance * (1 - chance) / 20_000) ** 0.5
    )  # five standard deviations; the draw is fixed
