"""Translations carried out on flat messages against the same on OTLP/JSON."""

import orjson
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from semconv.apply import apply_json, apply_log_json, apply_metric_json
from semconv.translate import Translator
from semconv.translation import Loss, PointTranslation, Tally, Translation
from sidecar.otlp import flat, to_json, view
from sidecar.otlp.apply import apply
from sidecar.otlp.signal import OtlpSignal
from tests.sidecar.otlp.corpus import FILES, request_of, signal_of, some_or_all
from tests.sidecar.otlp.strategies import messages

TWINS = {Span: apply_json, LogRecord: apply_log_json, Metric: apply_metric_json}
SIGNALS = {Span: OtlpSignal.TRACES, LogRecord: OtlpSignal.LOGS, Metric: OtlpSignal.METRICS}
UNKNOWN = b"\xfa\x3e\x01x"

KEYS = st.sampled_from("abcde")
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
    | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2),
    max_leaves=4,
)
NEW = st.dictionaries(KEYS, VALUES, max_size=3)
GONE = st.lists(KEYS, unique=True, max_size=3).map(tuple)


@st.composite
def items_with_translations(draw):
    """An item with attributes under few keys, so that the translation's keys meet them, and duplicates occur."""
    item = draw(st.one_of(messages(Span), messages(LogRecord), messages(Metric)))
    points = []
    if isinstance(item, Metric):
        kind = item.WhichOneof("data")
        points = getattr(item, kind).data_points if kind else []
    for owner in points if isinstance(item, Metric) else [item]:
        for key in draw(st.lists(KEYS, max_size=5)):
            owner.attributes.add(key=key, value={"string_value": "before"})
    translation = Translation(
        tally=Tally(),
        name=draw(st.sampled_from([None, "renamed"])),
        kind=draw(st.sampled_from([None, 3])) if isinstance(item, Span) else None,
        events_removed=tuple(place for place in range(len(getattr(item, "events", ()))) if draw(st.booleans())),
        loss=tuple(Loss(key, "no_target") for key in draw(GONE)),
    )
    if isinstance(item, Metric):
        changed = [place for place in range(len(points)) if draw(st.booleans())]
        translation.points = tuple(PointTranslation(place, draw(NEW), draw(GONE)) for place in changed)
        if not points:
            translation.loss = ()
        translation.unit = draw(st.sampled_from([None, "s"]))
        if translation.unit and item.WhichOneof("data") in ("gauge", "sum", "histogram"):
            translation.scale = draw(st.sampled_from([None, (1, 1000), (60, 1)]))
    elif isinstance(item, LogRecord):
        translation.attributes, translation.removed = draw(NEW), draw(GONE)
        translation.event_name = draw(st.sampled_from([None, "renamed"]))
        translation.body_removed = draw(st.booleans())
    else:
        translation.attributes, translation.removed = draw(NEW), draw(GONE)
    return item, translation


def applied(item, translation, **how):
    """The item after a translation was carried out on its flat twin."""
    signal = SIGNALS[type(item)]
    request = signal.request()
    group = getattr(request, request.DESCRIPTOR.fields[0].name).add()
    scope = getattr(
        group, next(field.name for field in group.DESCRIPTOR.fields if field.name.startswith("scope"))
    ).add()
    getattr(scope, scope.DESCRIPTOR.fields[1].name).append(item)
    twin = flat.parse(signal, request.SerializeToString())
    ((_, _, (only,)),) = signal.groups(twin)
    apply(only, translation, **how)
    ((_, _, (changed,)),) = signal.groups(signal.request.FromString(twin.SerializeToString()))
    return changed


def written(message: dict) -> bytes:
    """As JSON text: 1 is not true there, and the order of members says nothing."""
    return orjson.dumps(message, option=orjson.OPT_SORT_KEYS)


@given(items_with_translations(), st.booleans())
def test_a_translation_on_protobuf_is_the_translation_on_json(item_and_translation, keep_unmapped):
    """to_json(apply(item)) == semconv.apply(to_json(item))."""
    item, translation = item_and_translation
    expected = TWINS[type(item)](to_json.message(item), translation, keep_unmapped=keep_unmapped)
    changed = applied(item, translation, keep_unmapped=keep_unmapped)
    assert written(expected) == written(to_json.message(changed))


@some_or_all
def test_recorded_items_are_translated_alike_on_protobuf_and_on_json(files):
    translator = Translator.load()
    ways = {
        Span: (view.span, translator.span),
        LogRecord: (view.log, translator.log),
        Metric: (view.metric, translator.metric),
    }
    changed = 0
    for path in files:
        signal, request = signal_of(path), request_of(path)
        twin = flat.parse(signal, request.SerializeToString())
        expected = []
        for (_, _, items), (group, scope, twins) in zip(signal.groups(request), signal.groups(twin), strict=True):
            around = view.surroundings(group.resource, scope.scope)
            for item, other in zip(items, twins, strict=True):
                see, translate = ways[type(item)]
                translation = translate(see(other, around))
                expected.append(TWINS[type(item)](to_json.message(item), translation))
                apply(other, translation)
                changed += translation.changed
        made = signal.request.FromString(twin.SerializeToString())
        assert expected == [to_json.message(item) for _, _, items in signal.groups(made) for item in items], path
    assert changed > 500


def test_otlp_30_what_a_translation_does_not_name_stays_byte_for_byte_with_its_unknown_fields():
    span = Span(
        name="before",
        attributes=[{"key": "kept", "value": {"int_value": 0}}, {"key": "gone"}, {"key": "new"}],
        events=[Span.Event(name="gone"), Span.Event(name="kept")],
        links=[Span.Link(trace_id=b"\x01")],
    )
    for part in (span, *span.attributes, span.attributes[0].value, *span.events, *span.links):
        part.MergeFromString(UNKNOWN)
    expected = Span.FromString(span.SerializeToString())
    translation = Translation(
        tally=Tally(), name="after", attributes={"new": "v"}, removed=("gone",), events_removed=(0,)
    )
    changed = applied(span, translation)
    expected.name = "after"
    del expected.attributes[1]
    expected.attributes[1].value.string_value = "v"
    del expected.events[0]
    assert expected.SerializeToString() == changed.SerializeToString()


def test_of_a_key_given_twice_the_last_place_gets_the_new_value():
    span = Span(attributes=[{"key": key, "value": {"string_value": "old"}} for key in "abab"])
    changed = applied(span, Translation(tally=Tally(), attributes={"a": 1, "c": None}))
    assert to_json.span(changed)["attributes"] == [
        {"key": "b", "value": {"stringValue": "old"}},
        {"key": "a", "value": {"intValue": "1"}},
        {"key": "b", "value": {"stringValue": "old"}},
        {"key": "c", "value": {}},
    ]


def test_an_item_that_does_not_change_is_the_same_bytes():
    for path in FILES[::40]:
        signal = signal_of(path)
        before = request_of(path).SerializeToString()
        request = flat.parse(signal, before)
        for _, _, items in signal.groups(request):
            for item in items:
                apply(item, Translation(tally=Tally()))
        assert before == request.SerializeToString()
