"""Telemetry of any kind: keys that tables know and keys they don't, under values that fit and values that don't."""

import json
import math
from typing import Any

from hypothesis import strategies as st

from semconv import otlp_json
from semconv.value import Value
from semconv.view import LogView, MetricView
from tests.tools.translators import loaded

TRANSLATOR = loaded()

SCOPES = st.sampled_from(
    [
        "",
        "app",
        "openinference.instrumentation.openai",
        "opentelemetry.instrumentation.mcp.instrumentation",
        "mcp-python-sdk",
        "fastmcp",
    ]
)
ROLES = st.sampled_from(["user", "assistant", "system", "tool", "human", "ai", "model", "developer", ""])
WORDS = st.sampled_from(
    ["chat", "LLM", "TOOL", "AGENT", "CHAIN", "RETRIEVER", "tool", "workflow", "execute_tool", "retrieval", "completion", "openai",
     "langchain", "azure", "stop", "tools/call", "__REDACTED__", "", "7", "true", "1e400", "x"]
)  # fmt: skip

PART = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(
            ["text", "tool_use", "tool_call", "thinking", "image_url", "tool_result", "unheard_of", 3]
        ),
        "text": st.text(max_size=3),
        "content": st.text(max_size=3) | st.none() | st.integers(),
        "id": st.text(max_size=3),
        "call_id": st.text(max_size=3),
        "name": st.text(max_size=3) | st.none(),
        "input": st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
        "arguments": st.sampled_from(['{"a": 1}', "no json", '{"a": [null]}']),
        "image_url": st.fixed_dictionaries({"url": st.sampled_from(["https://x/y.png", "data:image/png;base64,aGk="])}),
        "functionCall": st.fixed_dictionaries({"name": st.just("f"), "args": st.just({"a": 1})}),
        "signature": st.text(max_size=3),
    },
)
MESSAGE = st.fixed_dictionaries(
    {},
    optional={
        "role": ROLES | st.none(),
        "type": st.sampled_from(["human", "ai", "message", "function_call"]),
        "content": st.text(max_size=4) | st.lists(PART | st.text(max_size=2), max_size=2) | st.none() | PART,
        "parts": st.lists(PART, max_size=2),
        "tool_calls": st.lists(PART, max_size=2) | st.none(),
        "tool_call_id": st.text(max_size=2),
        "finish_reason": st.sampled_from(["stop", "tool_calls", "other"]) | st.none(),
        "name": st.text(max_size=2),
        "extra": st.integers() | st.none(),
        "kwargs": st.dictionaries(st.sampled_from(["content", "type", "id"]), st.text(max_size=2)),
        "lc": st.just(1),
        "message": st.fixed_dictionaries({}, optional={"role": ROLES, "content": st.text(max_size=2)}),
    },
)
ENVELOPE = st.fixed_dictionaries(
    {},
    optional={
        "messages": st.lists(MESSAGE, max_size=2) | st.lists(st.lists(MESSAGE, max_size=2), max_size=1),
        "model": WORDS,
        "id": WORDS,
        "choices": st.lists(MESSAGE, max_size=1),
        "usage": st.dictionaries(WORDS, st.integers(), max_size=2),
        "inputs": st.text(max_size=2) | st.fixed_dictionaries({"messages": st.lists(MESSAGE, max_size=2)}),
        "outputs": st.text(max_size=2) | st.integers(),
        "output": WORDS | st.none(),
        "tool_name": WORDS,
        "arguments": st.dictionaries(WORDS, st.integers(), max_size=2),
        "query": WORDS,
        "documents": st.lists(
            st.dictionaries(st.sampled_from(["id", "page_content", "metadata", "score"]), WORDS), max_size=2
        ),
        "method": st.sampled_from(["tools/call", "tools/list"]),
        "params": st.dictionaries(st.sampled_from(["name", "uri", "x"]), WORDS),
        "temperature": st.floats() | st.integers() | WORDS,
        "max_tokens": st.integers() | st.none(),
        "response_format": st.fixed_dictionaries({"type": st.sampled_from(["json_object", "odd"])}),
        "tools": st.lists(PART, max_size=1),
        "type": st.just("object"),
        "properties": st.just({}),
    },
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
DOCUMENTS = (MESSAGE | ENVELOPE | st.lists(MESSAGE, max_size=3) | st.lists(PART, max_size=2) | ANY_JSON).map(
    lambda value: json.dumps(value, allow_nan=False, default=str) if not _odd(value) else "{}"
)
INT64 = st.integers(-(2**63), 2**63 - 1)
VALUES: st.SearchStrategy[Value] = st.one_of(
    WORDS,
    DOCUMENTS,
    st.text(max_size=4),
    INT64,
    st.floats(),
    st.booleans(),
    st.none(),
    st.binary(max_size=3),
    st.lists(WORDS | INT64 | st.none() | st.floats(), max_size=3),
    st.dictionaries(WORDS, WORDS | st.binary(max_size=2) | INT64, max_size=2),
)
INDEX = st.sampled_from(["0", "1", "2", "10", "00", "x", "99999999999"])


def _odd(value: object) -> bool:
    return "NaN" in json.dumps(value, default=str) or "Infinity" in json.dumps(value, default=str)


def _known_keys() -> list[str]:
    found = {key for profile in TRANSLATOR.profiles for key in profile.exact}
    found.update(TRANSLATOR.target.attributes)
    return sorted(found)


def _patterns() -> list[str]:
    return sorted({".".join(pattern.segments) for profile in TRANSLATOR.profiles for pattern in profile.patterns})


@st.composite
def _filled(draw: Any) -> str:
    key = draw(st.sampled_from(_patterns()))
    tail = draw(
        st.sampled_from(
            ["role", "content", "type", "text", "name", "function.name", "function.arguments", "id", "a.b", "0"]
        )
    )
    return ".".join(
        draw(INDEX) if part.startswith("{") else tail if part == "**" else "any" if part == "*" else part
        for part in key.split(".")
    )


KEYS = st.one_of(
    st.sampled_from(_known_keys()),
    _filled(),
    _filled(),
    st.sampled_from(["http.method", "gen_ai.unheard.of", "llm.unheard.of", "", ".", "a..b"]),
)
ATTRIBUTES = st.dictionaries(KEYS, VALUES, max_size=12)
EVENTS = st.lists(
    st.builds(
        lambda name, attributes: {"name": name, "timeUnixNano": "1", "attributes": otlp_json.key_values(attributes)},
        st.sampled_from(
            ["exception", "gen_ai.content.prompt", "gen_ai.content.completion", "gen_ai.user.message", "gen_ai.system.message",
             "gen_ai.choice", "gen_ai.tool.message", "gen_ai.client.inference.operation.details", "odd", ""]
        ),
        st.dictionaries(
            st.sampled_from(["content", "role", "gen_ai.prompt", "gen_ai.completion", "message", "exception.type", "gen_ai.system",
                             "gen_ai.input.messages", "gen_ai.output.messages", "id", "tool_calls"]),
            VALUES, max_size=3,
        ),
    ),
    max_size=3,
)  # fmt: skip
NAMES = st.sampled_from(
    ["ChatCompletion", "chat gpt-4o", "MCP send tools/call x", "x.tool", "tools/call x", "invoke_agent", "", "add.mcp"]
)


def spans() -> st.SearchStrategy[tuple[dict[str, Any], dict[str, Any]]]:
    """OTLP/JSON spans and the scopes they are in."""
    return st.tuples(
        st.builds(
            lambda name, kind, status, attributes, events: {
                "name": name,
                "kind": kind,
                "status": {"code": status},
                "attributes": otlp_json.key_values(attributes),
                "events": events,
            },
            NAMES,
            st.integers(0, 5),
            st.integers(0, 2),
            ATTRIBUTES,
            EVENTS,
        ),
        SCOPES.map(lambda name: {"name": name}),
    )


KNOWN_SCOPES = sorted(
    {mark.pattern.rstrip("*") for each in TRANSLATOR.profiles for mark in each.marks if mark.kind == "scopes"}
)
EVENT_NAMES = sorted(
    {name.rstrip("*") for each in TRANSLATOR.profiles for name in (row.pattern for row in (*each.logs, *each.events))}
)
METRIC_NAMES = sorted({row.name for each in TRANSLATOR.profiles for row in each.metrics})
NAME = st.text(max_size=4)
AROUND = {
    "scope_name": st.sampled_from(KNOWN_SCOPES) | NAME,
    "scope_attributes": st.just({}) | st.dictionaries(NAME, VALUES, max_size=2),
    "resource": st.just({})
    | st.dictionaries(st.sampled_from(["service.name", "telemetry.sdk.name"]) | NAME, VALUES, max_size=2),
    "duplicate_keys": st.sampled_from([0, 0, 0, 1]),
}


def logs() -> st.SearchStrategy[LogView]:
    """Log records of known and unknown names, with anything in them."""
    return st.builds(
        LogView,
        event_name=st.sampled_from(EVENT_NAMES) | NAME,
        body=VALUES | ATTRIBUTES,
        attributes=ATTRIBUTES
        | st.builds(
            lambda known, name: {**known, "event.name": name}, ATTRIBUTES, st.sampled_from(EVENT_NAMES) | VALUES
        ),
        severity_number=st.integers(0, 24),
        flags=st.integers(0, 2**32 - 1),
        **AROUND,
    )


def metrics() -> st.SearchStrategy[MetricView]:
    """Metrics of known and unknown names, with anything on their points."""
    return st.builds(
        MetricView,
        name=st.sampled_from(METRIC_NAMES) | NAME,
        points=st.lists(ATTRIBUTES, max_size=3),
        type=st.sampled_from(["", "gauge", "sum", "histogram", "exponentialHistogram", "summary"]),
        unit=st.sampled_from(["s", "ms", "{token}", "1"]) | NAME,
        metadata=st.just({}) | ATTRIBUTES,
        **AROUND,
    )


def is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)
