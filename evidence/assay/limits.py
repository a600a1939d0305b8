"""Every bound on an Assay bundle, each with its unit: those of its own format, so that what passes here passes there.

Law: a bound is looked at before what it bounds is inflated or parsed.
"""

from dataclasses import dataclass

from evidence.limits import GIB, MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class AssayLimits:
    """Bounds on one Assay bundle."""

    bundle_bytes_max: int = 100 * MIB
    """Size of the container file."""
    decoded_bytes_max: int = GIB
    """Size of everything the container inflates to."""
    manifest_bytes_max: int = 10 * MIB
    """Size of manifest.json."""
    events_bytes_max: int = 500 * MIB
    """Size of events.ndjson."""
    events_max: int = 100_000
    """Number of event lines."""
    line_bytes_max: int = MIB
    """Size of one event line without its newline."""
    json_depth_max: int = 64
    """Nesting of arrays and objects in a JSON text."""
    object_members_max: int = 10_000
    """Members of one object."""
    string_bytes_max: int = 1_000_000
    """UTF-8 bytes of one string."""
    zero_blocks_max: int = 20
    """Blocks of 512 zero bytes behind the last member: one record of a tar that pads to its blocking factor."""
    values_seen_max: int = 8
    """Distinct values that are kept of one member, for the reader."""
    value_chars_max: int = 120
    """Characters that are kept of such a value."""
    mandates_max: int = 20_000
    """Mandates, uses and revocations that are compared with each other."""
    lines_named_max: int = 8
    """Lines that are named for one doubt; all are counted."""


DEFAULT = AssayLimits()
"""What is read and written within, unless told otherwise."""
