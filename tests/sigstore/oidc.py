"""An OpenID Connect issuer: the discovery document, and tokens for whom the test says.

Specification: https://openid.net/specs/openid-connect-core-1_0.html (ID Token).
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from tests.sigstore.pki import Clock, p256
from tests.sigstore.server import Reply, Request


class TokenError(Exception):
    """Fulcio would not take the token; the text is what it answers."""


class OidcIssuer:
    """Makes and checks ES256 tokens. Everyone in `urls` signs with the one key."""

    def __init__(self, url: str, clock: Clock, also: tuple[str, ...] = ()) -> None:
        self.url = url
        self.urls = {url, *also}
        self._clock = clock
        self._key = p256()

    def token(
        self,
        identity: str,
        *,
        issuer: str | None = None,
        audience: str = "sigstore",
        issued_at: datetime | None = None,
        lifetime: timedelta = timedelta(minutes=10),
        key: ec.EllipticCurvePrivateKey | None = None,
        **claims: Any,
    ) -> str:
        """A token for `identity`: an `email` claim when it looks like one, and always the `sub`."""
        issued = int((issued_at or self._clock()).timestamp())
        email = {"email": identity, "email_verified": True} if "@" in identity and "/" not in identity else {}
        said = {
            "iss": issuer or self.url,
            "sub": identity,
            "aud": audience,
            "iat": issued,
            "nbf": issued,
            "exp": issued + int(lifetime.total_seconds()),
        }
        return jwt.encode({**said, **email, **claims}, key or self._key, algorithm="ES256")

    def check(self, token: str, at: datetime) -> Mapping[str, Any]:
        """The claims of a token that is signed, meant for Sigstore, from a known issuer, and valid at that time."""
        unjudged = {f"verify_{claim}": False for claim in ("exp", "nbf", "iat")}  # PyJWT knows the wall clock only
        try:
            claims = jwt.decode(
                token, self._key.public_key(), algorithms=["ES256"], audience="sigstore", options=unjudged
            )
        except jwt.PyJWTError as error:
            raise TokenError(f"There was an error processing the identity token: {error}") from error
        if claims["iss"] not in self.urls:
            raise TokenError(f"unknown issuer {claims['iss']}")
        if not claims["nbf"] <= at.timestamp() < claims["exp"]:
            raise TokenError("oidc: token is expired or not valid yet")
        return claims

    def configuration(self, request: Request) -> Reply:
        found = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/auth",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        }
        return Reply(body=json.dumps(found).encode())
