"""Every recorded MLflow span against MLflow's own exporter to GenAI."""

import os
from collections import Counter

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from semconv import otlp_json
from tests.semconv.differential import judged
from tests.semconv.recorded import recorded

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # or importing it tells its makers
translator_module = pytest.importorskip(
    "mlflow.tracing.export.genai_semconv.translator",
    reason="the package mlflow-tracing is not installed: `make test` installs it",
)


def test_every_difference_from_mlflows_own_exporter_is_one_we_have_judged(translator):
    """Attributes, and the span's name and kind."""
    compared = Counter()
    cases = []
    for item in recorded("traces"):
        view = otlp_json.span_view(item.item, otlp_json.surroundings(item.resource, item.scope))
        if "mlflow.spanType" not in view.attributes:
            continue
        compared[view.attributes["mlflow.spanType"]] += 1
        given = ReadableSpan(name=view.name, attributes=view.attributes, kind=SpanKind(view.kind - 1))
        made = translator_module.translate_span_to_genai(given)
        theirs = {**of_genai(made.attributes), "@name": made.name, "@kind": made.kind.value + 1}
        translation = translator.span(view)
        ours = {
            **of_genai({**view.attributes, **translation.attributes}),
            "@name": translation.name or view.name,
            "@kind": translation.kind or view.kind,
        }
        cases.append((theirs, ours, view.attributes, str(item)))
    assert compared.total() > 10, compared
    assert judged("mlflow", cases) == []


def of_genai(attributes):
    return {key: value for key, value in attributes.items() if key.startswith("gen_ai.")}
