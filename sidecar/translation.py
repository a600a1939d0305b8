"""Translates the telemetry of a journal frame once, for everybody who reads that frame.

Recorder and exporters walk the same frames, mostly at the same time: the translations of the last few are kept.
Law: translations are a function of the frame's body and the tables alone; whoever asks gets messages of its own.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from semconv.otlp_json import Surroundings
from semconv.translate import Translation, Translator
from sidecar.journal import Frame
from sidecar.otlp import apply, view
from sidecar.otlp.decode import decode, parse
from sidecar.otlp.reject import RULES
from sidecar.otlp.signal import ENCODINGS, Item, OtlpSignal, Request

__all__ = ["FrameTranslator", "TranslatedItem"]

_FRAMES_KEPT = 16
_ITEMS_KEPT_MAX = 4096


@dataclass(frozen=True, slots=True)
class TranslatedItem:
    """A span, log record or metric as received, its surroundings, and what the translation says of it."""

    message: Item
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
        known = self._recall(frame)
        made: list[Translation] = []
        for group, scope, item, seen in _walk(signal, parse(signal, ENCODINGS[frame.encoding], frame.body)):
            translation = known[len(made)] if known else self._translate[signal](seen)
            made.append(translation)
            yield TranslatedItem(
                item, group.resource, group.schema_url, scope.scope, scope.schema_url, seen, translation
            )
        if known is None:
            self._keep(frame, made)

    def exported(self, frame: Frame, *, keep_unmapped: bool) -> tuple[bytes, int]:
        """The frame's telemetry translated, as a serialized request, and the number of its items.

        A protobuf body in which nothing changes is given back as it came.
        """
        signal = OtlpSignal(frame.signal)
        decoded = decode(signal, ENCODINGS[frame.encoding], frame.body)
        known = self._recall(frame)
        made: list[Translation] = []
        if decoded.rejected:
            _drop_rejected(signal, decoded.request)
        changed = decoded.rejected > 0 or ENCODINGS[frame.encoding] != "protobuf"
        for _, _, item, seen in _walk(signal, decoded.request, views=known is None):
            translation = known[len(made)] if known else self._translate[signal](seen)
            made.append(translation)
            if translation.changed:
                changed = True
                apply.apply(item, translation, keep_unmapped=keep_unmapped)
        if known is None:
            self._keep(frame, made)
        return (decoded.request.SerializeToString() if changed else frame.body), decoded.accepted

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


def _walk(signal: OtlpSignal, request: Request, *, views: bool = True) -> Iterator[tuple[Any, Any, Item, Any]]:
    """Every item that was taken, with its group, its scope, and, if wanted, what the translator reads of it."""
    rule, see = RULES[signal], _VIEWS[signal]
    for group, scope, items in signal.groups(request):
        around = view.surroundings(group.resource, scope.scope) if views and len(items) else None
        for item in items:
            if rule is None or rule(item) is None:
                yield group, scope, item, see(item, around) if around is not None else None


def _drop_rejected(signal: OtlpSignal, request: Request) -> None:
    rule = RULES[signal]
    for _, _, items in signal.groups(request):
        for place in range(len(items) - 1, -1, -1):
            if rule is not None and rule(items[place]) is not None:
                del items[place]
