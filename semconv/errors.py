"""What can go wrong in this room: always a table or a document that is not what it says, never telemetry content.

Translation itself is total. Errors come from reading tables (`ProfileError`), from OTLP/JSON that was not
validated at the door (`OtlpJsonError`), and from asking for a way back where there is none (`NotReversibleError`).
"""


class SemconvError(Exception):
    """Root of every error this room raises."""


class OtlpJsonError(SemconvError):
    """A document is not OTLP/JSON: the message names the place, what was expected and what was found."""


class NotReversibleError(SemconvError):
    """The original does not follow from a translated item: the message says why."""


class ProfileError(SemconvError):
    """A profile or target table cannot be used: whose, where and why.

    `line` counts from 1 and is 0 when the defect belongs to the file as a whole.
    """

    def __init__(self, file: str, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}" if line else f"{file}: {message}")
        self.file = file
        self.line = line
        self.reason = message
