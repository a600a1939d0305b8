"""The recorded agent runs that the demo sends: bodies of unmodified instrumentation libraries (tests/corpus)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sidecar.errors import SidecarError

__all__ = ["RECORDINGS", "Recording"]

Transport = Literal["gRPC", "HTTP protobuf", "HTTP JSON, gzip"]

_PLACES = (Path(__file__).parent / "runs", Path(__file__).resolve().parents[2] / "tests" / "corpus")
"""In a wheel beside this module; in a checkout where the tests have them."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded run."""

    title: str
    """The agent framework, and who instrumented it."""
    file: str
    transport: Transport

    def request(self) -> ExportTraceServiceRequest:
        """What the library exported.

        Raises:
            SidecarError: The recording is not there.
        """
        path = next((place / self.file for place in _PLACES if (place / self.file).exists()), None)
        if path is None:
            raise SidecarError(f"the recording {self.file} is not part of this installation")
        return ExportTraceServiceRequest.FromString(path.read_bytes())

    def run_id(self) -> str:
        """The run that its spans make: their trace."""
        return next(_spans(self.request())).trace_id.hex()

    def span_count(self) -> int:
        """How many spans the agent sent."""
        return sum(1 for _ in _spans(self.request()))


def _spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    return (span for group in request.resource_spans for scope in group.scope_spans for span in scope.spans)


RECORDINGS = (
    Recording(
        "LangChain/OpenInference",
        "openinference-instrumentation-langchain@0.1.80/agent_tools_loop.traces.otlp.pb",
        "gRPC",
    ),
    Recording(
        "LlamaIndex/OpenInference",
        "openinference-instrumentation-llama-index@4.6.1/react_agent.traces.otlp.pb",
        "HTTP JSON, gzip",
    ),
    Recording(
        "OpenAI Agents/OpenLLMetry",
        "openllmetry-openai-agents@0.62.4/tools_responses.traces.otlp.pb",
        "HTTP protobuf",
    ),
    Recording(
        "LangGraph/OpenTelemetry",
        "opentelemetry-instrumentation-genai-langchain@1.3b0/langgraph_multi_agent.latest-span_and_event.traces.otlp.pb",
        "gRPC",
    ),
    Recording("MCP server/OpenLLMetry", "openllmetry-mcp@0.62.4/stdio_error.fastmcp2.traces.otlp.pb", "HTTP protobuf"),
    Recording("Pydantic AI/native", "pydantic-ai-slim@2.68.0/tools_loop.traces.otlp.pb", "gRPC"),
)
"""Small, of different frameworks and conventions, each one trace."""
