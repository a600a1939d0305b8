"""`affidavit evidence lint`: what it prints, what it writes, and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from evidence.event import SPAN
from evidence.packs import builtin
from sidecar.cli.evidence.lint import lint
from tests.evidence.make import CHAT, TOOL, resource, sealed, span, whole

ROOT = Path(__file__).resolve().parents[3]
ESCAPE = "\x1b[31m\u202e\x07"
PACK = """
name: mine
version: "1"
kind: quality
description: d
x-assay: {requires_signals: [tool_calls]}
rules:
  - id: FAIL
    title: every tool call has an id
    severity: SEVERITY
    remedy: Give it one.
    check: {type: exists_for_all, when: {event: span, operation: [execute_tool]}, all_of: [gen_ai.tool.call.id]}
  - {id: HOLD, title: t, severity: error, signals: [{id: session_lifecycle, min_state: captured}]}
  - {id: OPEN, title: t, severity: error, signals: [{id: memory_context, min_state: captured}]}
  - {id: LATER, title: t, severity: error, applies_from: "2099-01-01", signals: [{id: memory_context, min_state: captured}]}
  - {id: ASKED, title: t, severity: error, profile: special, signals: [{id: session_lifecycle, min_state: captured}]}
"""


def counted(*items):
    return whole(*items, sender_counts={"spans_ended": sum(kind == SPAN for kind, _ in items)})


NO_ID = [span(n, TOOL | {"gen_ai.tool.call.id": None}) for n in range(1, 4)]
GOOD = counted(resource({"service.name": "a"}), span(1, CHAT), span(2, TOOL))
FAILING = counted(resource({"service.name": "a"}), span(4, TOOL), *NO_ID)


@pytest.fixture
def place(tmp_path):
    """A folder with the bundle of a good run, one of a failing run, and a pack with one rule that fails there."""
    for name, items in (("good", GOOD), ("bad", FAILING)):
        sealed(tmp_path, items, name=f"{name}.evidence.tar.gz")
    (tmp_path / "events").unlink()
    for severity in ("error", "warning"):
        (tmp_path / f"{severity}.yaml").write_text(PACK.replace("SEVERITY", severity))
    return tmp_path


def run(place: Path, *arguments: object, pack: str = "error.yaml"):
    packs = ["--pack", str(place / pack)] if pack else []
    return CliRunner().invoke(lint, [*map(str, arguments), *packs])


# ------------------------------------------------------------------ what it prints


def test_a_failing_rule_is_one_line_with_count_place_and_rule_and_the_last_line_a_verdict(place):
    lines = run(place, place / "bad.evidence.tar.gz").output.splitlines()
    assert lines[0].startswith(f"{place}/bad.evidence.tar.gz: run run-1, part 1, 7 events, closed ")
    assert lines[1] == (
        "  error    every tool call has an id: 3 of 4 expected instances lack gen_ai.tool.call.id (3); first"
        " run-1:3#/data/span/attributes/gen_ai.tool.call.id [mine@1:FAIL]"
    )
    assert lines[2] == "  undecided  1 rule of mine@1: OPEN"
    assert lines[3].startswith("  not applicable  1 rule of mine@1 (1 undecided): applies from 2099-01-01")
    assert lines[4].startswith("  not applicable  1 rule of mine@1 (1 supported): only for the profile special")
    assert lines[-3].startswith("What does not apply decides nothing: --as-of DATE")
    assert lines[-1] == "evidence supports 1 of 3 rules of mine@1; 1 fails; 1 undecided; 2 not applicable"


def test_it_says_that_signatures_are_not_checked_and_never_that_anybody_complies(place):
    output = run(place, place / "good.evidence.tar.gz", "--pack", "eu-ai-act-high-risk").output
    assert "Signatures are not checked by lint: affidavit verify does that." in output
    assert "complian" not in output


def test_the_closure_line_says_why_the_confidence_is_what_it_is(place):
    sealed(place, whole(span(1, CHAT)), name="uncounted.evidence.tar.gz")
    output = run(place, place / "uncounted.evidence.tar.gz").output
    assert "confidence medium: the sender gave no counts of its own spans to compare with" in output


def test_explanations_stand_before_the_verdict(place):
    targets = ["--explain", "closure.score", "--explain", "mine:FAIL", "--explain", "completeness"]
    output = run(place, place / "bad.evidence.tar.gz", *targets).output
    for said in (
        "  closure 0.",
        "  mine@1:FAIL (error): ",
        "What would close it: Give it one.",
        "  completeness of mine@1 ",
    ):
        assert said in output
    assert output.splitlines()[-1].startswith("evidence supports 1 of 3 rules")


def test_a_folder_stands_for_its_bundles_each_with_its_verdict_and_a_sum(place):
    done = run(place, place)
    assert done.output.count("  evidence supports ") == 2
    assert done.output.splitlines()[-1] == (
        "2 bundles: evidence supports 3 of 6 rules of mine@1; 1 fails; 2 undecided; 4 not applicable"
    )
    assert done.exit_code == 5


def test_several_packs_have_a_line_each(place):
    output = run(place, place / "good.evidence.tar.gz", "--pack", "baseline").output
    assert "  evidence supports 2 of 3 rules of mine@1" in output
    assert f"  evidence supports 7 of 7 rules of {builtin('baseline').id}" in output or "rules of baseline@" in output
    assert output.splitlines()[-1].startswith("evidence supports ")
    assert "rules of 2 packs" in output.splitlines()[-1]


def test_the_default_pack_is_the_starter(place):
    output = run(place, place / "good.evidence.tar.gz", pack="").output
    assert f"rules of {builtin('cicd-starter').id}" in output.splitlines()[-1]


def test_what_a_bundle_says_never_reaches_the_terminal_as_control_characters(place):
    (place / "hostile.yaml").write_text(
        PACK.replace("SEVERITY", "error").replace("every tool call", json.dumps(ESCAPE)[1:-1]).replace("title: \\", 'title: "\\')
        .replace(" has an id\n", ' has an id"\n')
    )  # fmt: skip
    hostile = {**TOOL, "gen_ai.tool.name": ESCAPE, "gen_ai.tool.call.id": None, ESCAPE: ESCAPE}
    file = place / f"x{ESCAPE}.evidence.tar.gz"
    sealed(place, counted(span(1, hostile)), name="h.evidence.tar.gz")
    (place / "h.evidence.tar.gz").rename(file)
    (place / f"y{ESCAPE}.evidence.tar.gz").write_bytes(ESCAPE.encode())
    targets = ["--explain", "mine:FAIL", "--explain", "closure"]
    done = run(place, file, place / f"y{ESCAPE}.evidence.tar.gz", *targets, pack="hostile.yaml")
    assert done.exit_code == 1
    assert "has an id" in done.output
    assert [char for char in done.output if not char.isprintable() and char != "\n"] == []


# ------------------------------------------------------------------ exit codes


@pytest.mark.parametrize(
    ("bundle", "pack", "options", "code"),
    [
        ("good", "error.yaml", [], 0),
        ("bad", "error.yaml", [], 5),
        ("bad", "warning.yaml", [], 0),
        ("bad", "warning.yaml", ["--fail-on", "warning"], 5),
        ("good", "error.yaml", ["--strict"], 3),
        ("bad", "error.yaml", ["--strict"], 5),
    ],
)
def test_exit_codes_follow_severity_and_strict(place, bundle, pack, options, code):
    assert run(place, place / f"{bundle}.evidence.tar.gz", *options, pack=pack).exit_code == code


def test_a_bundle_that_does_not_read_is_1_and_names_the_stage(place):
    file = place / "good.evidence.tar.gz"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    done = run(place, file)
    assert done.exit_code == 1
    assert "good.evidence.tar.gz: invalid at " in done.output
    assert done.output.splitlines()[-1] == "no verdict: the bundle was not read"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--pack", "no-such-pack"], "no-such-pack"),
        (["--pack", "missing.yaml"], "missing.yaml"),
        (["--pack", "baseline", "--pack", "baseline"], "two are named 'baseline'"),
        (["--explain", "mine:NOTHING"], "FAIL, HOLD"),
        (["--as-of", "tomorrow"], "expected YYYY-MM-DD"),
        (["--as-of", "20270101"], "expected YYYY-MM-DD"),
        (["--profile", "annex-x"], "special"),
        (["--fail-on", "note"], "error"),
    ],
    ids=lambda value: "-".join(value).strip("-") if isinstance(value, list) else "",
)
def test_wrong_usage_is_2_and_names_what_there_is(place, arguments, said):
    command = [sys.executable, "-m", "sidecar", "evidence", "lint", str(place / "good.evidence.tar.gz")]
    done = subprocess.run(
        [*command, "--pack", str(place / "error.yaml"), *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_folder_without_bundles_is_usage(place, tmp_path):
    (tmp_path / "empty").mkdir()
    assert run(place, tmp_path / "empty").exit_code == 2


# ------------------------------------------------------------------ what it writes


def test_the_report_and_sarif_tell_the_same(place):
    done = run(place, place, "--report", place / "r.json", "--sarif", place / "s.sarif", "--profile", "special")
    document, log = json.loads((place / "r.json").read_bytes()), json.loads((place / "s.sarif").read_bytes())
    assert document["summary"]["exit_code"] == done.exit_code == 5
    assert log["runs"][0]["invocations"][0]["exitCode"] == 5
    assert document["options"]["profiles"] == ["special"]
    failing = {
        rule["rule"]
        for bundle in document["bundles"]
        for found in bundle["packs"]
        for rule in found["rules"]
        if rule["applicable"] and rule["outcome"] != "holds"
    }
    assert {result["ruleId"] for result in log["runs"][0]["results"]} == failing == {"mine@1:FAIL", "mine@1:OPEN"}


@pytest.mark.parametrize("option", ["--report", "--sarif"])
def test_a_report_that_cannot_be_written_is_usage_and_no_verdict_on_a_bundle(place, option):
    done = run(place, place / "good.evidence.tar.gz", option, place / "no" / "folder")
    assert done.exit_code == 2
    assert "there is no folder" in done.output


def test_as_of_decides_what_applies(place):
    run(place, place / "good.evidence.tar.gz", "--report", place / "r.json", "--as-of", "2099-01-01")
    document = json.loads((place / "r.json").read_bytes())
    rules = {rule["rule"]: rule["applicable"] for rule in document["bundles"][0]["packs"][0]["rules"]}
    assert (rules["mine@1:LATER"], rules["mine@1:ASKED"]) == (True, False)


def test_no_output_depends_on_the_hash_seed(place):
    outputs = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "sidecar", "evidence", "lint", ".", "--explain", "closure.score"]
        for name in ("cicd-starter", "baseline", "owasp-agentic-mcp", "eu-ai-act-high-risk"):
            command += ["--pack", name]
        command += ["--report", f"{seed}.json", "--sarif", f"{seed}.sarif"]
        done = subprocess.run(command, capture_output=True, cwd=place, env=environment, check=False)
        assert done.stderr == b""
        outputs.append((done.stdout, (place / f"{seed}.json").read_bytes(), (place / f"{seed}.sarif").read_bytes()))
    assert outputs[0] == outputs[1]
    assert b"evidence supports" in outputs[0][0]


def test_linting_loads_neither_grpc_nor_sigstore_nor_a_network_client(place):
    script = (
        "import sys\nfrom click.testing import CliRunner\nfrom sidecar.cli.evidence.lint import lint\n"
        f"done = CliRunner().invoke(lint, [{str(place / 'good.evidence.tar.gz')!r}])\nassert done.exit_code in (0, 5), done.output\n"
        "print(' '.join({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert (
        loaded & {"grpc", "sigstore", "requests", "urllib3", "pydantic", "opentelemetry", "rich", "cryptography"}
        == set()
    )
