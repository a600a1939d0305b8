"""Giving values the fates their rows say. `way` and `split_way` bind a row once, `settle` gives each value its fate."""

from semconv.plan.settle.act import settle, way
from semconv.plan.settle.body import book, offer_body
from semconv.plan.settle.members import split_way
from semconv.plan.settle.ways import CARRIED, EXACT, GONE, LONG, READABLE, Way

__all__ = [
    "CARRIED",
    "EXACT",
    "GONE",
    "LONG",
    "READABLE",
    "Way",
    "book",
    "offer_body",
    "settle",
    "split_way",
    "way",
]
