"""The shape of protobuf messages as OTLP/JSON sees them: a table made from the descriptors.

Law: reading (`json_codec`) and writing (`to_json`) follow this one table, so that a field the protocol gains tomorrow
is carried both ways by upgrading `opentelemetry-proto`, and by no change here.

Sources: OTLP specification, "JSON Protobuf Encoding"; Protocol Buffers, "ProtoJSON Format".
https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

MESSAGE_DEPTH_MAX = 100
"""Messages nested below a request. Every protobuf parser refuses more by default, so what is deeper could be written
but never read again: the same bound holds for OTLP/JSON."""


class Kind(Enum):
    """How a field's value is written in OTLP/JSON."""

    MESSAGE = auto()
    STRING = auto()
    BOOL = auto()
    ENUM = auto()
    DOUBLE = auto()
    INT32 = auto()
    UINT32 = auto()
    INT64 = auto()
    UINT64 = auto()
    HEX = auto()
    """The bytes of a trace id or span id."""
    BASE64 = auto()
    """All other bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a message."""

    name: str
    json_name: str
    kind: Kind
    repeated: bool
    presence: bool
    """Whether "set to its default" and "not set" are different (messages, `optional`, members of a oneof)."""
    oneof: str | None
    """The oneof it belongs to; None for `optional`, which protobuf models as a oneof of one."""
    message: Descriptor | None


@cache
def fields(descriptor: Descriptor) -> tuple[Field, ...]:
    """The fields of a message, in the order of its file."""
    return tuple(_field(field) for field in descriptor.fields)


def _field(field: Any) -> Field:  # noqa: ANN401  (the stubs lag behind `is_repeated` and `has_presence`)
    oneof = field.containing_oneof
    return Field(
        name=field.name,
        json_name=field.json_name,
        kind=_kind(field),
        repeated=field.is_repeated,
        presence=field.has_presence,
        oneof=oneof.name if oneof is not None and len(oneof.fields) > 1 else None,
        message=field.message_type,
    )


def _kind(field: Any) -> Kind:  # noqa: ANN401  (as above)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return Kind.HEX if field.name in _ID_FIELDS else Kind.BASE64
    return _KINDS[field.type]


_ID_FIELDS = frozenset({"trace_id", "span_id", "parent_span_id"})

_KINDS = {
    FieldDescriptor.TYPE_MESSAGE: Kind.MESSAGE,
    FieldDescriptor.TYPE_STRING: Kind.STRING,
    FieldDescriptor.TYPE_BOOL: Kind.BOOL,
    FieldDescriptor.TYPE_ENUM: Kind.ENUM,
    FieldDescriptor.TYPE_DOUBLE: Kind.DOUBLE,
    FieldDescriptor.TYPE_INT32: Kind.INT32,
    FieldDescriptor.TYPE_SINT32: Kind.INT32,
    FieldDescriptor.TYPE_SFIXED32: Kind.INT32,
    FieldDescriptor.TYPE_UINT32: Kind.UINT32,
    FieldDescriptor.TYPE_FIXED32: Kind.UINT32,
    FieldDescriptor.TYPE_INT64: Kind.INT64,
    FieldDescriptor.TYPE_SINT64: Kind.INT64,
    FieldDescriptor.TYPE_SFIXED64: Kind.INT64,
    FieldDescriptor.TYPE_UINT64: Kind.UINT64,
    FieldDescriptor.TYPE_FIXED64: Kind.UINT64,
}
