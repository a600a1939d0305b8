"""Every recorded OpenInference span against the converter to GenAI that OpenInference's own package has."""

from dataclasses import replace

import pytest

from semconv import otlp_json
from tests.semconv.differential import judged
from tests.semconv.recorded import recorded

conversion = pytest.importorskip(
    "openinference.instrumentation._genai_conversion",
    reason="the package openinference-instrumentation is not installed: `make test` installs it",
)
NAMES = pytest.importorskip("openinference.semconv.trace")


def roots():
    """First segments of the convention's keys, as its package has them."""
    classes = [value for value in vars(NAMES).values() if isinstance(value, type)]
    keys = [key for each in classes for name, key in vars(each).items() if name.isupper() and isinstance(key, str)]
    return {key.partition(".")[0] for key in keys} - {"gen_ai"}


def test_every_difference_from_openinferences_own_converter_is_one_we_have_judged(translator):
    """Both are given what of a span is OpenInference's: theirs reads nothing else, and is meant to be written beside the rest."""
    known = roots()
    cases = []
    for item in recorded("traces"):
        view = otlp_json.span_view(item.item, otlp_json.surroundings(item.resource, item.scope))
        attributes = {key: value for key, value in view.attributes.items() if key.partition(".")[0] in known}
        theirs = conversion.get_genai_attributes(attributes)
        if theirs and "openinference.span.kind" in attributes:
            translation = translator.span(replace(view, attributes=attributes, events=[]))
            ours = {key: value for key, value in translation.attributes.items() if key.startswith("gen_ai.")}
            cases.append((theirs, ours, attributes, str(item)))
    assert len(cases) > 300
    assert judged("openinference", cases) == []
