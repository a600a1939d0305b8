"""The result of a verification as evidence: an in-toto Simple Verification Result, for others who trust the auditor.

Specification: https://github.com/in-toto/attestation/blob/main/spec/predicates/svr.md, version 0.2
Laws: only what verified is a subject; only properties that hold of every subject are stated; what was not checked is not stated. The
subjects are the containers, because nothing was verified of the attestations but that they speak of these.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from attest.attest import validate
from attest.attestation.statement import STATEMENT_TYPE, read_subjects, typed
from attest.errors import InvalidError, StatementError
from attest.limits import DEFAULT, AttestLimits
from attest.policy.requirements import JudgedBy
from attest.shape import describe, expect, members, read_object, sha256_hex
from attest.signers.signer import Signer
from attest.verdict import CheckId, Outcome
from attest.verification import Verification
from evidence.canonical import canonical
from evidence.timestamp import from_rfc3339, is_time

PREDICATE_TYPE = "https://in-toto.io/attestation/svr/v0.2"
"""The one predicate type of results written and read."""

VERIFIER = "urn:affidavit:verifier:v1"
"""Who verified, by what logic: another number as soon as a property comes to mean something else."""

_WHOLE: frozenset[Outcome] = frozenset({"pass", "warn"})
_PASSED: frozenset[Outcome] = frozenset({"pass"})

PROPERTIES: Mapping[str, tuple[frozenset[Outcome], tuple[CheckId, ...]]] = {
    "AFFIDAVIT_INTEGRITY_INTACT": (_WHOLE, ("container", "manifest", "files", "events", "statement", "envelope")),
    "AFFIDAVIT_SIGNER_TRUSTED": (_PASSED, ("signature", "trust")),
    "AFFIDAVIT_CAPTURE_UNDOUBTED": (_PASSED, ("events", "reports")),
    "AFFIDAVIT_REPORTS_RECOMPUTED": (_PASSED, ("reports",)),
    "AFFIDAVIT_MAPPING_RECOMPUTED": (_PASSED, ("mapping",)),
    "AFFIDAVIT_DISCLOSURES_PROVEN": (_PASSED, ("disclosed",)),
    "AFFIDAVIT_TIME_PROVEN": (_PASSED, ("time",)),
    "AFFIDAVIT_SIDECAR_LOG_INCLUDED": (_PASSED, ("log",)),
    "AFFIDAVIT_POLICY_MET": (_PASSED, ("policy",)),
}
"""Every property that can be stated, and the outcomes that its checks must have had. The names and what they mean never change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A parsed result. Only its form was checked: whether it is signed, and by whom, is for `attest.results.check`."""

    subjects: Mapping[str, str]
    """SHA-256 in hexadecimal by subject name."""
    verifier: str
    policies: tuple[Mapping[str, Any], ...]
    """Resource descriptors with `uri` and `digest`."""
    time: str
    """When it was verified, by the verifier's own word."""
    properties: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The five fields."""
        return {
            "subjects": dict(self.subjects),
            "verifier": self.verifier,
            "policies": [dict(policy) for policy in self.policies],
            "time": self.time,
            "properties": list(self.properties),
        }


def attest_result(results: Iterable[Verification], at: str, signer: Signer, *, limits: AttestLimits = DEFAULT) -> bytes:
    """Return the attestation file (a Sigstore bundle) of a result over those of these bundles that verified.

    Args:
        results: as `attest.verify` gave them, all by one policy or all by none.
        at: when they were verified, RFC 3339.
        signer: the auditor's own.
        limits: bounds on the number of subjects.

    Raises:
        StatementError: nothing verified, or no statement can be made of it; see `result_statement`.
        EvidenceError: `at` is no time.
        AttestError: whatever the signer raises.
    """
    payload = result_statement(results, at, limits=limits)
    read_result(payload, limits=limits)  # what our own reader would refuse must not be signed
    validate(payload)
    return signer.sign(payload)


def result_statement(results: Iterable[Verification], at: str, *, limits: AttestLimits = DEFAULT) -> bytes:
    """Return the canonical bytes of the statement; see `attest_result`.

    Raises:
        StatementError: nothing verified, more than `limits.subjects_max` bundles did, they were judged by different policies,
            or two files of one name have one bundle id and different bytes.
        EvidenceError: `at` is no time.
    """
    verified = [result for result in results if result.verdict == "verified"]
    if not verified:
        raise StatementError("nothing verified, so there is no result to attest")
    policies = {result.policy.digest if result.policy else None for result in verified}
    if len(policies) > 1:
        raise StatementError("the bundles were judged by different policies, expected one for all")
    named = _subjects(verified)
    if len(named) > limits.subjects_max:
        raise StatementError(f"{len(named)} bundles verified, expected at most {limits.subjects_max} a result")
    return canonical(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in named.items()],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "verifier": {"id": VERIFIER, "policies": _policies(verified[0].policy)},
                "timeCreated": from_rfc3339(at),
                "properties": _shared(verified),
            },
        }
    )


def _subjects(verified: Sequence[Verification]) -> dict[str, str]:
    """The containers by file name, and by bundle id before it where several have one name."""
    plain: dict[str, set[str]] = {}
    for result in verified:
        plain.setdefault(_base(result), set()).add(str(result.facts.container_sha256))
    named: dict[str, str] = {}
    for result in verified:
        name, digest = _base(result), str(result.facts.container_sha256)
        name = name if len(plain[name]) == 1 else f"{result.facts.bundle_id}/{name}"
        if named.setdefault(name, digest) != digest:
            raise StatementError(
                f"two files {name!r} verified with different bytes, expected a name of its own for each"
            )
    return named


def _base(result: Verification) -> str:
    return result.file.replace("\\", "/").rpartition("/")[2]


def _policies(judged: JudgedBy | None) -> list[dict[str, Any]]:
    if judged is None:
        return []
    uri = f"urn:affidavit:policy:{quote(judged.name, safe='')}:{quote(judged.version, safe='')}"
    return [{"uri": uri, "digest": {"sha256": judged.digest.removeprefix("sha256:")}}]


def _shared(verified: Sequence[Verification]) -> list[str]:
    """The properties of all of them, in the order of the table."""
    shared = dict.fromkeys(PROPERTIES, True)
    for result in verified:
        for name, (outcomes, checks) in PROPERTIES.items():
            shared[name] = shared[name] and all(result.check(check).outcome in outcomes for check in checks)
    return [name for name, holds in shared.items() if holds]


# ------------------------------------------------------------------ reading one


def read_result(payload: bytes, *, limits: AttestLimits = DEFAULT) -> Result:
    """Parse the payload of a result. Checks its form only.

    Raises:
        InvalidError: not canonical JSON, a member missing or malformed, two subjects of one name, a property twice.
        UnsupportedError: another statement or predicate type, or members this version does not know.
    """
    obj = typed(
        read_object(payload, what="the statement", depth_max=limits.json_depth_max, commas_max=limits.json_commas_max),
        PREDICATE_TYPE,
    )
    content = members(obj["predicate"], "predicate", {"verifier": dict, "timeCreated": str, "properties": list})
    verifier = members(content["verifier"], "predicate.verifier", {"id": str, "policies": list})
    if not is_time(content["timeCreated"]):
        raise InvalidError(f"predicate.timeCreated is {describe(content['timeCreated'])}, expected a time in UTC")
    return Result(
        subjects=read_subjects(obj["subject"], limits),
        verifier=verifier["id"],
        policies=tuple(_policy(item, f"verifier.policies[{at}]") for at, item in enumerate(verifier["policies"])),
        time=content["timeCreated"],
        properties=_distinct(content["properties"]),
    )


def _policy(item: object, where: str) -> Mapping[str, Any]:
    policy = members(item, where, {"uri": str, "digest": dict})
    sha256_hex(members(policy["digest"], f"{where}.digest", {"sha256": str})["sha256"], f"{where}.digest.sha256")
    return policy


def _distinct(items: list[object]) -> tuple[str, ...]:
    found = tuple(expect(item, str, "predicate.properties") for item in items)
    if len(set(found)) != len(found):
        raise InvalidError("predicate.properties names one twice")
    return found
