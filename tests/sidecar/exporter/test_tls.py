"""TLS towards a backend: its certificate is always verified, ours is shown when asked for."""

import ssl

import grpc
import pytest
from cryptography.hazmat.primitives import serialization

from sidecar.errors import ConfigError
from sidecar.exporter.exporter import Exporter
from tests.tools.certificates import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "ours")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "stranger")


@pytest.fixture(params=[False, True], ids=["server", "mutual"])
def mutual(request) -> bool:
    """Whether the backend asks for our certificate too."""
    return request.param


def serve(world, protocol, authority, *, mutual):
    cert, key = authority.issue("server")
    if protocol == "grpc":
        credentials = grpc.ssl_server_credentials(
            [(key.read_bytes(), cert.read_bytes())],
            root_certificates=authority.ca_file.read_bytes() if mutual else None,
            require_client_auth=mutual,
        )
        return world.serve(protocol, tls=credentials)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    if mutual:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority.ca_file)
    return world.serve(protocol, tls=context)


def test_a_backend_with_a_certificate_of_a_known_ca_gets_the_telemetry(world, frame, protocol, authority, mutual):
    served = serve(world, protocol, authority, mutual=mutual)
    cert, key = authority.issue("client") if mutual else (None, None)
    world.source.add(frame(1))
    world.drain(
        served,
        endpoint=f"https://{served.server.address}",
        ca_file=authority.ca_file,
        cert_file=cert,
        key_file=key,
    )
    assert [frame(1).body] == [received.body for received in served.sink.taken]


def test_a_backend_with_a_certificate_of_a_stranger_gets_nothing(world, frame, protocol, authority, stranger):
    """It is tried again, as an operator may repair it, and the telemetry stays where it is."""
    served = serve(world, protocol, stranger, mutual=False)
    world.source.add(frame(1))
    backend = world.backend(served, endpoint=f"https://{served.server.address}", ca_file=authority.ca_file)
    exporter = world.export(backend)
    world.until(lambda: sum(exporter.stats().retries.values()) >= 2)
    assert (served.sink.received, world.cursor.stored) == ([], [0])
    assert {"http tls", "grpc UNAVAILABLE"} >= exporter.stats().retries.keys()


def test_a_backend_that_asks_for_a_certificate_gets_nothing_without_one(world, frame, protocol, authority):
    served = serve(world, protocol, authority, mutual=True)
    world.source.add(frame(1))
    backend = world.backend(served, endpoint=f"https://{served.server.address}", ca_file=authority.ca_file)
    exporter = world.export(backend)
    world.until(lambda: sum(exporter.stats().retries.values()) >= 2)
    assert (served.sink.received, world.cursor.stored) == ([], [0])


BROKEN = ["ca_file missing", "ca_file not PEM", "cert_file not PEM", "key_file of a stranger", "key_file encrypted"]


@pytest.fixture(params=BROKEN)
def broken(request, authority, stranger, tmp_path):
    """TLS files of which one has a defect: (all files, the broken one)."""
    key_name, _, defect = request.param.partition(" ")
    cert, key = authority.issue("client")
    broken = stranger.issue("client")[1] if defect == "of a stranger" else tmp_path / "broken.pem"
    if defect == "not PEM":
        broken.write_bytes(b"not a certificate")
    elif defect == "encrypted":
        private = serialization.load_pem_private_key(key.read_bytes(), None)
        encryption = serialization.BestAvailableEncryption(b"secret")
        pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        broken.write_bytes(pem)
    return {"ca_file": authority.ca_file, "cert_file": cert, "key_file": key, key_name: broken}, broken


def test_tls_files_that_cannot_be_used_are_refused_at_start(world, protocol, broken):
    """Not a retry for ever: the key of the setting, the file, and what it takes."""
    files, broken_file = broken
    served = world.serve(protocol)
    backend = world.backend(served, endpoint=f"https://{served.server.address}", **files)
    with pytest.raises(ConfigError, match=r"exporters\.backend\.tls\.(ca|cert)_file: got .*, expected") as caught:
        Exporter(backend, world.source, world.cursor).start()
    assert str(broken_file) in str(caught.value)
