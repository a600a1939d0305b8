"""Documents that were retrieved, of any known shape, in the target's: an id, a score, and whatever else rides along."""

from __future__ import annotations

from semconv.messages.reading import Reading
from semconv.messages.shapes import Shapes
from semconv.paths import Document, joined, taken
from semconv.value import Value


def read_documents(body: Value, shapes: Shapes, reading: Reading) -> list[Document] | None:
    """The documents of a list, or of an object that holds nothing else; None when something in it is no object."""
    if isinstance(body, dict) and set(body) == {"documents"}:
        body = body["documents"]
    if not isinstance(body, list):
        return None
    read: list[Document] = []
    for item in body:
        if not isinstance(item, dict):
            return None
        left = dict(item)
        found: Document = {}
        for name, paths in shapes.documents.items():
            value = taken(left, paths)
            if value is not None:
                found[name] = reading.parsed(value) if name == "metadata" else value
        read.append(joined(found, left))
    return read
