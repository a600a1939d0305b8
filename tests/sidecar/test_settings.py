"""Settings: what is understood, and what is refused by name."""

from pathlib import Path

import pytest

from sidecar.errors import ConfigError
from sidecar.settings import Settings, documented_defaults, load

ROOT = Path(__file__).resolve().parents[2]


def refusal(tmp_path: Path, text: str, environment: dict[str, str] | None = None) -> str:
    file = tmp_path / "affidavit.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file, environment or {})
    return str(caught.value)


def test_the_documented_default_file_equals_the_defaults_in_code():
    file = ROOT / "config" / "affidavit.yaml"
    assert load(file, {}) == Settings()
    assert file.read_text() == documented_defaults()


def test_the_default_file_explains_every_setting():
    """Each key stands below a comment, also those of a backend, of which there is none by default."""
    lines = (ROOT / "config" / "affidavit.yaml").read_text().splitlines()
    body = [(line.strip().removeprefix("# ") if "  #   " in line else line).strip() for line in lines]
    for number, line in enumerate(body):
        if line and not line.startswith("#") and line != "my-backend:":
            assert body[number - 1].startswith("#"), f"line {number + 1}: {line}"


def test_defaults_alone_are_a_sidecar_on_loopback_without_backends():
    settings = load(None, {})
    assert (settings.receiver.grpc.endpoint, settings.receiver.http.endpoint) == ("127.0.0.1:4317", "127.0.0.1:4318")
    assert settings.exporters == {}


def test_a_variable_wins_over_the_file(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text("run: {quiet_seconds: 1, idle_seconds: 2}")
    run = load(file, {"AFFIDAVIT_RUN__QUIET_SECONDS": "9"}).run
    assert (run.quiet_seconds, run.idle_seconds) == (9.0, 2.0)


def test_the_file_may_be_named_by_a_variable(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text("name: from-file")
    assert load(None, {"AFFIDAVIT_CONFIG": str(file)}).name == "from-file"


def test_standard_exporter_variables_make_a_backend():
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector:4318",
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20x,tenant=a",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "2500",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "https://logs:4318/in",
    }
    backend = load(None, environment).exporters["otel"]
    assert backend.protocol == "http/protobuf"
    assert backend.headers == {"authorization": "Bearer x", "tenant": "a"}
    assert (backend.compression, backend.timeout_seconds) == ("gzip", 2.5)
    assert backend.signal_endpoints == {"logs": "https://logs:4318/in"}


def test_a_per_signal_exporter_variable_alone_sends_that_signal_alone():
    backend = load(None, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:4318/v1/traces"}).exporters["otel"]
    assert backend.signals == ("traces",)


def test_secrets_are_not_shown():
    environment = {
        "AFFIDAVIT_EXPORTERS__A__ENDPOINT": "http://a:1",
        "AFFIDAVIT_EXPORTERS__A__HEADERS": "{authorization: hunter2}",
    }
    assert "hunter2" not in str(load(None, environment).masked())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("reciever: {}", ["unknown key 'reciever'", "did you mean 'receiver'"]),
        ("receiver: {grpc: {port: 1}}", ["unknown key 'receiver.grpc.port'", "it takes enabled, endpoint, tls"]),
        ("exporters: {a: {endpoint: 'http://h:1', tsl: {}}}", ["unknown key 'exporters.a.tsl'", "did you mean 'tls'"]),
        ("run: {quiet_seconds: soon}", ["'run.quiet_seconds'", "got 'soon'", "number"]),
        ("run: {idle_seconds: -1}", ["'run.idle_seconds'", "got -1", "greater than 0"]),
        ("run: {key: []}", ["'run.key'", "What tells runs apart"]),
        ("receiver: {http: {endpoint: somewhere}}", ["'receiver.http.endpoint'", "got 'somewhere'", "HOST:PORT"]),
        ("semconv: {target: newest}", ["'semconv.target'", "'gen-ai-dev' or 'core-1.41.1'"]),
        ("exporters: {a: {}}", ["'exporters.a.endpoint' is missing"]),
        ("exporters: {a: {endpoint: 'h:4317'}}", ["'exporters.a.endpoint'", "http://HOST:PORT"]),
        (
            "exporters: {a: {endpoint: 'http://h:1', protocol: http/json}}",
            ["'exporters.a.protocol'", "'grpc' or 'http/protobuf'"],
        ),
        (
            "exporters: {a: {endpoint: 'http://h:1', signals: [profiles]}}",
            ["'exporters.a.signals.0'", "'traces', 'logs' or 'metrics'"],
        ),
        ("exporters: {a/b: {endpoint: 'http://h:1'}}", ["'exporters'", "a/b"]),
        ("exporters: {a: {endpoint: 'http://localhost:4317'}}", ["exporters.a.endpoint", "own receiver.grpc"]),
        ("receiver: {grpc: {tls: {cert_file: a.pem}}}", ["receiver.grpc.tls", "cert_file and key_file go together"]),
        ("receiver: {grpc: {enabled: false}, http: {enabled: false}}", ["both are false"]),
        ("receiver: {http: {endpoint: '127.0.0.1:4317'}}", ["the same address"]),
        ("attest: {sidecar_log: {witnesses_min: 1}}", ["attest.sidecar_log.witnesses_min", "number of witnesses (0)"]),
        ("attest: {sidecar_log: {origin: 'a b'}}", ["attest.sidecar_log.origin"]),
        (
            "attest: {sidecar_log: {witnesses: [{vkey: w+1, url: 'http://h'}]}}",
            ["attest.sidecar_log.witnesses.0.vkey"],
        ),
        (
            "attest: {sidecar_log: {witnesses: [{vkey: w+12345678+Ba==, url: ftp://h}]}}",
            ["attest.sidecar_log.witnesses.0.url"],
        ),
        ("journal: {disk_bytes_max: 1048576}", ["journal.disk_bytes_max", "got 1048576", "receiver.request_bytes_max"]),
        ("name: a\nname: b", ["'name' is given twice"]),
        ("- a", ["mapping of settings expected"]),
        ("{", ["not YAML"]),
    ],
)
def test_what_is_not_understood_is_refused_by_name(tmp_path, text, said):
    message = refusal(tmp_path, text)
    assert [part for part in said if part not in message] == []


def test_an_unknown_variable_is_refused_and_named():
    with pytest.raises(ConfigError, match="unknown key 'run.quite_seconds'"):
        load(None, {"AFFIDAVIT_RUN__QUITE_SECONDS": "1"})


def test_a_bad_value_in_a_variable_names_the_variable():
    with pytest.raises(ConfigError, match="^AFFIDAVIT_RUN__QUIET_SECONDS: "):
        load(None, {"AFFIDAVIT_RUN__QUIET_SECONDS": "0"})


def test_a_refused_header_does_not_show_its_value(tmp_path):
    message = refusal(tmp_path, "exporters: {a: {endpoint: 'http://h:1', headers: {authorization: [hunter2]}}}")
    assert "hunter2" not in message
    assert "exporters.a.headers.authorization" in message


def test_every_problem_is_named_at_once(tmp_path):
    assert len(refusal(tmp_path, "nam: x\nrun: {age_seconds_max: x}").splitlines()) == 2
