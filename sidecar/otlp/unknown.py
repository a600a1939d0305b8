"""Protobuf fields that this version of the protocol does not know, kept so that nothing is lost.

Law: a message is its OTLP/JSON form (`to_json`) and its unknown fields together; from the two it can be put together
again. OTLP/JSON has no place for fields without a name, so they travel beside it.

https://opentelemetry.io/docs/specs/otlp/#future-versions-and-interoperability
"""

from typing import Any

from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet


def has_unknown_fields(msg: Message) -> bool:
    """Whether there is an unknown field anywhere in the message. Ask once for a whole request: it runs inside protobuf."""
    known = type(msg)()
    known.CopyFrom(msg)
    known.DiscardUnknownFields()
    return known != msg


def unknown_fields(msg: Message) -> bytes:
    """The unknown fields of a message, each at its place.

    Returns:
        A serialized message of the same type in which every known field is cleared, except those on the way to an
        unknown one: `Span.events[2]` with an unknown field becomes two empty events and one that holds it. Empty when
        there is none.
    """
    if not has_unknown_fields(msg):
        return b""
    rest = type(msg)()
    rest.CopyFrom(msg)
    _clear_known(rest)
    return rest.SerializeToString(deterministic=True)


def _clear_known(msg: Any) -> bool:  # noqa: ANN401  (generated messages share no type that has their fields)
    """Clear what is known; says whether anything is left."""
    left = len(UnknownFieldSet(msg)) > 0
    for field, value in msg.ListFields():
        if field.message_type is None:
            msg.ClearField(field.name)
        elif field.is_repeated:
            kept = max((place for place, part in enumerate(value, 1) if _clear_known(part)), default=0)
            del value[kept:]
            left = left or kept > 0
        elif _clear_known(value):
            left = True
        else:
            msg.ClearField(field.name)
    return left
