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
from sidecar.otlp import apply, view
from sidecar.otlp.decode import decode, parse
from sidecar.otlp.reject import RULES
from sidecar.otlp.signal import ENCODINGS, Item, OtlpSignal, Request

__all__ = ["FrameTranslator", "TranslatedItem", "received"]

_FRAMES_KEPT = 16
_ITEMS_KEPT_MAX = 4096
_ADMITTED = replace(
    DEFAULT, request_bytes_max=sys.maxsize, request_parts_max=sys.maxsize, json_containers_max=sys.maxsize
)


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
        request = parse(signal, ENCODINGS[frame.encoding], frame.body, _ADMITTED)
        for place, (group, scope, item, seen) in enumerate(_walk(signal, request)):
            translation = known[place] if known else self._translate[signal](seen)
            if place <= _ITEMS_KEPT_MAX:
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
        request, count, changed = _accepted(signal, frame)
        known = self._recall(frame)
        made: list[Translation] = []
        for place, (_, _, item, seen) in enumerate(_walk(signal, request, views=known is None)):
            translation = known[place] if known else self._translate[signal](seen)
            if place <= _ITEMS_KEPT_MAX:
                made.append(translation)
            if translation.changed:
                changed = True
                apply.apply(item, translation, keep_unmapped=keep_unmapped)
        if known is None:
            self._keep(frame, made)
        return (request.SerializeToString() if changed else frame.body), count

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


def received(frame: Frame) -> tuple[bytes, int]:
    """The frame's telemetry without a translation, as a serialized request, and the number of its items."""
    request, count, changed = _accepted(OtlpSignal(frame.signal), frame)
    return (request.SerializeToString() if changed else frame.body), count


def _accepted(signal: OtlpSignal, frame: Frame) -> tuple[Request, int, bool]:
    """The request with what was taken of it, the number of its items, and whether it is other than the body's bytes."""
    encoding = ENCODINGS[frame.encoding]
    decoded = decode(signal, encoding, frame.body, _ADMITTED)
    if decoded.rejected:
        _drop_rejected(signal, decoded.request)
    return decoded.request, decoded.accepted, decoded.rejected > 0 or encoding != "protobuf"


def _drop_rejected(signal: OtlpSignal, request: Request) -> None:
    rule = RULES[signal]
    for _, _, items in signal.groups(request):
        for place in range(len(items) - 1, -1, -1):
            if rule is not None and rule(items[place]) is not None:
                del items[place]
