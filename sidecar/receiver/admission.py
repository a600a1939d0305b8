"""From a request to its answer, the same for both transports: inflate, decode, journal, acknowledge.

Carries out OTLP, "Full Success", "Partial Success", "Failures" (https://opentelemetry.io/docs/specs/otlp/). Law: an answer that
acknowledges anything is given only after the journal's fdatasync; a body that is refused never reaches the journal. Memory
is bounded by bytes: of bodies being received, of the one large body that is decoded at a time, and of frames on their
way to the disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Literal, ParamSpec, Protocol, TypeVar

from sidecar.errors import DecodeError, JournalError, Overloaded
from sidecar.journal import FrameEncoding
from sidecar.limits import DEFAULT, KIB, Limits
from sidecar.otlp.decode import Decoded, decode
from sidecar.otlp.signal import Encoding, OtlpSignal
from sidecar.receiver.inflate import TooLargeError, inflate

__all__ = ["Accepted", "Admission", "Answer", "Held", "Journal", "Refused"]

P = ParamSpec("P")
T = TypeVar("T")

_FRAME_ENCODING = {"protobuf": FrameEncoding.PROTOBUF, "json": FrameEncoding.JSON}
_THREAD_BYTES_MIN = {"protobuf": 256 * KIB, "json": 32 * KIB, "gzip": 8 * KIB}
"""Bodies from these sizes on are decoded beside the event loop, where they would hold up everybody's acknowledgement."""


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


class Journal(Protocol):
    """What admission needs of the journal."""

    def append(self, signal: int, encoding: int, body: bytes) -> Future[int]:
        """See `JournalWriter.append`."""
        ...


class Held:
    """The bytes of one request that are in memory."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.size = 0

    def add(self, size: int) -> None:
        """Counts more of them.

        Raises:
            Overloaded: with these it would be too many, all requests together.
        """
        self._admission.reserve(size, alone=self.size)
        self.size += size


class Admission:
    """The door to the journal. Belongs to one event loop."""

    def __init__(self, journal: Journal, limits: Limits = DEFAULT) -> None:
        self._journal = journal
        self._held = 0
        self._decoder = ThreadPoolExecutor(max_workers=1, thread_name_prefix="decode")
        self.limits = limits

    @contextmanager
    def held(self) -> Iterator[Held]:
        """Counts the bytes of a request for as long as it is in memory."""
        held = Held(self)
        try:
            yield held
        finally:
            self._held -= held.size

    def reserve(self, size: int, *, alone: int) -> None:
        """See `Held.add`; a request of which `alone` bytes are held is let through when it is the only one."""
        most = self.limits.receiving_bytes_max
        if self._held > alone and self._held + size > most:
            reason = f"{self._held} bytes are being received, at most {most} may"
            raise Overloaded(reason, retry_after_seconds=self.limits.receiving_retry_seconds)
        self._held += size

    async def telemetry(self, signal: OtlpSignal, encoding: Encoding, body: bytes, *, gzip: bool = False) -> Answer:
        """Takes one OTLP request; see `Accepted` and `Refused`."""
        try:
            if len(body) >= _THREAD_BYTES_MIN["gzip" if gzip else encoding]:
                opened = await self.beside(self._open, signal, encoding, body, gzip=gzip)
            else:
                opened = self._open(signal, encoding, body, gzip=gzip)
        except TooLargeError as error:
            return Refused("too_large", str(error))
        except DecodeError as error:
            return Refused("bad_data", str(error))
        plain, decoded = opened
        if decoded.items:
            taken = await self.commit(signal, _FRAME_ENCODING[encoding], plain)
            if isinstance(taken, Refused):
                return taken
        return Accepted(decoded.rejected, decoded.error_message)

    async def beside(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Does something beside the event loop, one thing at a time: what takes long on one request, takes memory too."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._decoder, partial(work, *args, **kwargs))

    async def commit(self, signal: int, encoding: int, body: bytes) -> int | Refused:
        """Puts a body into the journal and waits until it is on disk; gives its sequence."""
        try:
            return await asyncio.wrap_future(self._journal.append(signal, encoding, body))
        except Overloaded as error:
            return Refused("overloaded", str(error), error.retry_after_seconds)
        except JournalError as error:
            return Refused("unavailable", str(error), self.limits.receiving_retry_seconds)

    def _open(self, signal: OtlpSignal, encoding: Encoding, body: bytes, *, gzip: bool) -> tuple[bytes, Decoded]:
        most = self.limits.request_bytes_max
        if len(body) > most:
            raise TooLargeError("request body", got=f"{len(body)} bytes", expected=f"at most {most}")
        plain = inflate(body, most) if gzip else body
        return plain, decode(signal, encoding, plain, self.limits)
