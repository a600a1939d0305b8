"""Bundles that are valid as far as the reader looks, of events whose content is whatever a hostile sender makes up."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st

from evidence import event as types
from evidence.redaction.commitment import Commitment
from tests.evidence import make

TEXTS = st.sampled_from(
    [
        "",
        "a",
        "chat",
        "\x1b[31mred\x07",
        "\u202eright",
        "two\nlines",
        "日本語" * 40,
        "[",
        "{}",
        '[{"role":3,"parts":{"type":[]}}]',
        "x" * 300,
    ]
)
HELD = Commitment(alg="sha256", digest="ab" * 32, size_bytes=3, reason="\x1b[2J").to_any_value()
KEYS = st.sampled_from(
    [
        "gen_ai.operation.name",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.system_instructions",
        "gen_ai.tool.definitions",
        "gen_ai.tool.call.result",
        "gen_ai.tool.name",
        "gen_ai.request.model",
        "gen_ai.request.temperature",
        "gen_ai.response.finish_reasons",
        "gen_ai.usage.input_tokens",
        "gen_ai.agent.name",
        "mcp.method.name",
        "error.type",
        "service.name",
        "\x1b[31m",
        "k" * 200,
    ]
)
NUMBERS = st.sampled_from(["0", "1", "-1", str(make.START), str(2**64 - 1), "9" * 25, "x"]) | st.integers(-5, 5)
ODD: list[Any] = [
    None,
    True,
    3,
    -1,
    0.5,
    "",
    "x",
    [],
    {},
    [1, "a", None],
    {"a": {"b": []}},
    {"stringValue": 3},
    {"arrayValue": {"values": 1}},
]
JSON = st.sampled_from(ODD)
"""Whatever stands where something else should: drawn from a list, for what matters is where it stands."""
VALUES = (
    st.builds(lambda text: {"stringValue": text}, TEXTS)
    | st.builds(lambda number: {"intValue": number}, NUMBERS)
    | st.just({"doubleValue": 0.5})
    | st.just(HELD)
    | st.just({"kvlistValue": {"values": [{"key": "affidavit.redacted", "value": {"kvlistValue": 3}}]}})
    | JSON
)
ATTRIBUTES = st.lists(st.builds(lambda key, value: {"key": key, "value": value}, KEYS, VALUES) | JSON, max_size=5)
IDS = st.sampled_from(["", "0000000000000001", "0000000000000002", "0000000000000003", "\x1b]0;x\x07"]) | JSON
DIGESTS = st.just(make.DIGEST)


def _members(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=members)


_TELEMETRY = {
    "traceId": st.sampled_from([make.TRACE, "", "x"]),
    "spanId": IDS,
    "attributes": ATTRIBUTES | JSON,
    "flags": NUMBERS,
}
SPAN = _members(
    **_TELEMETRY,
    parentSpanId=IDS,
    name=TEXTS | JSON,
    kind=JSON,
    startTimeUnixNano=NUMBERS | JSON,
    endTimeUnixNano=NUMBERS,
    status=st.just({"code": 2, "message": "\x1b[31mno"}) | JSON,
    events=st.lists(_members(name=st.just("exception"), attributes=ATTRIBUTES) | JSON, max_size=2) | JSON,
)
LOG = _members(
    **_TELEMETRY, body=VALUES, eventName=TEXTS, severityText=TEXTS, severityNumber=JSON, timeUnixNano=NUMBERS
)
METRIC = _members(name=TEXTS | JSON, unit=JSON, sum=_members(dataPoints=st.lists(JSON, max_size=2) | JSON), gauge=JSON)
MAPPED = _members(
    attributes=ATTRIBUTES | JSON,
    removed=st.lists(KEYS, max_size=2) | JSON,
    name=TEXTS | JSON,
    profiles=JSON,
    points=JSON,
    event_name=JSON,
)


def _telemetry(kind: str, name: str, body: st.SearchStrategy[Any]) -> st.SearchStrategy[make.Item]:
    data = st.fixed_dictionaries(
        {"resource": DIGESTS, "scope": DIGESTS, name: body},
        optional={"mapped": MAPPED, "loss": st.dictionaries(TEXTS, JSON, max_size=2)},
    )
    return st.tuples(st.just(kind), data)


def _of(
    kind: str, required: dict[str, st.SearchStrategy[Any]], **optional: st.SearchStrategy[Any]
) -> st.SearchStrategy[make.Item]:
    return st.tuples(st.just(kind), st.fixed_dictionaries(required, optional=optional))


OBJECTS = st.dictionaries(TEXTS, JSON, max_size=3)
COUNTS = {name: st.integers(0, 2**53 - 1) for name in ("events", "spans", "logs", "metrics", "receipts")}
ITEM = st.one_of(
    _telemetry(types.SPAN, "span", SPAN),
    _telemetry(types.SPAN, "span", SPAN),
    _telemetry(types.LOG, "log", LOG),
    _telemetry(types.METRIC, "metric", METRIC),
    _of(types.RESOURCE, {"digest": DIGESTS, "resource": _members(attributes=ATTRIBUTES | JSON)}),
    _of(types.SCOPE, {"digest": DIGESTS, "scope": _members(name=TEXTS | JSON, version=JSON)}),
    _of(
        types.RECEIPT,
        {
            "kind": st.sampled_from(["policy", "policy_decision", "human_approval", "\x1b[1m"]),
            "idempotency_key": TEXTS,
            "body": OBJECTS,
        },
        trace_id=st.just(make.TRACE),
        span_id=st.just("0000000000000001"),
        time_unix_nano=NUMBERS,
    ),
    _of(types.RUN_GAP, {"kind": TEXTS, "count": st.integers(-3, 2**53 - 1)}, detail=TEXTS),
    _of(
        types.RUN_OPENED,
        {"run_id": TEXTS, "part": st.just(1), "reason": TEXTS},
        context=OBJECTS | st.just({"policy": {"id": "p"}}),
    ),
    _of(types.RUN_CLOSED, {"reason": TEXTS, **COUNTS}, outcome=OBJECTS),
    _of(types.DRIFT, {}, anything=JSON),
    _of(types.REDACTION, {}, anything=JSON),
)


def items() -> st.SearchStrategy[list[make.Item]]:
    """The items of a bundle, whatever they hold."""
    return st.lists(ITEM, min_size=1, max_size=12)


@cache
def _template() -> make.Members:
    with TemporaryDirectory() as folder:
        return make.unpack(make.sealed(Path(folder)).path)


def bundle_of(folder: Path, made: Sequence[make.Item], name: str = "hostile.evidence.tar.gz") -> Path:
    """A bundle of just these items: what somebody packs who wants it to be read, with reports that are of another run."""
    lines = make.lines(made)

    def replace(event_lines: list[bytes]) -> None:
        event_lines[:] = lines

    return make.pack(make.with_lines(_template(), replace).items(), folder / name)
