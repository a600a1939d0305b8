"""What a client trust config names, as far as a signer must know before it loads Sigstore's own library.

Specification: https://github.com/sigstore/protobuf-specs (sigstore_trustroot.proto, ClientTrustConfig). Law: whether signing
publishes something to the world is seen here, from the addresses, before anything is sent.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

from attest.errors import SigningError
from attest.limits import DEFAULT

MEDIA_TYPE = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
PUBLIC_DOMAINS = ("sigstore.dev", "sigstage.dev")
"""Where the Sigstore project runs the instances that anyone may read."""
_PLAIN_HOST = re.compile(r"[0-9a-z._:-]+")
"""Whose letters are what they look like: clients read %2e as a dot, and end a host at a backslash."""

PUBLIC_WARNING = (
    "the public Sigstore instance publishes for ever, for anyone to read, the identity in the certificate (the address of a workflow or of"
    " a person) and the digests of what is signed; Rekor 1 is moreover sent the whole statement, with its names of runs, files and packs"
)
"""What whoever opts in must have read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Addresses by kind. Whether any of them answers is not known."""

    authorities: tuple[str, ...]
    logs: tuple[str, ...]
    timestamp_authorities: tuple[str, ...]

    @property
    def public(self) -> bool:
        """Whether one of them belongs to the public instance, or to its staging twin."""
        return any(_is_public(url) for url in (*self.authorities, *self.logs, *self.timestamp_authorities))

    def describe(self) -> str:
        """The certificate authority's host."""
        return ", ".join(urlsplit(url).netloc or url for url in self.authorities)


def read_services(trust_config: bytes) -> Services:
    """The services that a client trust config names. Checks its outline only; Sigstore's library judges the rest.

    Raises:
        SigningError: it is none, or names no certificate authority or no log.
    """
    if (size := len(trust_config)) > DEFAULT.trust_config_bytes_max:
        raise SigningError(f"the client trust config has {size} bytes, at most {DEFAULT.trust_config_bytes_max}")
    try:
        config = orjson.loads(trust_config)
    except orjson.JSONDecodeError as error:
        raise SigningError(f"the client trust config is not JSON: {error}") from error
    kind = config.get("mediaType") if isinstance(config, dict) else None
    if kind != MEDIA_TYPE:
        raise SigningError(f"the client trust config's mediaType is {str(kind)[:100]!r}, expected {MEDIA_TYPE!r}")
    signing = config.get("signingConfig")
    services = Services(
        authorities=_urls(signing, "caUrls"),
        logs=_urls(signing, "rekorTlogUrls"),
        timestamp_authorities=_urls(signing, "tsaUrls"),
    )
    for what, urls in (("certificate authority", services.authorities), ("transparency log", services.logs)):
        if not urls:
            raise SigningError(f"the client trust config names no {what}, expected at least one in signingConfig")
    return services


def _urls(signing: object, member: str) -> tuple[str, ...]:
    listed = signing.get(member) if isinstance(signing, dict) else None
    other = re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", member)
    if isinstance(signing, dict) and other in signing:  # which the library takes for it
        raise SigningError(f"signingConfig has {other!r}, expected it to be spelled {member!r}")
    items = listed if isinstance(listed, list) else []
    return tuple(_url(item.get("url") if isinstance(item, dict) else None, member) for item in items)


def _url(value: object, member: str) -> str:
    """An address whose host is plain to see: by it we tell whether it is the public instance's."""
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        host, scheme = parts.hostname, parts.scheme
        if "@" in parts.netloc:
            raise SigningError(
                f"signingConfig.{member} has a url with a name or a password in it, which would be logged"
            )
    except ValueError:  # such as half an IPv6 address
        host, scheme = None, ""
    if not isinstance(value, str) or not host or not _PLAIN_HOST.fullmatch(host) or scheme not in ("http", "https"):
        raise SigningError(
            f"signingConfig.{member} has the url {str(value)[:100]!r}, expected http:// or https:// and a host"
        )
    return value


def _is_public(url: str) -> bool:
    host = (urlsplit(url).hostname or "").rstrip(".")
    return any(host == domain or host.endswith(f".{domain}") for domain in PUBLIC_DOMAINS)
