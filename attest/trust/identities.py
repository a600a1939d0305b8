"""Who a certificate says has signed, and whether that is somebody trusted.

Specifications: RFC 5280 section 4.2.1.6 (subject alternative name), and for the issuer
https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md (1.3.6.1.4.1.57264.1.1 and .1.8).
Laws: a certificate names one identity and one issuer, or it names nobody; both must be as trusted, over their whole text.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509

from attest.der import read_value
from attest.errors import InvalidError, PolicyError, UnsupportedError
from attest.shape import describe
from attest.trust.identity_pattern import compiled
from attest.trust.linear_match import fullmatch
from attest.trust.trust import Identity

_ISSUER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
_ISSUER_OLD = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
_OTHER_NAME = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7")
_UTF8_STRING = 0x0C


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a certificate says of its holder. Worth nothing until the certificate is verified."""

    identity: str
    issuer: str

    def describe(self) -> str:
        """Both, quoted and bounded."""
        return f"{describe(self.identity)} by the issuer {describe(self.issuer)}"


def read_claims(certificate: x509.Certificate) -> Claims:
    """What the certificate says.

    Raises:
        InvalidError: the two extensions for the issuer disagree, or one is malformed.
        UnsupportedError: no identity or several, a kind of name other than address, URI and Fulcio's own, no issuer.
    """
    try:
        return Claims(identity=_identity(certificate), issuer=_issuer(certificate))
    except (ValueError, x509.DuplicateExtension) as error:  # extensions are parsed when they are asked for
        raise InvalidError(f"the certificate's extensions are malformed: {error}") from error


def is_trusted(claims: Claims, identities: Iterable[Identity], root_sha256: str | None = None) -> bool:
    """Whether one of the identities is the one claimed, in both its halves. A half that is not given agrees with nothing.

    Args:
        claims: of a certificate that verified.
        identities: who is trusted.
        root_sha256: the root under which it verified; an identity that is bound to another does not count.

    Raises:
        UnsupportedError: an identity whose pattern cannot be used.
    """
    return any(
        _agrees(claims.identity, one.identity, one.identity_pattern)
        and _agrees(claims.issuer, one.issuer, one.issuer_pattern)
        and one.root_sha256 in (None, root_sha256)
        for one in identities
    )


def _agrees(text: str, exact: str | None, pattern: str | None) -> bool:
    if exact is None and pattern is None:
        return False
    return (exact is None or text == exact) and (pattern is None or _matches(pattern, text))


def _matches(pattern: str, text: str) -> bool:
    try:
        compiled(pattern)
        return fullmatch(pattern, text)
    except PolicyError as error:
        raise UnsupportedError(f"the trusted identity's pattern: {error}") from error


def _identity(certificate: x509.Certificate) -> str:
    try:
        names = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound as error:
        raise UnsupportedError("the certificate names nobody: it has no subject alternative name") from error
    if len(names) != 1:
        raise UnsupportedError(f"the certificate has {len(names)} subject alternative names, expected one")
    name = names[0]
    if isinstance(name, x509.RFC822Name | x509.UniformResourceIdentifier):
        return name.value
    if isinstance(name, x509.OtherName) and name.type_id == _OTHER_NAME:
        return _utf8(name.value, "the certificate's identity")
    raise UnsupportedError(f"the certificate names a {type(name).__name__}, expected an address or a URI")


def _issuer(certificate: x509.Certificate) -> str:
    new, old = _extension(certificate, _ISSUER), _extension(certificate, _ISSUER_OLD)
    found = set()
    if new is not None:
        found.add(_utf8(new, "the certificate's issuer (1.3.6.1.4.1.57264.1.8)"))
    if old is not None:
        found.add(_text(old, "the certificate's issuer (1.3.6.1.4.1.57264.1.1)"))
    if not found:
        raise UnsupportedError("the certificate does not say which issuer vouches for its identity")
    if len(found) == 2:
        first, second = sorted(found)
        raise InvalidError(f"the certificate names two issuers, {describe(first)} and {describe(second)}")
    return found.pop()


def _extension(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> bytes | None:
    try:
        value = certificate.extensions.get_extension_for_oid(oid).value
    except x509.ExtensionNotFound:
        return None
    return value.value if isinstance(value, x509.UnrecognizedExtension) else None


def _utf8(data: bytes, what: str) -> str:
    return _text(read_value(data, what, _UTF8_STRING).content, what)


def _text(data: bytes, what: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InvalidError(f"{what} is not UTF-8") from error
