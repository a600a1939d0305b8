"""Tokens come from where the settings say, bounded, as new as they are, and never appear in a text."""

import base64
import json
import os
import pickle

import pytest

from attest.errors import SignerUnavailableError, SigningError
from attest.limits import DEFAULT
from attest.signers.identity import AmbientToken, GivenToken, TokenFile

TOKEN = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b"{}", b'{"aud":"sigstore"}', b"s"))
CI = ("GITHUB_ACTIONS", "BUILDKITE", "GITLAB_CI", "CIRCLECI", "GOOGLE_SERVICE_ACCOUNT_NAME")


@pytest.fixture
def no_ci(monkeypatch, tmp_path):
    monkeypatch.setattr("id._internal.oidc.ambient._GCP_PRODUCT_NAME_FILE", str(tmp_path / "none"))
    for name in CI:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("around", [b"%b", b"%b\n", b"  %b\r\n"])
def test_a_file_is_read_without_the_white_space_around_the_token(tmp_path, around):
    file = tmp_path / "token"
    file.write_bytes(around % TOKEN.encode())

    assert TokenFile(path=file).token() == TOKEN


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no OIDC token"),
        (b"a.b", "no OIDC token"),
        (b"a.b.c.d", "no OIDC token"),
        ("ä.b.c".encode(), "no OIDC token"),
        (b"\xff.\xff.\xff", "no OIDC token"),
        (b"a.b." + b"c" * DEFAULT.token_bytes_max, "larger than"),
    ],
    ids=["empty", "two-parts", "four-parts", "not-ascii", "binary", "large"],
)
def test_a_file_that_holds_no_token_is_refused_by_name_and_not_quoted(tmp_path, content, said):
    file = tmp_path / "token"
    file.write_bytes(content)

    with pytest.raises(SigningError, match=said) as caught:
        TokenFile(path=file).token()

    assert str(file) in str(caught.value)
    assert "cccc" not in str(caught.value)


def test_a_file_that_is_not_there_yet_may_come(tmp_path):
    with pytest.raises(SignerUnavailableError, match="No such file"):
        TokenFile(path=tmp_path / "token").token()


def test_outside_of_every_known_environment_there_is_no_ambient_token(no_ci):
    with pytest.raises(SigningError, match="none of GitHub Actions"):
        AmbientToken().token()


def test_a_ci_job_gives_its_token_for_the_audience_that_is_asked_for(no_ci, monkeypatch):
    other = ".".join(
        [TOKEN.split(".")[0], base64.urlsafe_b64encode(json.dumps({"aud": "our-fulcio"}).encode()).decode(), "s"]
    )
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", TOKEN)
    monkeypatch.setenv("OUR_FULCIO_ID_TOKEN", other)

    assert AmbientToken().token() == TOKEN
    assert AmbientToken(audience="our-fulcio").token() == other


def test_a_ci_job_without_the_permission_is_told_so(no_ci, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", raising=False)

    with pytest.raises(SigningError, match="permissions") as caught:
        AmbientToken().token()
    assert not isinstance(caught.value, SignerUnavailableError)


@pytest.mark.parametrize("source", [AmbientToken(), TokenFile(path=os.devnull), GivenToken(value=TOKEN)])
def test_a_source_is_data_and_shows_no_token(source):
    assert pickle.loads(pickle.dumps(source)) == source
    assert TOKEN not in repr(source) + source.describe()
