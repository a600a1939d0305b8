"""Making plans: which rows the keys of a shape are given to, in which order they are heard, and what follows from that alone."""

from semconv.assign.hearing import Hearing
from semconv.assign.making import make_plan

__all__ = ["Hearing", "make_plan"]
