"""What can be said of a backend, and what is refused at start."""

from pathlib import Path

import pytest

from sidecar.errors import ConfigError
from sidecar.exporter.backend import Backend, signals_named
from sidecar.otlp.signal import OtlpSignal

TRACES, LOGS, METRICS = OtlpSignal.TRACES, OtlpSignal.LOGS, OtlpSignal.METRICS

HTTP_URLS = {
    "http://h:4318": "http://h:4318/v1/traces",
    "http://h:4318/": "http://h:4318/v1/traces",
    "https://h": "https://h/v1/traces",
    "https://h/otlp": "https://h/otlp/v1/traces",
    "https://h/otlp/": "https://h/otlp/v1/traces",
    "http://[::1]:4318": "http://[::1]:4318/v1/traces",
}
GRPC_TARGETS = {
    "http://h:4317": ("h:4317", False),
    "https://h:4317": ("h:4317", True),
    "https://h": ("h:443", True),
    "http://h/": ("h:80", False),
    "http://[::1]:4317": ("[::1]:4317", False),
    "h:4317": ("h:4317", True),
    "unix:///run/otlp.sock": ("unix:///run/otlp.sock", True),
    "dns:///h:4317": ("dns:///h:4317", True),
}
BROKEN = {
    "name": "../x",
    "protocol": "http/json",
    "compression": "zstd",
    "signals": frozenset({4}),
    "signal_endpoints": {METRICS: "http://h"},
    "timeout_seconds": 0,
    "retry_initial_seconds": -1,
    "retry_max_seconds": 0.5,
    "batch_bytes_max": 0,
    "endpoint": "",
}


@pytest.mark.parametrize(("base", "url"), HTTP_URLS.items())
def test_base_endpoint_gets_the_path_of_the_signal(base, url):
    """OTLP exporter specification, "Endpoint URLs for OTLP/HTTP"."""
    assert url == Backend(name="b", protocol="http/protobuf", endpoint=base).target(TRACES).address


def test_each_signal_has_its_path():
    backend = Backend(name="b", protocol="http/protobuf", endpoint="http://h")
    assert [backend.target(s).address.rpartition("/")[2] for s in OtlpSignal] == ["traces", "logs", "metrics"]


@pytest.mark.parametrize(
    ("given", "url"), {"http://h/custom?a=b": "http://h/custom?a=b", "http://h:1": "http://h:1/"}.items()
)
def test_endpoint_of_one_signal_is_used_as_it_is(given, url):
    """Only an absent path becomes the root."""
    backend = Backend(name="b", protocol="http/protobuf", endpoint="https://base", signal_endpoints={LOGS: given})
    assert (url, "https://base/v1/traces") == (backend.target(LOGS).address, backend.target(TRACES).address)


def test_base_endpoint_may_be_absent_when_each_signal_has_its_own():
    backend = Backend(
        name="b", protocol="http/protobuf", signals=frozenset({LOGS}), signal_endpoints={LOGS: "http://h/x"}
    )
    assert backend.target(LOGS).address == "http://h/x"


@pytest.mark.parametrize(("endpoint", "target"), GRPC_TARGETS.items())
def test_scheme_decides_tls_over_grpc(endpoint, target):
    """`http` is plain, `https` is TLS, and without a scheme it is TLS unless `insecure`."""
    found = Backend(name="b", endpoint=endpoint).target(TRACES)
    assert target == (found.address, found.secure)


def test_insecure_speaks_for_a_grpc_endpoint_without_a_scheme_only():
    assert not Backend(name="b", endpoint="h:4317", insecure=True).target(TRACES).secure
    assert Backend(name="b", endpoint="https://h:4317", insecure=True).target(TRACES).secure


@pytest.mark.parametrize(("key", "value"), BROKEN.items())
def test_a_bad_value_is_refused_by_its_key(key, value):
    """`exporters.NAME.KEY: got ..., expected ...`"""
    settings = {"name": "b", "endpoint": "http://h", "signals": frozenset({TRACES}), key: value}
    with pytest.raises(ConfigError, match=rf"exporters\.{settings['name']}\.{key}: got .*, expected "):
        Backend(**settings)


@pytest.mark.parametrize(
    "endpoint",
    [
        "h:4318",
        "ftp://h",
        "http://",
        "http://h:99999",
        "http://h:0",
        "http://[::1",
        "http://h#f",
        "http://h?q=1",
        "http:// h",
    ],
)
def test_a_malformed_http_endpoint_is_refused(endpoint):
    with pytest.raises(ConfigError, match=r"exporters\.b\.endpoint"):
        Backend(name="b", protocol="http/protobuf", endpoint=endpoint)


@pytest.mark.parametrize("endpoint", ["http://h/v1/traces", "http://h?q=1", "ftp://h:4317"])
def test_a_grpc_endpoint_with_a_path_or_another_scheme_is_refused(endpoint):
    with pytest.raises(ConfigError, match=r"exporters\.b\.endpoint"):
        Backend(name="b", endpoint=endpoint)


def test_credentials_in_a_url_are_refused_without_being_shown():
    with pytest.raises(ConfigError) as caught:
        Backend(name="b", endpoint="http://me:hunter2@h:4317")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("protocol", "name"),
    [
        ("grpc", "grpc-timeout"),
        ("grpc", "key-bin"),
        ("grpc", "a b"),
        ("http/protobuf", "Content-Type"),
        ("grpc", ":path"),
    ],
)
def test_a_header_that_cannot_be_sent_is_refused_by_name(protocol, name):
    with pytest.raises(ConfigError, match=r"exporters\.b\.headers"):
        Backend(name="b", endpoint="http://h", protocol=protocol, headers={name: "v"})


def test_no_message_and_no_repr_shows_the_value_of_a_header():
    backend = Backend(name="b", endpoint="http://h", headers={"authorization": "hunter2"})
    with pytest.raises(ConfigError) as caught:
        Backend(name="b", endpoint="http://h", headers={"authorization": "hunter2\n"})
    assert "hunter2" not in str(caught.value) + repr(backend)


@pytest.mark.parametrize("key", ["ca_file", "cert_file", "key_file"])
def test_tls_files_for_an_endpoint_in_plain_text_are_refused(key):
    """They would give a false sense of safety."""
    with pytest.raises(ConfigError, match=rf"exporters\.b\.tls\.{key}"):
        Backend(name="b", endpoint="http://h", **{key: Path("x.pem")})


@pytest.mark.parametrize("key", ["cert_file", "key_file"])
def test_half_a_certificate_is_refused(key):
    with pytest.raises(ConfigError, match=r"exporters\.b\.tls"):
        Backend(name="b", endpoint="https://h", **{key: Path("x.pem")})


def test_signals_are_known_by_their_names():
    assert frozenset({TRACES, METRICS}) == signals_named(["metrics", "traces"], backend="b")
