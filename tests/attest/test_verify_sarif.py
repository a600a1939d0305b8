"""Verification results as SARIF 2.1.0: valid against its schema, a rule for each check, fingerprints that stay."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from attest.many.folder import Folder
from attest.many.summary import Summary
from attest.sarif import sarif_bytes
from attest.verdict import CHECKS, Check, Facts
from attest.verification import Verification

SCHEMA = json.loads((Path(__file__).parents[1] / "evidence" / "sarif" / "sarif-2.1.0-rtm.5.json").read_bytes())
VALIDATOR = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)


def result(file="runs/a b:#ü.evidence.tar.gz", why="it has 7 bytes", **outcomes):
    checks = tuple(Check(id=name, outcome=outcomes.get(name, "pass"), reason=why) for name in CHECKS)
    return Verification(
        file=file, attestation=None, checks=checks, facts=Facts(container_sha256="ab" * 32, bundle_id="cd" * 32)
    )


def run_of(*results, summary=None):
    log = json.loads(sarif_bytes(results, version="1.2.3", summary=summary))
    VALIDATOR.validate(log)
    return log["runs"][0]


def test_there_is_a_rule_for_each_check_in_order_of_reporting():
    rules = run_of(result())["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(CHECKS)
    assert len({rule["shortDescription"]["text"] for rule in rules}) == len(CHECKS)


def test_what_passed_or_was_not_made_is_no_result():
    run = run_of(result(mapping="skip", policy="skip"))
    assert run["results"] == []
    assert run["invocations"][0]["exitCode"] == 0


@pytest.mark.parametrize(
    ("outcome", "level", "said"),
    [
        ("fail", "error", "failed"),
        ("undecided", "error", "could not be decided"),
        ("miss", "error", "is missed"),
        ("warn", "warning", "warns"),
    ],
)
def test_whatever_keeps_a_bundle_from_being_verified_is_an_error(outcome, level, said):
    (found,) = run_of(result(policy=outcome))["results"]
    assert (found["ruleId"], found["level"]) == ("policy", level)
    assert found["message"]["text"] == f"policy {said}: it has 7 bytes."
    assert CHECKS[found["ruleIndex"]] == "policy"
    assert found["properties"] == {
        "outcome": outcome,
        "verdict": result(policy=outcome).verdict,
        "bundle_id": "cd" * 32,
    }


def test_a_result_is_at_its_bundle_whose_digest_is_among_the_artifacts():
    run = run_of(result(file="one"), result(events="fail"))
    (found,) = run["results"]
    place = found["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": "runs/a%20b%3A%23%C3%BC.evidence.tar.gz", "index": 1}
    assert run["artifacts"][1]["location"]["uri"] == place["uri"]
    assert run["artifacts"][1]["hashes"] == {"sha-256": "ab" * 32}


def test_a_fingerprint_tells_check_outcome_and_file_apart_and_does_not_change_with_numbers():
    def fingerprint(one):
        return run_of(one)["results"][0]["partialFingerprints"]["primaryLocationLineHash"]

    same = [fingerprint(result(events="fail")), fingerprint(result(why="it has 9 bytes", events="fail"))]
    others = [result(events="warn"), result(files="fail"), result("elsewhere", events="fail")]
    assert len(set(same)) == 1
    assert len({*same, *map(fingerprint, others)}) == 4


def test_an_attestation_without_its_bundle_is_a_warning_at_the_attestation():
    folder = Folder(bundles=(), orphans=(Path("runs/gone.sigstore.json"),), others=0, links=0)
    summary = Summary(results=(result(),), folders=(folder,), strict=True)
    run = run_of(*summary.results, summary=summary)
    (found,) = run["results"]
    assert (found["ruleId"], found["level"]) == ("chain", "warning")
    assert found["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": "runs/gone.sigstore.json",
        "index": 1,
    }
    assert run["invocations"][0]["exitCode"] == 3


def test_the_same_results_give_the_same_bytes():
    assert sarif_bytes([result(events="fail")], version="1") == sarif_bytes([result(events="fail")], version="1")
    assert sarif_bytes([replace(result(), strict=True)], version="1") == sarif_bytes([result()], version="1")
