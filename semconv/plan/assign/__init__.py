"""Making plans: which rows the keys of a shape are given to, in which order they are heard, and what follows from that alone."""

from semconv.plan.assign.hearing import Hearing
from semconv.plan.assign.making import make_plan

__all__ = ["Hearing", "make_plan"]
