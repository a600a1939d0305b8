"""Verifying an evidence bundle of Assay, another tool, with the same checks, the same verdicts and no more trust than it earns.

https://github.com/Rul1an/assay (evidence contract v1, attestation predicate evidence-bundle/v1)

Law: no row says more than the format binds. Its bundle id binds type, subject and data of each event; whatever else the file
says is named as a claim, in a warning that is always there. What the format does not have is said, never passed over. Only
an attestation binds the file, and only to who signed it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attest.assay import attestation as assay_attestation
from attest.assay.attestation import AssayAttested
from attest.judge import attempt, caught
from attest.limits import DEFAULT, AttestLimits
from attest.trust.trust import Trust
from attest.verdict import Check, CheckId, Facts, in_order
from attest.verification import Verification, text
from evidence.assay.event import UNBOUND
from evidence.assay.limits import DEFAULT as ASSAY_DEFAULT
from evidence.assay.limits import AssayLimits
from evidence.assay.reader import AssayBundle, AssayFacts
from evidence.assay.receipts import FORMAT
from evidence.digest import file_sha256_hex
from evidence.errors import BundleError
from evidence.redaction.detectors import hidden

_BRIEF_CHARS = 48
_HAS_NONE: Mapping[CheckId, str] = {
    "reports": "the format has none",
    "disclosed": "none was given",
    "policy": "none was given",
    "mapping": "the format has none: it holds no telemetry as it was received",
    "log": "the format has none",
    "cosigned": "the format has none: one signature, in one envelope",
}
_CANNOT = f"what was given speaks of our own evidence bundles, and cannot be judged of an {FORMAT}"


def verify_assay(
    path: Path,
    *,
    attestation: Path | None = None,
    trust: Trust | None = None,
    policy: bool = False,
    disclosed: bool = False,
    strict: bool = False,
    limits: AssayLimits = ASSAY_DEFAULT,
    attest_limits: AttestLimits = DEFAULT,
) -> Verification:
    """Verify one Assay bundle. Never raises on account of what is in a file.

    Does not check: anything that only a producer could know. The format has no times of recording, no opening or closing
    and no chain, so that events are missing at an end is not seen.

    Args:
        path: the bundle.
        attestation: its DSSE envelope; the format says of none where it lies, so it is only looked for where it is said.
        trust: the keys that count.
        policy: whether the caller gave an auditor's policy: it speaks of our bundles, so that is undecided.
        disclosed: whether the caller gave disclosures, likewise.
        strict: let warnings decide the exit code; there always is one.
        limits: bounds on the bundle.
        attest_limits: bounds on the attestation.
    """
    facts, made, container_sha256 = _check_bundle(path, limits)
    attested = AssayAttested(container_sha256=container_sha256, facts=facts)
    reading = assay_attestation.check_attestation(attestation, attested, trust, attest_limits)
    absent = [Check(id=name, outcome="skip", reason=why) for name, why in _HAS_NONE.items()]
    unable = [
        Check(id=name, outcome="undecided", reason=_CANNOT) for name in _given(policy=policy, disclosed=disclosed)
    ]
    return Verification(
        file=text(path),
        attestation=text(attestation) if attestation else None,
        checks=in_order((*absent, *made, *reading.checks, *unable)),
        facts=Facts(
            bundle_id=facts.run_root if facts else None,
            container_sha256=container_sha256,
            manifest_sha256=facts.manifest_sha256 if facts else None,
            claims=_claims(facts) if facts else None,
            signed_by=reading.signer.key if reading.signer else None,
            signer=reading.signer,
            signers=(reading.signer,) if reading.signer else (),
            key_hint=reading.key_hint,
        ),
        strict=strict,
    )


def _given(*, policy: bool, disclosed: bool) -> Iterator[CheckId]:
    """The checks that the caller asks for and no such bundle can answer."""
    if policy:
        yield "policy"
    if disclosed:
        yield "disclosed"


def _check_bundle(path: Path, limits: AssayLimits) -> tuple[AssayFacts | None, tuple[Check, ...], str | None]:
    """What is known of the file, the checks of it by itself, and its digest."""
    try:
        with AssayBundle.open(path, limits) as bundle:
            for _ in bundle.events():
                pass
            facts = bundle.finish()
    except Exception as error:  # noqa: BLE001 - the boundary: whatever a hostile file raises is an answer
        at: CheckId = error.check if isinstance(error, BundleError) else "container"
        return None, (caught(at, error),), _digest(path, limits)
    return facts, (_container(facts), _manifest(facts), _files(facts), _events(facts), _chain()), facts.container_sha256


def _container(facts: AssayFacts) -> Check:
    sound = f"one gzip member, two files, nothing beside them; {facts.container_bytes} bytes, sha256 {facts.container_sha256}"
    if facts.odd:
        odd = f"{sound}; not as Assay writes it: {', '.join(facts.odd)}"
        return Check(id="container", outcome="warn", reason=odd)
    return Check(id="container", outcome="pass", reason=sound)


def _manifest(facts: AssayFacts) -> Check:
    only = ", ".join(UNBOUND[claim.member] for claim in facts.claims.unbound)
    reason = f"{FORMAT}; its id {facts.run_root} binds type, subject and data of each event. Only claimed: {only}"
    return Check(id="manifest", outcome="warn", reason=reason)


def _files(facts: AssayFacts) -> Check:
    return Check(
        id="files", outcome="pass", reason=f"events.ndjson has the size and sha256 listed, {facts.events_sha256}"
    )


def _events(facts: AssayFacts) -> Check:
    """What was found, then what is only claimed as it is said."""
    sound = f"{facts.manifest['event_count']} in order, canonical, each of its content hash, under the run root"
    found = [f"{doubt.says} ({doubt.count}, from line {doubt.lines[0]})" for doubt in facts.claims.doubts]
    said = [f"{UNBOUND[claim.member]} {_brief(claim.values)}" for claim in facts.claims.unbound if claim.values]
    parts = [sound, *([f"but {', '.join(found)}"] if found else []), f"as its producer says: {', '.join(said)}"]
    return Check(id="events", outcome="warn" if found else "pass", reason="; ".join(parts))


def _chain() -> Check:
    reason = "the format has none: neither a bundle nor events missing at the beginning or the end would show"
    return Check(id="chain", outcome="warn", reason=reason)


def _brief(values: tuple[str, ...]) -> str:
    return " | ".join(each if len(each) <= _BRIEF_CHARS else f"{each[: _BRIEF_CHARS - 1]}…" for each in values)


def _claims(facts: AssayFacts) -> dict[str, Any]:
    """For programs: what the file says that its identity does not bind, and what was noticed."""
    return {
        "format": FORMAT,
        "run_id": hidden(facts.manifest["run_id"]),
        "event_count": facts.manifest["event_count"],
        "producer": {name: hidden(value) for name, value in facts.manifest["producer"].items()},
        "container": list(facts.odd),
        **facts.claims.to_json(),
    }


def _digest(path: Path, limits: AssayLimits) -> str | None:
    """The file's digest, so that an attestation can still be held to it; None when the file is too large or unreadable."""
    return attempt("container", lambda: (file_sha256_hex(path, limits.bundle_bytes_max), ""))[0]
