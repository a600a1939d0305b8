"""The interval and the estimate of pass^k."""

from itertools import combinations
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.soak.reliability import pass_hat_k, wilson95

# R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I, method 3
NEWCOMBE = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
COUNTS = st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(("passes", "runs", "low", "high"), NEWCOMBE)
def test_the_interval_is_the_published_one(passes, runs, low, high):
    assert tuple(round(bound, 4) for bound in wilson95(passes, runs)) == (low, high)


@pytest.mark.parametrize(
    ("passes", "runs", "expected"),
    [
        (8, 10, (0.4901624715366417, 0.9433178485456247)),
        (10, 10, (0.7224672001371107, 1.0)),
        (0, 1, (0.0, 0.7934506856227627)),
        (1, 100, (0.0017674320641406479, 0.05448619617870532)),
    ],
)
def test_the_interval_is_right_to_the_last_digit(passes, runs, expected):
    """Against the roots of the score equation, found by bisection in exact rationals."""
    assert wilson95(passes, runs) == expected


@given(COUNTS)
def test_the_bounds_are_where_the_share_is_at_the_quantile(counts):
    """The score interval by its definition: at each bound p, (share - p)^2 = z^2 p (1 - p) / n."""
    passes, runs = counts
    for bound in wilson95(passes, runs):
        square = 1.959963984540054**2 * bound * (1 - bound) / runs
        assert isclose((passes / runs - bound) ** 2, square, rel_tol=1e-6, abs_tol=1e-12)


@given(COUNTS)
def test_the_interval_holds_the_share_and_mirrors_when_passes_and_failures_change_places(counts):
    passes, runs = counts
    low, high = wilson95(passes, runs)
    assert 0 <= low <= passes / runs <= high <= 1
    mirrored = wilson95(runs - passes, runs)
    assert isclose(low, 1 - mirrored[1], abs_tol=1e-12)
    assert isclose(high, 1 - mirrored[0], abs_tol=1e-12)


@given(COUNTS, st.integers(2, 50))
def test_more_runs_of_the_same_share_narrow_it(counts, times):
    passes, runs = counts
    low, high = wilson95(passes, runs)
    closer = wilson95(passes * times, runs * times)
    assert closer[1] - closer[0] < high - low


@pytest.mark.parametrize(("passes", "runs"), [(0, 0), (2, 1), (-1, 3)])
def test_a_share_of_nothing_has_no_interval(passes, runs):
    with pytest.raises(ValueError, match="passes"):
        wilson95(passes, runs)


@pytest.mark.parametrize("runs", range(1, 8))
def test_pass_hat_k_is_the_share_of_the_sets_of_k_runs_that_all_pass(runs):
    for passes in range(runs + 1):
        outcomes = [True] * passes + [False] * (runs - passes)
        for k in range(1, runs + 1):
            sets = [all(chosen) for chosen in combinations(outcomes, k)]
            assert pass_hat_k(passes, runs, k) == sum(sets) / len(sets)


@given(COUNTS)
def test_pass_hat_1_is_the_rate_and_no_larger_k_has_a_better_chance(counts):
    passes, runs = counts
    estimates = [pass_hat_k(passes, runs, k) for k in range(1, min(runs, 12) + 1)]
    assert estimates[0] == passes / runs
    assert estimates == sorted(estimates, reverse=True)


@pytest.mark.parametrize(("passes", "runs", "k"), [(1, 2, 0), (1, 2, 3), (3, 2, 1)])
def test_pass_hat_k_is_refused_beyond_what_was_run(passes, runs, k):
    with pytest.raises(ValueError, match="k <= runs"):
        pass_hat_k(passes, runs, k)
