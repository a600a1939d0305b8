"""Any OTLP message, made from its descriptor: every field may be set or not, every value its type allows may occur."""

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import strategies as st

from sidecar.otlp.signal import OtlpSignal

F = FieldDescriptor
DEPTH_MAX = 12

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
IDS = {
    "trace_id": st.one_of(st.binary(min_size=16, max_size=16), st.binary(max_size=17)),
    "span_id": st.one_of(st.binary(min_size=8, max_size=8), st.binary(max_size=9)),
    "parent_span_id": st.binary(max_size=9),
}
SCALARS = {
    F.TYPE_STRING: TEXT,
    F.TYPE_BYTES: st.binary(max_size=9),
    F.TYPE_BOOL: st.booleans(),
    F.TYPE_ENUM: st.integers(-(2**31), 2**31 - 1) | st.integers(0, 5),
    F.TYPE_DOUBLE: st.floats(allow_nan=False) | st.just(float("nan")) | st.sampled_from([0.0, -0.0, 1.0, 5e-324]),
    F.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    F.TYPE_SINT32: st.integers(-(2**31), 2**31 - 1),
    F.TYPE_UINT32: st.integers(0, 2**32 - 1),
    F.TYPE_FIXED32: st.integers(0, 2**32 - 1),
    F.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    F.TYPE_SFIXED64: st.integers(-(2**63), 2**63 - 1),
    F.TYPE_UINT64: st.integers(0, 2**64 - 1),
    F.TYPE_FIXED64: st.integers(0, 2**64 - 1),
}


def messages(message_type):
    """Messages of one type, with any of their fields."""
    return members(message_type.DESCRIPTOR).map(lambda found: message_type(**found))


@st.composite
def requests(draw):
    """(signal, request) of any of the three signals: half of them arbitrary, half with items in their place."""
    signal = draw(st.sampled_from(OtlpSignal))
    if draw(st.booleans()):
        return signal, draw(messages(signal.request))
    group = next(iter(signal.request.DESCRIPTOR.fields))
    scope = next(field for field in group.message_type.fields if field.name.startswith("scope"))
    item = scope.message_type.fields[1]
    items = {item.name: draw(st.lists(members(item.message_type, 3), min_size=1, max_size=3))}
    return signal, signal.request(**{group.name: [{scope.name: [items]}]})


@st.composite
def members(draw, descriptor: Descriptor, depth: int = 0):
    """What a message of this type is made of, by the names of its fields; of a oneof at most one."""
    fields = [field for field in descriptor.fields if field.message_type is None or depth < DEPTH_MAX]
    some = min(draw(st.sampled_from([0, 2, 5])), len(set(map(_choice, fields))))
    chosen = draw(st.lists(st.sampled_from(fields), unique_by=_choice, min_size=some, max_size=some)) if some else []
    return {field.name: draw(_value(field, depth)) for field in chosen}


def _choice(field):
    return field.containing_oneof.full_name if field.containing_oneof else field.name


def _value(field, depth):
    if field.message_type is not None:
        one = members(field.message_type, depth + 1)
    elif field.name in IDS:
        one = IDS[field.name]
    else:
        one = SCALARS[field.type]
    return st.lists(one, min_size=1, max_size=2) if field.is_repeated else one
