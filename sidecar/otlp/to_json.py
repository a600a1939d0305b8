"""Protobuf messages to OTLP/JSON objects, fast and without loss; flat ones (`sidecar.otlp.flat`) as well as others.

Law: `json_codec` reads what is written here back to an equal message; only unknown protobuf fields have no JSON form
(see `unknown`). Ids are lower-case hex, 64-bit integers decimal strings, enums integers, NaN and the infinities
strings, and so is a negative zero, which canonical JSON (RFC 8785) would write as 0. Defaults are omitted where
protobuf omits them, so an AnyValue that is set and empty is `{}`, not absent.

Every span becomes evidence through here, and its attributes are nine tenths of it: they have a path of their own.
Everything else follows the table in `shape`.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

import base64
import math
from collections.abc import Callable, Iterable
from functools import cache, lru_cache, partial
from operator import attrgetter
from typing import Any, TypeAlias

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sidecar.otlp import pair
from sidecar.otlp.shape import Field, Kind, fields

JsonObject: TypeAlias = dict[str, Any]
"""An OTLP/JSON object."""

_Write: TypeAlias = Callable[[Any], Any]


def message(msg: Message) -> JsonObject:
    """Any OTLP message: a whole request or response as well as a part of one."""
    return _writer(msg.DESCRIPTOR)(msg)  # type: ignore[no-any-return]  # a writer of messages gives objects


def span(msg: Span) -> JsonObject:
    """A Span."""
    return message(msg)


def log(msg: LogRecord) -> JsonObject:
    """A LogRecord."""
    return message(msg)


def metric(msg: Metric) -> JsonObject:
    """A Metric with all its data points."""
    return message(msg)


def resource(msg: Resource) -> JsonObject:
    """A Resource."""
    return message(msg)


def scope(msg: InstrumentationScope) -> JsonObject:
    """An InstrumentationScope."""
    return message(msg)


def any_value(msg: AnyValue) -> JsonObject:
    """An AnyValue; `{}` when it holds nothing."""
    name = msg.WhichOneof("value")
    if name is None:
        return {}
    key, convert = _ANY_VALUE[name]
    value = getattr(msg, name)
    return {key: convert(value) if convert else value}


def _key_values(pairs: Iterable[KeyValue]) -> list[JsonObject]:
    """Attributes. What costs is reading a field through protobuf, so the commonest value is asked for first."""
    out: list[JsonObject] = []
    for each in pairs:
        key, value = each.key, each.value
        text = value.string_value
        form = {"stringValue": text} if text else any_value(value)
        if key and form and not each.key_strindex:
            out.append({"key": key, "value": form})
        else:
            out.append(message(each))
    return out


def _flat_key_values(pairs: Iterable[bytes]) -> list[JsonObject]:
    """Attributes in wire form. Objects of short ones are shared: what most spans say, the one before said as well."""
    return [_frequent(raw) if len(raw) <= pair.KNOWN_BYTES_MAX else _key_value(raw) for raw in pairs]


def _key_value(raw: bytes) -> JsonObject:
    if text := pair.text(raw):
        return {"key": text[0], "value": {"stringValue": text[1]}}
    return message(KeyValue.FromString(raw))


_frequent = lru_cache(maxsize=pair.KNOWN_MAX)(_key_value)


@cache
def _writer(descriptor: Descriptor) -> _Write:
    """The function from a message of this type to its OTLP/JSON object. Its loops are plain because they are hot."""
    table = fields(descriptor)
    rows = {row.name: (row.json_name, _of_field(row)) for row in table}
    doubles = [row.name for row in table if row.kind is Kind.DOUBLE and not row.presence and not row.repeated]
    bare = [row.name for row in table if not row.presence and row.name not in doubles]
    optional = [(row.name, *rows[row.name]) for row in table if row.presence and not row.oneof]
    oneofs = tuple({row.oneof for row in table if row.oneof})
    read_bare, bare_rows = _reader(bare), [rows[name] for name in bare]

    def write(msg: Any) -> JsonObject:  # noqa: ANN401  (generated messages share no type that has their fields)
        out: JsonObject = {}
        for (key, convert), value in zip(bare_rows, read_bare(msg)):  # noqa: B905  (made of equal length)
            if value:
                out[key] = convert(value) if convert else value
        for name, key, convert in optional:
            if msg.HasField(name):
                out[key] = convert(getattr(msg, name)) if convert else getattr(msg, name)
        for name in doubles:
            if _is_written(getattr(msg, name)):
                out[rows[name][0]] = _double(getattr(msg, name))
        for oneof in oneofs:
            chosen = msg.WhichOneof(oneof)
            if chosen:
                key, convert = rows[chosen]
                out[key] = convert(getattr(msg, chosen)) if convert else getattr(msg, chosen)
        return out

    return write


def _reader(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """One call that reads all these fields of a message."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda msg: tuple([getattr(msg, name) for name in names])


def _of_field(field: Field) -> _Write | None:
    """What turns the value of a field into its JSON form; None when the two are the same."""
    if field.kind is Kind.BASE64 and field.repeated:
        return _flat_key_values  # OTLP has no lists of bytes: these are attributes in wire form
    if field.message is None:
        convert = _WRITE[field.kind]
    elif field.message.full_name == AnyValue.DESCRIPTOR.full_name:
        convert = any_value
    elif field.message.full_name == KeyValue.DESCRIPTOR.full_name and field.repeated:
        return _key_values
    else:
        convert = message
    if not field.repeated:
        return convert
    return partial(_each, convert) if convert else list


def _each(convert: _Write, values: Iterable[Any]) -> list[Any]:
    return [convert(value) for value in values]


def _double(value: float) -> float | str:
    """A double as JSON; an integral one as an integer, which is how canonical JSON spells it, so that it is so at once."""
    if value.is_integer() and abs(value) < _INTEGER_END:
        return int(value) if value or math.copysign(1.0, value) > 0 else "-0"
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _is_written(value: float) -> bool:
    """Whether protobuf writes this double where zero is the default; to Python, -0.0 is zero, too."""
    return value != 0 or math.copysign(1.0, value) < 0


_INTEGER_END = 2**53

_WRITE: dict[Kind, _Write | None] = {
    Kind.STRING: None,
    Kind.BOOL: None,
    Kind.ENUM: None,
    Kind.INT32: None,
    Kind.UINT32: None,
    Kind.INT64: str,
    Kind.UINT64: str,
    Kind.DOUBLE: _double,
    Kind.HEX: bytes.hex,
    Kind.BASE64: _base64,
}

_ANY_VALUE = {field.name: (field.json_name, _of_field(field)) for field in fields(AnyValue.DESCRIPTOR)}
