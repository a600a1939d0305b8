"""Every bound on reading and writing evidence, each with its unit.

Law: a bound is looked at before what it bounds is read, inflated or parsed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB
INTEGER_MAX = 2**53 - 1
"""The largest integer of RFC 8785, and so of all that is hashed; whoever writes telemetry may claim any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on one evidence bundle. `to_json` gives them in the names of the soak report (ADR-025)."""

    bundle_bytes_max: int = 4 * GIB
    """Size of the container file."""
    decoded_bytes_max: int = 16 * GIB
    """Size of everything the container inflates to."""
    manifest_bytes_max: int = 10 * MIB
    """Size of manifest.json."""
    events_bytes_max: int = 8 * GIB - 1
    """Size of events.ndjson: the most a ustar header can say."""
    events_max: int = 10_000_000
    """Number of event lines."""
    line_bytes_max: int = 64 * MIB
    """Size of one event line without its newline."""
    member_bytes_max: int = 64 * MIB
    """Size of any one other member (pack, profile, report)."""
    attached_bytes_max: int = 64 * MIB
    """Size of all packs and profiles of a bundle together: they are held in memory."""
    members_max: int = 256
    """Number of members."""
    path_bytes_max: int = 100
    """Length of a member's path: the ustar name field."""
    json_depth_max: int = 254
    """Nesting of arrays and objects in any JSON text."""
    evidence_paths_max: int = 8
    """Locations kept for one signal or one rule; the totals are counted all the same."""
    spans_tracked_max: int = 500_000
    """Spans of a part that are compared with each other for repetitions and absent parents: 32 bytes each."""
    number_ranges_max: int = 20_000
    """Ranges without holes in which the numbers of a part's receipts are held."""
    shown_characters_max: int = 64 * MIB
    """Characters of whole bodies in one timeline; from then on their first words are shown."""
    events_shown_max: int = 100
    """Events of one span that are shown whole."""
    profile_names_max: int = 2_000
    """Names in one table of a run's profile; further ones are counted together."""
    open_instances_max: int = 20_000
    """Instances that wait for their other half (a log of the span, the span of a tool call), of each kind; what a join or a
    count holds on to, of each check."""
    partners_per_key_max: int = 64
    """Partners and instances of one key that a join tells apart when it has to look at each."""
    looks_max: int = 4_096
    """Ways in which instances of one kind look to the checks (which names are there), kept so that each is worked out once."""
    policy_patterns_max: int = 1_000
    """Patterns of tools under policy, of each kind; beyond, every tool is."""

    def to_json(self) -> dict[str, int]:
        """The bounds that the soak report of ADR-025 names, under its names."""
        return {name: getattr(self, member) for name, member in REPORTED.items()}


REPORTED: Mapping[str, str] = {
    "max_bundle_bytes": "bundle_bytes_max",
    "max_decode_bytes": "decoded_bytes_max",
    "max_manifest_bytes": "manifest_bytes_max",
    "max_events_bytes": "events_bytes_max",
    "max_events": "events_max",
    "max_line_bytes": "line_bytes_max",
    "max_path_len": "path_bytes_max",
    "max_json_depth": "json_depth_max",
}
"""The bounds that manifests and soak reports name: their names there, and their names here."""

DEFAULT = Limits()
"""What `seal` writes within and `verify` reads within, unless told otherwise."""
