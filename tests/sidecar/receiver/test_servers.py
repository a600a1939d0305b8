"""Both servers as such: stock clients, health, reflection, TLS, addresses, and any bytes at all."""

import gzip
import http.client
import json
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from sidecar.errors import SidecarError
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.pb.affidavit.evidence.v1.evidence_pb2_grpc import EvidenceServiceStub
from sidecar.receiver.tls import Tls
from tests.sidecar.receiver.world import (
    JSON_BODY,
    METHODS,
    REQUESTS,
    TYPES,
    serving,
    traces,
)
from tests.tools.certificates import Authority
from tests.tools.process import PATIENCE_SECONDS

GRPC_TRACES = "opentelemetry.exporter.otlp.proto.grpc.trace_exporter"
HTTP_TRACES = "opentelemetry.exporter.otlp.proto.http.trace_exporter"


# ---------------------------------------------------------------- stock exporters


def send_spans(exporter, count=3):
    provider = TracerProvider(resource=Resource.create({"service.name": "test"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    for n in range(count):
        with provider.get_tracer("t").start_as_current_span(f"span {n}"):
            pass
    provider.shutdown()


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_the_stock_grpc_exporter_delivers(world, compression):
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    send_spans(OTLPSpanExporter(endpoint=f"http://{world.grpc.address}", insecure=True, compression=compression))
    assert [b"span %d" % n in frame.body for n, frame in enumerate(world.frames())] == [True] * 3


@pytest.mark.parametrize("compression", ["none", "gzip", "deflate"])
def test_the_stock_http_exporter_delivers_or_is_told_why_not(world, compression):
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    send_spans(OTLPSpanExporter(endpoint=world.url("/v1/traces"), compression=Compression(compression)))
    assert len(world.frames()) == (0 if compression == "deflate" else 3)


# ---------------------------------------------------------------- health and reflection


@pytest.mark.parametrize("compression", [None, grpc.Compression.Gzip])
def test_health_serves_only_when_ready_also_for_a_compressing_client(world, compression):
    services = ("", "affidavit.evidence.v1.EvidenceService", METHODS["traces"].split("/")[1])
    with world.channel(compression) as channel:
        health = health_pb2_grpc.HealthStub(channel)

        def states():
            return {health.Check(health_pb2.HealthCheckRequest(service=name)).status for name in services}

        assert states() == {health_pb2.HealthCheckResponse.NOT_SERVING}
        world.run(world.grpc.set_ready(ready=True))
        assert states() == {health_pb2.HealthCheckResponse.SERVING}
        with pytest.raises(grpc.RpcError) as unknown:
            health.Check(health_pb2.HealthCheckRequest(service="no such service"))
        assert unknown.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_health_watch_sees_changes_and_does_not_hold_up_a_stop(tmp_path):
    with serving(tmp_path / "journal", grace_seconds=60) as world, world.channel() as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
        world.run(world.grpc.set_ready(ready=True))
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        world.run(world.grpc.stop(60))
        with pytest.raises(grpc.RpcError):
            next(watch)


def test_readyz_and_healthz(world):
    def codes():
        return [world.pool.request("GET", world.url(path)).status for path in ("/healthz", "/readyz")]

    assert codes() == [200, 503]
    assert json.loads(world.pool.request("GET", world.url("/readyz")).data) == {"code": 14, "message": "not ready"}
    world.run(world.http.set_ready(ready=True))
    assert codes() == [200, 200]
    assert world.pool.request("HEAD", world.url("/readyz")).data == b""


@pytest.mark.parametrize("compression", [None, grpc.Compression.Gzip])
def test_reflection_names_and_describes_every_service(world, compression):
    with world.channel(compression) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        assert set(database.get_services()) == {
            *(method.split("/")[1] for method in METHODS.values()),
            "affidavit.evidence.v1.EvidenceService",
            "grpc.health.v1.Health",
            "grpc.reflection.v1alpha.ServerReflection",
        }
        for name in ("affidavit.evidence.v1.EvidenceService", METHODS["logs"].split("/")[1]):
            assert database.FindFileContainingSymbol(name).service


def test_answers_say_when_they_were_made(world):
    answer = world.post("traces", JSON_BODY, "json")
    assert answer.headers["date"].endswith(" GMT")
    assert "server" not in answer.headers


# ---------------------------------------------------------------- connections


def test_a_connection_serves_one_request_after_another_also_after_a_refusal(world):
    connection = http.client.HTTPConnection(world.http.address, timeout=20)
    connection.connect()
    client = connection.sock.getsockname()
    for body, code in ((b"bad", 400), (JSON_BODY, 200), (b"[]", 400), (JSON_BODY, 200)):
        connection.request("POST", "/v1/traces", body, {"content-type": TYPES["json"]})
        answer = connection.getresponse()
        answer.read()
        assert (answer.status, connection.sock.getsockname()) == (code, client)
    connection.close()


def test_requests_sent_without_waiting_are_answered_in_order(world):
    request = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\n%bcontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
    bodies = ((JSON_BODY, b""), (b"bad", b""), (b"{}", b"connection: close\r\n"))
    sent = b"".join(request % (more, len(body), body) for body, more in bodies)
    answers = world.raw(sent).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"200", b"400", b"200"]


def test_a_client_that_leaves_in_the_middle_of_its_body_leaves_nothing(world):
    with world.connect() as connection:
        connection.sendall(
            b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{"
        )
    assert world.post("traces", b"{}", "json").status == 200
    assert world.frames() == []


# ---------------------------------------------------------------- addresses and TLS


@pytest.mark.parametrize("server", ["grpc", "http"])
def test_an_address_in_use_is_an_error_that_names_it(tmp_path, world, server):
    taken = getattr(world, server).address
    with pytest.raises(SidecarError, match=f"receiver.{server}.endpoint: cannot listen on {taken}"):
        world.run(_start_again(world, server))


async def _start_again(world, server):
    again = type(getattr(world, server))
    admission = world.grpc._admission
    arguments = (admission, pb_service()) if server == "grpc" else (admission,)
    await again(*arguments, getattr(world, server).address, None).start()


def pb_service():
    from sidecar.pb.affidavit.evidence.v1.evidence_pb2_grpc import EvidenceServiceServicer

    return EvidenceServiceServicer()


@pytest.mark.parametrize("endpoint", ["192.0.2.1:4317", "no.such.host.invalid:4317", "127.0.0.1:99999"])
def test_an_address_that_cannot_be_is_an_error_that_names_it(tmp_path, endpoint):
    with pytest.raises(SidecarError, match=f"cannot listen on {endpoint}"), serving(tmp_path, endpoint=endpoint):
        pass


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_ipv6_addresses(tmp_path):
    try:
        with serving(tmp_path / "journal", endpoint="[::1]:0") as world:
            assert world.grpc.address.startswith("[::1]:")
            assert world.post("traces", b"").status == 200
            assert world.export("traces", b"") == b""
    except SidecarError as error:
        pytest.skip(f"no IPv6 loopback here: {error}")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Path:
    """A CA, a server certificate for localhost, and a client's, made with the library that signs our evidence."""
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder, "ca")
    for who in ("server", "client"):
        for made, name in zip(authority.issue(who), (f"{who}.pem", f"{who}.key"), strict=True):
            made.rename(folder / name)
    return folder


def test_tls_on_both_transports(tmp_path, certificates):
    tls = Tls(certificates / "server.pem", certificates / "server.key", None)
    ca = (certificates / "ca.pem").read_bytes()
    with serving(tmp_path / "journal", tls=tls, endpoint="localhost:0") as world:
        with grpc.secure_channel(world.grpc.address, grpc.ssl_channel_credentials(ca)) as channel:
            assert channel.unary_unary(METHODS["traces"])(traces(1).SerializeToString(), timeout=20) == b""
        context = ssl.create_default_context(cafile=certificates / "ca.pem")
        connection = http.client.HTTPSConnection(world.http.address, timeout=20, context=context)
        connection.request("POST", "/v1/traces", JSON_BODY, {"content-type": TYPES["json"]})
        assert connection.getresponse().status == 200
        connection.close()
        assert len(world.frames()) == 2


def test_clients_without_the_right_certificate_are_turned_away(tmp_path, certificates):
    tls = Tls(certificates / "server.pem", certificates / "server.key", certificates / "ca.pem")
    ca, key, cert = ((certificates / name).read_bytes() for name in ("ca.pem", "client.key", "client.pem"))
    with serving(tmp_path / "journal", tls=tls, endpoint="localhost:0") as world:
        for credentials, welcome in (((ca,), False), ((ca, key, cert), True)):
            with grpc.secure_channel(world.grpc.address, grpc.ssl_channel_credentials(*credentials)) as channel:
                call = channel.unary_unary(METHODS["traces"]).future(b"", timeout=20)
                assert (call.exception() is None) is welcome
            context = ssl.create_default_context(cafile=certificates / "ca.pem")
            if welcome:
                context.load_cert_chain(certificates / "client.pem", certificates / "client.key")
            connection = http.client.HTTPSConnection(world.http.address, timeout=20, context=context)
            try:
                connection.request("POST", "/v1/traces", b"{}", {"content-type": TYPES["json"]})
                assert (connection.getresponse().status == 200) is welcome
            except OSError:
                assert not welcome
            connection.close()


@pytest.mark.parametrize("defect", ["missing", "not PEM", "key of another"])
def test_tls_files_that_cannot_be_used_are_errors_that_name_them(tmp_path, certificates, defect):
    key = {
        "missing": tmp_path / "none",
        "not PEM": certificates / "not.pem",
        "key of another": certificates / "client.key",
    }
    (certificates / "not.pem").write_text("hello")
    with (
        pytest.raises(SidecarError, match=r"cannot|tls: "),
        serving(tmp_path / "journal", tls=Tls(certificates / "server.pem", key[defect], None), endpoint="localhost:0"),
    ):
        pass


# ---------------------------------------------------------------- anything at all


@pytest.fixture(scope="module")
def open_world(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("journal")) as world:
        yield world


GOOD = [request.SerializeToString() for request in REQUESTS.values()]
BODIES = st.one_of(
    st.binary(max_size=200),
    st.sampled_from([*GOOD, JSON_BODY, *map(gzip.compress, GOOD)])
    .flatmap(lambda body: st.tuples(st.just(body), st.integers(0, len(body) - 1), st.integers(0, 255), st.booleans()))
    .map(lambda c: c[0][: c[1]] if c[3] else c[0][: c[1]] + bytes([c[2]]) + c[0][c[1] + 1 :]),
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=BODIES,
    signal=st.sampled_from(["traces", "logs", "metrics"]),
    media_type=st.sampled_from([*TYPES.values(), "text/plain"]),
    coding=st.sampled_from(["identity", "gzip", "br"]),
)
def test_any_body_is_a_success_or_a_client_error_and_a_refused_one_leaves_no_frame(
    open_world, body, signal, media_type, coding
):
    before = len(open_world.frames())
    headers = {"content-type": media_type, "content-encoding": coding}
    answer = open_world.pool.request("POST", open_world.url(f"/v1/{signal}"), body=body, headers=headers)
    assert answer.status in {200, 400, 413, 415}
    written = len(open_world.frames()) - before
    assert written in ({0, 1} if answer.status == 200 else {0})


@settings(max_examples=200, deadline=None)
@given(
    body=BODIES, method=st.sampled_from([*METHODS.values(), "/affidavit.evidence.v1.EvidenceService/SubmitReceipts"])
)
def test_any_message_is_a_success_or_invalid_argument(open_world, body, method):
    before = len(open_world.frames())
    with open_world.channel() as channel:
        failure = channel.unary_unary(method).future(body, timeout=20).exception()
    assert failure is None or failure.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert failure is None or len(open_world.frames()) == before


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=300) | st.binary(max_size=60).map(lambda tail: b"POST /v1/traces HTTP/1.1\r\n" + tail))
def test_any_bytes_on_the_http_port_leave_the_server_well(open_world, data):
    with open_world.connect() as connection:
        connection.sendall(data)
    assert open_world.pool.request("GET", open_world.url("/healthz")).status == 200


# ---------------------------------------------------------------- end

STOPPED = """
import asyncio
from sidecar.pb.affidavit.evidence.v1.evidence_pb2_grpc import EvidenceServiceServicer
from sidecar.receiver.admission import Admission
from sidecar.receiver.grpc_server import GrpcServer

async def steps(count):
    for _ in range(count):
        await asyncio.sleep(0)

async def main():
    for count in 40 * tuple(range(1, 9)):
        server = GrpcServer(Admission(None), EvidenceServiceServicer(), "127.0.0.1:0", None)
        await server.start()
        server._busy.ended = lambda: steps(count)
        await server.stop(0)

asyncio.run(main())
"""


def test_a_server_that_becomes_idle_at_any_step_of_its_end_ends_in_order():
    """In a process of its own: what may come instead is SIGSEGV."""
    done = subprocess.run([sys.executable, "-c", STOPPED], capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert (done.returncode, "Error" in done.stderr) == (0, False), done.stderr


# ---------------------------------------------------------------- budget


def test_the_receivers_import_nothing_heavy():
    program = (
        "import sys; import sidecar.receiver.grpc_server, sidecar.receiver.http_server, sidecar.receiver.receipts\n"
        "heavy = ('pydantic', 'sigstore', 'requests', 'opentelemetry.sdk', 'rich', 'yaml', 'h11', 'websockets')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_service_stub_speaks_to_it(world):
    """What another language's generated client does."""
    with world.channel() as channel:
        assert EvidenceServiceStub(channel).OpenRun(pb.OpenRunRequest(run_id="r")).opened
