"""Giving values the fates their rows say. `way` and `split_way` bind a row once, `settle` gives each value its fate."""

from semconv.settle.act import settle, way
from semconv.settle.body import book, offer_body
from semconv.settle.members import split_way
from semconv.settle.ways import CARRIED, EXACT, GONE, LONG, READABLE, Way

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
