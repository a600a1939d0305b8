"""Views from flat messages against views from OTLP/JSON."""

from hypothesis import given

from semconv import otlp_json
from sidecar.otlp import flat, to_json, view
from sidecar.otlp.signal import OtlpSignal
from tests.sidecar.otlp.corpus import FILES, request_of, signal_of
from tests.sidecar.otlp.strategies import requests

WAYS = {
    OtlpSignal.TRACES: (view.span, otlp_json.span_view),
    OtlpSignal.LOGS: (view.log, otlp_json.log_view),
    OtlpSignal.METRICS: (view.metric, otlp_json.metric_view),
}


def assert_equal_views(signal, request):
    straight, by_json = WAYS[signal]
    twins = signal.groups(flat.parse(signal, request.SerializeToString()))
    for (group, scope, items), (flat_group, flat_scope, flat_items) in zip(signal.groups(request), twins, strict=True):
        around = view.surroundings(flat_group.resource, flat_scope.scope)
        around_json = otlp_json.surroundings(to_json.resource(group.resource), to_json.scope(scope.scope))
        for item, twin in zip(items, flat_items, strict=True):
            expected = by_json(to_json.message(item), around_json)
            # by text: two NaN are not equal, and 1 == 1.0 == True
            assert repr(expected) == repr(straight(twin, around))


@given(requests())
def test_a_view_from_protobuf_equals_the_view_from_json(signal_and_request):
    assert_equal_views(*signal_and_request)


def test_every_recorded_item_has_the_same_view_from_protobuf_as_from_json():
    for path in FILES:
        assert_equal_views(signal_of(path), request_of(path))
