"""Everything bad that can be sent, to a running sidecar over real gRPC and HTTP and to its offline twin.

The law: a success, a partial success or a refusal by name, and what was taken is in a bundle that verifies. Never a traceback, never
a hang, never a lost acknowledged record. One sidecar takes all of it; the last tests look at what is left of it.
"""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
import urllib3
from click.testing import CliRunner, Result
from google.protobuf import json_format
from google.rpc import error_details_pb2  # noqa: F401 - so that details in JSON can be read
from google.rpc.status_pb2 import Status

from attest.signers.key import KeySigner
from attest.trust.trust import Trust
from attest.verify import verify_file
from evidence.bundle.reader import EvidenceBundle
from evidence.limits import DEFAULT
from sidecar.cli.seal import seal
from sidecar.mapping import MappingAgain
from sidecar.offline import Inputs, seal_files
from sidecar.otlp.signal import OtlpSignal
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.pb.affidavit.evidence.v1.evidence_pb2_grpc import EvidenceServiceStub
from tests.tools.otlp import CORPUS, METHODS, signal_of
from tests.tools.process import PATIENCE_SECONDS, Sidecar, running

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
MIB = 1 << 20
PROTOBUF, JSON = "application/x-protobuf", "application/json"
TRACES = OtlpSignal.TRACES
MAPPING = MappingAgain()
"""Its tables are read once."""
SPAN = {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "s"}


def json_request(*spans: dict) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


def request(*spans: dict) -> bytes:
    """Spans in OTLP/JSON form as a protobuf request."""
    message = TRACES.request()
    scope = message.resource_spans.add().scope_spans.add()
    for span in spans:
        ids = {
            key: base64.b64encode(bytes.fromhex(value)).decode() for key, value in span.items() if key.endswith("Id")
        }
        json_format.ParseDict({**span, **ids}, scope.spans.add())
    return message.SerializeToString()


def span(trace: int, number: int, **changes: object) -> dict:
    return {"traceId": f"{trace:032x}", "spanId": f"{number:016x}", "name": f"s{number}", **changes}


# ---------------------------------------------------------------- bodies that are refused as a whole


@dataclass(frozen=True)
class Bad:
    """A body, and what it is answered."""

    body: bytes
    kind: str = PROTOBUF
    http: int = 400
    grpc: grpc.StatusCode | None = grpc.StatusCode.INVALID_ARGUMENT
    """None: it cannot be sent over gRPC, where everything is protobuf."""
    says: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    offline: bool = True
    """Whether it is refused as a file as well."""


def bad_json(text: bytes, says: str, **changes: object) -> Bad:
    return Bad(text, JSON, grpc=None, says=says, **changes)


def nested(levels: int) -> bytes:
    deep = b'{"arrayValue":{"values":[' * levels + b"{}" + b"]}}" * levels
    text = json_request({**SPAN, "attributes": [{"key": "k", "value": "DEEP"}]})
    return text.replace(b'"DEEP"', deep)


BAD = {
    "malformed_protobuf": Bad(b"\x0a\xff\xff\xff", says="ExportTraceServiceRequest"),
    "protobuf_cut_short": Bad(request(SPAN)[:-1], says="ExportTraceServiceRequest"),
    "invalid_utf8_in_protobuf": Bad(request({**SPAN, "name": "NAME"}).replace(b"NAME", b"\xff\xfe\xfd\xfc")),
    "malformed_json": bad_json(b'{"resourceSpans":[', "not JSON"),
    "json_and_more": bad_json(json_request(SPAN) + b"}", "not JSON"),
    "json_of_another_shape": bad_json(b'{"resourceSpans":{}}', "expected an array"),
    "deep_json": bad_json(b'{"resourceSpans":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "JSON"),
    "deep_values": bad_json(nested(10_000), "JSON"),
    "values_deeper_than_protobuf_has_them": bad_json(nested(60), "nested"),
    "duplicate_key": bad_json(b'{"resourceSpans":[],"resourceSpans":[]}', "stands twice"),
    "duplicate_key_inside": bad_json(
        json_request(SPAN).replace(b'"name"', b'"kind": 1, "kind": 2, "name"'), "stands twice"
    ),
    "nan": bad_json(json_request({**SPAN, "kind": "KIND"}).replace(b'"KIND"', b"NaN"), "JSON"),
    "infinity": bad_json(json_request({**SPAN, "kind": "KIND"}).replace(b'"KIND"', b"-Infinity"), "JSON"),
    "invalid_utf8_in_json": bad_json(json_request(SPAN).replace(b"5b8e", b"\xff\xfe\xfd\xfc"), "JSON"),
    "lone_surrogate": bad_json(json_request(SPAN).replace(b'"s"', b'"\\ud800"'), "JSON"),
    "id_in_base64": bad_json(json_request({**SPAN, "traceId": "W47/95gDgQPSabYzgT/GDA=="}), "hex"),
    "enum_by_name": bad_json(json_request({**SPAN, "kind": "SPAN_KIND_CLIENT"}), "enum"),
    "integer_too_large": bad_json(json_request({**SPAN, "endTimeUnixNano": str(2**64)}), "integer"),
    "digits_without_end": bad_json(json_request({**SPAN, "kind": "KIND"}).replace(b'"KIND"', b"1" * 5_000), "JSON"),
    "json_said_to_be_protobuf": Bad(json_request(SPAN), offline=False),
    "protobuf_said_to_be_json": Bad(request(SPAN), JSON, grpc=None, says="JSON", offline=False),
    "wrong_content_type": Bad(request(SPAN), "text/plain", 415, None, "content-type", offline=False),
    "unknown_coding": Bad(request(SPAN), PROTOBUF, 415, None, "gzip", {"content-encoding": "br"}, offline=False),
    "gzip_bomb": Bad(gzip.compress(bytes(65 * MIB)), PROTOBUF, 413, None, "inflate", {"content-encoding": "gzip"}),
    "gzip_cut_short": Bad(gzip.compress(request(SPAN))[:-9], PROTOBUF, 400, None, "", {"content-encoding": "gzip"}),
    "not_gzip": Bad(request(SPAN), PROTOBUF, 400, None, "gzip", {"content-encoding": "gzip"}, offline=False),
    "65_mib": Bad(b"\x0a" + bytes(65 * MIB), PROTOBUF, 413, grpc.StatusCode.RESOURCE_EXHAUSTED),
    "empty_spans_without_end": Bad(b"\x0a\x02\x12\x00" * 1_000_001, says="at most"),
    "empty_objects_without_end": bad_json(b'{"resourceSpans":[' + b"{}," * 2_000_000 + b"{}]}", "at most"),
}
"""By defect. Over HTTP each goes with its content type; over gRPC those that are protobuf."""


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory):
    with running(tmp_path_factory.mktemp("abused") / "state", RUN__QUIET_SECONDS="3600") as process:
        yield process


@pytest.fixture(scope="module")
def channel(sidecar):
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(sidecar.grpc, options=options) as channel:
        yield channel


def post(sidecar: Sidecar, body: bytes, kind: str = PROTOBUF, signal: OtlpSignal = TRACES, **headers: str):
    url = f"http://{sidecar.http}/v1/{signal.name.lower()}"
    return urllib3.request(
        "POST", url, body=body, headers={"content-type": kind, **headers}, timeout=PATIENCE_SECONDS, retries=False
    )


def export(channel: grpc.Channel, body: bytes, signal: OtlpSignal = TRACES, **options: object):
    return signal.response.FromString(channel.unary_unary(METHODS[signal])(body, timeout=PATIENCE_SECONDS, **options))


def refusal(channel: grpc.Channel, body: bytes, **options: object) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as refused:
        export(channel, body, **options)
    return refused.value


@pytest.mark.parametrize("defect", BAD)
def test_over_http_it_is_refused_with_a_status_that_names_it(sidecar, defect):
    bad = BAD[defect]
    answer = post(sidecar, bad.body, bad.kind, **bad.headers)
    assert answer.status == bad.http
    if bad.kind == PROTOBUF:
        message = Status.FromString(answer.data).message
    else:
        message = json_format.Parse(answer.data, Status(), ignore_unknown_fields=False).message
    assert message
    assert bad.says in message


@pytest.mark.parametrize("defect", [defect for defect, bad in BAD.items() if bad.grpc])
def test_over_grpc_it_is_refused_with_a_code_that_no_client_retries(channel, defect):
    error = refusal(channel, BAD[defect].body)
    assert error.code() == BAD[defect].grpc
    assert BAD[defect].says in error.details()
    assert "retryinfo" not in str(error.trailing_metadata()).lower()


def test_a_gzip_bomb_over_grpc_is_refused_and_costs_no_memory(sidecar, channel):
    before = sidecar.pss_mib()
    error = refusal(channel, bytes(128 * MIB), compression=grpc.Compression.Gzip)
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert sidecar.pss_mib() - before < 128


@pytest.mark.parametrize("method", ["SubmitReceipts", "OpenRun", "CloseRun", "SealRun", "GetRun", "GetBundle"])
def test_what_is_no_request_to_the_receipt_service_is_invalid(channel, method):
    """An id that is not UTF-8, and bytes that are nothing at all."""
    call = channel.unary_stream if method == "GetBundle" else channel.unary_unary
    for body in (b"\x0a\x03a\xff\xfe", b"\xff\xff\xff"):
        with pytest.raises(grpc.RpcError) as refused:
            list(call(f"/affidavit.evidence.v1.EvidenceService/{method}")(body, timeout=PATIENCE_SECONDS))
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


# ---------------------------------------------------------------- items that are rejected, or odd and taken


BAD_IDS = {
    "zero_trace_id": {"traceId": "0" * 32},
    "zero_span_id": {"spanId": "0" * 16},
    "short_trace_id": {"traceId": "5b8eff"},
    "long_span_id": {"spanId": "ee" * 9},
    "no_ids": {"traceId": "", "spanId": ""},
}


@pytest.mark.parametrize("transport", ["grpc", "json"])
@pytest.mark.parametrize("defect", BAD_IDS)
def test_a_span_without_a_valid_id_is_rejected_and_counted_and_the_others_are_taken(
    sidecar, channel, transport, defect
):
    trace = 0xBAD0 + 2 * list(BAD_IDS).index(defect) + (transport == "json")
    good, bad = span(trace, 1), {**span(trace, 2), **BAD_IDS[defect]}
    if transport == "grpc":
        partial = export(channel, request(good, bad)).partial_success
        counted, message = partial.rejected_spans, partial.error_message
    else:
        partial = post(sidecar, json_request(good, bad), JSON).json()["partialSuccess"]
        counted, message = int(partial["rejectedSpans"]), partial["errorMessage"]
    assert (counted, "id" in message) == (1, True)
    bundle = sealed(sidecar, channel, f"{trace:032x}")
    assert [found["name"] for found in spans(bundle)] == ["s1"]


def test_odd_spans_are_evidence_and_not_refused(sidecar, channel):
    trace = 0x0DD
    odd = [
        span(trace, 1, startTimeUnixNano="2000", endTimeUnixNano="1000"),
        span(trace, 2, startTimeUnixNano=str(2**64 - 1), endTimeUnixNano=str(2**64 - 1)),
        span(trace, 3, kind=99, status={"code": 77}, flags=2**32 - 1, droppedLinksCount=2**32 - 1),
        span(trace, 4, parentSpanId=f"{4:016x}", name="", links=[{"traceId": "", "spanId": ""}]),
        span(trace, 5, attributes=[{"key": "", "value": {}}, {"key": "", "value": {"doubleValue": "NaN"}}, {}]),
        span(trace, 6, attributes=[{"key": "\x00\u2028\U0001f600", "value": {"stringValue": "\x00\x1f\ufeff\uffff"}}]),
    ]
    assert not export(channel, request(*odd)).HasField("partial_success")
    bundle = sealed(sidecar, channel, f"{trace:032x}")
    assert [found["spanId"] for found in spans(bundle)] == [f"{number:016x}" for number in range(1, 7)]
    assert spans(bundle)[0]["endTimeUnixNano"] == "1000"
    assert health(bundle)["clock_skew"] == 1


def test_a_span_that_comes_again_is_recorded_once_and_counted(sidecar, channel):
    body = request(span(0xD0, 1), span(0xD0, 2))
    for _ in range(2):
        export(channel, body)
    assert post(sidecar, json_request(span(0xD0, 1)), JSON).status == 200
    bundle = sealed(sidecar, channel, f"{0xD0:032x}")
    assert [found["name"] for found in spans(bundle)] == ["s1", "s2"]
    assert (health(bundle)["duplicates"], health(bundle)["conflicting_ids"]) == (3, 0)


def test_a_span_that_comes_again_with_other_content_is_recorded_and_counted_as_conflicting(sidecar, channel):
    export(channel, request(span(0xC0, 1), span(0xC0, 1, name="other")))
    bundle = sealed(sidecar, channel, f"{0xC0:032x}")
    assert [found["name"] for found in spans(bundle)] == ["s1", "other"]
    assert (health(bundle)["duplicates"], health(bundle)["conflicting_ids"]) == (0, 1)


def test_a_request_that_cannot_be_recorded_is_a_gap_and_a_kept_file_and_stops_nothing(sidecar, channel):
    """Acknowledged, and too long for a line of evidence once its control characters are escaped."""
    message = TRACES.request.FromString(request(span(0xE0, 1)))
    message.resource_spans[0].resource.attributes.add(key="k").value.string_value = "\x01" * (12 * MIB)
    export(channel, message.SerializeToString())
    export(channel, request(span(0xE0, 2)))
    bundle = sealed(sidecar, channel, f"{0xE0:032x}")
    assert [found["name"] for found in spans(bundle)] == ["s2"]
    assert (health(bundle)["gaps"], health(bundle)["gap_items"]) == (1, 1)
    (kept,) = (sidecar.state / "unrecorded").iterdir()
    assert kept.read_bytes() == message.SerializeToString()


def test_a_sender_that_claims_more_than_there_can_be_ends_its_run_with_a_gap(sidecar, channel):
    export(channel, request(span(0xF0, 1)))
    counts = pb.SenderCounts(spans_ended=2**64 - 1, logs=2**63, receipts=2**53)
    EvidenceServiceStub(channel).CloseRun(pb.CloseRunRequest(run_id=f"{0xF0:032x}", counts=counts))
    assert health(sealed(sidecar, channel, f"{0xF0:032x}"))["gaps"] == 3


RECORDING = CORPUS / "openinference-instrumentation-openai@0.1.66" / "tools_loop.traces.otlp.pb"


def test_a_recording_cut_at_every_100th_byte_is_taken_or_refused(sidecar, channel):
    data = RECORDING.read_bytes()
    codes = set()
    for size in range(0, len(data), 100):
        codes.add(post(sidecar, data[:size]).status)
        try:
            export(channel, data[:size])
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert codes == {200, 400}


def test_after_all_of_it_the_sidecar_answers_ends_in_order_and_every_bundle_verifies(sidecar, channel):
    assert urllib3.request("GET", f"http://{sidecar.http}/readyz").status == 200
    export(channel, request(span(0xA11, 1)))
    assert len(spans(sealed(sidecar, channel, f"{0xA11:032x}"))) == 1
    assert sidecar.stop() == 0
    trust = Trust.load([sidecar.public_key])
    verdicts = {path.name: verify_file(path, trust=trust, mapping=MAPPING).verdict for path in sidecar.bundles}
    assert set(verdicts.values()) == {"verified"}, verdicts
    assert SPAN["traceId"] not in {path.name.partition(".")[0] for path in sidecar.bundles}, (
        "a refused body was recorded"
    )


def test_its_log_holds_one_form_of_lines_and_no_traceback(sidecar):
    if sidecar.process.poll() is None:
        assert sidecar.stop() == 0
    assert [line for line in sidecar.log if line["event"] == "not a log line"] == []
    complaints = {line["event"] for line in sidecar.log if line["level"] not in {"info", "debug"}}
    assert complaints <= {"not wholly recorded"}
    assert "Traceback" not in json.dumps(sidecar.log)


def sealed(sidecar: Sidecar, channel: grpc.Channel, run_id: str) -> Path:
    """Has a run sealed; its bundle."""
    run = EvidenceServiceStub(channel).SealRun(pb.SealRunRequest(run_id=run_id), timeout=PATIENCE_SECONDS).run
    return sidecar.state / "bundles" / run.bundle_file


def spans(bundle: Path) -> list[dict]:
    with EvidenceBundle.open(bundle) as opened:
        found = [event["data"]["span"] for event, _ in opened.events() if "span" in event["data"]]
        opened.finish()
    return found


def health(bundle: Path) -> dict:
    with EvidenceBundle.open(bundle) as opened:
        return opened.manifest["capture_health"]


# ---------------------------------------------------------------- the offline twin


def clean(out: Path) -> list[Path]:
    """The bundles in a folder that holds nothing else but their attestations."""
    files = sorted(out.iterdir())
    bundles = [path for path in files if path.name.endswith(".evidence.tar.gz")]
    attestations = [path for path in files if path.name.endswith(".sigstore.json")]
    assert len(files) == len(bundles) + len(attestations), files
    assert len(attestations) in {0, len(bundles)}
    return bundles


@pytest.fixture(scope="module")
def sealed_together(tmp_path_factory) -> tuple[Result, Path, Path]:
    """Every bad file and a good one in their middle, sealed by one command: how it ended, their folder, and that of the bundles."""
    folder = tmp_path_factory.mktemp("offline")
    files = []
    for defect, bad in BAD.items():
        if bad.offline:
            files.append(folder / f"{defect}.traces.{'json' if bad.kind == JSON else 'pb'}")
            files[-1].write_bytes(bad.body)
    good = folder / "good.traces.pb"
    good.write_bytes(request(span(0x600D, 1)))
    files.insert(len(files) // 2, good)
    return CliRunner().invoke(seal, [*map(str, files), "--out", str(folder / "out")]), folder, folder / "out"


@pytest.mark.parametrize("defect", [defect for defect, bad in BAD.items() if bad.offline])
def test_a_bad_file_is_refused_by_name_and_the_good_one_beside_it_is_sealed(sealed_together, defect):
    result, folder, out = sealed_together
    assert (result.exit_code, type(result.exception)) == (1, SystemExit), result.output
    refusals = [line for line in result.stderr.splitlines() if f"{folder}/{defect}.traces" in line]
    assert len(refusals) == 1
    assert "refused" in refusals[0]
    assert [path.name for path in clean(out)] == [f"{0x600D:032x}.evidence.tar.gz"]


@pytest.mark.parametrize("defect", BAD_IDS)
def test_a_file_with_a_span_that_belongs_to_no_run_is_sealed_without_it_and_says_so(tmp_path, defect):
    file = tmp_path / "some.traces.json"
    file.write_bytes(json_request(span(0xBAD, 1), {**span(0xBAD, 2), **BAD_IDS[defect]}))
    result = CliRunner().invoke(seal, [str(file), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "some.traces.json: 1 of 2 rejected" in result.stderr
    (bundle,) = clean(tmp_path / "out")
    assert [found["name"] for found in spans(bundle)] == ["s1"]


@pytest.mark.parametrize("body", [b"", b" \n", b"{}", b'{"resourceSpans":[]}', b"\x0a\x00"])
def test_a_file_that_holds_nothing_is_named(tmp_path, body):
    file = tmp_path / "nothing.traces.otlp"
    file.write_bytes(body)
    result = CliRunner().invoke(seal, [str(file), "--out", str(tmp_path / "out")])
    assert (result.exit_code, str(file) in result.stderr, clean(tmp_path / "out")) == (1, True, [])


def test_repetitions_in_files_are_counted_as_they_are_in_the_sidecar(tmp_path):
    files = [tmp_path / "one.traces.json", tmp_path / "two.traces.pb"]
    files[0].write_bytes(json_request(span(1, 1)) + b"\n" + json_request(span(1, 1), span(1, 2)))
    files[1].write_bytes(request(span(1, 1), span(1, 2, name="other")))
    result = CliRunner().invoke(seal, [*map(str, files), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    (bundle,) = clean(tmp_path / "out")
    assert [found["name"] for found in spans(bundle)] == ["s1", "s2", "other"]
    assert (health(bundle)["duplicates"], health(bundle)["conflicting_ids"]) == (2, 1)


CUT = [
    RECORDING,
    CORPUS / "openlit@1.45.0" / "chat_stream.nocontent.logs.otlp.pb",
    CORPUS / "openinference-instrumentation-google-adk@1.0.5" / "chat.metrics.otlp.pb",
]


@pytest.mark.parametrize("file", CUT, ids=lambda file: signal_of(file).name.lower())
@pytest.mark.parametrize("named", [True, False], ids=["named", "unnamed"])
def test_a_recorded_file_cut_at_every_100th_byte_gives_bundles_that_verify_or_a_refusal(
    tmp_path, tables, key, file, named
):
    """Under its own name, which says the signal, and under one that says nothing."""
    trust, signer = Trust.load([key.with_name("k.pem.pub")]), KeySigner.from_file(key)
    data = file.read_bytes()
    outcomes = set()
    for size in range(0, len(data), 100):
        cut, out = tmp_path / (file.name if named else "cut"), tmp_path / str(size)
        cut.write_bytes(data[:size])
        inputs = Inputs([cut])
        bundles = [out / each.file for each in seal_files(inputs, out, signer=signer, **tables)]
        assert clean(out) == sorted(bundles)
        assert bool(bundles) != any(str(cut) in reason for reason in inputs.refused), size
        assert {verify_file(path, trust=trust, mapping=MAPPING).verdict for path in bundles} <= {"verified"}
        outcomes.add(bool(bundles))
    assert False in outcomes


@pytest.mark.parametrize("count", [21_000, pytest.param(100_000, marks=pytest.mark.soak)])
def test_many_spans_in_one_run_are_sealed_and_verify(tmp_path, key, count):
    """More than the open instances that a check holds."""
    assert count > DEFAULT.open_instances_max
    message = TRACES.request()
    scope = message.resource_spans.add().scope_spans.add()
    for number in range(1, count + 1):
        parent = (number // 2).to_bytes(8, "big") if number > 1 else b""
        scope.spans.add(trace_id=b"\x01" * 16, span_id=number.to_bytes(8, "big"), parent_span_id=parent, name="s")
    (tmp_path / "many.traces.pb").write_bytes(message.SerializeToString())
    arguments = ["seal", str(tmp_path / "many.traces.pb"), "--out", str(tmp_path / "out"), "--key", str(key)]
    done = subprocess.run([sys.executable, "-m", "sidecar", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["spans"] == count
    (bundle,) = clean(tmp_path / "out")
    result = verify_file(bundle, trust=Trust.load([key.with_name("k.pem.pub")]), mapping=MAPPING)
    assert result.verdict == "verified"
    assert result.facts.manifest["event_count"] == count + 4
    assert {name for name, value in health(bundle).items() if value} == {"spans", "sender_uncounted"}
