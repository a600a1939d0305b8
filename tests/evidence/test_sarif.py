"""SARIF 2.1.0: valid against its schema, rules and references, levels, places, and what does not read."""

import json
from pathlib import Path

import jsonschema
import pytest

from evidence.lint.lint import Options, RefusedBundle, lint
from evidence.lint.report import LintReport
from evidence.lint.sarif import sarif, sarif_bytes
from evidence.packs import BUILTIN, builtin, read_pack
from tests.evidence.make import CHAT, TOOL, resource, sealed, span, unpack, whole

SCHEMA = json.loads((Path(__file__).parent / "sarif" / "sarif-2.1.0-rtm.5.json").read_bytes())
VALIDATOR = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)
PACKS = tuple(builtin(name) for name in BUILTIN)
MINE = read_pack(
    b"""name: mine
version: "1"
kind: security
description: d
x-assay: {requires_signals: [tool_calls]}
rules:
  - {id: E, title: an error, severity: error, remedy: Do it., signals: [{id: tool_calls, min_state: captured}], framework: L, ref: "1"}
  - {id: W, title: a warning, severity: warning, signals: [{id: tool_calls, min_state: captured}], framework: L, ref: "2", ref_title: two}
  - {id: I, title: an info, severity: info, signals: [{id: tool_calls, min_state: captured}], framework: M, ref: "1"}
  - {id: U, title: undecided, severity: error, signals: [{id: memory_context, min_state: captured}], framework: L, ref: "1", ref_title: one}
  - {id: H, title: holds, severity: error, signals: [{id: session_lifecycle, min_state: captured}]}
  - {id: N, title: not asked for, severity: error, profile: p, signals: [{id: tool_calls, min_state: captured}]}
""",
    "mine.yaml",
)
FAILING = whole(resource({"service.name": "a"}), *(span(n, TOOL | {"gen_ai.tool.call.id": None}) for n in range(12)))
GONE = RefusedBundle(file="runs/a b:#ü.evidence.tar.gz", stage="events", reason="Merkle root", undecided=False)


def report(folder, items=FAILING, *more, packs=(MINE,), name="runs/run-1.evidence.tar.gz"):
    bundle = lint(sealed(folder, items).path, Options(packs=packs), name=name)
    return LintReport(version="1.2.3", options=Options(packs=packs), bundles=(bundle, *more))


def run_of(found):
    log = json.loads(sarif_bytes(found))
    VALIDATOR.validate(log)
    return log["runs"][0]


def results(run):
    return {result["ruleId"].partition(":")[2]: result for result in run["results"]}


@pytest.mark.parametrize(
    "items",
    [FAILING, whole(), whole(resource({"service.name": "a"}), span(1, CHAT), span(2, TOOL))],
    ids=["failing", "nothing", "good"],
)
def test_every_builtin_pack_gives_valid_sarif(tmp_path, items):
    run = run_of(report(tmp_path, items, GONE, packs=PACKS))
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == [f"{pack.id}:{rule.id}" for pack in PACKS for rule in pack.rules]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]


def test_the_schema_refuses_what_is_no_sarif(tmp_path):
    log = sarif(report(tmp_path))
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert not VALIDATOR.is_valid(log)


def test_levels_follow_severity_undecided_is_a_note_and_the_rest_has_no_result(tmp_path):
    found = results(run_of(report(tmp_path)))
    assert {rule: (result["level"], result["properties"]["outcome"]) for rule, result in found.items()} == {
        "E": ("error", "fails"),
        "W": ("warning", "fails"),
        "I": ("note", "fails"),
        "U": ("note", "undecided"),
    }


def test_a_result_says_why_how_many_and_what_would_close_it(tmp_path):
    result = results(run_of(report(tmp_path)))["E"]
    assert result["message"]["text"].startswith("Not supported: an error: 12 of 12 ")
    assert result["message"]["text"].endswith(" Do it.")
    assert (result["properties"]["lacking"], result["properties"]["signals"]) == (12, {"tool_calls": "missing"})


def test_places_are_lines_of_the_events_in_the_bundle(tmp_path):
    found = report(tmp_path)
    result = results(run_of(found))["E"]
    lines = unpack(tmp_path / "run-1.evidence.tar.gz")["events.ndjson"].splitlines()
    for place in (*result["locations"], *result["relatedLocations"]):
        (logical,) = place["logicalLocations"]
        number = place["physicalLocation"]["region"]["startLine"]
        assert json.loads(lines[number - 1])["id"] == logical["name"]
        assert logical["fullyQualifiedName"].startswith(f"{logical['name']}#/data/")
        assert place["physicalLocation"]["artifactLocation"] == {"uri": "runs/run-1.evidence.tar.gz", "index": 0}
    assert 1 + len(result["relatedLocations"]) == 8


def test_an_undecided_rule_is_placed_at_the_bundle(tmp_path):
    (place,) = results(run_of(report(tmp_path)))["U"]["locations"]
    assert place == {"physicalLocation": {"artifactLocation": {"uri": "runs/run-1.evidence.tar.gz", "index": 0}}}


def test_references_are_taxa_of_a_taxonomy_for_each_framework(tmp_path):
    run = run_of(report(tmp_path))
    assert run["taxonomies"] == [
        {
            "name": "L",
            "taxa": [
                {"id": "1", "shortDescription": {"text": "one"}},
                {"id": "2", "shortDescription": {"text": "two"}},
            ],
        },
        {"name": "M", "taxa": [{"id": "1"}]},
    ]
    for rule in run["tool"]["driver"]["rules"]:
        for relationship in rule.get("relationships", ()):
            target = relationship["target"]
            taxonomy = run["taxonomies"][target["toolComponent"]["index"]]
            assert taxonomy["name"] == target["toolComponent"]["name"]
            assert taxonomy["taxa"][target["index"]]["id"] == target["id"]
    assert sum("relationships" in rule for rule in run["tool"]["driver"]["rules"]) == 4


def test_a_bundle_that_does_not_read_is_a_notification_and_the_run_no_success(tmp_path):
    run = run_of(report(tmp_path, FAILING, GONE))
    (invocation,) = run["invocations"]
    (notification,) = invocation["toolExecutionNotifications"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 1)
    assert notification["message"]["text"] == "not read: events: Merkle root"
    place = notification["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": "runs/a%20b%3A%23%C3%BC.evidence.tar.gz", "index": 1}
    assert run["artifacts"][1]["location"]["uri"] == place["uri"]


def test_an_alert_is_the_same_in_the_next_run_of_the_pipeline(tmp_path):
    first = results(run_of(report(tmp_path)))["E"]["partialFingerprints"]
    later = whole(resource({"service.name": "b"}), span(7, TOOL | {"gen_ai.tool.name": None}))
    assert results(run_of(report(tmp_path, later)))["E"]["partialFingerprints"] == first
    assert results(run_of(report(tmp_path)))["W"]["partialFingerprints"] != first


def test_digests_of_bundle_packs_and_registry_stand_in_the_properties(tmp_path):
    found = report(tmp_path)
    run = run_of(found)
    assert run["properties"]["packs"] == [MINE.reference()]
    assert run["artifacts"][0]["properties"]["identity"]["bundle_id"] == found.linted[0].identity["bundle_id"]
    assert "sha256:" + run["artifacts"][0]["hashes"]["sha-256"] == found.linted[0].identity["container_digest"]


def test_the_same_report_gives_the_same_bytes(tmp_path):
    assert sarif_bytes(report(tmp_path)) == sarif_bytes(report(tmp_path))
