"""From a request to its answer, the same for both transports: decode, journal, acknowledge.

Carries out OTLP, "Full Success", "Partial Success", "Failures" (https://opentelemetry.io/docs/specs/otlp/). Law: an answer that
acknowledges anything is given only after the journal's fdatasync; a body that is refused never reaches the journal.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from sidecar.errors import DecodeError, JournalError, Overloaded
from sidecar.journal import FrameEncoding, JournalWriter
from sidecar.limits import DEFAULT, Limits
from sidecar.otlp.decode import decode
from sidecar.otlp.signal import Encoding, OtlpSignal

__all__ = ["Accepted", "Admission", "Answer", "Refused"]

_THREAD_BYTES_MIN = 256 * 1024
"""Bodies from this size on are decoded beside the event loop: parsing them would hold up everybody's acknowledgement."""
_FRAME_ENCODING = {"protobuf": FrameEncoding.PROTOBUF, "json": FrameEncoding.JSON}


@dataclass(frozen=True, slots=True)
class Accepted:
    """On disk, wholly or in part."""

    rejected: int = 0
    error_message: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """Not taken. `bad_data` and `too_large` are final, `overloaded` and `unavailable` may be tried again."""

    kind: Literal["bad_data", "too_large", "overloaded", "unavailable"]
    reason: str
    retry_after_seconds: float = 0.0


Answer = Accepted | Refused


class Admission:
    """The door to the journal."""

    def __init__(self, journal: JournalWriter, limits: Limits = DEFAULT) -> None:
        self._journal = journal
        self.limits = limits

    async def telemetry(self, signal: OtlpSignal, encoding: Encoding, body: bytes) -> Answer:
        """Takes one OTLP request; see `Accepted` and `Refused`."""
        try:
            if len(body) >= _THREAD_BYTES_MIN or encoding == "json":
                decoded = await asyncio.to_thread(decode, signal, encoding, body, self.limits)
            else:
                decoded = decode(signal, encoding, body, self.limits)
        except DecodeError as error:
            return Refused("too_large" if len(body) > self.limits.request_bytes_max else "bad_data", str(error))
        if decoded.accepted == 0:
            return Accepted(decoded.rejected, decoded.error_message)  # nothing to keep
        taken = await self.commit(signal, _FRAME_ENCODING[encoding], body)
        return taken if isinstance(taken, Refused) else Accepted(decoded.rejected, decoded.error_message)

    async def commit(self, signal: int, encoding: int, body: bytes) -> int | Refused:
        """Puts a body into the journal and waits until it is on disk; gives its sequence."""
        try:
            return await asyncio.wrap_future(self._journal.append(signal, encoding, body))
        except Overloaded as error:
            return Refused("overloaded", str(error), error.retry_after_seconds)
        except JournalError as error:
            return Refused("unavailable", str(error), 1.0)
