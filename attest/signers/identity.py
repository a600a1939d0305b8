"""Where the OIDC token comes from that says who signs.

Each is plain data: it crosses into the worker process that signs (`attest.signers.bounded`) and reads its token there, anew
for every certificate, because whoever provides tokens replaces them. Law: a token appears in no text of ours.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from attest.errors import SignerUnavailableError, SigningError
from attest.limits import DEFAULT
from attest.signers.failure import is_passing, one_line
from evidence.regular import open_regular

_STATUS = re.compile(r"\(code=(\d{3}),")
"""How the library writes the HTTP status of a token endpoint."""

AUDIENCE = "sigstore"
"""For whom Fulcio wants tokens made (`aud`), unless it is configured otherwise."""


class TokenSource(Protocol):
    """Gives the token of whoever runs this."""

    @property
    def audience(self) -> str:
        """The `aud` that the token is made for."""
        ...

    def token(self) -> str:
        """A token, as new as there is.

        Raises:
            SigningError: there is none here, or it cannot be read.
        """
        ...

    def describe(self) -> str:
        """Where it comes from, in a few words."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AmbientToken:
    """The token of the CI job that this runs in: GitHub Actions, GitLab, Buildkite, CircleCI, or a Google Cloud machine."""

    audience: str = AUDIENCE

    def token(self) -> str:
        """Ask whichever of them this is."""
        from sigstore.oidc import IdentityError, detect_credential  # noqa: PLC0415 - 54 MiB that only a signer has to pay

        try:
            found = detect_credential(self.audience)
        except IdentityError as error:
            status = _STATUS.search(
                str(error)
            )  # of its token endpoint, which without one is not there, and may come back
            refused = "Permission" in type(error.__cause__).__name__ or "malformed" in str(error).lower()
            kind = SigningError if refused or (status and not is_passing(int(status[1]))) else SignerUnavailableError
            text = one_line(str(error), DEFAULT.reason_chars_max)
            raise kind(f"no token from {self.describe()}: {text}") from error
        if found is None:
            raise SigningError(
                f"no token from {self.describe()}: this is none of GitHub Actions, GitLab, Buildkite, CircleCI and Google Cloud"
            )
        return found

    def describe(self) -> str:
        """The environment, whichever it is."""
        return "the environment"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFile:
    """A token in a file that something else keeps fresh: a projected Kubernetes service account token, a SPIFFE JWT-SVID."""

    path: Path
    audience: str = AUDIENCE

    def token(self) -> str:
        """Read the file as it is now."""
        try:
            with open_regular(self.path) as file:
                data = file.read(DEFAULT.token_bytes_max + 1)
        except OSError as error:
            raise SignerUnavailableError(f"{self.path}: the token cannot be read: {error.strerror or error}") from error
        if len(data) > DEFAULT.token_bytes_max:
            raise SigningError(f"{self.path}: larger than {DEFAULT.token_bytes_max} bytes; expected an OIDC token")
        token = data.strip()
        if token.count(b".") != 2 or not token.isascii():
            raise SigningError(f"{self.path}: no OIDC token; expected a JWT, three parts joined by dots")
        return token.decode("ascii")

    def describe(self) -> str:
        """The file."""
        return f"the token in {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenToken:
    """One token, given as it is: for whoever has fetched it, and for tests. It is over when it is over."""

    value: str = field(repr=False)
    audience: str = AUDIENCE

    def token(self) -> str:
        """The token."""
        return self.value

    def describe(self) -> str:
        """No part of it."""
        return "a given token"
