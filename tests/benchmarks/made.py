"""Spans made for the named cases of the translator's costs: what recorded ones say, in the sizes that the aims name.

No two spans say the same: ids, token counts and texts differ, as they do in life, so that nothing is measured that a memory of the span
before would spare.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from sidecar.otlp.pair import write

Attributes = dict[str, Any]

_SENTENCE = 'Invoice {n} names "{n} rows" of goods, and four of them are late by {n} days.\n'
ANSWER = "Four of the rows are late."
RESOURCE: Attributes = {
    "service.name": "agent",
    "service.version": "1.4.0",
    "telemetry.sdk.name": "opentelemetry",
    "telemetry.sdk.language": "python",
    "telemetry.sdk.version": "1.45.2",
    "host.name": "node-1",
    "process.pid": 12,
}


def text(number: int, length: int = 1500) -> str:
    """A text of so many characters that no other number has."""
    sentence = _SENTENCE.format(n=100000 + number)
    return (sentence * (length // len(sentence) + 1))[:length]


def message(role: str, content: str, **more: str) -> str:
    """The JSON of a list of one message, as the target has it."""
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": content}], **more}])


def current(number: int) -> Attributes:
    """17 attributes in today's conventions, and nothing to change."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.temperature": 0.7,
        "gen_ai.request.max_tokens": 512,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.input.messages": message("user", text(number)),
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.response.id": f"chatcmpl-{number:024x}",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 400 + number,
        "gen_ai.usage.output_tokens": 7 + number % 100,
        "gen_ai.usage.cache_read.input_tokens": 100 + number,
        "gen_ai.conversation.id": f"conversation-{number:08x}",
        "gen_ai.output.messages": message("assistant", ANSWER, finish_reason="stop"),
        "server.address": "api.openai.com",
        "server.port": 443,
    }


def openllmetry(number: int) -> Attributes:
    """17 attributes as OpenLLMetry 0.62 writes them: messages as today, five of the others under names of its own."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.is_streaming": False,
        "gen_ai.openai.api_base": "https://api.openai.com/v1/",
        "gen_ai.input.messages": message("user", text(number)),
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.response.id": f"chatcmpl-{number:024x}",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.openai.response.system_fingerprint": f"fp_{number:08x}",
        "openai.response.service_tier": "default",
        "gen_ai.usage.total_tokens": 407 + number + number % 100,
        "gen_ai.usage.output_tokens": 7 + number % 100,
        "gen_ai.usage.input_tokens": 400 + number,
        "gen_ai.usage.cache_read.input_tokens": 100 + number,
        "gen_ai.usage.reasoning_tokens": 0,
        "gen_ai.output.messages": message("assistant", ANSWER, finish_reason="stop"),
    }


def indexed(number: int) -> Attributes:
    """17 attributes as OpenLLMetry wrote them before: nearly every key has another name, and five make two messages."""
    return {
        "gen_ai.system": "OpenAI",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.temperature": 0.7,
        "gen_ai.request.max_tokens": 512,
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": text(number),
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.response.id": f"chatcmpl-{number:024x}",
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": ANSWER,
        "gen_ai.completion.0.finish_reason": "stop",
        "gen_ai.usage.prompt_tokens": 400 + number,
        "gen_ai.usage.completion_tokens": 7 + number % 100,
        "llm.usage.total_tokens": 407 + number + number % 100,
        "llm.is_streaming": False,
        "llm.request.type": "chat",
        "traceloop.workflow.name": "invoices",
    }


def openinference(number: int) -> Attributes:
    """17 attributes of OpenInference, one of them a JSON object that is taken apart."""
    return {
        "openinference.span.kind": "LLM",
        "llm.system": "openai",
        "llm.provider": "openai",
        "llm.model_name": "gpt-4o",
        "llm.invocation_parameters": '{"temperature": 0.7, "max_tokens": 512}',
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": text(number),
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": ANSWER,
        "llm.token_count.prompt": 400 + number,
        "llm.token_count.completion": 7 + number % 100,
        "llm.token_count.total": 407 + number + number % 100,
        "input.value": "Which rows are late?",
        "input.mime_type": "text/plain",
        "output.value": ANSWER,
        "output.mime_type": "text/plain",
        "session.id": f"session-{number:08x}",
    }


def http(number: int) -> Attributes:
    """17 attributes of a span that no profile knows, a text of 1.5 KB among them."""
    return {
        "http.request.method": "POST",
        "http.route": "/v1/{id}",
        "http.response.status_code": 200,
        "http.request.body.size": 1500 + number,
        "http.response.body.size": 90 + number % 100,
        "url.full": f"https://api.example.com/v1/{number:08x}",
        "url.path": f"/v1/{number:08x}",
        "url.scheme": "https",
        "server.address": "api.example.com",
        "server.port": 443,
        "client.address": "192.0.2.1",
        "client.port": 40000 + number,
        "network.protocol.version": "1.1",
        "network.peer.address": "192.0.2.9",
        "network.peer.port": 443,
        "user_agent.original": "agent/1.4.0",
        "request.body": text(number),
    }


def others(attributes: int, number: int = 0) -> Attributes:
    """So many attributes of nobody's."""
    return {f"app.value.{place}": f"{number}-{place}" for place in range(attributes)}


def conversation(attributes: int, number: int = 0) -> Attributes:
    """So many attributes of OpenInference, nearly all of them the roles and texts of messages."""
    made: Attributes = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o"}
    for place in range((attributes - 2) // 2):
        made[f"llm.input_messages.{place}.message.role"] = "user" if place % 2 else "assistant"
        made[f"llm.input_messages.{place}.message.content"] = f"{number}-{place}"
    return made


def body(spans: Iterator[Attributes] | list[Attributes], *, name: str, scope: str, kind: int) -> bytes:
    """An export request of one scope with these spans."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(_pairs(RESOURCE))
    within = group.scope_spans.add()
    within.scope.name = scope
    for number, attributes in enumerate(spans, start=1):
        span = within.spans.add(name=name, kind=kind, trace_id=b"\x01" * 16, span_id=number.to_bytes(8, "big"))
        span.start_time_unix_nano, span.end_time_unix_nano = 1, 2
        span.attributes.extend(_pairs(attributes))
    return request.SerializeToString()


def _pairs(attributes: Attributes) -> list[KeyValue]:
    return [KeyValue.FromString(write(key, value)) for key, value in attributes.items()]
