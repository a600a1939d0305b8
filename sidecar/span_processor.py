"""Counts an agent's spans in the agent, and tells the sidecar how many there were, so that what is lost between them shows.

It runs in the agent's process, with opentelemetry-sdk and grpcio and nothing else; the exporter is the user's, or OpenTelemetry's
own for OTLP over gRPC when `install` is to make one. For each run (a trace, or whatever carries `affidavit.run.id`) it counts
the spans that started, ended, could not be sent and were not sampled. When the run's root span has ended it sends the run's
spans and log records, then closes the run with the counts.

Law: it never blocks, breaks or outgrows the agent. Without a sidecar the agent does what it did before.

    from sidecar.span_processor import install
    install(trace.get_tracer_provider())
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from opentelemetry._logs import get_logger_provider
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import SpanContext, get_current_span

from sidecar.run_client import Endpoint, RunClient
from sidecar.run_closer import RunCloser
from sidecar.run_tally import RunTally, Tally

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.resources import Resource

__all__ = ["RunSpanProcessor", "install"]

RUN_KEY = ("affidavit.run.id", "trace_id")
"""What tells runs apart, as the sidecar's setting `run.key` has it by default."""

_log = logging.getLogger(__name__)
_Attributes = Mapping[str, Any]
_NONE: _Attributes = {}
_RUNS_MAX = 1024
_LINGER_SECONDS = 2.0  # below the sidecar's own run.quiet_seconds, after which it ends the run without the counts
_IDLE_SECONDS = 30.0


def install(
    provider: TracerProvider,
    *,
    endpoint: str | None = None,
    exporter: SpanExporter | None = None,
    run_key: Sequence[str] = RUN_KEY,
    closes_remote: bool = False,
    linger_seconds: float = _LINGER_SECONDS,
    logger_provider: Flushable | None = None,
) -> RunSpanProcessor:
    """Send a provider's spans to a sidecar, and count them.

    Call it once, where the provider is set up, in place of the exporter that was meant for the sidecar. Exporters for other
    places stay as they are. With an SDK that keeps no list of its tracers, what those made before leave out of the sample is
    not counted.

    Args:
        provider: the SDK's tracer provider.
        endpoint: `host:port` or URL of the sidecar's gRPC; None: as OpenTelemetry's environment variables say, else
            127.0.0.1:4317.
        exporter: what sends the spans to the sidecar; None makes the OTLP exporter for gRPC of opentelemetry-exporter-otlp.
        run_key: the sidecar's setting `run.key`.
        closes_remote: as `RunSpanProcessor` has it.
        linger_seconds: as `RunSpanProcessor` has it.
        logger_provider: as `RunSpanProcessor` has it.

    Returns:
        The processor, to close runs by hand.

    Raises:
        ValueError: the endpoint is none.
        ImportError: there is no exporter, and opentelemetry-exporter-otlp-proto-grpc is not installed.
    """
    where = Endpoint.of(endpoint)
    processor = RunSpanProcessor(
        exporter or _otlp_exporter(where),
        RunClient(where),
        run_key=run_key,
        closes_remote=closes_remote,
        linger_seconds=linger_seconds,
        logger_provider=logger_provider,
    )
    sampler = processor.sampler(provider.sampler, provider.resource)
    provider.sampler = sampler
    for tracer in getattr(provider, "_tracers", {}).values():  # those made before have the sampler by value
        tracer.sampler = sampler
    provider.add_span_processor(processor)
    return processor


class RunSpanProcessor(SpanProcessor):
    """A span processor around an exporter to the sidecar, which counts what goes through and closes runs.

    To count what is not sampled, the provider's sampler must be wrapped too:

        processor = RunSpanProcessor(OTLPSpanExporter())
        provider = TracerProvider(sampler=processor.sampler(ParentBased(ALWAYS_ON)))
        provider.add_span_processor(processor)

    Args:
        exporter: what sends the spans to the sidecar.
        client: who closes the runs there; None as the environment says.
        batch: what makes the processor that hands spans to the exporter.
        run_key: the sidecar's setting `run.key`.
        closes_remote: whether a span whose parent is in another process ends the run like one without a parent. Say so where
            what called this agent does not close runs itself.
        linger_seconds: how long a run whose root has ended waits for what belongs to it and comes later: log records that are
            written when a span has ended, spans that run in the background, the next trace of a run that has several. Less
            than the sidecar's `run.quiet_seconds`.
        idle_seconds: how long a run of which nothing was sampled is waited for.
        runs_max: runs that are counted at once; beyond, the oldest is given up.
        logger_provider: whose log records are sent before runs are closed; None: the global one.
    """

    def __init__(
        self,
        exporter: SpanExporter,
        client: RunClient | None = None,
        *,
        batch: Callable[[SpanExporter], SpanProcessor] = BatchSpanProcessor,
        run_key: Sequence[str] = RUN_KEY,
        closes_remote: bool = False,
        linger_seconds: float = _LINGER_SECONDS,
        idle_seconds: float = _IDLE_SECONDS,
        runs_max: int = _RUNS_MAX,
        logger_provider: Flushable | None = None,
    ) -> None:
        tally = Tally(runs_max=runs_max, linger_seconds=linger_seconds, idle_seconds=idle_seconds)
        self._runs = _Runs(tuple(run_key), closes_remote=closes_remote)
        self._inner = batch(_CountingExporter(exporter, self._runs, self._count))
        self._logger_provider = logger_provider
        self._closer = RunCloser(client or RunClient(), tally, self._flush)

    def sampler(self, sampler: Sampler, resource: Resource | None = None) -> Sampler:
        """The sampler, counting what it leaves out; `resource` is the provider's, where a run may have its name."""
        return _CountingSampler(sampler, resource.attributes if resource else _NONE, self._runs, self._count)

    def close_run(self, run_id: str, outcome_json: bytes = b"") -> None:
        """Close a run that was counted here, without waiting for it: its spans are sent first, on another thread.

        Args:
            run_id: `affidavit.run.id`, or the trace id in hexadecimal.
            outcome_json: one JSON object in UTF-8, recorded as it is.
        """
        self._closer.count(lambda tally, now: tally.ask(run_id, outcome_json, now))

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Count a span that was started."""
        self._inner.on_start(span, parent_context)
        if (context := span.context) is None or (run_id := self._runs.of(span)) is None:
            return
        is_root, is_trace = self._runs.is_root(span.parent), run_id == _trace(context)
        if context.trace_flags.sampled:
            span_id = context.span_id
            self._count(lambda tally, now: tally.start(run_id, span_id, now, is_root=is_root, is_trace=is_trace))
        else:  # recorded for others, and not exported
            self._count(lambda tally, now: tally.leave_out(run_id, now, is_root=is_root, is_trace=is_trace))

    def on_end(self, span: ReadableSpan) -> None:
        """Hand a span on, then count that it has ended: when that ends its run, the span is among those to be sent first."""
        self._inner.on_end(span)
        context = span.context
        if context is not None and context.trace_flags.sampled and (run_id := self._runs.of(span)) is not None:
            trace, is_root = _trace(context), self._runs.is_root(span.parent)
            self._count(lambda tally, now: tally.end(run_id, trace, context.span_id, now, is_root=is_root))

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Send what has ended, and wait until the traces that are over are closed."""
        return self._inner.force_flush(timeout_millis) and self._closer.flush(timeout_millis / 1000)

    def shutdown(self) -> None:
        """Send what has ended, close every run, and end."""
        self._closer.stop(self._finish)

    def _flush(self) -> None:
        self._inner.force_flush()
        self._flush_logs()

    def _finish(self) -> None:
        self._inner.shutdown()
        self._flush_logs()

    def _flush_logs(self) -> None:
        """Sends the log records too: they are part of the runs, and what comes after the end makes another part."""
        provider = self._logger_provider or get_logger_provider()
        if isinstance(provider, Flushable):  # the API's own, where no SDK was set up, holds nothing back
            provider.force_flush()

    def _count(self, change: _Change) -> None:
        self._closer.count(change)


@runtime_checkable
class Flushable(Protocol):
    """A provider of the SDK, which may hold back what it was given."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Send it now."""
        ...


_Change = Callable[[Tally, float], RunTally | None]


class _Runs:
    """Which run a span is part of, as the sidecar sees it (`run.key`), and whether it begins there."""

    def __init__(self, key: Sequence[str], *, closes_remote: bool) -> None:
        self._key, self._closes_remote = key, closes_remote

    def of(self, span: ReadableSpan) -> str | None:
        """The run of a span as its attributes stand; None when nothing names one."""
        context = span.context
        return self.named(context.trace_id, span.attributes or _NONE, span.resource.attributes) if context else None

    def named(self, trace_id: int, attributes: _Attributes, resource: _Attributes) -> str | None:
        for name in self._key:
            if name == "trace_id":
                return f"{trace_id:032x}"
            for source in (attributes, resource):
                value = source.get(name)
                if isinstance(value, str) and value:
                    return value
        return None

    def is_root(self, parent: SpanContext | None) -> bool:
        """Whether a span with this parent begins and ends a run here."""
        return parent is None or not parent.is_valid or (parent.is_remote and self._closes_remote)


class _CountingExporter(SpanExporter):
    """The user's exporter, with a count of what it acknowledged."""

    def __init__(self, exporter: SpanExporter, runs: _Runs, count: Callable[[_Change], None]) -> None:
        self._exporter, self._runs, self._count = exporter, runs, count

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            named = [run_id for span in spans if (run_id := self._runs.of(span)) is not None]
            self._count(lambda tally, now: tally.send(named, now))
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._exporter.force_flush(timeout_millis)


class _CountingSampler(Sampler):
    """The user's sampler, with a count of what it leaves out: such spans reach no processor."""

    def __init__(self, sampler: Sampler, resource: _Attributes, runs: _Runs, count: Callable[[_Change], None]) -> None:
        self._sampler, self._resource, self._runs, self._count = sampler, resource, runs, count

    def should_sample(  # noqa: PLR0917 - the SDK's
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: Any = None,  # noqa: ANN401 - passed on as it came
        attributes: Any = None,  # noqa: ANN401 - as above
        links: Any = None,  # noqa: ANN401 - as above
        trace_state: Any = None,  # noqa: ANN401 - as above
    ) -> SamplingResult:
        result = self._sampler.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)
        if result.decision is Decision.DROP:
            self._leave_out(parent_context, trace_id, attributes or _NONE)
        return result

    def _leave_out(self, parent_context: Context | None, trace_id: int, attributes: _Attributes) -> None:
        if (run_id := self._runs.named(trace_id, attributes, self._resource)) is not None:
            is_root = self._runs.is_root(get_current_span(parent_context).get_span_context())
            is_trace = run_id == f"{trace_id:032x}"
            self._count(lambda tally, now: tally.leave_out(run_id, now, is_root=is_root, is_trace=is_trace))

    def get_description(self) -> str:
        return self._sampler.get_description()


def _trace(context: SpanContext) -> str:
    return f"{context.trace_id:032x}"


def _otlp_exporter(endpoint: Endpoint) -> SpanExporter:
    """OpenTelemetry's exporter for OTLP over gRPC, which takes headers and certificates from the environment itself."""
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - only who wants it

    return OTLPSpanExporter(endpoint=endpoint.url, insecure=endpoint.credentials is None)
