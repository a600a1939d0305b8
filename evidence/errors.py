"""Errors of this room. The type says whose fault it is: data that came in, a file of ours, or the caller.

Law: nothing in this room raises anything but `EvidenceError` on account of what it was given to read.
"""

from typing import Literal

Check = Literal["container", "manifest", "files", "events"]
"""The stages of reading a bundle, in order."""


class EvidenceError(Exception):
    """Root of every error of this room."""


class CanonicalError(EvidenceError):
    """A value has no RFC 8785 form, or bytes are not in it."""


class EventError(EvidenceError):
    """An evidence event is not what `affidavit` events are."""


class RunError(EvidenceError):
    """What is said about a run (its id, part, times, reason) cannot stand in a manifest."""


class PackError(EvidenceError):
    """A pack or the signal registry is not valid; the message names file and line."""


class PackUnavailableError(EvidenceError):
    """A bundle names a pack, registry or formula that this installation does not have: undecided, not wrong."""


class DisclosureError(EvidenceError):
    """A file of disclosures is not what it must be, or not about the bundle at hand. Never says what a body holds."""


class FormulaError(EvidenceError):
    """A formula was given something it is not defined for, or gave something that is not a finite number."""


class BundleError(EvidenceError):
    """An evidence bundle was refused at one stage of reading; what comes after that stage was not looked at."""

    check: Check
    """The stage that refused: container, manifest, files or events."""
    reason: str
    """What was expected, what was found, and where."""

    def __init__(self, check: Check, reason: str) -> None:
        super().__init__(f"{check}: {reason}")
        self.check = check
        self.reason = reason


class UnknownFormatError(BundleError):
    """A bundle of another format or version: not wrong, but not to be decided here."""
