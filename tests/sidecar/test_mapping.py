"""Events translated again by batches against one by one: the same report, the same first difference, the same error."""

from __future__ import annotations

import copy

import orjson
import pytest

from evidence.event import RESOURCE, SCOPE, SPAN
from semconv import otlp_json
from semconv.errors import SemconvError
from sidecar.journal import Frame
from sidecar.mapping import MappingAgain
from sidecar.recorder.books import Books
from sidecar.recorder.lifecycle import Lifecycle
from sidecar.recorder.recorder import Recorder
from sidecar.recorder.store import RunStore
from sidecar.translation import FrameTranslator
from tests.semconv.strategies import TRANSLATOR
from tests.tools.otlp import CORPUS

RECORDINGS = (
    "openinference-instrumentation-langchain@0.1.80/agent_tools_loop.traces.otlp.pb",
    "openllmetry-mcp@0.62.4/stdio_ok.traces.otlp.pb",
)
NEVER = Lifecycle(quiet_seconds=1e9, idle_seconds=1e9, age_seconds_max=1e9, bytes_max=1 << 40)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    store = RunStore(tmp_path_factory.mktemp("mapping") / "runs.sqlite", durable=False)
    recorder = Recorder(
        store=store,
        lifecycle=NEVER,
        translate=FrameTranslator(TRANSLATOR),
        run_key=("trace_id",),
        source="urn:affidavit:test",
        unrecorded=lambda frame, reason: None,
        books=Books(),
    )
    recorder.record([Frame(n, 5, 1, 0, (CORPUS / name).read_bytes()) for n, name in enumerate(RECORDINGS)])
    recorder.close_all("shutdown", 0)
    runs = [b"".join(store.lines(run)).splitlines() for run in store.in_state("closed")]
    store.close()
    return [[orjson.loads(line) for line in lines] for lines in runs]


@pytest.fixture
def events(recorded):
    """Those of the longest run, to be changed."""
    return copy.deepcopy(max(recorded, key=len))


def changed(events, member):
    return [event for event in events if member in event["data"].get("mapped", {})]


def test_a_batch_comes_to_what_its_events_come_to_one_by_one(recorded):
    for run in recorded:
        one_by_one, at_once = MappingAgain(TRANSLATOR), MappingAgain(TRANSLATOR)
        assert [one_by_one.event(event) for event in run] == [None] * len(run)
        assert at_once.events(run) is None
        assert at_once.report() == one_by_one.report()


def test_the_first_difference_of_a_batch_is_found_before_what_is_broken_behind_it(events):
    first, last = changed(events, "attributes")[0], changed(events, "attributes")[-1]
    first["data"]["mapped"]["name"] = "invented"
    last["data"]["span"]["traceId"] = 1
    expected = (first["seq"], f"{first['id']}: says another translation than its tables give")
    assert MappingAgain(TRANSLATOR).events(events) == expected


def test_what_is_broken_before_a_difference_is_what_is_said(events):
    first, last = changed(events, "attributes")[0], changed(events, "attributes")[-1]
    first["data"]["span"]["traceId"] = 1
    last["data"]["mapped"]["name"] = "invented"
    with pytest.raises(SemconvError, match="traceId"):
        MappingAgain(TRANSLATOR).events(events)


def test_an_item_of_a_scope_that_comes_later_is_a_difference_at_its_number(events):
    spans = [event for event in events if "span" in event["data"]]
    scope = next(event for event in events if event["data"].get("digest") == spans[0]["data"]["scope"])
    events.remove(scope)
    seq, reason = MappingAgain(TRANSLATOR).events([*events, scope])
    assert (seq, reason) == (
        spans[0]["seq"],
        f"{spans[0]['id']}: refers to a resource or scope that was not recorded before it",
    )


def test_true_does_not_stand_for_a_kind_of_1():
    """To Python they are equal."""
    span = {"attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "execute_tool"}}], "kind": 5}
    shared = [
        {"type": RESOURCE, "data": {"digest": "r", "resource": {}}},
        {"type": SCOPE, "data": {"digest": "s", "scope": {}}},
    ]
    around = otlp_json.surroundings({}, {})
    said = TRANSLATOR.span(otlp_json.span_view(span, around)).to_json()
    assert said["mapped"]["kind"] == 1
    event = {"type": SPAN, "seq": 2, "id": "run:2", "data": {"resource": "r", "scope": "s", "span": span, **said}}
    assert MappingAgain(TRANSLATOR).events([*shared, event]) is None
    said["mapped"]["kind"] = True
    assert MappingAgain(TRANSLATOR).events([*shared, event]) == (
        2,
        "run:2: says another translation than its tables give",
    )
