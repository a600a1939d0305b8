"""Asking a timestamp authority when a signature was there: RFC 3161 over HTTP.

https://www.rfc-editor.org/rfc/rfc3161. What is dated is the signature's bytes, as Sigstore does, with SHA-256. Law: an answer that
leaves this module is granted, small, and about this very question: its nonce and its imprint are the ones asked for, and its time is now
by this machine's clock. Who the authority is, and whether it is trusted, is for whoever verifies.
"""

import hashlib
import re
import time
from typing import TYPE_CHECKING

from attest.errors import SignerUnavailableError, SigningError
from attest.limits import DEFAULT
from attest.post import post
from attest.signers.clock import Clock, check_now
from attest.signers.failure import failure, is_passing
from evidence.timestamp import from_rfc3339

if TYPE_CHECKING:
    from rfc3161_client import TimeStampRequest, TimeStampResponse

_SHA256_OID = "2.16.840.1.101.3.4.2.1"
_GRANTED = 0
_URL = re.compile(r"https?://([^\s/@:?#\[\]]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?([/?]\S*)?")
"""With a port that is one: else it is half a password, with a slash in it."""


class Timestamper:
    """Dates signatures by one authority. May be shared by threads.

    Args:
        url: where it answers, `http://` or `https://`; used as it is, never redirected.
        clock: this machine's, to hold its times to.
        timeout_seconds: how long it may take to answer, in all.

    Raises:
        SigningError: `url` is none of these, or has a name and password in it: they would not be sent, and logged.
    """

    def __init__(self, url: str, *, clock: Clock, timeout_seconds: float = 10.0) -> None:
        if not _URL.fullmatch(url):
            raise SigningError(
                "the timestamp authority's URL: expected http://HOST[:PORT][/PATH] or https://…, without a password"
            )
        self._url = url
        self._clock = clock
        self._timeout_seconds = timeout_seconds

    def stamp(self, signature: bytes) -> bytes:
        """The authority's answer over `signature`: a DER TimeStampResp.

        Raises:
            SigningError: it refused, or answered something else, or its clock and ours are too far apart.
            SignerUnavailableError: it did not answer in time, or could not now.
        """
        from rfc3161_client import TimestampRequestBuilder  # noqa: PLC0415 - 70 ms, only for those who have an authority
        from rfc3161_client.base import HashAlgorithm  # noqa: PLC0415 - as above

        builder = TimestampRequestBuilder().data(signature).hash_algorithm(HashAlgorithm.SHA256).nonce(nonce=True)
        request = builder.build()
        answer = self._ask(request.as_bytes())
        try:
            time_said = _time(answer, request, signature)
        except _OtherAnswerError as error:
            raise SigningError(f"{self._name()} {error}") from error
        check_now(time_said, self._name(), self._clock)
        return answer

    def _ask(self, question: bytes) -> bytes:
        deadline = time.monotonic() + self._timeout_seconds
        try:
            answer = post(
                self._url,
                question,
                kind="application/timestamp-query",
                deadline=deadline,
                bytes_max=DEFAULT.timestamp_bytes_max,
            )
        except Exception as error:
            raise failure(self._name(), error) from error
        if answer.status not in (200, 201):
            kind = SignerUnavailableError if is_passing(answer.status) else SigningError
            raise kind(f"{self._name()} answered with status {answer.status}")
        return answer.body

    def _name(self) -> str:
        return f"the timestamp authority {self._url.partition('?')[0]}"  # a query may hold a token


class _OtherAnswerError(Exception):
    """Why an answer is none to the question."""


def _time(answer: bytes, request: "TimeStampRequest", signature: bytes) -> str:
    """The time that an answer to this question gives, as evidence writes times."""
    from rfc3161_client import decode_timestamp_response  # noqa: PLC0415 - as above

    try:
        response = decode_timestamp_response(answer)
        _hold(response, request, signature)
        return from_rfc3339(response.tst_info.gen_time.isoformat())
    except _OtherAnswerError:
        raise
    except Exception as error:  # a decoder in another language, given what a stranger sent
        raise _OtherAnswerError(f"answered with no timestamp response: {type(error).__name__}") from error


def _hold(response: "TimeStampResponse", request: "TimeStampRequest", signature: bytes) -> None:
    if response.status != _GRANTED:
        said = "; ".join(response.status_string)[:200]
        raise _OtherAnswerError(f"did not grant a timestamp: status {response.status}{f', {said!r}' if said else ''}")
    info = response.tst_info
    imprint = info.message_imprint
    if info.nonce != request.nonce:
        raise _OtherAnswerError("answered with another nonce than was asked with")
    if imprint.hash_algorithm.dotted_string != _SHA256_OID:
        raise _OtherAnswerError(f"answered over the hash {imprint.hash_algorithm.dotted_string}, expected SHA-256")
    if imprint.message != hashlib.sha256(signature).digest():
        raise _OtherAnswerError("dated another message than it was asked to")
