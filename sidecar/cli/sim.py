"""`affidavit sim`: one module a verb, loaded when it is used."""

from __future__ import annotations

from sidecar.cli.lazy import lazy_group

sim = lazy_group(
    "sim",
    "Check runs again and again, under faults: reliability as evidence.",
    {
        "soak": ("sidecar.cli.soak:soak", "Check the runs of a scenario against packs, N times, under faults."),
        "profiles": ("sidecar.cli.soak:profiles", "List the ways in which things go wrong."),
    },
)
