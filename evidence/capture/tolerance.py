"""How far clocks may disagree before it is said."""

CLOCK_SKEW_NANOS_MAX = 1_000_000_000
"""Nanoseconds by which a time may be too early or too late.

Clocks that are kept by NTP agree within milliseconds on a local network and within some tenths of a second elsewhere
(https://www.rfc-editor.org/rfc/rfc5905); a second more than that is a clock that is not kept.
"""
