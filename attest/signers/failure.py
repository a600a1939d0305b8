"""What a failure of somebody else's signer, log or clock means: whether it may pass.

Law: what a service said by an HTTP status decides; without one, a fault of the network may pass and everything else may not: an answer
that is none, and a certificate that is not trusted, are no faults of the network, whatever their classes derive from. The text is one short
line without secrets: services answer with pages, and some with what they were sent.
"""

import re
from collections.abc import Sequence

from attest.errors import AttestError, SignerUnavailableError, SigningError
from attest.limits import DEFAULT
from evidence.redaction.detectors import hidden

_PASSING = frozenset({408, 425, 429})
_STATUS_BY_NAME = {
    # hvac tells a status by the class of its error and nothing else
    "RateLimitExceeded": 429,
    "InternalServerError": 500,
    "VaultNotInitialized": 501,
    "BadGateway": 502,
    "VaultDown": 503,
    # botocore: what is no answer at all, and its own classes are no OSError
    "EndpointConnectionError": 503,
    "ConnectTimeoutError": 408,
    "ReadTimeoutError": 408,
    "ConnectionClosedError": 503,
    # azure.core
    "ServiceRequestError": 503,
    "ServiceResponseError": 503,
    # google.api_core
    "RetryError": 503,
}
_QUERY = re.compile(r"\?[\w.%~-]+=[^\s'\")]*")
"""Of an address, which clients repeat: it may hold a token of whatever name and form."""
_LOOKED_AT_CHARS = 256 * 1024
"""Of what a service said; four of the largest tokens."""
_THROTTLED = ("Throttling", "TooManyRequests", "LimitExceeded")
"""What AWS calls too much, with the status 400."""


def failure(what: str, error: Exception) -> SigningError:
    """The error to raise from `error`, which `what` gave: a SignerUnavailableError when trying again may help.

    A SigningError stays as it is: whoever raised it knew.
    """
    if isinstance(error, SigningError):
        return error
    status = _status(error)
    passes = is_passing(status) if status else is_of_network([error])
    kind = SignerUnavailableError if passes else SigningError
    return kind(f"{what}: {line(error)}")


def is_passing(status: int) -> bool:
    """Whether a request that was answered with this HTTP status may succeed later."""
    return status in _PASSING or status >= 500


def is_of_network(causes: Sequence[Exception]) -> bool:
    """Whether the network is at fault for an error, given with what caused it. What it brought whole and is wrong is a ValueError as well."""
    return any(isinstance(cause, OSError) for cause in causes) and not any(
        isinstance(cause, ValueError) for cause in causes
    )


def line(error: Exception) -> str:
    """One short line of what an error says; its class as well where it is not ours."""
    text = one_line(str(error), DEFAULT.reason_chars_max)
    return (
        text if isinstance(error, AttestError) else f"{type(error).__name__}: {text}" if text else type(error).__name__
    )


def one_line(text: str, chars_max: int) -> str:
    """The beginning of a text in one line, without secrets: some services, and proxies, repeat what they were sent."""
    looked_at = " ".join(text[:_LOOKED_AT_CHARS].split())  # more than is shown: half a token would not look like one
    return hidden(_QUERY.sub("?…", looked_at))[:chars_max]


def _status(error: Exception) -> int | None:
    """The HTTP status behind an error, as requests, azure.core, google.api_core, botocore or hvac tell it."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        if any(word in str(response.get("Error", {}).get("Code")) for word in _THROTTLED):
            return 429
        found = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        found = (
            getattr(response, "status_code", None)
            or getattr(error, "status_code", None)
            or getattr(error, "code", None)
        )
    return int(found) if isinstance(found, int) else _STATUS_BY_NAME.get(type(error).__name__)
