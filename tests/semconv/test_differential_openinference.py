"""Every recorded OpenInference span against the converter to GenAI that OpenInference's own package has."""

from collections import Counter
from dataclasses import replace

import pytest

from semconv import otlp_json
from tests.semconv.differential import differences, explains, listed
from tests.semconv.recorded import recorded

conversion = pytest.importorskip(
    "openinference.instrumentation._genai_conversion",
    reason="the package openinference-instrumentation is not installed: `make test` installs it",
)
NAMES = pytest.importorskip("openinference.semconv.trace")
ENTRIES = listed("openinference")


def roots():
    """First segments of the convention's keys, as its package has them."""
    classes = [value for value in vars(NAMES).values() if isinstance(value, type)]
    keys = [key for each in classes for name, key in vars(each).items() if name.isupper() and isinstance(key, str)]
    return {key.partition(".")[0] for key in keys} - {"gen_ai"}


def test_every_difference_from_openinferences_own_converter_is_one_we_have_judged(translator):
    """Both are given what of a span is OpenInference's: theirs reads nothing else, and is meant to be written beside the rest."""
    known = roots()
    compared, needed, unjudged = 0, Counter(), Counter()
    for item in recorded("traces"):
        view = otlp_json.span_view(item.item, otlp_json.surroundings(item.resource, item.scope))
        attributes = {key: value for key, value in view.attributes.items() if key.partition(".")[0] in known}
        theirs = conversion.get_genai_attributes(attributes)
        if not theirs or "openinference.span.kind" not in attributes:
            continue
        compared += 1
        translation = translator.span(replace(view, attributes=attributes, events=[]))
        ours = {key: value for key, value in translation.attributes.items() if key.startswith("gen_ai.")}
        for difference in differences(theirs, ours):
            at = next((at for at, entry in enumerate(ENTRIES) if explains(entry, difference, attributes)), None)
            if at is None:
                unjudged[f"{difference} on a span of {item}"] += 1
            else:
                needed[at] += 1
    assert compared > 300
    assert not unjudged, "\n".join(unjudged)
    assert [ENTRIES[at] for at in range(len(ENTRIES)) if not needed[at]] == [], "entries that nothing needs"


def test_where_they_were_right_nothing_is_left_to_mend():
    """An entry may say `theirs` only as long as the mending takes."""
    assert [entry for entry in ENTRIES if entry["right"] == "theirs"] == []
