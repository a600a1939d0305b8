"""`affidavit evidence`: one module a verb, loaded when it is used."""

from __future__ import annotations

from sidecar.cli.lazy import lazy_group

evidence = lazy_group(
    "evidence",
    "Read evidence bundles: check them against packs, compare, show and convert them, disclose what was withheld.",
    {
        "lint": ("sidecar.cli.evidence.lint:lint", "Check a bundle against packs: what is missing, and where."),
        "show": ("sidecar.cli.evidence.show:show", "A bundle as a readable timeline."),
        "diff": ("sidecar.cli.evidence.diff:diff", "What changed between two runs."),
        "convert": ("sidecar.cli.evidence.convert:convert", "Turn a bundle of ours into one of Assay, or back."),
        "disclose": ("sidecar.cli.evidence.disclose:disclose", "Reveal chosen bodies that were withheld."),
    },
)
