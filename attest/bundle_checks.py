"""The checks of an evidence bundle by itself: container, manifest, files, events, chain, and what watches the events.

The file is read once, as a stream. Law: what was read before an error is not evidence, so the facts of a bundle exist
only when its last byte was accepted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attest.judge import attempt, caught, judge
from attest.many import chain
from attest.verdict import Check, CheckId
from attest.watch import Watch
from evidence.bundle import BundleFacts, EvidenceBundle
from evidence.capture.counters import doubts
from evidence.digest import file_sha256_hex
from evidence.errors import BundleError
from evidence.limits import Limits
from evidence.signals import registry


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleReading:
    """The checks made on a bundle, and what is known of it."""

    checks: tuple[Check, ...]
    facts: BundleFacts | None
    """None unless the whole file was accepted."""
    container_sha256: str | None
    """Digest of the file even when its content was refused; None when it could not be read."""
    manifest: Mapping[str, Any] | None = None
    """The manifest as soon as it was accepted by itself: a claim while `facts` is None."""


def check_bundle(path: Path, watches: Sequence[Watch], limits: Limits) -> BundleReading:
    """Read the bundle at `path` once and check it by itself.

    Args:
        path: the container file.
        watches: the recomputing checks to make on the way.
        limits: bounds on the bundle.
    """
    manifest: Mapping[str, Any] | None = None
    try:
        with EvidenceBundle.open(path, limits) as bundle:
            manifest = bundle.manifest
            facts = _read(bundle, watches)
    except Exception as error:  # noqa: BLE001 - the boundary: whatever a hostile file raises is an answer
        checks = _refused(error, manifest)
        return BundleReading(checks=checks, facts=None, container_sha256=_digest(path, limits), manifest=manifest)
    checks = (*_accepted(facts), *(watch.check(facts) for watch in watches))
    return BundleReading(checks=checks, facts=facts, container_sha256=facts.container_sha256, manifest=manifest)


def _read(bundle: EvidenceBundle, watches: Sequence[Watch]) -> BundleFacts:
    for watch in watches:
        watch.begin(bundle)
    look = [watch.events for watch in watches if watch.active]
    for batch in bundle.batches():
        for see in look:
            see(batch)
    return bundle.finish()


def _refused(error: Exception, manifest: Mapping[str, Any] | None) -> tuple[Check, ...]:
    """The one check that refused the file, and the manifest's if it stood by itself."""
    at: CheckId = error.check if isinstance(error, BundleError) else "container"
    answers = [caught(at, error)]
    if manifest is not None and at != "manifest":
        answers.append(_manifest(manifest))
    return tuple(answers)


def _accepted(facts: BundleFacts) -> tuple[Check, ...]:
    manifest = facts.manifest
    count = manifest["event_count"]
    size = f"{facts.container_bytes} bytes, sha256 {facts.container_sha256}"
    events = f"{count} in order, canonical, under the Merkle root {manifest['merkle']['root']}"
    return (
        Check(id="container", outcome="pass", reason=f"one gzip member, one archive, nothing beside it; {size}"),
        _manifest(manifest),
        Check(id="files", outcome="pass", reason=f"{len(facts.members)} members, each listed, in order, of its digest"),
        _events(facts, events),
        judge("chain", lambda: chain.check_alone(manifest)),
    )


def _manifest(manifest: Mapping[str, Any]) -> Check:
    return Check(id="manifest", outcome="pass", reason=f"canonical and complete; bundle {manifest['bundle_id']}")


def _events(facts: BundleFacts, sound: str) -> Check:
    health, closed_at = facts.manifest["capture_health"], facts.manifest["closed_at"]
    found = doubts(health, registry().counters)
    says = [name if count is True else f"{name} {count}" for name, count in found.items()]
    if max(facts.last_time, facts.manifest["opened_at"]) > closed_at:
        says.append(f"dated up to {facts.last_time}, after it was closed at {closed_at}")
    if says:
        return Check(id="events", outcome="warn", reason=f"{sound}; but the run may not be whole: {', '.join(says)}")
    return Check(id="events", outcome="pass", reason=sound)


def _digest(path: Path, limits: Limits) -> str | None:
    """The file's digest, so that an attestation can still be held to it; None when the file is too large or unreadable."""
    return attempt("container", lambda: (file_sha256_hex(path, limits.bundle_bytes_max), ""))[0]
