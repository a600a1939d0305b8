"""No secret comes out of a sidecar: not in a bundle, an attestation, a line of its log or an error answer; what is withheld can be proven."""

from __future__ import annotations

import contextlib
import json
import tarfile
from pathlib import Path

import grpc
import orjson
import pytest
import urllib3
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from attest.trust.trust import Trust
from attest.verify import verify_file
from evidence.redaction.commitment import MARK
from sidecar.cli.main import affidavit
from sidecar.mapping import MappingAgain
from sidecar.otlp import json_codec
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.pb.affidavit.evidence.v1.evidence_pb2_grpc import EvidenceServiceStub
from tests.evidence.secret_examples import found
from tests.tools.process import PATIENCE_SECONDS, running

EXAMPLES = found()
SECRETS = sorted({each.secret for each in EXAMPLES}, key=len)
TEXTS = [each.text for each in EXAMPLES]
ONE_OF_EACH = list({each.detector: each.text for each in EXAMPLES}.values())


# ------------------------------------------------------------------ planting


def _plant(pairs, text: str) -> None:
    """A text in every kind of attribute value, and in a key."""
    pairs.add(key="k.text").value.string_value = text
    pairs.add(key="gen_ai.input.messages").value.string_value = json.dumps(
        [{"role": "user", "parts": [{"type": "text", "content": text}]}]
    )
    pairs.add(key="k.twice").value.string_value = json.dumps({"inner": json.dumps({"deep": text})})
    pairs.add(key="k.list").value.array_value.values.add().string_value = text
    pairs.add(key="k.map").value.kvlist_value.values.add(key="inner").value.string_value = text
    pairs.add(key="k.bytes").value.bytes_value = text.encode()
    pairs.add(key=f"k {text}").value.bool_value = True


def traces(texts: list[str] = TEXTS) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    for number, text in enumerate(texts, 1):
        group = request.resource_spans.add(schema_url=text)
        _plant(group.resource.attributes, text)
        scoped = group.scope_spans.add(schema_url=text)
        scoped.scope.name, scoped.scope.version = text, text
        _plant(scoped.scope.attributes, text)
        span = scoped.spans.add(trace_id=b"\1" * 16, span_id=number.to_bytes(8, "big"), name=text, trace_state=text)
        span.status.code, span.status.message = 2, text
        _plant(span.attributes, text)
        _plant(span.events.add(name=text).attributes, text)
        _plant(span.links.add(trace_id=b"\2" * 16, span_id=b"\3" * 8, trace_state=text).attributes, text)
        span.MergeFromString(
            bytes([0xA2, 0x06, len(text.encode()) & 0x7F | 0x80, len(text.encode()) >> 7]) + text.encode()
        )
    return request


def logs(texts: list[str] = TEXTS) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    for text in texts:
        records = request.resource_logs.add().scope_logs.add().log_records
        record = records.add(trace_id=b"\1" * 16, span_id=b"\4" * 8, severity_text=text, event_name=text)
        record.body.string_value = text
        _plant(record.attributes, text)
        _plant(records.add(trace_id=b"\1" * 16).body.kvlist_value.values, text)
    return request


def metrics(texts: list[str] = TEXTS) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    for text in texts:
        group = request.resource_metrics.add()
        group.resource.attributes.add(key="affidavit.run.id").value.string_value = text
        metric = group.scope_metrics.add().metrics.add(name=text, unit=text, description=text)
        _plant(metric.metadata, text)
        point = metric.gauge.data_points.add(as_int=1)
        _plant(point.attributes, text)
        _plant(point.exemplars.add(as_int=1).filtered_attributes, text)
    return request


# ------------------------------------------------------------------ looking


def strings(value, depth: int = 0):
    """Every string in a JSON value, keys too, and what is in those that are JSON themselves or base64."""
    if isinstance(value, str):
        yield value
        if depth < 8 and value[:1] in {"{", "["}:
            with contextlib.suppress(orjson.JSONDecodeError):
                yield from strings(orjson.loads(value), depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings(key, depth)
            yield from strings(item, depth)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item, depth)


def leaks(text: str) -> list[str]:
    left = MARK.sub("", text)
    return [secret for secret in SECRETS if secret in left]


def leaked_by(bundle: Path) -> list[str]:
    found_here: list[str] = []
    with tarfile.open(bundle) as archive:
        for member in archive:
            data = archive.extractfile(member).read()
            everything = "\n".join(text for line in data.splitlines() for text in strings(orjson.loads(line)))
            found_here += leaks(everything) + leaks(data.decode())
    return found_here


# ------------------------------------------------------------------ offline


def seal(*arguments: object):
    return CliRunner().invoke(affidavit, ["seal", *map(str, arguments)])


def test_no_secret_of_a_recording_is_in_its_bundles_reports_or_messages(tmp_path):
    files = []
    for name, request in (("traces", traces()), ("logs", logs()), ("metrics", metrics())):
        file = tmp_path / f"r.{name}.pb"
        file.write_bytes(request.SerializeToString())
        files.append(file)
    result = seal(*files, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    bundles = sorted((tmp_path / "out").glob("*.evidence.tar.gz"))
    assert len(bundles) > 1
    assert leaks(result.output) == []
    for bundle in bundles:
        assert leaked_by(bundle) == []
        assert leaks(bundle.name) == []
    kept = b"".join(file.read_bytes() for file in (tmp_path / "out").glob("*.disclosures.ndjson"))
    withheld = "\n".join(orjson.loads(line).get("body", "") for line in kept.splitlines())
    assert [secret for secret in SECRETS if secret not in withheld] == []


def test_what_is_planted_is_seen_by_the_look_itself(tmp_path):
    """The look would find each secret if it were there: the same recording under a policy that withholds something else."""
    policy = tmp_path / "p.yaml"
    policy.write_text('id: p\nversion: "1"\nsecrets: false\nkeys: [nothing.at.all]\n')
    file = tmp_path / "r.traces.pb"
    file.write_bytes(traces().SerializeToString())
    assert seal(file, "--out", tmp_path / "out", "--redaction", policy).exit_code == 0
    found_here = {leak for bundle in (tmp_path / "out").glob("*.gz") for leak in leaked_by(bundle)}
    assert found_here == set(SECRETS)


def test_a_new_user_seals_looks_discloses_verifies_and_erases(tmp_path):
    text = EXAMPLES[0].text
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(trace_id=b"\1" * 16, span_id=b"\2" * 8, name="s")
    span.attributes.add(key="note").value.string_value = text
    file = tmp_path / "r.traces.pb"
    file.write_bytes(request.SerializeToString())
    out = tmp_path / "out"
    assert seal(file, "--out", out).exit_code == 0
    bundle, disclosures = next(out.glob("*.gz")), next(out.glob("*.disclosures.ndjson"))
    assert disclosures.stat().st_mode & 0o777 == 0o600
    before = bundle.read_bytes()
    assert seal(file, "--out", out).exit_code == 0
    assert bundle.read_bytes() == before, "the key beside it gives the same commitments again"
    run = lambda *arguments: CliRunner().invoke(affidavit, list(map(str, arguments)))  # noqa: E731
    shown = tmp_path / "shown.ndjson"
    assert run("evidence", "disclose", disclosures, "--key", "note", "--bundle", bundle, "--out", shown).exit_code == 0
    assert EXAMPLES[0].secret in shown.read_text()
    assert orjson.loads(disclosures.read_bytes().splitlines()[0])["key"] not in shown.read_text()
    proven = json.loads(run("verify", bundle, "--disclosed", shown, "--json").output)
    assert next(each for each in proven["checks"] if each["id"] == "disclosed")["outcome"] == "pass"
    disclosures.unlink()
    alone = json.loads(run("verify", bundle, "--json").output)
    outcomes = {each["id"]: (each["outcome"], each["reason"]) for each in alone["checks"]}
    assert outcomes["disclosed"] == ("skip", "none was given")
    assert {outcomes[name][0] for name in ("container", "manifest", "files", "events", "reports", "mapping")} <= {
        "pass",
        "warn",
    }


# ------------------------------------------------------------------ a real sidecar


@pytest.mark.integration
def test_no_secret_comes_out_of_a_running_sidecar(tmp_path):
    said: list[str] = []
    with running(tmp_path / "state", SHUTDOWN__GRACE_SECONDS="80") as sidecar:
        for name, make in (("traces", traces), ("logs", logs), ("metrics", metrics)):
            request = make(ONE_OF_EACH)  # all of them go through the same code offline
            for kind, body in (("x-protobuf", request.SerializeToString()), ("json", json_codec.dump(request))):
                answer = urllib3.request(
                    "POST",
                    f"http://{sidecar.http}/v1/{name}",
                    body=body,
                    headers={"content-type": f"application/{kind}"},
                )
                assert answer.status == 200
                said.append(answer.data.decode(errors="replace"))
        for text in TEXTS:
            for body in (
                {"resourceSpans": text},
                {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": text, "name": text}]}]}]},
                {text: text},
                [text],
            ):
                answer = urllib3.request(
                    "POST",
                    f"http://{sidecar.http}/v1/traces",
                    body=orjson.dumps(body),
                    headers={"content-type": "application/json"},
                )
                said.append(answer.data.decode(errors="replace") + repr(dict(answer.headers)))
            answer = urllib3.request(
                "POST",
                f"http://{sidecar.http}/v1/traces",
                body=text.encode(),
                headers={"content-type": text.splitlines()[0]},
            )
            said.append(answer.data.decode(errors="replace"))
        with grpc.insecure_channel(sidecar.grpc) as channel:
            service = EvidenceServiceStub(channel)
            run_id = "01" * 16

            def ask(call, request):
                try:
                    said.append(repr(call(request, timeout=PATIENCE_SECONDS)))
                except grpc.RpcError as error:
                    said.append(error.details() + repr(error.trailing_metadata()))

            ask(
                service.OpenRun,
                pb.OpenRunRequest(
                    run_id=run_id, context_json=orjson.dumps({"said": TEXTS, "by": dict.fromkeys(TEXTS, 1)})
                ),
            )
            for number, each in enumerate(EXAMPLES):
                body = {"a": {"b": [each.text]}, each.text: 1, "json": json.dumps({"in": each.text})}
                receipt = pb.Receipt(
                    run_id=run_id,
                    kind="note",
                    idempotency_key=f"{number} {each.text}"[:250],
                    body_json=orjson.dumps(body),
                )
                again = pb.Receipt(
                    run_id=run_id, kind="note", idempotency_key=receipt.idempotency_key, body_json=b'{"x": 1}'
                )
                bad = pb.Receipt(run_id=run_id, kind=each.text[:300], idempotency_key="k", body_json=each.text.encode())
                named = pb.Receipt(run_id=each.text, kind="note", idempotency_key="k", body_json=b"{}")
                ask(service.SubmitReceipts, pb.SubmitReceiptsRequest(receipts=[receipt, bad, named]))
                ask(service.SubmitReceipts, pb.SubmitReceiptsRequest(receipts=[again]))
                for call, request in (
                    (service.GetRun, pb.GetRunRequest(run_id=each.text)),
                    (service.SealRun, pb.SealRunRequest(run_id=each.text)),
                    (service.OpenRun, pb.OpenRunRequest(run_id=each.text)),
                    (service.OpenRun, pb.OpenRunRequest(run_id="r", context_json=each.text.encode())),
                ):
                    ask(call, request)
            ask(service.CloseRun, pb.CloseRunRequest(run_id=run_id, outcome_json=orjson.dumps({"out": TEXTS})))
        code = sidecar.stop()
    assert code == 0, [line for line in sidecar.log if line.get("level") in {"error", "warning"}][:5] + sidecar.log[-3:]
    assert len(sidecar.bundles) > 1
    for bundle in sidecar.bundles:
        assert leaked_by(bundle) == []
    for file in (sidecar.state / "bundles").iterdir():
        assert leaks(file.name) == []
        if file.name.endswith(".sigstore.json"):
            assert leaks(file.read_text()) == []
    assert leaks(json.dumps(sidecar.log)) == []
    for answer in said:
        assert leaks(answer) == [], answer
    assert leaks("\n".join(orjson.dumps(line).decode() for line in sidecar.log)) == []


@pytest.mark.integration
def test_a_sidecar_withholds_by_its_policy_and_its_recipient_alone_can_show_it(tmp_path):
    key = X25519PrivateKey.generate()
    public, private, policy = tmp_path / "pub.pem", tmp_path / "key.pem", tmp_path / "policy.yaml"
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    policy.write_text('id: p\nversion: "1"\nsignals: [llm_io_bodies]\nkeys: [customer]\n')
    said = "a question that nobody else should read"
    request = ExportTraceServiceRequest()
    span = (
        request.resource_spans.add().scope_spans.add().spans.add(trace_id=b"\7" * 16, span_id=b"\2" * 8, name="chat m")
    )
    span.attributes.add(key="gen_ai.operation.name").value.string_value = "chat"
    for name, role in (("input", "user"), ("output", "assistant")):
        message = {"role": role, "parts": [{"type": "text", "content": f"{said}: {name}"}], "finish_reason": "stop"}
        span.attributes.add(key=f"gen_ai.{name}.messages").value.string_value = json.dumps([message])
    settings = {"REDACTION__POLICY_FILE": str(policy), "REDACTION__ENCRYPT_TO": str(public)}
    with running(tmp_path / "state", **settings) as sidecar:
        with grpc.insecure_channel(sidecar.grpc) as channel:
            channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")(
                request.SerializeToString()
            )
            receipt = pb.Receipt(
                run_id="07" * 16, kind="note", idempotency_key="k", body_json=b'{"customer":{"n":"Ada L."}}'
            )
            EvidenceServiceStub(channel).SubmitReceipts(pb.SubmitReceiptsRequest(receipts=[receipt]))
        assert sidecar.stop() == 0
    (bundle,) = sidecar.bundles
    (kept,) = (sidecar.state / "disclosures").iterdir()
    assert said.encode() not in kept.read_bytes()
    with tarfile.open(bundle) as archive:
        recorded = archive.extractfile("events.ndjson").read()
    assert said.encode() not in recorded
    assert b"Ada L." not in recorded
    shown = tmp_path / "shown"
    run = lambda *arguments: CliRunner().invoke(affidavit, list(map(str, arguments)))  # noqa: E731
    assert run("evidence", "disclose", kept, "--all", "--out", shown).exit_code != 0
    shown_all = run(
        "evidence", "disclose", kept, "--all", "--out", shown, "--decrypt-with", private, "--bundle", bundle
    )
    assert shown_all.exit_code == 0, shown_all.output
    assert said in shown.read_text()
    result = verify_file(bundle, trust=Trust.load([sidecar.public_key]), mapping=MappingAgain(), disclosed=shown)
    assert (result.verdict, result.check("disclosed").outcome) == ("verified", "pass")
    states = result.facts.closure["completeness"]["by_signal"]
    assert states["llm_io_bodies"]["status"] == "redacted"
