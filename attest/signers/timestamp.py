"""Asking a timestamp authority when a signature was there: RFC 3161 over HTTP.

https://www.rfc-editor.org/rfc/rfc3161. What is dated is the signature's bytes, as Sigstore does, with SHA-256. Law: an answer that
leaves this module is granted, small, and about this very question: its nonce and its imprint are the ones asked for. Who the authority
is, and whether it is trusted, is for whoever verifies.
"""

import hashlib
import re
import time
from typing import TYPE_CHECKING

from attest.errors import SignerUnavailableError, SigningError
from attest.limits import DEFAULT
from attest.signers.failure import failure, is_passing

if TYPE_CHECKING:
    from rfc3161_client import TimeStampRequest
    from urllib3 import BaseHTTPResponse

_SHA256_OID = "2.16.840.1.101.3.4.2.1"
_GRANTED = 0
_PIECE_BYTES = 4096
_HEADERS = {
    "Content-Type": "application/timestamp-query",
    "Accept": "application/timestamp-reply",
    "Accept-Encoding": "identity",
    "User-Agent": "affidavit",
}


class Timestamper:
    """Dates signatures by one authority. Keeps its connection; may be shared by threads.

    Args:
        url: where it answers, `http://` or `https://`; used as it is, never redirected.
        timeout_seconds: how long it may take to answer, in all but the headers.

    Raises:
        SigningError: `url` is none of these, or has a name and password in it: they would not be sent, and logged.
    """

    def __init__(self, url: str, *, timeout_seconds: float = 10.0) -> None:
        import urllib3  # noqa: PLC0415 - only for those who have an authority

        if not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", url):
            raise SigningError(
                "the timestamp authority's URL: expected http://HOST[:PORT][/PATH] or https://…, without a password"
            )
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._pool = urllib3.PoolManager(timeout=timeout_seconds, retries=False)

    def stamp(self, signature: bytes) -> bytes:
        """The authority's answer over `signature`: a DER TimeStampResp.

        Raises:
            SigningError: it refused, or answered something else.
            SignerUnavailableError: it did not answer in time, or could not now.
        """
        from rfc3161_client import TimestampRequestBuilder  # noqa: PLC0415 - 70 ms, as above
        from rfc3161_client.base import HashAlgorithm  # noqa: PLC0415 - as above

        builder = TimestampRequestBuilder().data(signature).hash_algorithm(HashAlgorithm.SHA256).nonce(nonce=True)
        request = builder.build()
        answer = self._ask(request.as_bytes())
        if fault := _fault(answer, request, signature):
            raise SigningError(f"{self._name()} {fault}")
        return answer

    def _ask(self, question: bytes) -> bytes:
        deadline = time.monotonic() + self._timeout_seconds
        try:
            response = self._pool.request(
                "POST", self._url, body=question, headers=_HEADERS, redirect=False, preload_content=False
            )
        except Exception as error:  # urllib3's and the interpreter's own
            raise _unreachable(self._name(), error) from error
        try:
            if response.status not in (200, 201):
                kind = SignerUnavailableError if is_passing(response.status) else SigningError
                raise kind(f"{self._name()} answered with status {response.status}")
            return self._body(response, deadline)
        finally:
            response.close()

    def _body(self, response: "BaseHTTPResponse", deadline: float) -> bytes:
        answer = b""
        try:
            while piece := response.read1(_PIECE_BYTES):
                answer += piece
                if len(answer) > DEFAULT.timestamp_bytes_max:
                    raise SigningError(f"{self._name()} answered with more than {DEFAULT.timestamp_bytes_max} bytes")
                if time.monotonic() > deadline:
                    raise SignerUnavailableError(f"{self._name()} took longer than {self._timeout_seconds:g} s")
        except Exception as error:
            raise _unreachable(self._name(), error) from error
        return answer

    def _name(self) -> str:
        return f"the timestamp authority {self._url}"


def _unreachable(name: str, error: Exception) -> SigningError:
    """What urllib3 raises is about the connection; none of it says that a later try would fail as well."""
    return error if isinstance(error, SigningError) else SignerUnavailableError(str(failure(name, error)))


def _fault(answer: bytes, request: "TimeStampRequest", signature: bytes) -> str:
    """Why an answer is none to this question; empty when it is one."""
    from rfc3161_client import decode_timestamp_response  # noqa: PLC0415 - as above

    try:
        response = decode_timestamp_response(answer)
        if response.status != _GRANTED:
            said = "; ".join(response.status_string)[:200]
            return f"did not grant a timestamp: status {response.status}{f', {said!r}' if said else ''}"
        info = response.tst_info
        imprint = info.message_imprint
        if info.nonce != request.nonce:
            return "answered with another nonce than was asked with"
        if imprint.hash_algorithm.dotted_string != _SHA256_OID:
            return f"answered over the hash {imprint.hash_algorithm.dotted_string}, expected SHA-256"
        if imprint.message != hashlib.sha256(signature).digest():
            return "dated another message than it was asked to"
        _ = info.gen_time
    except Exception as error:  # noqa: BLE001 - a decoder in another language, given what a stranger sent
        return f"answered with no timestamp response: {type(error).__name__}"
    return ""
