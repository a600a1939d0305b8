"""A span and what it says in the target, with structures parsed: for tests that write the whole translation by hand."""

import json
from typing import Any

from semconv import otlp_json
from semconv.apply import apply_json
from semconv.translate import Translator
from semconv.translation import Translation
from tests.semconv.recorded import Recorded
from tests.semconv.translated import translated


def made(scope: str, name: str, attributes: dict[str, Any], *, kind: int = 1) -> Recorded:
    """A span nobody recorded, as the source of its emitter has it."""
    pairs = [{"key": key, "value": otlp_json.any_value(value)} for key, value in attributes.items()]
    return Recorded("", "", {"name": name, "kind": kind, "attributes": pairs}, {}, {"name": scope})


def translate(translator: Translator, item: Recorded) -> Translation:
    """What becomes of a span."""
    return translated(translator, "traces", item)


def new(translation: Translation) -> dict[str, Any]:
    """The attributes that are new or changed; what the target keeps as JSON is parsed."""
    return {
        key: json.loads(value) if isinstance(value, str) and value[:1] in ("[", "{") else value
        for key, value in translation.attributes.items()
    }


def result(item: Recorded, translation: Translation) -> dict[str, Any]:
    """The attributes of the translated span."""
    return dict(otlp_json.attributes(apply_json(item.item, translation).get("attributes", [])))


def lost(translation: Translation) -> dict[str, str]:
    """Path to reason of everything that is lost."""
    return {loss.path: loss.reason for loss in translation.loss}
