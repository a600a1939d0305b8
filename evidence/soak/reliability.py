"""What a number of passes in a number of runs says about the chance to pass.

Law: integers in, one rounding at the end: exact rationals inside, or fifty digits where there is a root. So a report has the
same bytes on every machine.
"""

from decimal import Context, Decimal, localcontext
from fractions import Fraction
from math import comb

_DIGITS = Context(prec=50)
_Z95 = Decimal("1.9599639845400542355245944305205515279555")  # the 0.975 quantile of the standard normal distribution


def wilson95(passes: int, runs: int) -> tuple[float, float]:
    """The Wilson score interval, 95 %, for a share of `passes` in `runs`, without continuity correction.

    E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22 (1927), 209-212.
    It assumes that the runs are independent; runs of one recorded bundle are independent only in what was drawn for them.

    Raises:
        ValueError: not 0 <= passes <= runs, or no runs: a share of nothing has no interval.
    """
    if not 0 <= passes <= runs or runs == 0:
        raise ValueError(f"expected 0 <= passes <= runs and at least one run, got {passes} of {runs}")
    with localcontext(_DIGITS):
        square = _Z95 * _Z95
        middle = passes + square / 2
        half = _Z95 * (Decimal(passes) * (runs - passes) / runs + square / 4).sqrt()
        low, high = (middle - half) / (runs + square), (middle + half) / (runs + square)
    return 0.0 if passes == 0 else float(low), 1.0 if passes == runs else float(high)


def pass_hat_k(passes: int, runs: int, k: int) -> float:
    """pass^k, estimated without bias: the share of the sets of `k` runs, of those that were made, in which all pass.

    C(passes, k) / C(runs, k), as in S. Yao et al., "tau-bench" (2024), section 3.

    Raises:
        ValueError: not 0 <= passes <= runs, or `k` is not 1 to `runs`.
    """
    if not 0 <= passes <= runs or not 1 <= k <= runs:
        raise ValueError(f"expected 0 <= passes <= runs and 1 <= k <= runs, got {passes} of {runs}, k = {k}")
    return float(Fraction(comb(passes, k), comb(runs, k)))
