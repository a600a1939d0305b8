"""Which run an item or a request belongs to.

Law: a function of the item and the settings alone; a secret never becomes the name of a run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from evidence.redaction.detectors import is_secret
from evidence.run import safe_run_id

__all__ = ["named_run", "run_of"]


def run_of(keys: Sequence[str], trace_id: str, *attributes: Mapping[str, Any], resource: Callable[[], str]) -> str:
    """The run of an item: by the first key that says one, else by its resource.

    Args:
        keys: what tells runs apart (setting `run.key`).
        trace_id: of the item, in hexadecimal; empty for none.
        attributes: where the keys are looked for, in this order.
        resource: gives the digest of the resource, if it is needed.
    """
    for key in keys:
        if key == "trace_id":
            if trace_id:
                return trace_id
            continue
        for attribute in attributes:
            value = attribute.get(key)
            if isinstance(value, str) and value and not _is_secret(value):
                return safe_run_id(value)
    return f"resource-{resource().removeprefix('sha256:')[:32]}"


_is_secret = lru_cache(maxsize=1024)(is_secret)
"""A secret must not become the name of a run: the next key decides."""


def named_run(run_id: str) -> str:
    """The run that a request names; the door refuses one whose id is a secret."""
    return safe_run_id("withheld" if _is_secret(run_id) else run_id)
