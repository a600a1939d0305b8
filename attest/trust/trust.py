"""What a verifier trusts: keys, roots, identities, logs. Given by the caller, never taken from what is being verified.

Law: nothing is trusted by default, and what is trusted without a window is trusted at any time; a window is closed at both ends.
Times are RFC 3339 in UTC as evidence writes them, so that they compare as text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from attest.errors import KeyFileError
from attest.keys import PublicKey, load_public
from evidence.timestamp import is_time


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """A public key, and when signatures by it count.

    With a window or a revocation it counts only for what an RFC 3161 time of a trusted root dates; see `attest.checks.key`.

    Raises:
        ValueError: a time in another form than evidence writes.
    """

    public: PublicKey
    valid_from: str | None = None
    valid_until: str | None = None
    revoked_at: str | None = None
    """From this time on nothing signed with it counts; what an RFC 3161 time dates before it still does."""

    def __post_init__(self) -> None:
        for name in ("valid_from", "valid_until", "revoked_at"):
            time = getattr(self, name)
            if time is not None and not is_time(time):  # compared as text, so another form would compare wrongly
                raise ValueError(f"{name} is {time!r}, expected RFC 3339 in UTC with nine fractional digits and Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedRoot:
    """A Sigstore trusted root as its file holds it: certificate authorities, logs, timestamp authorities, with their windows."""

    name: str
    """The file it came from, for reasons and reports."""
    data: bytes
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who may sign with a certificate: each half exact or a pattern (a regular expression over the whole text), both must agree."""

    identity: str | None = None
    identity_pattern: str | None = None
    issuer: str | None = None
    issuer_pattern: str | None = None
    root_sha256: str | None = None
    """The one trusted root whose authorities may issue for it; None: any of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Required:
    """What an attestation must have beside a good signature."""

    timestamps: int = 0
    """Verified RFC 3161 timestamps of distinct authorities that are trusted for the signature at hand."""
    signers: int = 1
    """Distinct trusted signers over all attestations of a bundle."""
    sidecar_log: bool = False
    """A proof that the bundle is in its sidecar's log, whose key is trusted."""
    witnesses: int = 0
    """Distinct trusted witnesses that cosigned the sidecar log's checkpoint."""
    delay_seconds_max: int | None = None
    """Longest time from a run's end to its proven time of signing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Narrower allow-lists than what this version can read; None leaves them as wide."""

    payload_types: frozenset[str] | None = None
    predicate_types: frozenset[str] | None = None
    entry_kinds: frozenset[str] | None = None
    """Such as `dsse 0.0.1` and `hashedrekord 0.0.2`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Everything that counts in judging who signed a bundle, and when."""

    keys: tuple[TrustedKey, ...] = ()
    roots: tuple[TrustedRoot, ...] = ()
    """For certificates, each for what it issued itself; and any of them for the time of a signature by a key."""
    identities: tuple[Identity, ...] = ()
    """Without any, no certificate is trusted."""
    logs: tuple[str, ...] = ()
    """Verifier keys of sidecar logs, as C2SP signed notes write them: NAME+HASH+KEY."""
    witnesses: tuple[str, ...] = ()
    """Verifier keys of witnesses, in the same form."""
    required: Required = Required()
    accepted: Accepted = Accepted()

    @classmethod
    def of(cls, *keys: PublicKey) -> "Trust":
        """Trust in these keys, whenever they signed."""
        return cls(keys=tuple(TrustedKey(public=key) for key in keys))

    @classmethod
    def load(cls, paths: Sequence[Path]) -> "Trust":
        """Trust in the public keys in these PEM files, whenever they signed.

        Raises:
            KeyFileError: no path given, or one of them is no public key.
        """
        if not paths:
            raise KeyFileError("no trusted key given; expected at least one")
        return cls.of(*(load_public(path) for path in paths))

    def find(self, hint: str) -> TrustedKey | None:
        """The key of that fingerprint. The hint is unsigned and only a lookup: the signature decides."""
        return next((key for key in self.keys if key.public.fingerprint == hint), None)
