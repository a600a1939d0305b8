"""The laws of translation, over every recorded item and both targets."""

import copy
import random

import pytest

from semconv import otlp_json
from semconv.translate import Translator
from semconv.translation import Translation
from tests.semconv.recorded import CORPUS, Recorded, recorded
from tests.semconv.translated import SIGNALS, translate, translated

PRODUCERS = sorted({file.parent.name for file in CORPUS.glob("*/*.otlp.pb")})


def items(translator: Translator, producer: str) -> list[tuple[str, Recorded, Translation]]:
    """Everything recorded of a producer, and what becomes of it."""
    return [
        (signal, item, translated(translator, signal, item))
        for signal in SIGNALS
        for item in recorded(signal)
        if item.producer == producer
    ]


@pytest.mark.parametrize("producer", PRODUCERS)
def test_every_atom_read_is_in_exactly_one_bucket(any_translator, producer):
    for _, item, translation in items(any_translator, producer):
        tally = translation.tally
        assert tally.balanced, (str(item), tally)
        assert sum(loss.atoms for loss in translation.loss) == tally.dropped, str(item)
        assert min(tally.kept, tally.renamed, tally.converted, tally.folded, tally.derived_only) >= 0, str(item)


@pytest.mark.parametrize("producer", PRODUCERS)
def test_translating_what_was_translated_changes_nothing_and_loses_nothing_more(any_translator, producer):
    for signal, item, first in items(any_translator, producer):
        again = Recorded(item.producer, item.scenario, SIGNALS[signal][2](item.item, first), item.resource, item.scope)
        second = translate(any_translator, signal, again)
        assert not second.changed, (str(item), second.to_json())
        lost = {(loss.path, loss.reason) for loss in first.loss}
        assert {(loss.path, loss.reason) for loss in second.loss} <= lost, str(item)


@pytest.mark.parametrize("producer", PRODUCERS)
def test_no_source_key_disappears_with_something_of_it_lost(any_translator, producer):
    for signal, item, translation in items(any_translator, producer):
        if signal == "metrics":
            continue
        evicted = {"gen_ai.provider.name"}  # a framework's name is no provider: under that key it would say it is
        lost = {loss.path.partition("#/")[0] for loss in translation.loss}
        assert not (lost - evicted).intersection(translation.removed), str(item)


@pytest.mark.parametrize("producer", PRODUCERS)
def test_the_order_of_attributes_does_not_matter(translator, producer):
    shuffle = random.Random(producer).shuffle
    for signal, item, first in items(translator, producer):
        if signal != "traces":
            continue
        shuffled = copy.deepcopy(item.item)
        shuffle(shuffled.get("attributes", []))
        other = Recorded(item.producer, item.scenario, shuffled, item.resource, item.scope)
        second = translate(translator, "traces", other)
        assert first.to_json() == second.to_json(), str(item)
        assert first.tally == second.tally, str(item)


def test_a_translator_that_has_seen_everything_says_what_a_new_one_says(translator):
    """No cache may change a result: plans depend on the item alone."""
    sample = [("traces", item) for item in recorded("traces")][::37]
    used = [translate(translator, signal, item).to_json() for signal, item in sample]
    fresh = Translator.load()
    assert [translate(fresh, signal, item).to_json() for signal, item in reversed(sample)][::-1] == used


@pytest.mark.parametrize("signal", SIGNALS)
def test_the_input_is_never_changed(translator, signal):
    view, verb, apply = SIGNALS[signal]
    for item in recorded(signal):
        before = copy.deepcopy(item.item)
        seen = view(item.item, otlp_json.surroundings(item.resource, item.scope))
        unchanged = copy.deepcopy(seen)
        translation = getattr(translator, verb)(seen)
        apply(item.item, translation)
        assert seen == unchanged, str(item)
        assert item.item == before, str(item)


def test_what_is_current_passes_untouched(translator):
    """The instrumentations of the conventions' own project, at their newest: nothing to do, nothing lost."""
    seen = 0
    for producer in (
        "opentelemetry-instrumentation-genai-openai@1.3b0",
        "opentelemetry-instrumentation-genai-openai-agents@1.3b0",
    ):
        for item in recorded("traces", producer):
            if not item.scope["name"].startswith("opentelemetry.instrumentation.genai"):
                continue
            translation = translate(translator, "traces", item)
            seen += 1
            assert not translation.changed, (str(item), translation.to_json())
            assert not translation.loss, (str(item), translation.loss)
            assert translation.to_json() == {}
    assert seen > 100


def test_spans_of_no_known_convention_are_kept_whole(translator):
    strangers = [item for item in recorded("traces") if item.scope["name"] in {"weather-backend", "app"}]
    assert len(strangers) > 10
    for item in strangers:
        translation = translate(translator, "traces", item)
        assert translation.profiles == ()
        assert not translation.changed
        assert translation.tally.kept == translation.tally.atoms_in
