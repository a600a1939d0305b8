"""What a conformance check finds: the codes there are, how much each matters, and what to do about it.

Law: a code is stable. One whose meaning changes gets another name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

VIOLATION: Final = "violation"
"""The conventions ask for something else."""
ABSENT: Final = "absent-at-source"
"""What is missing could not be translated: the source never said it."""
ADVICE: Final = "advice"
"""It is allowed, and worth a look."""

SEVERITIES: Final = (VIOLATION, ABSENT, ADVICE)

CODES: Final[Mapping[str, tuple[str, str]]] = {
    "missing-required": (VIOLATION, "Set the attribute: every item of this type has it."),
    "missing-conditional": (VIOLATION, "Set the attribute: the condition under which it is required is met."),
    "not-said": (ADVICE, "Set the attribute if it is known: the name of the span is made of it."),
    "no-operation": (ADVICE, "Set gen_ai.operation.name: without it nobody knows what the span is."),
    "duplicate-key": (VIOLATION, "Set the attribute once: readers disagree on which of two they take."),
    "wrong-type": (VIOLATION, "Set the attribute with the type the registry gives it."),
    "misspelt-value": (VIOLATION, "Use the well-known value as it is spelt; backends compare it byte for byte."),
    "custom-value": (ADVICE, "Allowed where no well-known value fits. Make sure that none does."),
    "framework-as-provider": (VIOLATION, "Name the provider of the model; the scope names the framework."),
    "deprecated-attribute": (VIOLATION, "Set what has taken its place."),
    "deprecated-event": (VIOLATION, "Put the content into the attributes that have taken its place."),
    "deprecated-metric": (VIOLATION, "Record the metric that has taken its place."),
    "unknown-attribute": (ADVICE, "Move it to a namespace of your own: this one belongs to the conventions."),
    "unknown-event": (ADVICE, "Move it to a namespace of your own: this one belongs to the conventions."),
    "unknown-metric": (ADVICE, "Move it to a namespace of your own: this one belongs to the conventions."),
    "wrong-kind": (VIOLATION, "Start the span with the kind its type has."),
    "wrong-name": (VIOLATION, "Name the span by the template of its type; other words may follow."),
    "error-without-status": (ADVICE, "Set the span's status to ERROR when the operation failed."),
    "not-json": (VIOLATION, "Write the structure as a JSON text of at most 24 levels."),
    "text-for-structure": (VIOLATION, "On events the attribute is structured: an array of maps, not the JSON of one."),
    "wrong-structure": (VIOLATION, "Give the value the structure that readers parse."),
    "missing-member": (VIOLATION, "Write the member: parts and messages of this kind have it."),
    "unusual-structure": (ADVICE, "Prefer an object; readers may take anything else for text."),
    "not-base64": (VIOLATION, "Encode the bytes in standard base64."),
    "orphan-tool-response": (ADVICE, "Give the response the id of the call it answers."),
    "inconsistent-count": (ADVICE, "Check what the numbers include: a share is at most the whole."),
    "wrong-instrument": (VIOLATION, "Record the metric with the instrument of its definition."),
    "wrong-unit": (VIOLATION, "Record the metric in the unit of its definition."),
    "other-annotation": (ADVICE, "Annotate the unit as its definition does; the numbers mean the same."),
}
"""Every code, with its severity and what to do about it."""

_SHOWN_MAX: Final = 96


class Finding(NamedTuple):
    """One departure from the conventions.

    A path is an attribute's key; `key#/0/parts/1` is a place in the structure it holds; `@name`, `@kind`, `@unit`,
    `@instrument`, `@duplicates`, `@events/<name>/<key>` and `@points/<index>/<key>` are what is no attribute of the item.
    """

    code: str
    severity: str
    path: str
    got: str
    expected: str
    source: str
    """Target and section that ask for it."""


def shown(text: str) -> str:
    """A text short enough for a message."""
    return text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 1] + "…"


Claimed = Callable[[str], bool]
"""Of a translated item: whether its source said anything that leads to a key of the target."""


@dataclass(slots=True)
class Findings:
    """The findings of one item, each once, in the order they were made."""

    source: str
    """The target they are held against."""
    claimed: Claimed | None = None
    found: dict[Finding, None] = field(default_factory=dict)

    def add(self, code: str, path: str, got: str, expected: str, *, section: str = "", severity: str = "") -> None:
        """One finding; the severity is that of its code unless another is given."""
        where = f"{self.source}, {section}" if section else self.source
        self.found[Finding(code, severity or CODES[code][0], path, shown(got), shown(expected), where)] = None

    def missing(self, code: str, path: str, key: str, expected: str, section: str) -> None:
        """An attribute that should be there: whose doing it is depends on whether the source has said it."""
        self.add(code, path, "nothing", expected, section=section, severity=ABSENT if self.is_absent(key) else "")

    def is_absent(self, key: str) -> bool:
        """Whether the item was translated from a source that says nothing of a key."""
        return self.claimed is not None and not self.claimed(key)
