"""What a number of passes in a number of runs says about the chance to pass.

Law: integers in, exact rationals inside, one rounding at the end; the same on every machine.
"""

from fractions import Fraction
from math import comb, sqrt

_Z95 = 1.959963984540054  # the 0.975 quantile of the standard normal distribution


def wilson95(passes: int, runs: int) -> tuple[float, float]:
    """The Wilson score interval, 95 %, for a share of `passes` in `runs`, without continuity correction.

    E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22 (1927), 209-212.
    It assumes that the runs are independent; runs of one recorded bundle are independent only in what was drawn for them.

    Raises:
        ValueError: not 0 <= passes <= runs, or no runs: a share of nothing has no interval.
    """
    if not 0 <= passes <= runs or runs == 0:
        raise ValueError(f"expected 0 <= passes <= runs and at least one run, got {passes} of {runs}")
    share, square = passes / runs, _Z95 * _Z95
    middle = share + square / (2 * runs)
    half = _Z95 * sqrt(share * (1 - share) / runs + square / (4 * runs * runs))
    whole = 1 + square / runs
    low = 0.0 if passes == 0 else max(0.0, (middle - half) / whole)
    high = 1.0 if passes == runs else min(1.0, (middle + half) / whole)
    return low, high


def pass_hat_k(passes: int, runs: int, k: int) -> float:
    """pass^k, estimated without bias: the share of the sets of `k` runs, of those that were made, in which all pass.

    C(passes, k) / C(runs, k), as in S. Yao et al., "tau-bench" (2024), section 3.

    Raises:
        ValueError: not 0 <= passes <= runs, or `k` is not 1 to `runs`.
    """
    if not 0 <= passes <= runs or not 1 <= k <= runs:
        raise ValueError(f"expected 0 <= passes <= runs and 1 <= k <= runs, got {passes} of {runs}, k = {k}")
    return float(Fraction(comb(passes, k), comb(runs, k)))
