"""The client of runs: its messages are those of the contract, its endpoint is where OpenTelemetry's variables say."""

import contextlib
from concurrent import futures

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.pb.affidavit.evidence.v1.evidence_pb2_grpc import (
    EvidenceServiceServicer,
    add_EvidenceServiceServicer_to_server,
)
from sidecar.run_client import Endpoint, RunClient, SenderCounts
from tests.tools.certificates import Authority

NAMES = [field.name for field in pb.SenderCounts.DESCRIPTOR.fields]
COUNTS = st.fixed_dictionaries({}, optional={name: st.integers(0, 2**64 - 1) for name in NAMES})


class Service(EvidenceServiceServicer):
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.requests = []
        self.metadata = {}

    def OpenRun(self, request, context):
        self.requests.append(request)
        return pb.OpenRunResponse(opened=request.run_id == "new")

    def CloseRun(self, request, context):
        self.requests.append(request)
        self.metadata = dict(context.invocation_metadata())
        return pb.CloseRunResponse(closed=request.run_id == "new")


@contextlib.contextmanager
def serving(credentials=None):
    service = Service()
    server = grpc.server(futures.ThreadPoolExecutor(2))
    add_EvidenceServiceServicer_to_server(service, server)
    place = "127.0.0.1:0"
    port = server.add_secure_port(place, credentials) if credentials else server.add_insecure_port(place)
    service.address = f"127.0.0.1:{port}"
    server.start()
    yield service
    server.stop(None).wait()


@pytest.fixture
def service():
    with serving() as service:
        yield service


@given(COUNTS)
def test_counts_are_written_as_the_contract_has_them(counts):
    """Every set of counts, zero and unset told apart, encodes to what protobuf reads as the same."""
    assert pb.SenderCounts.FromString(SenderCounts(**counts).encode()) == pb.SenderCounts(**counts)


@pytest.mark.parametrize("run_id", ["new", "old", "läuft"])
@pytest.mark.parametrize("content", [b"", b'{"a":1}', b'{"a":"' + b"x" * 300 + b'"}'])
def test_requests_arrive_as_they_were_meant(service, run_id, content):
    client = RunClient(Endpoint(target=service.address, headers=(("authorization", "Bearer t"),)))
    counts = {"spans_started": 300, "spans_dropped": 0}
    answers = client.open_run(run_id, content), client.close_run(run_id, SenderCounts(**counts), content)
    client.close()
    assert answers == (run_id == "new", run_id == "new")
    assert service.requests == [
        pb.OpenRunRequest(run_id=run_id, context_json=content),
        pb.CloseRunRequest(run_id=run_id, counts=pb.SenderCounts(**counts), outcome_json=content),
    ]
    assert service.metadata["authorization"] == "Bearer t"


def test_no_counts_are_other_than_counts_of_nothing(service):
    client = RunClient(Endpoint(target=service.address))
    client.close_run("a")
    client.close_run("b", SenderCounts())
    client.close()
    assert [request.HasField("counts") for request in service.requests] == [False, True]


def test_a_closed_client_connects_again_when_it_is_used(service):
    client = RunClient(Endpoint(target=service.address))
    client.close()
    assert client.close_run("new")
    client.close()
    assert client.close_run("new")
    client.close()


def test_without_a_sidecar_a_call_ends_with_its_deadline():
    client = RunClient(Endpoint(target="127.0.0.1:1"), timeout_seconds=0.05)
    with pytest.raises(grpc.RpcError) as caught:
        client.close_run("a")
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    client.close()


@pytest.mark.parametrize(
    ("address", "variables", "target"),
    [
        (None, {}, "127.0.0.1:4317"),
        ("10.0.0.7:9", {}, "10.0.0.7:9"),
        ("localhost", {}, "localhost:4317"),
        ("http://localhost:4318", {}, "localhost:4317"),
        ("http://localhost:4318/v1/traces", {}, "localhost:4317"),
        ("http://[::1]:5", {}, "[::1]:5"),
        (None, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:1"}, "a:1"),
        (
            None,
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b:2"},
            "b:2",
        ),
        (None, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, "127.0.0.1:4317"),
        ("c:3", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:1"}, "c:3"),
    ],
)
def test_the_endpoint_is_where_the_caller_or_the_environment_says(address, variables, target):
    endpoint = Endpoint.of(address, variables)
    assert (endpoint.target, endpoint.credentials) == (target, None)
    assert endpoint.url == f"http://{target}"


def test_https_asks_for_tls_with_the_certificate_that_is_named(tmp_path):
    certificate = tmp_path / "ca.pem"
    certificate.write_bytes(b"-----BEGIN CERTIFICATE-----\n")
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://a:1", "OTEL_EXPORTER_OTLP_CERTIFICATE": str(certificate)}
    endpoint = Endpoint.of(None, variables)
    assert endpoint.credentials is not None
    assert endpoint.url == "https://a:1"
    with pytest.raises(FileNotFoundError):
        Endpoint.of(None, {**variables, "OTEL_EXPORTER_OTLP_CERTIFICATE": str(tmp_path / "none.pem")})


def test_both_sides_show_the_certificates_that_the_environment_names(tmp_path):
    authority = Authority(tmp_path, "ours")
    certificate, key = authority.issue("sidecar")
    mine, my_key = authority.issue("agent")
    pair = (key.read_bytes(), certificate.read_bytes())
    credentials = grpc.ssl_server_credentials([pair], authority.ca_file.read_bytes(), require_client_auth=True)
    variables = {
        "OTEL_EXPORTER_OTLP_CERTIFICATE": str(authority.ca_file),
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": str(mine),
        "OTEL_EXPORTER_OTLP_CLIENT_KEY": str(my_key),
    }
    with serving(credentials) as service:
        known = RunClient(Endpoint.of(f"https://{service.address}", variables))
        assert known.close_run("new")
        known.close()
        stranger = RunClient(Endpoint.of(service.address, {}), timeout_seconds=0.3)
        with pytest.raises(grpc.RpcError):
            stranger.close_run("new")
        stranger.close()


@pytest.mark.parametrize("address", ["http://", "http://:4317", "a:b", "a:99999"])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(ValueError, match=r"endpoint|[Pp]ort"):
        Endpoint.of(address, {})


def test_headers_are_read_as_opentelemetry_writes_them():
    variables = {"OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20t, x-a = b=c ,, =d,e"}
    assert Endpoint.of(None, variables).headers == (("authorization", "Bearer t"), ("x-a", "b=c"))
