"""The one door to the network: an answer or a named error by the deadline, whatever the name server, the network or the service does."""

import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from attest import post as module
from attest.errors import InvalidError
from attest.post import post
from tests.sigstore.pki import authority, authority_key_id, name, p256, pem

HEAD = b"HTTP/1.1 200 OK\r\n"
DRIP = "drip"


@contextmanager
def serving(*pieces, wrap=lambda client: client):
    """A service that takes one request after the other and answers each with these pieces; after `DRIP`, a byte now and then."""
    stop, asked = threading.Event(), []

    def answer(client):
        with client:
            got = client.recv(65536)
            while got.startswith(b"POST") and not got.endswith(b"question") and (more := client.recv(65536)):
                got += more
            asked.extend([got] if got else [])
            for piece in pieces:
                if piece is not DRIP:
                    client.sendall(piece)
                    continue
                while not stop.wait(0.02):
                    client.sendall(b"x")

    def serve(server):
        while not stop.is_set():
            with suppress(OSError):
                answer(wrap(server.accept()[0]))

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}", asked
        finally:
            stop.set()
            with socket.socket() as last:
                last.connect(server.getsockname())
            thread.join()


def ask(url, *, seconds=30.0, bytes_max=100, body=b"question"):
    return post(url, body, kind="text/plain", deadline=time.monotonic() + seconds, bytes_max=bytes_max)


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "post"]


def wait_until(true):
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


def test_what_is_asked_is_sent_once_as_it_is_and_the_answer_comes_back():
    with serving(HEAD + b"content-length: 4\r\n\r\nfine") as (host, asked):
        assert ask(f"http://{host}/a//b?c=d#e") == (200, b"fine")
    head, _, body = asked[0].partition(b"\r\n\r\n")
    assert head.splitlines()[0] == b"POST /a//b?c=d HTTP/1.1"
    assert {b"Content-Type: text/plain", b"Content-Length: 8", f"Host: {host}".encode()} <= set(head.splitlines())
    assert body == b"question"
    assert len(asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"\r\nfine",
        b"transfer-encoding: chunked\r\n\r\n2\r\nfi\r\n2\r\nne\r\n0\r\n\r\n",
        b"content-length: -1\r\n\r\nfine",
    ],
    ids=["until-the-end", "chunked", "a-length-that-is-none"],
)
def test_an_answer_is_whole_however_it_is_framed(answer):
    with serving(HEAD + answer) as (host, _):
        assert ask(f"http://{host}").body == b"fine"


def test_a_status_comes_back_whatever_it_is_and_nothing_is_followed():
    for status in (201, 302, 404, 503):
        head = f"HTTP/1.1 {status} X\r\nlocation: http://127.0.0.1:9/\r\nretry-after: 9\r\ncontent-length: 1000\r\n\r\n"
        with serving(head.encode(), b"x" * 1000) as (host, asked):
            assert ask(f"http://{host}/", bytes_max=1000) == (status, b"x" * 1000)
            assert len(asked) == 1


def test_of_a_page_that_says_an_error_the_beginning_is_enough():
    with serving(b"HTTP/1.1 500 X\r\n\r\n" + b"x" * 5000) as (host, _):
        assert ask(f"http://{host}/") == (500, b"x" * 100)


CUTS = {
    "nothing": (b"", "no whole HTTP: RemoteDisconnected"),
    "in_the_body": (HEAD + b"content-length: 10\r\n\r\nhalf", "cut off 6 bytes before its end"),
    "in_a_chunk": (HEAD + b"transfer-encoding: chunked\r\n\r\nff\r\nhalf", "no whole HTTP: IncompleteRead"),
    "no_http": (b"220 mail.example ESMTP\r\n", "no whole HTTP: BadStatusLine"),
    "endless_header": (HEAD + b"x: " + b"x" * 70_000, "no whole HTTP: LineTooLong"),
}  # fmt: skip


@pytest.mark.parametrize("cut", CUTS)
def test_an_answer_that_is_none_or_cut_off_is_a_fault_of_the_network(cut):
    sent, said = CUTS[cut]
    with serving(sent) as (host, _), pytest.raises(OSError, match=said):
        ask(f"http://{host}/")


@pytest.mark.parametrize(
    "framing", [b"content-length: 101\r\n\r\n", b"content-length: 99999999999999\r\n\r\n", b"\r\n"]
)
def test_an_answer_that_is_too_large_is_not_read_on(framing):
    with (
        serving(HEAD + framing + b"x" * 101, DRIP) as (host, _),
        pytest.raises(InvalidError, match="more than 100 bytes"),
    ):
        ask(f"http://{host}/")


@pytest.mark.parametrize(
    "pieces",
    [
        (HEAD + b"transfer-encoding: chunked\r\n\r\n-1\r\n", b"x" * 2_000_000),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n0\r\n", b"x: y\r\n" * 400_000),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 80_000,),
    ],
    ids=["in-a-chunk-of-minus-one-byte", "in-what-stands-behind-the-chunks", "in-heads-before-the-answer"],
)
def test_an_answer_without_end_is_not_read_on_wherever_it_has_none(pieces):
    """The library reads a chunk of -1 bytes into memory until the service ends it."""
    with serving(*pieces) as (host, _), pytest.raises(InvalidError, match="its heads among it, has more than"):
        ask(f"http://{host}/")


def test_a_chunk_of_less_than_no_bytes_is_no_http():
    with (
        serving(HEAD + b"transfer-encoding: chunked\r\n\r\n-5\r\nhi\r\n0\r\n\r\n") as (host, _),
        pytest.raises(ConnectionError, match="no whole HTTP: ValueError"),
    ):
        ask(f"http://{host}/")


@pytest.mark.parametrize(
    "pieces",
    [(DRIP,), (HEAD + b"x: ", DRIP), (HEAD + b"content-length: 99\r\n\r\n", DRIP)],
    ids=["in-the-status", "in-the-headers", "in-the-body"],
)
def test_what_drips_ends_at_the_deadline_and_so_does_its_thread(pieces):
    """Each byte comes in time: a time-out between bytes alone would wait for ever."""
    with serving(*pieces) as (host, _):
        with pytest.raises(TimeoutError, match="no answer before the deadline"):
            ask(f"http://{host}/", seconds=0.15)
        wait_until(lambda: not threads())


def test_a_service_that_takes_no_more_of_the_question_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(TimeoutError):  # which nobody accepts from
        ask(f"http://127.0.0.1:{server.getsockname()[1]}/", seconds=0.15, body=bytes(1 << 25))
    wait_until(lambda: not threads())


def test_a_name_server_that_hangs_is_given_up_and_nothing_is_sent_when_it_answers_after_all(monkeypatch):
    answered, real = threading.Event(), socket.getaddrinfo

    def late(*asked, **options):
        answered.wait(30)
        return real(*asked, **options)

    monkeypatch.setattr(socket, "getaddrinfo", late)
    with serving(HEAD) as (host, asked):
        with pytest.raises(TimeoutError, match="no answer before the deadline"):
            ask(f"http://{host}/", seconds=0.15)
        assert all(thread.daemon for thread in threads())
        answered.set()
        wait_until(lambda: not threads())
    assert not asked


def test_a_name_server_that_hangs_does_not_hold_up_the_end_of_the_process():
    code = """
import socket, time
socket.getaddrinfo = lambda *_, **__: time.sleep(600)
from attest.post import post
try:
    post("http://ts.example/", b"", kind="x", deadline=time.monotonic() + 0.1, bytes_max=1)
except TimeoutError as error:
    print(error)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert (ended.stdout, ended.stderr) == ("no answer before the deadline\n", "")


def test_every_address_of_a_name_is_tried(monkeypatch):
    with serving(HEAD + b"\r\nfine") as (host, _), socket.create_server(("127.0.0.1", 0)) as gone:
        dead, alive = gone.getsockname(), ("127.0.0.1", int(host.rpartition(":")[2]))
        gone.close()
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", one) for one in (dead, alive)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert ask("http://several.example/").body == b"fine"
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found[:1])
        with pytest.raises(ConnectionRefusedError):
            ask("http://several.example/")


def test_a_name_that_is_none_is_a_fault_of_the_network(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(OSError, match="Name or service not known"):
        ask("http://nobody.example/")


@pytest.mark.parametrize(
    "url", ["", "t", "ftp://t/", "http://", "http:///x", "http://t:0/", "http://t:99999/", "http://[::1/", "http://a b/", "http://t/\n",
    "http://t/ä", f"http://{'x' * 64}.example/"],
)  # fmt: skip
def test_what_is_no_address_is_refused_before_anything_is_asked(url):
    with pytest.raises(InvalidError, match="no address of a service"):
        ask(url)


def test_nothing_is_asked_when_no_time_is_left():
    with serving(HEAD) as (host, asked), pytest.raises(TimeoutError, match="no time is left"):
        ask(f"http://{host}/", seconds=0)
    assert not asked


# ---------------------------------------------------------------- TLS

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def ca():
    key = p256()
    return authority("ca", key, NOW - timedelta(days=2), path_length=0), key


@pytest.fixture
def tls(ca, tmp_path, monkeypatch):
    """What trusts the authority, as `SSL_CERT_FILE` says; and what serves by a certificate of it."""
    root, root_key = ca
    (tmp_path / "ca.pem").write_bytes(pem(root))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    module._tls.cache_clear()

    def wrapped(host="127.0.0.1", until=timedelta(days=1)):
        import ipaddress

        key = p256()
        named = x509.DNSName(host) if host[0].isalpha() else x509.IPAddress(ipaddress.ip_address(host))
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name(host))
            .issuer_name(root.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=2))
            .not_valid_after(NOW + until)
            .add_extension(x509.SubjectAlternativeName([named]), critical=False)
            .add_extension(authority_key_id(root), critical=False)
            .sign(root_key, hashes.SHA256())
        )
        pair = tmp_path / "pair.pem"
        pair.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + pem(certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair)
        return lambda client: context.wrap_socket(client, server_side=True)

    yield wrapped
    module._tls.cache_clear()


def test_over_tls_a_service_is_asked_whose_certificate_is_trusted(tls):
    with serving(HEAD + b"content-length: 4\r\n\r\nfine", wrap=tls()) as (host, _):
        assert ask(f"https://{host}/") == (200, b"fine")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"host": "other.example"}, "certificate"),
        ({"until": timedelta(days=-1)}, "certificate has expired"),
    ],
    ids=["of-another-host", "expired"],
)
def test_a_service_with_a_certificate_that_does_not_hold_is_not_asked(tls, options, said):
    with serving(HEAD, wrap=tls(**options)) as (host, asked):
        with pytest.raises(ssl.SSLCertVerificationError, match=said):
            ask(f"https://{host}/")
        assert not asked


def test_a_service_without_tls_is_not_asked_in_the_clear(tls):
    with serving(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (host, asked):
        with pytest.raises(ssl.SSLError):
            ask(f"https://{host}/")
        assert b"question" not in b"".join(asked)


def test_a_handshake_that_never_ends_is_given_up(tls):
    with serving(DRIP) as (host, _), pytest.raises((TimeoutError, ssl.SSLError)):
        ask(f"https://{host}/", seconds=0.15)
    wait_until(lambda: not threads())
