"""A Sigstore trusted root as it counts at given times: its authorities and logs, each with its window.

Specification: https://github.com/sigstore/protobuf-specs (sigstore_trustroot.proto, protobuf JSON mapping).
Laws: a window is closed at both ends, and who has none, or none that starts, is not trusted; the windows are judged here
and nowhere else, so what is handed to the verifying library has none left and no clock of this machine matters.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from attest.dsse import decode_base64
from attest.errors import InvalidError, UnsupportedError
from attest.limits import DEFAULT, AttestLimits
from attest.shape import describe, expect
from attest.trust.trust import TrustedRoot
from evidence.canonical import canonical, parse
from evidence.digest import sha256_hex
from evidence.errors import EvidenceError
from evidence.timestamp import from_rfc3339

MEDIA_TYPE = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
"""The one version read, because the verifying library reads no other."""

_OPEN = {"start": "1970-01-01T00:00:00Z"}
"""The window of an entry whose own was judged already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One authority or log of a root."""

    name: str
    """Its address or subject, for reports."""
    start: str | None
    """From when on it counts, as evidence writes times; never, when there is no start."""
    end: str | None
    """Until when, that time included."""
    ids: frozenset[bytes] = frozenset()
    """What entries call a log."""
    chain: tuple[bytes, ...] = ()
    """Certificates of an authority in DER, its own first."""
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    def counts_at(self, times: Iterable[str]) -> bool:
        """Whether it counts at every one of these times."""
        start, end = self.start, self.end
        return start is not None and all(start <= time and (end is None or time <= end) for time in times)

    def window(self) -> str:
        """The window in words."""
        return f"valid from {self.start or 'no time given'} to {self.end or 'any time'}"

    def opened(self) -> dict[str, Any]:
        """The entry as the file has it, with a window that holds every time."""
        if "publicKey" in self.raw:
            return {**self.raw, "publicKey": {**self.raw["publicKey"], "validFor": _OPEN}}
        return {**self.raw, "validFor": _OPEN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """The entries of one trusted root."""

    name: str
    sha256: str
    logs: tuple[Entry, ...]
    authorities: tuple[Entry, ...]
    ct_logs: tuple[Entry, ...]
    timestamp_authorities: tuple[Entry, ...]

    @property
    def only_dates(self) -> bool:
        """Whether it names timestamp authorities and nothing else, as whoever trusts them for the time of any signature does."""
        return bool(self.timestamp_authorities) and not (self.authorities or self.logs or self.ct_logs)

    def log(self, log_id: bytes, times: Iterable[str]) -> Entry:
        """The transparency log of that id, which must count at every one of these times.

        Raises:
            InvalidError: there is none.
        """
        named = [log for log in self.logs if log_id in log.ids]
        if not named:
            raise InvalidError(f"the log entry is of the log {log_id.hex()[:16]}, which is not in the root {self.name}")
        return _counting(named, f"the log {named[0].name}", times)[0]

    def narrowed(self, *, log: Entry, times: Iterable[str], issued: str, stamped_by: Iterable[Entry]) -> bytes:
        """The root as a file that holds only what counts, to be handed to the verifying library.

        Args:
            log: the one that the entry is in.
            times: every time that is claimed or proven for the signature.
            issued: when the certificate was entered into a certificate log.
            stamped_by: the timestamp authorities that count.

        Raises:
            InvalidError: no certificate authority or certificate log counts at these times.
        """
        when = tuple(times)
        authorities = _counting(self.authorities, "every certificate authority", when)
        ct_logs = _counting(self.ct_logs, "every certificate log", (*when, issued))
        return canonical(
            {
                "mediaType": MEDIA_TYPE,
                "tlogs": [log.opened()],
                "certificateAuthorities": [entry.opened() for entry in authorities],
                "ctlogs": [entry.opened() for entry in ct_logs],
                "timestampAuthorities": [entry.opened() for entry in stamped_by],
            }
        )


def dating(root: Root, roots: Iterable[Root]) -> tuple[Root, ...]:
    """The roots whose timestamp authorities date what `root` issued: itself, and those among `roots` that only date."""
    return (root, *(other for other in roots if other.only_dates and other is not root))


def trusted_root(data: bytes, name: str) -> TrustedRoot:
    """A root from the bytes of its file, named for reports. Its form is checked when it is used."""
    return TrustedRoot(name=name, data=data, sha256=sha256_hex(data))


def read_root(root: TrustedRoot, *, limits: AttestLimits = DEFAULT) -> Root:
    """Read a trusted root's file, whose JSON need not be canonical: it is the verifier's own.

    Raises:
        UnsupportedError: too large, no trusted root, another version, or an entry without key or certificates.
    """
    if len(root.data) > limits.trusted_root_bytes_max:
        raise UnsupportedError(
            f"the trusted root {root.name} has {len(root.data)} bytes, at most {limits.trusted_root_bytes_max}"
        )
    try:
        obj = expect(parse(root.data, depth_max=limits.json_depth_max, require_canonical=False), dict, "it")
        if obj.get("mediaType") != MEDIA_TYPE:
            raise InvalidError(f"mediaType is {describe(obj.get('mediaType'))}, expected {MEDIA_TYPE!r}")
        return Root(
            name=root.name,
            sha256=root.sha256,
            logs=tuple(_log(item) for item in obj.get("tlogs", ())),
            authorities=tuple(_authority(item) for item in obj.get("certificateAuthorities", ())),
            ct_logs=tuple(_log(item) for item in obj.get("ctlogs", ())),
            timestamp_authorities=tuple(_authority(item) for item in obj.get("timestampAuthorities", ())),
        )
    except (InvalidError, EvidenceError, TypeError, KeyError, AttributeError) as error:
        kind = "" if isinstance(error, InvalidError | EvidenceError) else f"{type(error).__name__}: "
        raise UnsupportedError(f"{root.name} is no Sigstore trusted root: {kind}{error}") from error


def _counting(entries: Iterable[Entry], what: str, times: Iterable[str]) -> list[Entry]:
    when = tuple(times)
    known = list(entries)
    found = [entry for entry in known if entry.counts_at(when)]
    if not found:
        windows = "; ".join(entry.window() for entry in known[:3]) or "there is none"
        raise InvalidError(f"{what} is outside its window at {' and '.join(sorted(when))} ({windows})")
    return found


def _log(item: Mapping[str, Any]) -> Entry:
    key = expect(item["publicKey"], dict, "publicKey")
    ids = {decode_base64(item[name]["keyId"], what=name) for name in ("logId", "checkpointKeyId") if item.get(name)}
    return _entry(item, key.get("validFor"), str(item.get("baseUrl", "")), ids=frozenset(ids))


def _authority(item: Mapping[str, Any]) -> Entry:
    chain = [decode_base64(one["rawBytes"], what="rawBytes") for one in item["certChain"]["certificates"]]
    name = item.get("uri") or item.get("subject", {}).get("commonName", "")
    return _entry(item, item.get("validFor"), str(name), chain=tuple(chain))


def _entry(item: Mapping[str, Any], window: Mapping[str, Any] | None, name: str, **rest: Any) -> Entry:  # noqa: ANN401 - passed on
    times = {at: from_rfc3339(time) for at, time in (window or {}).items() if at in ("start", "end") and time}
    return Entry(name=name, start=times.get("start"), end=times.get("end"), raw=item, **rest)
