"""`affidavit sim soak` as users type it: exit codes, the report byte for byte, the text, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from evidence.packs import builtin
from sidecar.cli.main import affidavit
from tests.evidence import make
from tests.tools import command

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads(files("evidence").joinpath("schemas", "soak-report-v1.schema.json").read_bytes())
GOOD = make.whole(make.resource({"service.name": "agent"}), make.span(1, make.CHAT), sender_counts={"spans_ended": "1"})
BAD = make.whole(make.span(1, {"gen_ai.operation.name": "chat"}))
RULE = f"{builtin('baseline').id}:BASE-002"


@pytest.fixture
def good(tmp_path) -> str:
    return str(make.sealed(tmp_path, items=GOOD).path)


@pytest.fixture
def bad(tmp_path) -> str:
    return str(make.sealed(tmp_path, items=BAD, name="bad.evidence.tar.gz").path)


def soak(*arguments: str, iterations: int = 3):
    return CliRunner().invoke(
        affidavit, ["sim", "soak", "--iterations", str(iterations), "--pack", "baseline", *arguments]
    )


def reported(tmp_path: Path, *arguments: str, iterations: int = 3) -> dict:
    file = tmp_path / "report.json"
    soak(*arguments, "--report", str(file), iterations=iterations)
    report = json.loads(file.read_bytes())
    jsonschema.validate(report, SCHEMA, format_checker=jsonschema.FormatChecker())
    return report


def test_exit_code_0_when_every_run_passed(good):
    done = soak("--target", good)
    assert done.exit_code == 0, done.output
    assert "3 of 3 runs passed" in done.output
    assert "Verdict: all runs passed" in done.output


def test_exit_code_5_when_a_run_failed(bad):
    done = soak("--target", bad)
    assert done.exit_code == 5
    assert "0 of 3 runs passed" in done.output
    assert f"error    {RULE}  violated 3 of 3" in done.output


def test_exit_code_1_when_no_run_failed_and_some_have_no_verdict(good):
    done = soak("--target", good, "--limit", "max_events=2")
    assert done.exit_code == 1
    assert "no verdict: bundle_invalid 3 times" in done.output


def test_exit_code_5_wins_over_1(tmp_path, good, bad):
    (tmp_path / "x.evidence.tar.gz").write_bytes(b"no bundle")
    assert soak("--target", str(tmp_path)).exit_code == 5


USAGE = {
    "no target": ((), "Missing option --target"),
    "two targets": (("--target", "x", "--", "true"), "exclude each other"),
    "a target that is not there": (("--target", "/nowhere"), "/nowhere"),
    "an empty command": (("--target", "cmd: "), "expected a command after cmd:"),
    "a command that is not closed": (("--target", "cmd: python 'agent.py"), "No closing quotation"),
    "an unknown profile": (("--target", "x", "--profile", "rain"), "expected one of none, telemetry-loss"),
    "a receiver's profile for a bundle": (("--target", "x", "--profile", "busy"), "recorded bundles meet none"),
    "an unknown limit": (("--target", "x", "--limit", "max_fun=1"), "expected one of max_bundle_bytes"),
    "a limit of nothing": (("--target", "x", "--limit", "max_events=0"), "expected an integer from 1 to"),
    "a limit above the default": (("--target", "x", "--limit", "max_events=99999999999"), "expected an integer"),
    "a limit without a value": (("--target", "x", "--limit", "max_events"), "expected an integer"),
    "an unknown pack": (("--target", "x", "--pack", "nobody"), "nobody"),
    "a pack twice": (("--target", "x", "--pack", "baseline"), "two are named 'baseline'"),
    "a day that is none": (("--target", "x", "--as-of", "today"), "expected YYYY-MM-DD"),
    "a profile of systems that no rule has": (("--target", "x", "--rule-profile", "toys"), "no rule is for 'toys'"),
    "a negative seed": (("--target", "x", "--seed", "-1"), "-1"),
}


@pytest.mark.parametrize(("arguments", "message"), USAGE.values(), ids=USAGE)
def test_wrong_usage_is_exit_code_2_and_a_sentence(arguments, message):
    ended = command.affidavit("sim", "soak", "--iterations", "2", "--pack", "baseline", *arguments)
    assert (ended.returncode, message in ended.stderr) == (2, True), ended.stderr


def test_packs_none_of_whose_rules_could_fail_are_refused(tmp_path, good):
    pack = tmp_path / "p.yaml"
    pack.write_text(
        'name: mild\nversion: "1"\nkind: quality\ndescription: d\nx-assay: {requires_signals: [model_identity]}\nrules:\n'
        "  - {id: M-1, title: t, severity: info, signals: [{id: model_identity, min_state: captured}]}\n"
    )
    arguments = ["sim", "soak", "--iterations", "2", "--pack", str(pack), "--target", good]
    refused = CliRunner().invoke(affidavit, arguments)
    assert (refused.exit_code, "no run could fail" in refused.output) == (2, True)
    assert CliRunner().invoke(affidavit, [*arguments, "--fail-on", "info"]).exit_code == 0


def test_the_report_says_what_was_done_and_found(tmp_path, bad):
    report = reported(
        tmp_path, "--target", bad, "--seed", "9", "--max-failures", "2", "--profile", "out-of-order", "--runs"
    )
    assert report["decision_policy"] == {
        "pass_on_severity_at_or_above": "error",
        "stop_on_first_failure": False,
        "max_failures": 2,
    }
    assert (report["iterations"], report["seed"], report["suite"]) == (3, 9, "out-of-order")
    assert report["results"]["violations_by_rule"][RULE] == 2
    assert [run["status"] for run in report["runs"]] == ["fail", "fail"]
    assert report["generated_at"] == make.meta().closed_at
    assert [pack["source"] for pack in report["packs"]] == ["built-in"]
    assert report["limits"]["max_events"] == 10_000_000


def test_strictness_stands_in_the_report(tmp_path, good):
    strict = reported(tmp_path, "--target", good, "--strict")
    assert strict["suite"] == "none --strict"
    assert strict["results"]["failures"] == 3  # no tool was called, so its rule is undecided
    assert reported(tmp_path, "--target", good)["results"]["failures"] == 0


def test_limits_that_were_lowered_stand_in_the_report(tmp_path, good):
    report = reported(tmp_path, "--target", good, "--limit", "max_events=77", "--limit", "max_path_len=99")
    assert (report["limits"]["max_events"], report["limits"]["max_path_len"]) == (77, 99)


@pytest.mark.parametrize("profile", ["mixed", "storm"])
def test_the_same_seed_gives_the_same_report_in_every_process(tmp_path, profile, good, bad):
    options = ["--seed", "5", "--profile", profile, "--target", str(tmp_path), "--runs", "--report"]
    here = soak(*options, str(tmp_path / "here.json"), iterations=30)
    assert here.exit_code == 5, here.output
    arguments = ["sim", "soak", "--iterations", "30", "--pack", "baseline", *options, str(tmp_path / "there.json")]
    for hash_seed in ("0", "4242"):
        ended = subprocess.run(
            [sys.executable, "-m", "sidecar", *arguments],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
        assert (ended.returncode, ended.stdout) == (5, here.stdout), ended.stderr
        assert (tmp_path / "there.json").read_bytes() == (tmp_path / "here.json").read_bytes()


def test_another_seed_draws_other_perturbations(tmp_path, good):
    reports = [
        reported(tmp_path, "--target", good, "--seed", seed, "--profile", "mixed", "--runs", iterations=40)
        for seed in "123"
    ]
    assert len({json.dumps(report["runs"]) for report in reports}) == 3


def test_the_text_shows_where_a_rule_fails_and_how_far_the_numbers_bear(good):
    done = soak("--target", good, "--profile", "mixed", iterations=60)
    assert "violated" in done.output
    assert "(unclosed " in done.output
    assert "the spread is that of the perturbations drawn, not of the agent" in done.output
    assert "never decided" in done.output
    assert "pass^k" in done.output


def test_profiles_are_listed_with_their_version():
    done = CliRunner().invoke(affidavit, ["sim", "profiles"])
    assert done.exit_code == 0
    assert "telemetry-loss" in done.output
    assert "sha256:" in done.output


@pytest.mark.integration
def test_a_command_is_soaked_and_the_report_has_no_clock(tmp_path):
    agent = tmp_path / "agent.py"
    agent.write_text(AGENT)
    file = tmp_path / "report.json"
    done = soak("--report", str(file), "--", sys.executable, str(agent), iterations=2)
    assert done.exit_code == 0, done.output
    report = json.loads(file.read_bytes())
    jsonschema.validate(report, SCHEMA)
    assert report["results"]["passes"] == 2
    assert report.keys() & {"generated_at", "runs"} == set()


@pytest.mark.integration
def test_a_command_may_be_the_target_and_one_that_fails_shows_how_it_ended():
    done = soak("--target", f"""cmd: {sys.executable} -c "import sys; sys.exit('no model here')" """, iterations=1)
    assert done.exit_code == 1, done.output
    assert "no model here" in done.output
    assert "no verdict: subprocess_failed once; the first: the command ended with exit code 1" in done.output


AGENT = """
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
names = {"provider.name": "openai", "request.model": "m", "response.model": "m-1", "operation.name": "chat"}
with provider.get_tracer("a").start_as_current_span("chat", attributes={f"gen_ai.{k}": v for k, v in names.items()}):
    pass
provider.shutdown()
"""


def test_recorded_runs_are_soaked_without_what_only_a_sidecar_needs(good):
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom sidecar.cli.main import affidavit\n"
        f"done = CliRunner().invoke(affidavit, ['sim', 'soak', '--iterations', '2', '--pack', 'baseline', '--target', {good!r}])\n"
        "assert done.exit_code == 0, done.output\n"
        "print(sorted({'grpc', 'uvicorn', 'pydantic', 'opentelemetry', 'sigstore', 'uvloop'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ended.stdout == "[]\n"


def test_a_report_that_cannot_be_written_is_said_before_anything_is_run(tmp_path, good):
    done = soak("--target", good, "--report", str(tmp_path / "no" / "report.json"))
    assert done.exit_code == 2
    assert "there is no folder" in done.output
    assert "runs passed" not in done.output


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full, as a file: Linux has one")
def test_a_full_disk_is_usage_and_what_was_found_is_said_all_the_same(good):
    done = soak("--target", good, "--report", "/dev/full")
    assert done.exit_code == 2
    assert "3 of 3 runs passed" in done.output
    assert "/dev/full: No space left on device" in done.output


def test_a_day_has_one_form(good):
    done = soak("--target", good, "--as-of", "20261121")
    assert done.exit_code == 2
    assert "expected YYYY-MM-DD, got '20261121'" in done.output
