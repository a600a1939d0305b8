"""Says in words why the confidence is what it is, from capture health.

Law: the words name exactly the counters that `confidence_table_v1` decided by.
"""

from collections.abc import Mapping

from evidence.signals import Registry

_FLAGS = {
    "unopened": "no event opens the run",
    "unclosed": "no event closes the run",
    "sender_uncounted": "the sender gave no counts of its own to compare with",
}


def reasons(level: str, health: Mapping[str, int | bool], registry: Registry) -> list[str]:
    """What puts the confidence at `level`, a phrase each."""
    if level not in registry.confidence:
        return ["no counter of capture health speaks against it"]
    deciding = [fault(name, health[name]) for name in registry.confidence[level] if health[name]]
    return deciding or ["no event says that anything replay-critical should be there"]


def fault(counter: str, count: int) -> str:
    """One counter of capture health that is above zero, in words."""
    return _FLAGS.get(counter) or f"{counter.replace('_', ' ')}: {count}"
