"""Lint: what packs find in a bundle, the report `lint-report-v1`, what applies, what is refused, and exit codes."""

import json
import math
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import jsonschema
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from referencing import Registry, Resource

from evidence.canonical import canonical
from evidence.event import SPAN
from evidence.lint.lint import LintedBundle, Options, RefusedBundle, lint
from evidence.lint.report import LintReport, tally
from evidence.packs import BUILTIN, builtin, read_pack
from tests.evidence.make import (
    CHAT,
    TOOL,
    gap,
    pack,
    receipt,
    resource,
    sealed,
    span,
    unpack,
    whole,
    with_lines,
    with_manifest,
)
from tests.tools.examples import times

BASELINE, STARTER = builtin("baseline"), builtin("cicd-starter")


def schema(name):
    return orjson.loads(files("evidence").joinpath("schemas", f"{name}.schema.json").read_bytes())


CLOSURE = schema("closure-v1")
VALIDATOR = jsonschema.Draft202012Validator(
    schema("lint-report-v1"), registry=Registry().with_resource(CLOSURE["$id"], Resource.from_contents(CLOSURE))
)


def counted(*items):
    return whole(*items, sender_counts={"spans_ended": sum(kind == SPAN for kind, _ in items)})


GOOD = counted(resource({"service.name": "a", "vcs.ref.head.revision": "c"}), span(1, CHAT), span(2, TOOL))
FAILING = counted(resource({"service.name": "a"}), *(span(n, TOOL | {"gen_ai.tool.call.id": None}) for n in range(20)))


def packed(check="", *, severity="error", about=""):
    """A pack with one rule."""
    check = check or "{type: exists_for_all, when: {event: span, failed: true}, all_of: [error.type]}"
    return read_pack(
        f"""name: mine
version: "1"
kind: quality
description: d
x-assay: {{requires_signals: [tool_calls]}}
rules:
  - id: R1
    title: t
    severity: {severity}
    check: {check}
{about}""".encode(),
        "mine.yaml",
    )


def linted(folder: Path, items, *packs, **options):
    return lint(sealed(folder, items).path, Options(packs=packs or (BASELINE,), **options))


def report(*bundles, packs=(BASELINE,), fail_on="error", strict=False, **options):
    return LintReport(
        version="0", options=Options(packs=packs, **options), bundles=bundles, fail_on=fail_on, strict=strict
    )


def outcomes(bundle):
    return {finding.result.rule.id: finding.result.outcome for finding in bundle.findings}


# ------------------------------------------------------------------ what is found


def test_every_rule_of_every_pack_has_a_finding_in_order(tmp_path):
    bundle = linted(tmp_path, GOOD, STARTER, BASELINE)
    expected = [f"{each.id}:{rule.id}" for each in (STARTER, BASELINE) for rule in each.rules]
    assert [finding.result.id for finding in bundle.findings] == expected
    assert [finding.result.rule for finding in bundle.of_pack(BASELINE)] == list(BASELINE.rules)


def test_totals_are_exact_and_places_are_the_first_ones(tmp_path):
    result = next(each.result for each in linted(tmp_path, FAILING).findings if each.result.rule.id == "BASE-004")
    assert (result.outcome, result.lacking) == ("fails", 20)
    assert result.evidence_paths[0] == "run-1:2#/data/span/attributes/gen_ai.tool.call.id"
    assert len(result.evidence_paths) == 8


def test_an_evidence_path_is_a_line_of_the_events(tmp_path):
    facts = sealed(tmp_path, FAILING)
    bundle = lint(facts.path, Options(packs=(BASELINE,)))
    lines = unpack(facts.path)["events.ndjson"].splitlines()
    result = next(each.result for each in bundle.findings if each.result.rule.id == "BASE-004")
    for path in result.evidence_paths:
        assert orjson.loads(lines[bundle.line(path) - 1])["id"] == path.partition("#")[0]


@pytest.mark.parametrize(
    "path", ["run-1#/run/opened", "other:3#/data", "run-1:99#/data", "run-1:-1", "run-1:²", "", "run-1:"]
)
def test_what_is_no_event_of_the_bundle_has_no_line(tmp_path, path):
    assert linted(tmp_path, GOOD).line(path) is None


def test_lines_count_from_the_first_event_of_the_part(tmp_path):
    bundle = linted(tmp_path, GOOD)
    amendment = replace(bundle, first_seq=2)
    assert (bundle.line("run-1:2#/data"), amendment.line("run-1:2#/data")) == (3, 1)


def test_lint_finds_what_sealing_found(tmp_path):
    """The closure report of lint is the one in the bundle, when the packs are the same."""
    facts = sealed(tmp_path, FAILING)
    bundle = lint(facts.path, Options(packs=(BASELINE,)))
    assert bundle.scores.closure_bytes() == facts.reports["reports/closure.json"]
    assert bundle.capture_health == facts.manifest["capture_health"]


# ------------------------------------------------------------------ what applies


@pytest.mark.parametrize(
    ("about", "options", "why"),
    [
        ("    applies_from: '2027-12-02'\n", {}, "applies from 2027-12-02, and this is about 2023-11-14"),
        ("    applies_from: '2027-12-02'\n", {"as_of": "2027-12-01"}, "applies from 2027-12-02"),
        ("    applies_from: '2027-12-02'\n", {"as_of": "2027-12-02"}, ""),
        ("    applies_from: '2023-11-14'\n", {}, ""),
        ("    profile: special\n", {}, "only for the profile special"),
        ("    profile: special\n", {"profiles": frozenset({"special"})}, ""),
        ("    applies_from: {a: '2027-01-01', b: '2028-01-01'}\n", {"as_of": "2027-06-01"}, ""),
        ("    applies_from: {a: '2027-01-01', b: '2028-01-01'}\n", {"as_of": "2026-06-01"}, "applies from 2027-01-01"),
        (
            "    applies_from: {a: '2027-01-01', b: '2028-01-01'}\n",
            {"as_of": "2027-06-01", "profiles": frozenset({"b"})},
            "applies from 2028-01-01",
        ),
    ],
    ids=["closed-before", "day-before", "on-the-day", "closed-on-the-day", "not-asked", "asked", "first-of", "before-all", "of-profile"],
)  # fmt: skip
def test_a_rule_applies_from_its_day_on_and_to_its_profile(tmp_path, about, options, why):
    (finding,) = linted(tmp_path, counted(span(1, failed=True)), packed(about=about), **options).findings
    assert finding.inapplicable.startswith(why)
    assert finding.decides is (why == "")


def test_what_does_not_apply_is_evaluated_shown_and_decides_nothing(tmp_path):
    mine = packed(about="    profile: special\n")
    bundle = linted(tmp_path, counted(span(1, failed=True)), mine)
    assert outcomes(bundle) == {"R1": "fails"}
    found = report(bundle, packs=(mine,), fail_on="info", strict=True)
    assert found.exit_code == 0
    assert found.to_json()["summary"]["rules"] == {"holds": 0, "fails": 0, "undecided": 0, "not_applicable": 1}


# ------------------------------------------------------------------ exit codes

REFUSED = {
    "invalid": RefusedBundle(file="b", stage="events", reason="r", undecided=False),
    "unknown": RefusedBundle(file="b", stage="manifest", reason="r", undecided=True),
}
UNDECIDED = "{type: exists_for_all, when: {event: span, operation: [nothing]}, all_of: [error.type]}"


@pytest.mark.parametrize(
    ("severity", "fail_on", "code"),
    [
        ("error", "error", 5),
        ("warning", "error", 0),
        ("info", "error", 0),
        ("error", "warning", 5),
        ("warning", "warning", 5),
        ("info", "warning", 0),
        ("info", "info", 5),
    ],
)
def test_a_failed_rule_decides_from_its_severity_up(tmp_path, severity, fail_on, code):
    mine = packed(severity=severity)
    bundle = linted(tmp_path, counted(span(1, failed=True)), mine)
    assert report(bundle, packs=(mine,), fail_on=fail_on).exit_code == code


def test_undecided_is_no_failure_but_under_strict(tmp_path):
    mine = packed(UNDECIDED)
    bundle = linted(tmp_path, GOOD, mine)
    assert outcomes(bundle) == {"R1": "undecided"}
    assert report(bundle, packs=(mine,)).exit_code == 0
    assert report(bundle, packs=(mine,), strict=True).exit_code == 3


def test_the_worst_of_several_bundles_decides(tmp_path):
    mine = packed()
    fails = linted(tmp_path, counted(span(1, failed=True)), mine)
    undecided = linted(tmp_path, GOOD, mine)
    worse = (undecided, REFUSED["unknown"], fails, REFUSED["invalid"])
    codes = [report(*worse[:count], packs=(mine,), strict=True).exit_code for count in range(1, 5)]
    assert codes == [3, 4, 5, 1]


# ------------------------------------------------------------------ what is refused


def broken(folder, change):
    facts = sealed(folder)
    return pack(change(unpack(facts.path)).items(), facts.path)


def test_a_file_that_is_no_bundle_is_invalid_at_the_container(tmp_path):
    file = tmp_path / "x.evidence.tar.gz"
    file.write_bytes(b"no bundle")
    found = lint(file, Options(packs=(BASELINE,)))
    assert (found.file, found.stage, found.undecided) == ("x.evidence.tar.gz", "container", False)


def test_a_changed_event_is_invalid_at_the_files(tmp_path):
    found = lint(
        broken(
            tmp_path, lambda members: {**members, "events.ndjson": members["events.ndjson"].replace(b"gpt-x", b"gpt-y")}
        ),
        Options(packs=(BASELINE,)),
    )
    assert (type(found), found.stage) == (RefusedBundle, "files")


def test_an_event_that_is_no_otlp_is_invalid_at_the_events(tmp_path):
    def change(lines):
        lines[2] = lines[2].replace(b'"attributes":[', b'"attributes":[7,')

    found = lint(broken(tmp_path, lambda members: with_lines(members, change)), Options(packs=(BASELINE,)))
    assert (found.stage, found.undecided) == ("events", False)
    assert "run-1:2" in found.reason


def test_a_bundle_of_another_version_is_undecided(tmp_path):
    def change(members):
        manifest = orjson.loads(members["manifest.json"]) | {"schema_version": "evidence-bundle-v9"}
        return with_manifest(members, manifest)

    found = lint(broken(tmp_path, change), Options(packs=(BASELINE,)))
    assert (found.stage, found.undecided) == ("manifest", True)
    assert "evidence-bundle-v9" in found.reason


def test_a_file_that_is_not_there_is_undecided(tmp_path):
    found = lint(tmp_path / "gone", Options(packs=(BASELINE,)))
    assert (found.stage, found.undecided, found.reason) == ("file", True, "No such file or directory")


@settings(max_examples=times(0.6))
@given(data=st.data())
def test_a_changed_byte_is_refused_or_changes_nothing_that_was_packed(data, tmp_path_factory):
    """Law: hostile input is refused or read, never an exception. A compressor may spell the same members otherwise; then
    everything is as before but the container's own digest."""
    folder = tmp_path_factory.mktemp("changed")
    before = lint(sealed(folder).path, Options(packs=(BASELINE,)), name="b")
    content = bytearray((folder / "run-1.evidence.tar.gz").read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    file = folder / "changed.evidence.tar.gz"
    file.write_bytes(content)
    found = lint(file, Options(packs=(BASELINE,)), name="b")
    if isinstance(found, LintedBundle):
        container = found.identity["container_digest"]
        assert container != before.identity["container_digest"]
        assert replace(found, identity=found.identity | {"container_digest": ""}) == replace(
            before, identity=before.identity | {"container_digest": ""}
        )


def places(value, path=()):
    """The path of every value inside a JSON value."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in inner:
        yield from places(member, (*path, key))


ANY = st.sampled_from(
    [
        *(None, True, -1, 2**53 - 1, 1.5, "", "9" * 30, [], {}, [1], ["a"], {"stringValue": 1}, {"intValue": "x"}),
        *([{"key": 1}], {"kvlistValue": {"values": [1]}}, {"arrayValue": {"values": {}}}),
        [{"key": "gen_ai.operation.name", "value": None}],
    ]
)


@settings(max_examples=times(0.8))
@given(data=st.data())
def test_whatever_stands_in_an_event_is_read_or_refused(data, tmp_path_factory):
    """Law: any JSON value anywhere in an event's data ends in findings or in a refusal at the events."""
    folder = tmp_path_factory.mktemp("hostile")

    def change(lines):
        number = data.draw(st.integers(0, len(lines) - 1))
        event = orjson.loads(lines[number])
        *way, last = data.draw(st.sampled_from([place for place in places(event["data"]) if place]))
        holder = event["data"]
        for key in way:
            holder = holder[key]
        holder[last] = data.draw(ANY)
        lines[number] = canonical(event)

    items = counted(
        span(1, CHAT | {"gen_ai.output.messages": ASKING}), span(2, TOOL, failed=True), *RECEIPTS, gap("rejected")
    )
    file = pack(with_lines(unpack(sealed(folder, items).path), change).items(), folder / "h.evidence.tar.gz")
    found = lint(file, Options(packs=ALL))
    assert isinstance(found, LintedBundle) or found.stage == "events"


ASKING = '[{"role":"assistant","parts":[{"type":"tool_call","id":"call-1","name":"search","arguments":{}}]}]'
RECEIPTS = [
    receipt("policy", {"id": "p", "gated_tools": ["*"], "approval_tools": ["se*"]}),
    receipt("policy_decision", {"decision": "allow", "policy_id": "p", "tool_call_id": "call-1"}, sequence=1),
    receipt("human_approval", {"approver": "x", "decision": "approve", "argument_digest": "sha256:" + "0" * 64}),
]
ALL = tuple(builtin(name) for name in BUILTIN)


# ------------------------------------------------------------------ the report


def everything(tmp_path):
    packs = (STARTER, BASELINE, builtin("eu-ai-act-high-risk"), packed(about="    applies_from: '2027-12-02'\n"))
    return report(
        *(linted(tmp_path, items, *packs) for items in (GOOD, FAILING, counted())), *REFUSED.values(), packs=packs
    )


def test_a_report_is_valid_and_says_it_all_in_sum(tmp_path):
    found = everything(tmp_path)
    document = json.loads(found.to_bytes())
    VALIDATOR.validate(document)
    assert document["summary"] | {"rules": None} == {
        "bundles": 5,
        "linted": 3,
        "refused": 2,
        "exit_code": 1,
        "rules": None,
    }
    for bundle, written in zip(found.linted, document["bundles"], strict=False):
        for each in written["packs"]:
            counts = each["tally"]
            assert sum(counts.values()) == len(each["rules"])
            assert counts["holds"] == sum(rule["applicable"] and rule["outcome"] == "holds" for rule in each["rules"])
        assert tally(bundle.findings).to_json() == {
            name: sum(each["tally"][name] for each in written["packs"]) for name in written["packs"][0]["tally"]
        }


def test_the_schema_refuses_a_report_that_says_more_or_less(tmp_path):
    document = json.loads(everything(tmp_path).to_bytes())
    for change in (
        lambda d: d.pop("summary"),
        lambda d: d.update(generated_at="now"),
        lambda d: d["bundles"][0]["packs"][0]["rules"][0].pop("lacking"),
        lambda d: d["bundles"][0]["closure_report"]["closure"].update(score=2),
        lambda d: d["packs"][0].update(verdict="compliant"),
        lambda d: d["bundles"][3].update(outcome="read"),
    ):
        changed = json.loads(json.dumps(document))
        change(changed)
        assert not VALIDATOR.is_valid(changed)


def test_the_same_bundles_give_the_same_bytes_with_sorted_members_and_finite_numbers(tmp_path):
    first, second = everything(tmp_path).to_bytes(), everything(tmp_path).to_bytes()
    assert first == second
    found = json.loads(first, object_pairs_hook=lambda pairs: pairs)
    check_sorted_and_finite(found)


def check_sorted_and_finite(value):
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        assert [key for key, _ in value] == sorted(key for key, _ in value)
        value = [member for _, member in value]
    if isinstance(value, list):
        for each in value:
            check_sorted_and_finite(each)
    assert not isinstance(value, float) or math.isfinite(value)


def test_the_report_names_the_bundle_by_the_digests_of_what_is_in_it(tmp_path):
    facts = sealed(tmp_path, GOOD)
    identity = lint(facts.path, Options(packs=(BASELINE,))).identity
    assert identity["bundle_id"] == facts.bundle_id
    assert identity["manifest_digest"] == f"sha256:{facts.manifest_sha256}"
    assert identity["container_digest"] == f"sha256:{facts.container_sha256}"
    assert identity["packs_applied"] == [BASELINE.reference()]


def test_marks_and_references_of_rules_stand_in_the_report():
    act = builtin("eu-ai-act-high-risk")
    rules = {rule["id"]: rule for rule in report(packs=(act,)).to_json()["packs"][0]["rules"]}
    first = rules[act.rules[0].id]
    assert (first["framework"], first["ref"]) == (act.rules[0].framework, act.rules[0].ref)
    assert (first["basis"], first["to_be_checked"]) == (act.rules[0].basis, act.rules[0].to_be_checked)
    assert all(rule["asks"] for rule in rules.values())
