"""Whatever the door takes is evidence: any OTLP message is sealed, and its bundle verifies.

The door is wide (OTLP allows almost anything), so everything behind it has to be total: translation, recording, scoring, sealing.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from attest.signers.key import KeySigner
from attest.trust.trust import Trust
from attest.verify import verify_file
from evidence.redaction.commitment import KEY as REDACTED
from sidecar.errors import DecodeError
from sidecar.journal import Frame
from sidecar.mapping import MappingAgain
from sidecar.offline import Inputs, seal_files
from sidecar.otlp import json_codec
from sidecar.otlp.decode import decode
from sidecar.translation import FrameTranslator
from tests.sidecar.otlp.strategies import TEXT, messages, requests

pytestmark = pytest.mark.integration

KEYS = (
    *("", "affidavit.run.id", "gen_ai.operation.name", "gen_ai.input.messages", "gen_ai.output.messages"),
    *("gen_ai.tool.definitions", "gen_ai.tool.call.id", "gen_ai.tool.call.arguments", "gen_ai.usage.input_tokens"),
    *("gen_ai.system", "gen_ai.prompt", "openinference.span.kind", "llm.input_messages.0.message.role", "input.value"),
    *(
        "llm.invocation_parameters",
        "traceloop.span.kind",
        "traceloop.entity.input",
        "mcp.method.name",
        "llm.tools.0.tool",
    ),
)
"""Names that translation, signals or packs look at, and the one that is none."""
WORDS = (
    "chat",
    "execute_tool",
    "invoke_agent",
    "LLM",
    "TOOL",
    "tool",
    "user",
    "assistant",
    "tool_call",
    "../../x",
    "0",
)
NAMES = ("role", "parts", "content", "type", "id", "name", "tool_calls", "function", "arguments", "response", "")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=8,
)
ODD_TEXTS = (
    "[" * 2_000,
    '{"a":' * 300 + "1" + "}" * 300,
    "9" * 5_000,
    "1e999",
    "NaN",
    '{"a":1,"a":2}',
    '"\\ud800"',
    "\x00",
)


def _nested(levels: int, kind: str) -> AnyValue:
    value = AnyValue(string_value="x")
    for _ in range(levels):
        one = {"key": "role", "value": value} if kind == "kvlist_value" else value
        value = AnyValue(**{kind: {"values": [one]}})
    return value


NESTED = (_nested(43, "array_value"), _nested(28, "kvlist_value"))
"""About as deep as a request can be read."""
VALUES = st.one_of(
    st.sampled_from(NESTED),
    st.sampled_from((*WORDS, *ODD_TEXTS)).map(lambda text: AnyValue(string_value=text)),
    JSON.map(lambda value: AnyValue(string_value=json.dumps(value))),
    messages(AnyValue),
)


def _withheld(members: dict[str, AnyValue]) -> AnyValue:
    """What looks like a commitment in place of a body, and may be one."""
    inside = {"values": [{"key": key, "value": value} for key, value in members.items()]}
    return AnyValue(kvlist_value={"values": [{"key": REDACTED, "value": {"kvlist_value": inside}}]})


SIZES = st.integers(0, 2**63 - 1).map(lambda size: AnyValue(int_value=size))
COMMITMENTS = st.one_of(
    st.builds(lambda size: _withheld({"alg": _TEXT, "digest": _TEXT, "size_bytes": size}), SIZES),
    st.dictionaries(st.sampled_from(["alg", "digest", "reason", "size_bytes", ""]), VALUES, max_size=4).map(_withheld),
    VALUES.map(lambda value: AnyValue(kvlist_value={"values": [{"key": REDACTED, "value": value}]})),
)
_TEXT = AnyValue(string_value="sha256")
ATTRIBUTES = st.lists(st.tuples(st.sampled_from(KEYS), VALUES | COMMITMENTS), max_size=5)


@st.composite
def telemetry(draw):
    """A request of any signal, with attributes on its resources, scopes and items that mean something to somebody."""
    signal, request = draw(requests())
    for group, scope, items in signal.groups(request):
        for owner in (group.resource, scope.scope, *items):
            for key, value in draw(ATTRIBUTES) if hasattr(owner, "attributes") else ():
                owner.attributes.add(key=key, value=value)
        for item in items if signal.name == "TRACES" else ():
            item.trace_id, item.span_id = (
                draw(st.sampled_from([b"t" * 16, b"u" * 16])),
                draw(st.sampled_from([b"1" * 8, b"2" * 8])),
            )
    return signal, request


MAPPING = MappingAgain()


@given(telemetry(), st.booleans())
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_taken_is_sealed_and_verifies(tables, key, found, as_json):
    signal, request = found
    body = json_codec.dump(request) if as_json else request.SerializeToString()
    encoding = "json" if as_json else "protobuf"
    try:
        taken = decode(signal, encoding, body).items
    except DecodeError:
        taken = 0  # such as values nested deeper than is read
    else:
        frame = Frame(0, 0, signal, as_json, body)
        exported, _ = FrameTranslator(tables["translator"]).exported(frame, keep_unmapped=True)
        assert taken == decode(signal, "protobuf", exported).items, "a backend gets what was taken, and can read it"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"any{signal.hint}{'json' if as_json else 'pb'}"
        file.write_bytes(body)
        inputs = Inputs([file])
        sealed = list(seal_files(inputs, Path(folder) / "out", signer=KeySigner.from_file(key), **tables))
        trust = Trust.load([key.with_name("k.pem.pub")])
        results = [verify_file(Path(folder) / "out" / each.file, trust=trust, mapping=MAPPING) for each in sealed]
    assert [result.verdict for result in results] == ["verified"] * len(sealed), [r.checks for r in results]
    recorded = sum(each.spans + each.logs + each.metrics + _counted_again(each) for each in sealed)
    assert recorded == taken
    assert taken or not sealed
    assert all("could not be" not in reason for reason in inputs.refused), inputs.refused


def _counted_again(sealed) -> int:
    """Repetitions are recorded once and counted."""
    return sealed.gaps.get("duplicates", 0)
