"""Why something of an item is lost, or was worth a note: every reason there is, how much it matters, and what it means.

Law: a reason is never taken back or given another meaning; reports of years ago name it. Severity: none (no information
is gone, or it was gone before it got here), info, minor, major (content, usage, identity or structure).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_TABLE: Final[Mapping[str, tuple[str, str]]] = {
    # of concepts
    "no_concept": ("minor", "The target has no key for what this says."),
    "no_concept_at_version": ("minor", "The conventions have a key for this, but not the target that was chosen."),
    "partial_no_concept": ("minor", "Other members of the same value have a home; this one has none."),
    "user_defined": ("info", "The user's own data, such as tags or metadata: no convention can have a key for it."),
    "vendor_internal": ("minor", "Bookkeeping of the library that sent it, of no meaning outside of it."),
    "internal_id": ("info", "An id that means something only inside the process that sent it."),
    "foreign": ("none", "It belongs to no agent convention and passes as it is."),
    "derivable": ("none", "It can be worked out from what is there."),
    "not_a_provider": ("info", "It names a framework where the target asks for the provider of the model."),
    # of a choice between several claims
    "duplicate_equal": ("none", "Another source says the same."),
    "superseded": ("info", "A stronger source says the same thing and stands; this one's words are not in the result."),
    "conflict_lost": (
        "major",
        "Two sources disagree about one key; the one that is heard first stands, this one does not.",
    ),
    "ambiguous": ("minor", "It may mean this concept, and a source that surely does says something else."),
    "scope_collapsed": ("minor", "It is said of something larger or smaller than the item it is on."),
    # of values
    "enum_no_equivalent": ("minor", "The target's set of values has no member that means this."),
    "enum_collapsed": ("info", "Several values of the source are one in the target."),
    "type_coerced": ("info", "The value has another type than the target asks for."),
    "precision_lost": ("minor", "The target's type or unit cannot hold the number exactly."),
    "unit_ambiguous": ("minor", "Nothing says in which unit the number is."),
    "unparseable": ("major", "The value should be JSON or a URL and is not."),
    "unstructured": ("major", "The body is in no known shape of messages, so that it cannot be given the target's."),
    "sentinel": ("info", "The value stands for the absence of one."),
    "partial": ("minor", "The source says only a part of what the target's key holds."),
    "info_folded": ("info", "A detail is gone with the form it had: another value says it more coarsely."),
    "accounting": ("major", "The number counts something else than the target's key of that name."),
    "aggregate": (
        "info",
        "A sum or copy over items that are there themselves: as a value of its own it would count twice.",
    ),
    # of structure
    "flattened": ("minor", "Levels of a structure became one."),
    "order_unknown": ("info", "Nothing says in which order the parts stood."),
    "index_gap": ("info", "Numbers were missing between the members of a list; it was closed up."),
    "part_unrepresentable": ("major", "A part of a message fits no place in the target's shape."),
    "path_lost": ("info", "The way to a node of a graph or tree is gone."),
    # of signals
    "event_dropped": ("major", "The event or log record has no counterpart in the target."),
    "link_dropped": ("major", "A link to another span has no counterpart in the target."),
    "span_dropped": ("major", "The span has no counterpart in the target."),
    "log_unjoined": ("major", "The log record is a part of a span's messages and could not be joined to its span."),
    "metric_type_mismatch": ("major", "The metric has another instrument or unit than the target's."),
    "status_changed": ("minor", "The status is another than the source said."),
    "kind_changed": ("info", "The span's kind is another than the source said."),
    "name_changed": ("info", "The target's name does not hold all that the source's said."),
    # before it got here
    "redacted_at_source": ("none", "The sender took the content out."),
    "truncated_at_source": ("none", "The sender cut it off, or counted attributes, events or links it did not send."),
    "absent_at_source": ("none", "The sender had nothing to say under this key."),
    "sampled": ("none", "The sender left items out."),
    # of bounds
    "size_limit": ("major", "It is larger than the bound."),
    "count_limit": ("major", "There are more of them than the bound."),
    "depth_limit": ("major", "It is nested deeper than the bound."),
    "malformed": ("major", "It is not what its format says."),
}

SEVERITIES: Final = ("none", "info", "minor", "major")

REASONS: Final[Mapping[str, str]] = {name: severity for name, (severity, _) in _TABLE.items()}
"""Every reason of loss there is, and how much it matters."""

MEANINGS: Final[Mapping[str, str]] = {name: meaning for name, (_, meaning) in _TABLE.items()}
"""Every reason, and what it means in one sentence."""
