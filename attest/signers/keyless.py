"""Keyless signing: a certificate of minutes for whoever shows an OIDC token, an entry in a transparency log, an RFC 3161 time.

Sigstore's own library does it (https://docs.sigstore.dev), on the instance that a client trust config describes. It has no time-outs
for most of its requests: run this in `attest.signers.bounded`. Law: what leaves this module verifies, by the very root it was signed
for, and has the time that was asked for; what went wrong is one SigningError, whatever the library raised.
"""

import time
from typing import TYPE_CHECKING

import orjson

from attest.errors import AttestError, SignerUnavailableError, SigningError
from attest.signers.clock import Clock
from attest.signers.failure import is_of_network, is_passing, line, one_line
from attest.signers.identity import TokenSource
from attest.signers.services import PUBLIC_WARNING, read_services
from attest.signers.timestamp import Timestamper

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse
    from sigstore.models import Bundle, ClientTrustConfig
    from sigstore.sign import Signer as SigstoreSigner

_REUSED_SHARE = 0.8
"""Of a certificate's life; what is left is for the log and the timestamp authority to answer in."""

_OVER = frozenset({"ExpiredSignatureError", "ImmatureSignatureError", "ExpiredIdentity"})
"""What the libraries raise on a token outside its time."""

_UNKNOWN_SECONDS = 60.0
"""How long a certificate is used whose first signature failed, so that its end was not seen yet."""

_AUTHORITY, _LOG, _NOBODY = "asking for a certificate", "asking for a log entry", "checking what was made"
"""What is being done, for an error that does not say it."""

_ANSWER_BYTES_MAX = 256 * 1024
"""Of an error answer, as far as it is looked at."""
_ANSWER_CHARS_MAX = 300
_CAUSES_MAX = 16


class KeylessSigner:
    """Signs as whoever the token names. One certificate serves for most of its life. For one thread.

    Args:
        trust_config: a Sigstore client trust config in JSON: the services to use, and the trusted root they belong to.
        tokens: where tokens come from.
        clock: this machine's, to hold to it what dates a signature.
        tlog_version: 1 or 2 of Rekor; None takes 1 where the instance has one, which the most verifiers can read.
        require_timestamp: whether a signature without a verified RFC 3161 time is withheld. Rekor 2 gives no other time.
        public: whether the config may be one of the public instance. Read `PUBLIC_WARNING` before.

    Raises:
        SigningError: the config is none, needs `public`, or has no timestamp authority although one is required.
    """

    def __init__(
        self,
        trust_config: bytes,
        tokens: TokenSource,
        *,
        clock: Clock,
        tlog_version: int | None = None,
        require_timestamp: bool = True,
        public: bool = False,
    ) -> None:
        self._services = read_services(trust_config)
        if self._services.public and not public:
            raise SigningError(
                f"the client trust config is for the public instance, which was not asked for: {PUBLIC_WARNING}"
            )
        if require_timestamp and not self._services.timestamp_authorities:
            raise SigningError("the client trust config names no timestamp authority, and a timestamp is required")
        self._tokens = tokens
        self._clock = clock
        self._require_timestamp = require_timestamp
        try:
            self._config = _parse(trust_config, tlog_version)
        except Exception as error:  # pydantic's, ValueError, the library's own
            raise SigningError(f"the client trust config cannot be used: {line(error)}") from error
        self._root = orjson.dumps(orjson.loads(trust_config).get("trustedRoot"))
        self._signer: SigstoreSigner | None = None
        self._opened_at = self._renew_at = 0.0
        self._dated = False
        self._signed_as = ""
        self._asking = _NOBODY

    def sign(self, payload: bytes) -> bytes:
        """Sign an in-toto statement; see `attest.signers.signer.Signer.sign`.

        Raises:
            SigningError: a service refused, or what was made does not verify or lacks the timestamp that is required.
            SignerUnavailableError: a service did not answer, or could not now; or the token is over and may be replaced.
        """
        try:
            return self._sign(payload)
        except AttestError:
            raise
        except Exception as error:  # no common family: the library's, requests', pydantic's, ValueError, KeyError
            raise _explain(error, f"{self.describe()}, {self._asking}") from error

    def describe(self) -> str:
        """The instance and where the token comes from; once signed, the certificate's identity and issuer as well."""
        who = self._signed_as or self._tokens.describe()
        return f"keyless at {self._services.describe()} as {who}"

    def _sign(self, payload: bytes) -> bytes:
        from attest.signers.check_made import check_made  # noqa: PLC0415 - verifying is loaded where it is done

        bundle = self._bundle(payload)
        self._asking = _NOBODY
        if not self._dated:
            life = bundle.signing_certificate.not_valid_after_utc - bundle.signing_certificate.not_valid_before_utc
            self._renew_at, self._dated = self._opened_at + life.total_seconds() * _REUSED_SHARE, True
        data = _file(bundle)
        claims = check_made(data, payload, self._root, clock=self._clock, require_timestamp=self._require_timestamp)
        self._signed_as = f"{claims.identity}, issuer {claims.issuer}"
        return data

    def _bundle(self, payload: bytes) -> "Bundle":
        self._asking = _LOG
        from sigstore.dsse import Statement  # noqa: PLC0415 - 54 MiB that only a signer has to pay
        from sigstore.sign import ExpiredCertificate  # type: ignore[attr-defined]  # noqa: PLC0415 - as above; it has no public name

        if self._signer is not None and time.monotonic() < self._renew_at:
            try:
                return self._signer.sign_dsse(Statement(payload))
            except ExpiredCertificate:  # the machine slept, or its clock was put right
                pass
        self._asking = _AUTHORITY
        self._signer, self._dated = self._open(), False
        self._asking, self._opened_at = _LOG, time.monotonic()
        self._renew_at = self._opened_at + _UNKNOWN_SECONDS
        try:
            return self._signer.sign_dsse(Statement(payload))
        except ExpiredCertificate as error:
            self._signer = None
            raise SigningError(
                "the certificate was over when it came: this machine's clock is ahead of the authority's"
            ) from error

    def _open(self) -> "SigstoreSigner":
        """A new key and a certificate for it."""
        from sigstore.oidc import IdentityToken  # noqa: PLC0415 - as above
        from sigstore.sign import Signer, SigningContext  # noqa: PLC0415 - as above

        self._signer = None
        token = IdentityToken(self._tokens.token(), self._tokens.audience)
        services = self._config.signing_config
        authority, log = services.get_fulcio(), services.get_tlogs()[0]
        for session in (authority.session, getattr(log, "_session")):  # noqa: B009 - the log's client has no other door, and no type for it
            session.max_redirects = 0  # else a service could send the token, or the statement, to whom nobody has named
        context = SigningContext(
            fulcio=authority,
            rekor=log,
            trusted_root=self._config.trusted_root,
            tsa_clients=[self._stamping(tsa.url) for tsa in services.get_tsas()],  # type: ignore[misc]  # duck
        )
        return Signer(token, context)

    def _stamping(self, url: str) -> "_Stamping":
        return _Stamping(url, Timestamper(url, clock=self._clock), required=self._require_timestamp)


class _Stamping:
    """A timestamp authority as the library asks one, before it enters anything into the log.

    The library's own goes on without a time when there is none; this one stops there, so that the log is not filled with entries of
    attestations that nobody gets.
    """

    def __init__(self, url: str, timestamper: Timestamper, *, required: bool) -> None:
        self.url = url
        self._timestamper = timestamper
        self._required = required

    def request_timestamp(self, signature: bytes) -> "TimeStampResponse":
        """The authority's answer."""
        from rfc3161_client import decode_timestamp_response  # noqa: PLC0415 - as above
        from sigstore.sign import TimestampError  # type: ignore[attr-defined]  # noqa: PLC0415 - as above; it has no public name

        try:
            return decode_timestamp_response(self._timestamper.stamp(signature))
        except SigningError as error:
            if self._required:
                raise
            raise TimestampError(str(error)) from error


def _parse(trust_config: bytes, tlog_version: int | None) -> "ClientTrustConfig":
    from sigstore.errors import Error  # noqa: PLC0415 - as above
    from sigstore.models import ClientTrustConfig  # noqa: PLC0415 - as above

    config = ClientTrustConfig.from_json(trust_config.decode())
    config.force_tlog_version = tlog_version or 1
    try:
        _ = config.signing_config
    except Error:
        if tlog_version is not None:
            raise
        config.force_tlog_version = 2
        _ = config.signing_config
    return config


def _file(bundle: "Bundle") -> bytes:
    """The bundle in its one spelling, without what a verifier could only name, such as a log's witnesses that no root knows."""
    from attest.attestation.sigstore_bundle import encode, read  # noqa: PLC0415 - as above
    from attest.checks.transparency import plain  # noqa: PLC0415 - as above

    try:
        return encode(plain(read(bundle.to_json().encode())))
    except AttestError as error:
        raise SigningError(f"what was made does not verify: {error}") from error


def _explain(error: Exception, who: str) -> SigningError:
    """What a failure inside the library means: it keeps the service's own words in a cause, if at all."""
    causes = _causes(error)
    for cause in causes:
        response = getattr(cause, "response", None)
        if response is not None:
            kind = SignerUnavailableError if is_passing(response.status_code) else SigningError
            asked, status = response.url.partition("?")[0], response.status_code
            return kind(f"{asked} answered with status {status}: {_said(response.content)}")
    if {type(cause).__name__ for cause in causes} & _OVER or "validity period" in str(error):
        return SignerUnavailableError(f"{who}: the token is over, or not valid yet, by this machine's clock")
    for cause in causes:
        if isinstance(cause, OSError):
            asked = getattr(getattr(cause, "request", None), "url", who)
            kind = SignerUnavailableError if is_of_network(causes) else SigningError
            return kind(f"{str(asked).partition('?')[0]}: {line(cause)}")
    what, why = line(error), next((line(cause) for cause in reversed(causes) if str(cause)), "")
    return SigningError(f"{who}: {what}: {why}" if why not in ("", what) else f"{who}: {what}")


def _causes(error: Exception) -> list[Exception]:
    found: list[Exception] = []
    following: BaseException | None = error
    while following is not None and len(found) < _CAUSES_MAX:
        if isinstance(following, Exception):
            found.append(following)
        following = following.__cause__ or following.__context__
    return found


def _said(body: bytes) -> str:
    """The message of an error answer: Fulcio and Rekor send `{"code", "message"}`, a proxy a page."""
    text = body[:_ANSWER_BYTES_MAX].decode("utf-8", "replace")
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        said = None
    message = said.get("message") if isinstance(said, dict) else None
    return one_line(message if isinstance(message, str) else text, _ANSWER_CHARS_MAX) or "nothing said"
