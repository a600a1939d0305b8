"""What a profile can have wrong: the codes there are, and how much each matters.

Law: a code is stable. One whose meaning changes gets another name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ERROR: Final = "error"
"""The profile is refused at start, or something in it can never do what it says."""
WARNING: Final = "warning"
"""It does what it says, which is probably not what is meant."""

CODES: Final[Mapping[str, tuple[str, str]]] = {
    # The file
    "too-large": (ERROR, "The file is larger than any profile that is read."),
    "not-yaml": (ERROR, "The file cannot be read as YAML from here on."),
    "too-deep": (ERROR, "Lists and mappings are nested deeper than any profile's."),
    "alias": (ERROR, "An alias, which multiplies what it stands for."),
    "tag": (ERROR, "A tag, which makes something else than text, numbers, lists and mappings."),
    "key-no-text": (ERROR, "A key that is a list or a mapping."),
    "key-twice": (ERROR, "A key that its mapping has already."),
    # Its place among the others
    "id-twice": (ERROR, "Two files have the same id."),
    "shadows-builtin": (ERROR, "The id is a built-in profile's, and nothing says that this is meant."),
    "overrides-nothing": (ERROR, "`override` without a built-in profile of the same id."),
    "unknown-base": (ERROR, "`extends` names no profile."),
    "base-unusable": (ERROR, "`extends` names a profile that cannot be used itself."),
    "extends-cycle": (ERROR, "Following `extends` leads back to where it began."),
    # Its words
    "wrong-value": (ERROR, "A word does not take this value."),
    "unknown-word": (ERROR, "A word no table has here."),
    "missing-word": (ERROR, "A word that every table has here is missing."),
    "unknown-value": (ERROR, "A value outside the closed set that its word takes."),
    "unknown-concept": (ERROR, "A concept the target neither has nor declares absent."),
    "unknown-operation": (ERROR, "An operation there is not."),
    "unknown-enum": (ERROR, "An enum that neither the table nor the shared ones have."),
    "too-many-defects": (ERROR, "The rest of the file was not looked at."),
    # Its rows
    "malformed-key": (ERROR, "Holes stand for whole segments; this one is read as the text it is written in."),
    "never-holds": (ERROR, "A condition no item can meet."),
    "row-twice": (ERROR, "An earlier row for the same source under the same condition takes all that this one would."),
    "unreachable-row": (ERROR, "Earlier rows take whatever would get here."),
    "irreversible-without-reason": (ERROR, "An operation leaves something out and the row does not say what becomes of it."),
    "wrong-type": (ERROR, "A value the target's type for the concept cannot hold."),
    "not-well-known": (WARNING, "The target's set of values is open, and this is none of its own."),
    "unknown-operation-name": (WARNING, "A condition asks for an operation the target does not know."),
    "unused-enum": (WARNING, "No row looks anything up in it."),
    # How it is recognised
    "undetectable": (ERROR, "All marks together do not reach the threshold: the profile never matches."),
    "detects-everything": (ERROR, "The profile matches whatever comes, or nearly."),
    "detects-by-shared-keys": (WARNING, "Keys that many conventions write are enough to make it match."),
    "mark-never-matches": (ERROR, "No name is ever as the mark asks."),
    "swallows-registry": (ERROR, "The namespace holds one of the registry's: what others write there would count as unknown."),
}  # fmt: skip
"""Every code, with its severity and what it means."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One thing in one file. Line and column count from 1; line 0 is the file as a whole."""

    file: str
    line: int
    column: int
    code: str
    message: str

    @property
    def severity(self) -> str:
        """How much it matters."""
        return CODES[self.code][0]


@dataclass(frozen=True, slots=True)
class Remark:
    """A finding by its path in the table, before its place in the file is known."""

    path: tuple[str | int, ...]
    code: str
    message: str
