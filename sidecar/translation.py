"""Translates the telemetry of a journal frame once, for everybody who reads that frame.

Recorder and exporters walk the same frames, mostly at the same time: the translations of the last few are kept.
Law: translations are a function of the frame's body and the tables alone; whoever asks gets messages of its own. The bounds of
the door are not looked at again: what was acknowledged under wider ones is read all the same.
"""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from semconv.otlp_json import Surroundings
from semconv.translate import Translation, Translator
from sidecar.journal import Frame
from sidecar.limits import DEFAULT
from sidecar.otlp import apply, flat, view
from sidecar.otlp.decode import accepted, decode, parse
from sidecar.otlp.flat import Flat
from sidecar.otlp.reject import RULES
from sidecar.otlp.signal import ENCODINGS, Item, OtlpSignal, Request

__all__ = ["FrameTranslator", "TranslatedItem", "received"]

_FRAMES_KEPT = 16
_ITEMS_KEPT_MAX = 4096
_AT_ONCE = 64
_ADMITTED = replace(
    DEFAULT, request_bytes_max=sys.maxsize, request_parts_max=sys.maxsize, json_containers_max=sys.maxsize
)


@dataclass(frozen=True, slots=True)
class TranslatedItem:
    """A span, log record or metric as received, its surroundings, and what the translation says of it."""

    message: Item
    flat: Flat
    """The same with its attributes in wire form."""
    resource: Any
    resource_schema_url: str
    scope: Any
    scope_schema_url: str
    view: Any
    """What the translator read: a SpanView, LogView or MetricView."""
    translation: Translation


class FrameTranslator:
    """Translations of journal frames. May be used by several threads."""

    def __init__(self, translator: Translator) -> None:
        self.translator = translator
        self._translate: Mapping[OtlpSignal, Callable[[Any], Translation]] = {
            OtlpSignal.TRACES: translator.span,
            OtlpSignal.LOGS: translator.log,
            OtlpSignal.METRICS: translator.metric,
        }
        self._kept: OrderedDict[int, list[Translation]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, frame: Frame) -> Iterator[TranslatedItem]:
        """The items of a frame of telemetry with their translations, in the order of the body."""
        signal = OtlpSignal(frame.signal)
        request = parse(signal, ENCODINGS[frame.encoding], frame.body, _ADMITTED)
        twins = self._translated(frame, signal, flat.parse(signal, _in_protobuf(frame, request)), views=True)
        received = ((group, scope, item) for group, scope, items in _taken(signal, request) for item in items)
        for (group, scope, item), (twin, seen, translation) in zip(received, twins, strict=True):
            yield TranslatedItem(
                item, twin, group.resource, group.schema_url, scope.scope, scope.schema_url, seen, translation
            )

    def exported(self, frame: Frame, *, keep_unmapped: bool) -> tuple[bytes, int]:
        """The frame's telemetry translated, as a serialized request, and the number of its items.

        A protobuf body in which nothing changes is given back as it came.
        """
        signal = OtlpSignal(frame.signal)
        body = _in_protobuf(frame)
        request = flat.parse(signal, body)
        count = accepted(signal, request)
        changed = False
        taken = 0
        for item, _, translation in self._translated(frame, signal, request, views=False):
            taken += 1
            if translation.changed:
                changed = True
                apply.apply(item, translation, keep_unmapped=keep_unmapped)
        if RULES[signal] and taken < count:
            changed = True
            count = taken
            _drop_rejected(signal, request)
        return (request.SerializeToString() if changed else body), count

    def _translated(
        self, frame: Frame, signal: OtlpSignal, request: Flat, *, views: bool
    ) -> Iterator[tuple[Flat, Any, Translation]]:
        """Every item that was taken, what the translator reads of it (when that is asked for, or new), and its translation.

        Some items are read, then the same ones translated, then they are given out: a step that is done again and again finds its code and
        data in the processor's caches.
        """
        translate, see = self._translate[signal], _VIEWS[signal]
        known = self._recall(frame)
        made: list[Translation] = []
        place = 0
        for group, scope, items in _taken(signal, request):
            around = view.surroundings(group.resource, scope.scope)
            for start in range(0, len(items), _AT_ONCE):
                some = items[start : start + _AT_ONCE]
                seen = [see(item, around) for item in some] if views or known is None else [None] * len(some)
                said = known[place : place + len(some)] if known else [translate(one) for one in seen]
                if known is None and len(made) <= _ITEMS_KEPT_MAX:
                    made += said
                place += len(some)
                yield from zip(some, seen, said, strict=True)
        if known is None:
            self._keep(frame, made)

    def _recall(self, frame: Frame) -> list[Translation] | None:
        with self._lock:
            return self._kept.get(frame.sequence)

    def _keep(self, frame: Frame, translations: list[Translation]) -> None:
        if not frame.sequence or len(translations) > _ITEMS_KEPT_MAX:
            return
        with self._lock:
            self._kept[frame.sequence] = translations
            while len(self._kept) > _FRAMES_KEPT:
                self._kept.popitem(last=False)


_VIEWS: Mapping[OtlpSignal, Callable[[Any, Surroundings], Any]] = {
    OtlpSignal.TRACES: view.span,
    OtlpSignal.LOGS: view.log,
    OtlpSignal.METRICS: view.metric,
}


def _taken(signal: OtlpSignal, request: Request) -> Iterator[tuple[Any, Any, list[Item]]]:
    """Every group and scope with its items that were taken."""
    rule = RULES[signal]
    for group, scope, items in signal.groups(request):
        taken = list(items) if rule is None else [item for item in items if rule(item) is None]
        if taken:
            yield group, scope, taken


def received(frame: Frame) -> tuple[bytes, int]:
    """The frame's telemetry without a translation, as a serialized request, and the number of its items."""
    signal = OtlpSignal(frame.signal)
    decoded = decode(signal, ENCODINGS[frame.encoding], frame.body, _ADMITTED)
    if decoded.rejected:
        _drop_rejected(signal, decoded.request)
        return decoded.request.SerializeToString(), decoded.accepted
    return _in_protobuf(frame, decoded.request), decoded.accepted


def _in_protobuf(frame: Frame, request: Request | None = None) -> bytes:
    """The body in protobuf; the request that was read from it, if there is one."""
    encoding = ENCODINGS[frame.encoding]
    if encoding == "protobuf":
        return frame.body
    signal = OtlpSignal(frame.signal)
    return (request or parse(signal, encoding, frame.body, _ADMITTED)).SerializeToString()  # type: ignore[no-any-return]  # messages are untyped


def _drop_rejected(signal: OtlpSignal, request: Request) -> None:
    rule = RULES[signal]
    for _, _, items in signal.groups(request):
        for place in range(len(items) - 1, -1, -1):
            if rule is not None and rule(items[place]) is not None:
                del items[place]
