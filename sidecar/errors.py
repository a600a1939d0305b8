"""The errors of the sidecar; the type says whose fault it is.

Law: every error raised on purpose by this room is a `SidecarError`, and its message names the thing, what was got,
what was expected and where. No message holds a secret.
"""


class SidecarError(Exception):
    """The root of everything this room raises on purpose."""


class ConfigError(SidecarError):
    """The operator's fault: a setting that cannot be used. Names the key and what it takes."""


class DecodeError(SidecarError):
    """The sender's fault: bytes that are not what they claim to be."""


class JournalError(SidecarError):
    """The disk's fault: the journal cannot be written or read."""


class ExportError(SidecarError):
    """The backend's fault: telemetry that it did not take."""


class Overloaded(SidecarError):  # noqa: N818  (a state to wait out, not a mistake to fix)
    """Nobody's fault: a bound is reached. The sender is asked to come back after `retry_after_seconds`."""

    def __init__(self, reason: str, *, retry_after_seconds: float = 1.0) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds
