"""What is said about one run, or a part of it, beside its events; and the names of its files."""

import hashlib
from dataclasses import dataclass, field
from typing import Literal, get_args

from evidence.canonical import JsonObject
from evidence.digest import is_sha256_hex
from evidence.errors import RunError
from evidence.event import RUN_ID
from evidence.timestamp import is_time

CloseReason = Literal["explicit", "root_ended", "idle", "age", "size", "shutdown", "end_of_input", "requested"]
"""Why a part was closed: `CloseRun`, its root span and a quiet period, a bound, the end of the process or of the input,
or `SealRun`."""

CLOSE_REASONS: tuple[str, ...] = get_args(CloseReason)

BUNDLE_SUFFIX = ".evidence.tar.gz"
ATTESTATION_SUFFIX = ".sigstore.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMeta:
    """The facts about a part of a run that its events alone do not give.

    Raises:
        RunError: a value cannot stand in a manifest.
    """

    run_id: str
    """See `safe_run_id`."""
    part: int = 1
    """1 for the first bundle of a run, and so on; an amendment is a further part."""
    opened_at: str
    """When the part was opened: RFC 3339, UTC, nine fractional digits, `Z`."""
    closed_at: str
    """When the part was closed; the time of every report."""
    close_reason: CloseReason
    source: str
    """The CloudEvents `source` of every event."""
    producer: JsonObject
    """`{"name", "version"}` of what recorded the run."""
    mapping: JsonObject
    """What translated it: `{"target": {"id", "version", "digest"}, "profiles": [{"id", "version", "digest"}]}`."""
    amends: str | None = None
    """The `bundle_id` of the bundle that this one amends."""
    previous_bundle: JsonObject | None = None
    """`{"bundle_id", "manifest_sha256"}` of the bundle that the same sidecar sealed before."""
    redaction: JsonObject | None = field(default=None)
    """`{"policy_digest"}` of the redaction applied before anything was hashed."""

    def __post_init__(self) -> None:
        for name, valid, expected in (
            ("run_id", RUN_ID.fullmatch(self.run_id), RUN_ID.pattern),
            ("part", self.part >= 1, "1 or more"),
            ("opened_at", is_time(self.opened_at), "RFC 3339 in UTC with nine fractional digits and Z"),
            ("closed_at", is_time(self.closed_at), "RFC 3339 in UTC with nine fractional digits and Z"),
            ("close_reason", self.close_reason in CLOSE_REASONS, f"one of {', '.join(CLOSE_REASONS)}"),
            ("source", self.source.find(":") > 0, "an absolute URI"),
            ("amends", self.amends is None or is_sha256_hex(self.amends), "64 lower-case hexadecimal characters"),
        ):
            if not valid:
                raise RunError(f"{name}: expected {expected}, got {getattr(self, name)!r}")


def safe_run_id(raw: str) -> str:
    """`raw` when it can be a run id, else `sha256-` and 40 hexadecimal characters of its digest.

    Distinct inputs give distinct ids, short of a collision; a raw id that looks like such a digest is kept as it is.
    """
    if RUN_ID.fullmatch(raw):
        return raw
    return "sha256-" + hashlib.sha256(raw.encode(errors="surrogatepass")).hexdigest()[:40]


def bundle_file_name(run_id: str, part: int) -> str:
    """The file name of a part's evidence bundle."""
    return f"{run_id}{BUNDLE_SUFFIX}" if part == 1 else f"{run_id}.part{part}{BUNDLE_SUFFIX}"


def attestation_file_name(bundle_file: str) -> str:
    """The file name of the attestation that lies beside the bundle `bundle_file`.

    Raises:
        RunError: `bundle_file` is not named like a bundle.
    """
    if not bundle_file.endswith(BUNDLE_SUFFIX):
        raise RunError(f"bundle file name: expected NAME{BUNDLE_SUFFIX}, got {bundle_file!r}")
    return bundle_file.removesuffix(BUNDLE_SUFFIX) + ATTESTATION_SUFFIX
