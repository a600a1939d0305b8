"""What comes in over gRPC, before any handler sees it.

gRPC's own inflating is switched off (`grpc.per_message_decompression`): not every version of it that we take bounds what comes out
(OTLP checklist, item 6), and isal is three times as fast. So every method gets bytes, compressed or not. No protobuf message
begins like gzip does, so the two cannot be mixed up; other codings are refused by gRPC itself as UNIMPLEMENTED.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError as WireError

from sidecar.errors import DecodeError, Overloaded
from sidecar.receiver.admission import Admission, Held, Refused
from sidecar.receiver.inflate import GZIP_MAGIC, TooLargeError, inflate
from sidecar.receiver.status import Context, abort

__all__ = ["OPTIONS", "Busy", "InboundServices", "compressed"]

_IDENTITY_AND_GZIP = 0b101
OPTIONS = (
    ("grpc.per_message_decompression", 0),
    ("grpc.compression_enabled_algorithms_bitset", _IDENTITY_AND_GZIP),
)
"""Options of a server whose handlers are all made for compressed bytes."""


def compressed(body: bytes) -> bool:
    """Whether a message as it came is gzip."""
    return body.startswith(GZIP_MAGIC)


class Busy:
    """The calls that are being served: a context manager around each, and a way to wait until there is none."""

    def __init__(self) -> None:
        self._calls = 0
        self._none = asyncio.Event()
        self._none.set()

    def __enter__(self) -> None:
        self._calls += 1
        self._none.clear()

    def __exit__(self, *_: object) -> None:
        self._calls -= 1
        if not self._calls:
            self._none.set()

    async def ended(self) -> None:
        """Waits until no call is being served."""
        await self._none.wait()


class InboundServices:
    """Stands in for the server in generated `add_*_to_server` functions: its handlers inflate and decode by themselves.

    What cannot be decoded is INVALID_ARGUMENT, and RESOURCE_EXHAUSTED above the bound; gRPC would call both UNKNOWN. `busy` knows of
    every call.
    """

    def __init__(self, server: grpc.aio.Server, admission: Admission, busy: Busy) -> None:
        self._server = server
        self._admission = admission
        self._busy = busy

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """Takes nothing: what is added here comes again by name."""

    def add_registered_method_handlers(self, service: str, handlers: dict[str, Any]) -> None:
        """Adds a service."""
        inbound = {name: self._inbound(handler) for name, handler in handlers.items()}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, inbound),))

    def _inbound(self, handler: Any) -> Any:  # noqa: ANN401 - grpc's handlers have no type
        decode = handler.request_deserializer
        if handler.request_streaming:
            return handler._replace(request_deserializer=lambda body: decode(self._plain(body)))
        if handler.response_streaming:
            method = self._stream(handler.unary_stream, decode)
            return handler._replace(request_deserializer=None, unary_stream=method)
        return handler._replace(request_deserializer=None, unary_unary=self._unary(handler.unary_unary, decode))

    def _unary(self, method: Callable[..., Awaitable[Any]], decode: Callable[[bytes], Any]) -> Any:  # noqa: ANN401 - see above
        async def call(body: bytes, context: Context) -> Any:  # noqa: ANN401 - see above
            with self._busy, self._admission.held() as held:
                return await method(await self._message(body, decode, held, context), context)

        return call

    def _stream(self, method: Callable[..., Any], decode: Callable[[bytes], Any]) -> Any:  # noqa: ANN401 - see above
        if not inspect.isasyncgenfunction(method):
            return self._unary(method, decode)

        async def call(body: bytes, context: Context) -> Any:  # noqa: ANN401 - see above
            with self._busy, self._admission.held() as held:
                async for answer in method(await self._message(body, decode, held, context), context):
                    yield answer

        return call

    async def _message(self, body: bytes, decode: Callable[[bytes], Any], held: Held, context: Context) -> Any:  # noqa: ANN401 - see above
        try:
            held.add(len(body))
            return decode(self._plain(body))
        except Overloaded as error:
            return await abort(context, Refused("overloaded", str(error), error.retry_after_seconds))
        except TooLargeError as error:
            return await abort(context, Refused("too_large", str(error)))
        except (DecodeError, WireError) as error:
            return await abort(context, Refused("bad_data", f"request: {error}"))

    def _plain(self, body: bytes) -> bytes:
        return inflate(body, self._admission.limits.request_bytes_max) if compressed(body) else body
