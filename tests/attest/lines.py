"""Verdicts of every kind, of facts that exist nowhere, and the two lines of each: `python -m tests.attest.lines` writes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attest.policy.requirements import JudgedBy
from attest.verdict import CHECKS, Check, Facts, LogEntryFacts, ProvenTime, SignedBy
from attest.verification import Verification

GOLDEN = Path(__file__).parent / "golden" / "lines.txt"
_MANIFEST = {
    "bundle_id": "b" * 64,
    "run_id": "run-1",
    "part": 1,
    "event_count": 1234,
    "producer": {"name": "affidavit", "version": "1.0.0"},
    "close_reason": "root_span_ended",
    "opened_at": "2026-11-21T10:00:00.000000000Z",
    "closed_at": "2026-11-21T10:00:30.000000000Z",
    "capture_health": {"gaps": 0, "sender_uncounted": True, "spans": 9},
}
_COUNTED = {**_MANIFEST, "capture_health": {"gaps": 0, "sender_uncounted": False, "spans": 9}}
_CLOSURE = {"closure": {"score": 0.75, "confidence": "high", "missing": ["memory_context"]}}
_LOSS = {"totals": {"atoms_in": 200, "dropped": 10, "dropped_by_severity": {"major": 1, "minor": 9}}}
_KEY = SignedBy(key="1" * 64)
_OTHER = SignedBy(key="2" * 64)
_CERTIFICATE = SignedBy(identity="ci@example.org", issuer="https://issuer.example.org", root_sha256="3" * 64)
_STAMP = ProvenTime(time="2026-11-21T10:00:31.000000000Z", source="rfc3161", by="tsa.example.org")
_LOGGED = ProvenTime(time="2026-11-21T10:00:32.000000000Z", source="log", by="log.example.org")
_ENTRY = LogEntryFacts(kind="dsse 0.0.1", index=42, log="log.example.org")
_REASONS = {
    "time": "2026-11-21T10:00:31.000000000Z by the timestamp of tsa.example.org",
    "log": "leaf 7 of 9 (counted from 0) of the log 'sidecar.example.org'",
    "chain": "it names no bundle before it",
}
_SKIPPED = {
    "mapping": "no translator was given",
    "disclosed": "none was given",
    "time": "not established: a signature by a key alone carries no time",
    "log": "the statement carries no proof from a sidecar's log",
    "cosigned": "there is no other attestation",
    "policy": "none was given",
}


def verification(facts: Facts, **outcomes: str) -> Verification:
    """A verification whose optional checks were skipped unless it is said."""
    by_id = {**dict.fromkeys(CHECKS, "pass"), **dict.fromkeys(_SKIPPED, "skip"), **outcomes}
    checks = [
        Check(
            id=name,
            outcome=by_id[name],
            reason=_SKIPPED[name]
            if by_id[name] == "skip" and name in _SKIPPED
            else _REASONS.get(name, f"why {name} is"),
        )
        for name in CHECKS
    ]
    policy = JudgedBy(name="acme", version="3", digest="sha256:" + "4" * 64, expires=None, requirements=())
    return Verification(
        file="f",
        attestation="a",
        checks=tuple(checks),
        facts=facts,
        policy=policy if by_id["policy"] != "skip" else None,
    )


def facts(signer: SignedBy | None = _KEY, **changes: object) -> Facts:
    """Facts of a whole bundle by that signer."""
    return Facts(
        **{
            "bundle_id": "b" * 64,
            "manifest": _MANIFEST,
            "closure": _CLOSURE,
            "mapping_loss": _LOSS,
            "signed_by": signer.key if signer else None,
            "signer": signer,
            "signers": (signer,) if signer else (),
            "bundles_attested": 1 if signer else None,
            **changes,
        }
    )  # type: ignore[arg-type]  # any member, by name


def cases() -> dict[str, Verification]:
    """One of each kind, by what it is."""
    return {
        "a key alone": verification(facts()),
        "a key, dated, in a batch": verification(facts(times=(_STAMP,), bundles_attested=64), time="pass"),
        "a certificate": verification(
            facts(_CERTIFICATE, times=(_STAMP, _LOGGED), log_entry=_ENTRY), time="pass", mapping="pass"
        ),
        "everything there is": verification(
            facts(_KEY, signers=(_KEY, _OTHER), times=(_STAMP, _LOGGED), log_witnesses=("w",), manifest=_COUNTED),
            **dict.fromkeys(_SKIPPED, "pass"),
        ),
        "a second attestation that is bad": verification(facts(), cosigned="warn"),
        "a run that may not be whole": verification(facts(), events="warn"),
        "not what the policy asks for": verification(facts(), policy="miss"),
        "a policy that could not decide": verification(facts(), policy="undecided"),
        "nobody trusted": verification(facts(None), trust="undecided", signature="skip"),
        "not recomputed": verification(facts(closure=None), reports="skip"),
        "tampered with": verification(facts(), files="fail"),
        "forged": verification(facts(None), signature="fail", trust="fail"),
    }


def text() -> str:
    """What the golden file holds."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for name, result in cases().items():
        yield f"# {name}: {result.verdict}"
        yield result.integrity
        yield result.assurance
        yield ""


if __name__ == "__main__":
    GOLDEN.write_text(text())
