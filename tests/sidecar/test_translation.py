"""Frames translated: for the recorder item by item, for exporters as bytes."""

from collections import Counter

import pytest

from semconv.translate import Translator
from sidecar.journal import Frame
from sidecar.otlp import json_codec
from sidecar.otlp.signal import OtlpSignal
from sidecar.translation import FrameTranslator
from tests.benchmarks import made
from tests.sidecar.otlp.corpus import FILES, request_of, signal_of

TRACES = OtlpSignal.TRACES
PROTOBUF, JSON = 0, 1


@pytest.fixture(scope="module")
def translator():
    return Translator.load()


@pytest.fixture
def translate(translator):
    return FrameTranslator(translator)


def frame(body, *, sequence=0, signal=TRACES, encoding=PROTOBUF):
    return Frame(sequence, 1, signal, encoding, body)


def spans(make, count, *, scope="opentelemetry.instrumentation.openai.v1", name="openai.chat"):
    return made.body([make(number) for number in range(count)], name=name, scope=scope, kind=3)


@pytest.mark.parametrize("make", [made.http, made.current], ids=["nothing_of_ours", "current"])
def test_a_batch_in_which_nothing_changes_passes_as_the_very_bytes_that_came(translate, make):
    body = spans(make, 3, scope="app", name="chat gpt-4o")
    out, items = translate.exported(frame(body), keep_unmapped=True)
    assert out is body
    assert items == 3


def test_recorded_requests_in_which_nothing_changes_pass_as_the_very_bytes_that_came(translate):
    passed = 0
    for path in FILES:
        signal, body = signal_of(path), path.read_bytes()
        changed = any(item.translation.changed for item in translate(frame(body, signal=signal)))
        out, _ = translate.exported(frame(body, signal=signal), keep_unmapped=True)
        assert (out is body) == (not changed), path
        passed += out is body
    assert passed > 50


def test_a_request_in_json_leaves_in_protobuf_and_says_the_same(translate):
    body = spans(made.openllmetry, 3)
    text = json_codec.dump(TRACES.request.FromString(body))
    expected, _ = translate.exported(frame(body), keep_unmapped=True)
    assert (expected, 3) == translate.exported(frame(text, encoding=JSON), keep_unmapped=True)


def test_a_refused_span_does_not_leave_and_the_others_do(translate):
    request = TRACES.request.FromString(spans(made.openllmetry, 3))
    whole, _ = translate.exported(frame(request.SerializeToString()), keep_unmapped=True)
    request.resource_spans[0].scope_spans[0].spans[1].trace_id = b"\x01"
    out, items = translate.exported(frame(request.SerializeToString()), keep_unmapped=True)
    expected = TRACES.request.FromString(whole)
    del expected.resource_spans[0].scope_spans[0].spans[1]
    assert expected == TRACES.request.FromString(out)
    assert items == 2


def test_a_refused_span_makes_new_bytes_even_where_nothing_is_translated(translate):
    request = TRACES.request.FromString(spans(made.http, 2))
    request.resource_spans[0].scope_spans[0].spans[0].span_id = bytes(8)
    out, items = translate.exported(frame(request.SerializeToString()), keep_unmapped=True)
    del request.resource_spans[0].scope_spans[0].spans[0]
    assert (request.SerializeToString(), 1) == (out, items)


def test_metrics_count_by_their_points(translate):
    request = OtlpSignal.METRICS.request()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    for _ in range(3):
        metric.gauge.data_points.add()
    body = request.SerializeToString()
    assert translate.exported(frame(body, signal=OtlpSignal.METRICS), keep_unmapped=True) == (body, 3)


def test_every_item_of_many_in_many_scopes_meets_its_own_translation(translate):
    """Items are worked on some at a time; what belongs together stays together."""
    request = TRACES.request()
    for count, scope in ((1, "a"), (0, "b"), (130, "opentelemetry.instrumentation.openai.v1"), (64, "c"), (65, "d")):
        request.MergeFromString(spans(made.indexed, count, scope=scope))
    items = list(translate(frame(request.SerializeToString())))
    received = [
        (group.scope.name, span)
        for part in request.resource_spans
        for group in part.scope_spans
        for span in group.spans
    ]
    assert len(items) == 260
    for item, (scope, span) in zip(items, received, strict=True):
        assert item.message == span
        assert (item.scope.name, item.view.scope_name, item.view.span_id) == (scope, scope, span.span_id.hex())
        assert item.translation == translate.translator.span(item.view)


def test_a_frame_is_translated_once_for_all_that_read_it(translator, monkeypatch):
    calls = Counter()
    once = translator.span
    monkeypatch.setattr(translator, "span", lambda view: calls.update(["span"]) or once(view))
    translate = FrameTranslator(translator)
    same = frame(spans(made.openllmetry, 70), sequence=7)
    first = [item.translation for item in translate(same)]
    out, _ = translate.exported(same, keep_unmapped=True)
    again = [item.translation for item in translate(same)]
    assert calls["span"] == 70
    assert all(one is other for one, other in zip(first, again, strict=True))
    assert out == FrameTranslator(Translator.load()).exported(frame(same.body), keep_unmapped=True)[0]


def test_recorded_requests_leave_the_same_whether_recorded_before_or_not(translator):
    for path in FILES[::9]:
        signal, body = signal_of(path), request_of(path).SerializeToString()
        fresh, known = FrameTranslator(translator), FrameTranslator(translator)
        list(known(frame(body, sequence=1, signal=signal)))
        expected = fresh.exported(frame(body, sequence=1, signal=signal), keep_unmapped=False)
        assert expected == known.exported(frame(body, sequence=1, signal=signal), keep_unmapped=False)
