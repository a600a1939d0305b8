"""Faults between an agent and its recorder: what each does to the events on their way.

Law: a fault changes what it names and nothing else. Which events it meets is drawn by their ids, so a fault meets the
same events whatever other faults do. What a sender says of itself (its counts, the numbers of its receipts) stays said.
"""

from collections.abc import Mapping

from evidence.soak.faults.arrivals import close_early, lose, lose_close, lose_open, reorder, repeat, stop
from evidence.soak.faults.clocks import shift_clock, step_clock
from evidence.soak.faults.content import conflict, drop_attributes, strip, truncate, withhold
from evidence.soak.faults.fault import Fault, Kind

__all__ = ["FAULTS", "RECEIVER_FAULTS", "Fault", "Kind"]

_TELEMETRY = ("span", "log")
_ALL = (*_TELEMETRY, "metric", "receipt")
_CLOCKED = (*_TELEMETRY, "receipt")

FAULTS: Mapping[str, Kind] = {
    "lose": Kind(("of", "chance"), ("burst", "together"), _ALL, lose),
    "repeat": Kind(("of", "chance"), ("together",), _ALL, repeat),
    "conflict": Kind(("of", "chance"), (), ("span",), conflict),
    "reorder": Kind(("of", "chance", "places"), (), _ALL, reorder),
    "strip": Kind(("of", "chance"), ("together",), _TELEMETRY, strip),
    "withhold": Kind(("of", "chance"), ("together",), _TELEMETRY, withhold),
    "truncate": Kind(("of", "chance", "characters"), ("together",), _TELEMETRY, truncate),
    "drop_attributes": Kind(("of", "chance", "keep"), ("together",), _TELEMETRY, drop_attributes),
    "shift_clock": Kind(("of", "seconds"), (), _CLOCKED, shift_clock),
    "step_clock": Kind(("of", "chance", "seconds"), (), ("span",), step_clock),
    "close_early": Kind(("least", "most"), (), (), close_early),
    "lose_open": Kind((), ("chance",), (), lose_open),
    "lose_close": Kind((), ("chance",), (), lose_close),
    "stop": Kind((), ("chance",), (), stop),
}
"""The faults between agent and recorder."""

RECEIVER_FAULTS: Mapping[str, Kind] = {
    "refuse": Kind(("chance", "seconds")),
    "delay": Kind(("chance", "seconds")),
    "reset": Kind(("chance", "octets")),
    "restart": Kind(("chance",)),
}
"""The faults at the receiver's door: each request, or each connection, is drawn by its number."""
