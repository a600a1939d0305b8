"""Says in words why the confidence is what it is, from capture health.

Law: the words name exactly the counters that `confidence_table_v1` decided by.
"""

from collections.abc import Mapping

from evidence.signals import Registry


def reasons(level: str, health: Mapping[str, int | bool], registry: Registry) -> list[str]:
    """What puts the confidence at `level`, a clause each."""
    if level not in registry.confidence:
        return ["no counter of capture health speaks against it"]
    counters = [(registry.counters[name].meaning, health[name]) for name in registry.confidence[level] if health[name]]
    if not counters:
        return ["no event says that anything replay-critical should be there"]
    return [meaning if count is True else f"{meaning} ({count})" for meaning, count in counters]
