"""What a failure of somebody else's service means, by how each of their libraries tells an HTTP status. No service here."""

import ssl
from types import SimpleNamespace

import pytest

from attest.errors import SignerUnavailableError, SigningError
from attest.signers.failure import failure


def raised(name="SomeError", *, base=Exception, **members):
    """An error of a library's class, with what it tells."""
    error = type(name, (base,), {})("said")
    for member, value in members.items():
        setattr(error, member, value)
    return error


def botocore(status, code="AccessDeniedException"):
    return raised("ClientError", response={"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}})


FAILURES = {
    "requests_503": (raised(response=SimpleNamespace(status_code=503)), SignerUnavailableError),
    "requests_403": (raised(response=SimpleNamespace(status_code=403)), SigningError),
    "azure_429": (raised(status_code=429), SignerUnavailableError),
    "azure_401": (raised(status_code=401), SigningError),
    "google_500": (raised(code=500), SignerUnavailableError),
    "google_404": (raised(code=404), SigningError),
    "botocore_500": (botocore(500), SignerUnavailableError),
    "botocore_400": (botocore(400), SigningError),
    "botocore_throttling_with_400": (botocore(400, "ThrottlingException"), SignerUnavailableError),
    "botocore_limit_with_400": (botocore(400, "LimitExceededException"), SignerUnavailableError),
    "botocore_no_answer": (raised("EndpointConnectionError"), SignerUnavailableError),
    "hvac_by_class": (raised("VaultDown"), SignerUnavailableError),
    "hvac_forbidden": (raised("Forbidden"), SigningError),
    "network": (raised(base=OSError), SignerUnavailableError),
    "network_with_a_status": (raised(base=OSError, response=SimpleNamespace(status_code=400)), SigningError),
    "an_answer_that_is_no_json": (type("JSONDecodeError", (OSError, ValueError), {})("odd"), SigningError),
    "a_certificate_that_is_not_trusted": (ssl.SSLCertVerificationError("self-signed"), SigningError),
    "no_tls": (ssl.SSLError("wrong version number"), SignerUnavailableError),
    "anything_else": (ValueError("odd"), SigningError),
}


@pytest.mark.parametrize("name", FAILURES)
def test_only_what_may_pass_is_said_to_pass(name):
    error, kind = FAILURES[name]
    assert type(failure("the service", error)) is kind


def test_an_error_of_ours_stays_as_it_is():
    error = SignerUnavailableError("known")
    assert failure("the service", error) is error


def test_the_query_of_an_address_is_not_repeated_whatever_the_token_in_it_is_called(unused_tcp_port):
    import requests

    from attest.signers.keyless import _explain

    with pytest.raises(requests.ConnectionError) as caught:
        requests.post(f"http://127.0.0.1:{unused_tcp_port}/sign?ticket=ab12&as=me", timeout=5)
    assert "ticket=ab12" in str(caught.value)
    for error in (failure("signing", caught.value), _explain(caught.value, "keyless")):
        assert "/sign" in str(error)
        assert "ab12" not in str(error)
        assert "ticket" not in str(error)
