"""OTLP requests with their attributes left in wire form: the same messages, but each list of KeyValue is a list of bytes.

Law: for every request, `parse(signal, body)` serializes to an equal message, and each attribute that was not touched leaves as the very bytes
it came in. What is inside an attribute is not looked at here; `sidecar.otlp.pair` reads and writes it.

Why: a field of embedded messages and a field of bytes are the same on the wire. Read as bytes, a list of attributes is one call of
protobuf's; read as messages it is four and two new objects for every attribute, which costs more than translating them.

https://protobuf.dev/programming-guides/encoding/#submessages
"""

from collections.abc import Iterable
from functools import cache
from typing import Any, TypeAlias

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError as WireError
from google.protobuf.message_factory import GetMessageClass
from opentelemetry.proto.common.v1.common_pb2 import KeyValue, KeyValueList

from sidecar.errors import DecodeError
from sidecar.otlp.signal import OtlpSignal

Flat: TypeAlias = Any
"""A message of such a request: a span, a resource, a data point. They share no type that has their fields."""

_KEY_VALUE = f".{KeyValue.DESCRIPTOR.full_name}"


def parse(signal: OtlpSignal, body: bytes) -> Flat:
    """Read one export request in protobuf. Its attributes are not checked.

    Raises:
        DecodeError: it is not such a request.
    """
    try:
        return _request(signal).FromString(body)
    except WireError as error:
        name = signal.request.DESCRIPTOR.name
        raise DecodeError(name, got=f"{len(body)} bytes that are not this message ({error})") from error


@cache
def _request(signal: OtlpSignal) -> Any:  # noqa: ANN401  (a class made at run time)
    """The class of a signal's requests, in a pool where attributes are bytes."""
    pool = DescriptorPool()
    descriptor = signal.request.DESCRIPTOR
    for file in dict.fromkeys(_with_imports(descriptor.file)):
        copy = descriptor_pb2.FileDescriptorProto()
        file.CopyToProto(copy)
        _flatten(copy.message_type)
        pool.Add(copy)
    return GetMessageClass(pool.FindMessageTypeByName(descriptor.full_name))


def _with_imports(file: Any) -> Iterable[Any]:  # noqa: ANN401  (the stubs have two kinds of file descriptor)
    """A file after those it imports."""
    for imported in file.dependencies:
        yield from _with_imports(imported)
    yield file


def _flatten(messages: Iterable[descriptor_pb2.DescriptorProto]) -> None:
    """Turns attribute lists into lists of bytes; the list inside an AnyValue stays, as values are read by message there."""
    for message in messages:
        _flatten(message.nested_type)
        for field in message.field:
            if field.type_name == _KEY_VALUE and message.name != KeyValueList.DESCRIPTOR.name:
                field.ClearField("type_name")
                field.type = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES
