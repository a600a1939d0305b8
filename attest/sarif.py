"""Verification results as SARIF 2.1.0, for code scanning services and viewers.

| verification | SARIF |
|---|---|
| check | `reportingDescriptor` of the check's id |
| a check that failed, that could not be decided, or that a policy found not enough | result of level `error`: none of them is verified |
| a check that warns | result of level `warning` |
| a check that passed or was not made | no result |
| an attestation without its bundle | result of the check `chain`, at the attestation |
| a bundle | artifact with its digest; the location of its results |

Law: a function of the results alone. A fingerprint stays while the same check of the same file has the same outcome, whatever the numbers
in its reason.
"""

from collections.abc import Iterator, Mapping, Sequence

from attest.many.chain import with_files
from attest.many.summary import Summary
from attest.verdict import CHECKS, EXIT_CODES, Check, CheckId, Outcome
from attest.verification import Verification
from evidence.canonical import JsonObject
from evidence.digest import sha256_hex
from evidence.sarif import artifact, log_bytes, message, one_run, physical

_LEVELS: Mapping[Outcome, str] = {"fail": "error", "undecided": "error", "miss": "error", "warn": "warning"}
_SAID: Mapping[Outcome, str] = {
    "fail": "failed",
    "undecided": "could not be decided",
    "miss": "is missed",
    "warn": "warns",
}
_RULES: Mapping[CheckId, tuple[str, str]] = {
    "container": (
        "The container is what the format allows",
        "One gzip member and one archive, with fixed fields and nothing beside them.",
    ),
    "manifest": ("The manifest is complete", "Canonical JSON, every member known; the bundle's id is its digest."),
    "files": ("Every file is the one that is listed", "Each member in order, of its size and digest."),
    "events": (
        "The events are whole",
        "Each line canonical, in sequence, of this run, under the Merkle root; nothing says that some are missing.",
    ),
    "chain": (
        "The bundle has its place in the chain",
        "It follows the bundle that its sidecar sealed before; nothing contradicts it, and nothing is missing.",
    ),
    "reports": (
        "The reports follow from the events",
        "Closure, formula receipts and capture health come out the same when they are computed again.",
    ),
    "mapping": (
        "The translation follows from the tables",
        "Every translation and the loss report come out the same when they are made again.",
    ),
    "disclosed": (
        "What is disclosed is what was withheld",
        "Every piece is, under its salt, what the commitment in its place says.",
    ),
    "statement": (
        "The statement is about this bundle",
        "It names exactly this container, manifest, events and reports.",
    ),
    "envelope": (
        "There is an attestation that can be read",
        "A Sigstore bundle v0.3 with one DSSE envelope; a warning when it is not in our one spelling.",
    ),
    "signature": (
        "The signature is over the statement",
        "One signature, made with the key or certificate that is judged.",
    ),
    "trust": ("Who signed is trusted", "A key, or an identity under a root, that the verifier named."),
    "time": (
        "The time of signing is known",
        "By a timestamp or a log of the trusted root; the times in the bundle do not count.",
    ),
    "log": (
        "The bundle is in its sidecar's log",
        "By an inclusion proof under a checkpoint that a trusted key signed.",
    ),
    "cosigned": ("Further attestations are good as well", "Each of them was judged by itself."),
    "policy": ("The bundle is what the policy asks for", "Every requirement of the auditor's policy is met."),
}
"""What each check says when it passes, and when it does."""


def sarif(results: Sequence[Verification], *, version: str, summary: Summary | None = None) -> JsonObject:
    """Results as one SARIF log with one run.

    Args:
        results: of each bundle.
        version: of this program.
        summary: what several bundles say about each other.
    """
    worst = summary.exit_code if summary else max((EXIT_CODES[result.verdict] for result in results), default=0)
    return one_run(
        {
            "tool": {"driver": {"name": "affidavit", "version": version, "rules": [_rule(name) for name in CHECKS]}},
            "invocations": [{"executionSuccessful": True, "exitCode": worst}],
            "artifacts": [artifact(result.file, result.facts.container_sha256) for result in results]
            + [artifact(file) for file in (summary.orphans if summary else ())],
            "results": [*_results(results), *(_orphans(summary, len(results)) if summary else ())],
        }
    )


def sarif_bytes(results: Sequence[Verification], *, version: str, summary: Summary | None = None) -> bytes:
    """The log as a file holds it."""
    return log_bytes(sarif(results, version=version, summary=summary))


def _rule(name: CheckId) -> JsonObject:
    title, about = _RULES[name]
    return {
        "id": name,
        "name": name,
        "shortDescription": {"text": f"{title}."},
        "fullDescription": {"text": about},
        "help": {"text": f"{about} The check `{name}` of `affidavit verify` says why it is not so."},
        "defaultConfiguration": {"level": "error"},
    }


def _results(results: Sequence[Verification]) -> Iterator[JsonObject]:
    for index, result in enumerate(results):
        for check in result.of("fail", "undecided", "miss", "warn"):
            yield _result(check, result.file, index) | {
                "properties": {"outcome": check.outcome, "verdict": result.verdict, "bundle_id": result.facts.bundle_id}
            }


def _orphans(summary: Summary, first: int) -> Iterator[JsonObject]:
    for index, file in enumerate(summary.orphans, first):
        reason = with_files(summary.orphan_reason(file), summary.left.get(file, ()))
        check = Check(id="chain", outcome="warn", reason=reason)
        yield _result(check, file, index) | {"properties": {"outcome": check.outcome}}


def _result(check: Check, file: str, index: int) -> JsonObject:
    fingerprint = sha256_hex(f"affidavit verify\n{check.id}\n{check.outcome}\n{file}".encode())
    return {
        "ruleId": check.id,
        "ruleIndex": CHECKS.index(check.id),
        "level": _LEVELS[check.outcome],
        "message": message(f"{check.id} {_SAID[check.outcome]}: {check.reason}."),
        "locations": [{"physicalLocation": physical(file, index)}],
        "partialFingerprints": {"primaryLocationLineHash": fingerprint},
    }
