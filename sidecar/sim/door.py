"""Faults at the receiver's door while a command runs: refusals, delays, reset connections, a restart.

Law: the n-th request and the n-th connection of an iteration meet what seed, iteration and n draw. Nothing that was
acknowledged is lost by a fault: a refusal is an answer, and a reset or a restart comes before the answer or after it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence

from evidence.soak.draw import Draw
from evidence.soak.faults import Fault
from sidecar.otlp.signal import Encoding, OtlpSignal
from sidecar.receiver.admission import Admission, Answer, Journal, Refused

__all__ = ["Door", "Relay", "Weather"]

_PIECE_BYTES = 64 * 1024
_NO_LINGER = struct.pack("ii", 1, 0)  # struct linger: close with a reset


class Weather:
    """The faults of the iteration that runs."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self._draw = Draw(0, 0)
        self._requests = self._connections = 0
        self._restarted = False

    def begin(self, faults: Sequence[Fault], seed: int, iteration: int) -> None:
        """Counts requests and connections anew."""
        self._faults = {fault.kind: fault for fault in faults}
        self._draw = Draw(seed, iteration, "receiver")
        self._requests = self._connections = 0
        self._restarted = False

    def calm(self) -> None:
        """No more faults."""
        self._faults = {}

    def request(self) -> tuple[float, float | None, bool]:
        """Of the next request: seconds to wait, seconds after which to come back (None: taken), and whether the sidecar restarts."""
        self._requests += 1
        number = str(self._requests)
        delay = self._met("delay", number)
        refuse = self._met("refuse", number)
        restart = None if self._restarted else self._met("restart", number)
        self._restarted = self._restarted or restart is not None
        wait = self._draw.between(0, delay.seconds, f"delay/{number}/seconds") if delay else 0.0
        return wait, refuse.seconds if refuse else None, restart is not None

    def connection(self) -> int | None:
        """Of the next connection: the bytes from the sender after which it is reset; None for never."""
        self._connections += 1
        reset = self._met("reset", str(self._connections))
        return self._draw.below(reset.octets + 1, f"reset/{self._connections}/octets") if reset else None

    def _met(self, kind: str, number: str) -> Fault | None:
        fault = self._faults.get(kind)
        return fault if fault and self._draw.happens(fault.chance, f"{kind}/{number}") else None


class Door(Admission):
    """Admission in some weather."""

    def __init__(self, journal: Journal, weather: Weather, restart: Callable[[], Awaitable[None]]) -> None:
        super().__init__(journal)
        self._weather = weather
        self._restart = restart

    async def telemetry(self, signal: OtlpSignal, encoding: Encoding, body: bytes, *, gzip: bool = False) -> Answer:
        """Takes a request, or does not; see `Admission.telemetry`."""
        wait, come_back, restarts = self._weather.request()
        await asyncio.sleep(wait)
        if restarts:
            await self._restart()  # which ends this call: its connection goes with the server
        if come_back is not None:
            return Refused("overloaded", "a fault of the soak's profile", come_back)
        return await super().telemetry(signal, encoding, body, gzip=gzip)


class Relay:
    """A port on loopback that passes connections on to a server, which may come and go behind it."""

    def __init__(self, weather: Weather) -> None:
        self._weather = weather
        self._server: asyncio.Server | None = None
        self._held: set[asyncio.Task[None]] = set()
        self.upstream: tuple[str, int] | None = None
        """Where the server listens now; without one, connections are reset at once."""

    async def start(self) -> None:
        """Binds a free port and serves."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    @property
    def address(self) -> str:
        """HOST:PORT."""
        assert self._server is not None, "started"
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    async def stop(self) -> None:
        """Takes nothing new and resets what is open."""
        if self._server is not None:
            self._server.close()
        await self.drop()

    async def drop(self) -> None:
        """Resets every connection."""
        held = list(self._held)
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._held.add(task)
        try:
            await self._pass_on(reader, writer, self._weather.connection())
        except (OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            _reset(writer)
        finally:
            self._held.discard(task)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int | None) -> None:
        if self.upstream is None or most == 0:
            raise ConnectionResetError
        back, forth = await asyncio.open_connection(*self.upstream)
        try:
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(_pump(reader, forth, most))
                pumps.create_task(_pump(back, writer, None))
        except* OSError as errors:
            raise ConnectionResetError from errors
        finally:
            forth.transport.abort()
        with contextlib.suppress(OSError):
            writer.close()
            await writer.wait_closed()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, most: int | None) -> None:
    """Passes bytes on until their end, or until `most` of them came."""
    passed = 0
    while piece := await source.read(_PIECE_BYTES):
        passed += len(piece)
        if most is not None and passed >= most:
            raise ConnectionResetError
        sink.write(piece)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()
