"""What the benchmarks work on: recorded agent spans, repeated under new ids until a run is as long as wanted.

`AGENT` is four recordings whose spans come to events of about 1.4 KB: current conventions, OpenLLMetry and MCP; two spans in five are
changed by the translation. `HEAVY` is one agent run of OpenInference whose events come to about 7 KB and are all changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from evidence.packs import load as load_pack
from semconv.translate import Translator
from sidecar.journal import Frame
from sidecar.recorder.books import Books
from sidecar.recorder.lifecycle import Lifecycle
from sidecar.recorder.recorder import Recorder
from sidecar.recorder.sealer import Sealer
from sidecar.recorder.store import RunStore
from sidecar.translation import FrameTranslator

CORPUS = Path(__file__).parent.parent / "corpus"
AGENT = (
    "opentelemetry-instrumentation-genai-openai@1.3b0/tools_loop_in_app_span.traces.otlp.pb",
    "openllmetry-mcp@0.62.4/stdio_ok.traces.otlp.pb",
    "opentelemetry-instrumentation-genai-openai@1.3b0/async_concurrent.traces.otlp.pb",
    "fastmcp@4.1.2/http_ok.traces.otlp.pb",
)
HEAVY = ("openinference-instrumentation-langchain@0.1.80/agent_tools_loop.traces.otlp.pb",)
SOURCE = "urn:affidavit:sidecar:bench"
_BATCH = 64
_NEVER = Lifecycle(quiet_seconds=1e9, idle_seconds=1e9, age_seconds_max=1e9, bytes_max=1 << 62)


def bodies(recordings: tuple[str, ...], spans: int, *, trace_id: int = 1) -> Iterator[tuple[bytes, int]]:
    """Export requests of one run with at least so many spans in all, one recording a request: the body and its spans."""
    made = 0
    for round_ in range(spans):
        for name in recordings:
            request = _parsed(name)
            count = _restamp(request, trace_id.to_bytes(16, "big"), round_)
            yield request.SerializeToString(), count
            made += count
            if made >= spans:
                return


def frames(recordings: tuple[str, ...], spans: int, *, trace_id: int = 1) -> Iterator[Frame]:
    """The same as journal frames."""
    for number, (body, _) in enumerate(bodies(recordings, spans, trace_id=trace_id), start=1):
        yield Frame(number, 1_790_000_000_000_000_000 + number, 1, 0, body)


@cache
def translator() -> Translator:
    return Translator.load()


def recorder(store: RunStore, books: Books) -> Recorder:
    return Recorder(
        store=store,
        lifecycle=_NEVER,
        translate=FrameTranslator(translator()),
        run_key=("trace_id",),
        source=SOURCE,
        unrecorded=_refuse,
        books=books,
    )


def _refuse(frame: Frame, reason: str) -> None:
    raise AssertionError(f"frame {frame.sequence} of the workload: {reason}")


def record(store: RunStore, frames_: list[Frame]) -> Books:
    """Records everything as the worker does when it has fallen behind, and closes the runs."""
    books = Books()
    writes = recorder(store, books)
    for start in range(0, len(frames_), _BATCH):
        writes.record(frames_[start : start + _BATCH])
    writes.close_all("explicit", 0)
    return books


def sealer(store: RunStore, out: Path, books: Books) -> Sealer:
    return Sealer(
        store=store,
        out=out,
        packs=[load_pack("baseline")],
        translator=translator(),
        profiles={},
        source=SOURCE,
        chained=False,
        books=books,
    )


def _parsed(name: str) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    request.ParseFromString((CORPUS / name).read_bytes())
    return request


def _restamp(request: ExportTraceServiceRequest, trace_id: bytes, round_: int) -> int:
    """Puts all spans into one trace, under ids that no other round has."""
    count = 0
    for group in request.resource_spans:
        for scope in group.scope_spans:
            for span in scope.spans:
                count += 1
                span.trace_id = trace_id
                span.span_id = _moved(span.span_id, round_)
                if span.parent_span_id:
                    span.parent_span_id = _moved(span.parent_span_id, round_)
    return count


def _moved(span_id: bytes, round_: int) -> bytes:
    return ((int.from_bytes(span_id, "big") + round_ * 0x9E3779B97F4A7C15) % (1 << 64) or 1).to_bytes(8, "big")
