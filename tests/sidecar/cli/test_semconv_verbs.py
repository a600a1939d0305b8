"""`affidavit semconv coverage`, `explain` and `profiles`: what they print, and how they exit."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import sidecar.tables
from sidecar.cli.semconv import semconv

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
CHAT = CORPUS / "openinference-instrumentation-openai@0.1.66" / "chat.traces.otlp.pb"
MINE = """\
id: mine
version: "7"
extends: openinference
rows:
  - {key: llm.cost.total, keep: true}
"""
UNKNOWN = {
    "resourceSpans": [
        {
            "resource": {},
            "scopeSpans": [
                {
                    "scope": {"name": "lib"},
                    "spans": [
                        {
                            "traceId": "0af7651916cd43dd8448eb211c80319c",
                            "spanId": "b7ad6b7169203331",
                            "name": "x",
                            "startTimeUnixNano": "1",
                            "endTimeUnixNano": "2",
                            "attributes": [
                                {"key": "openinference.span.kind", "value": {"stringValue": "LLM"}},
                                {"key": "openinference.brand.new", "value": {"stringValue": "x"}},
                            ],
                        }
                    ],
                }
            ],
        }
    ]
}


@pytest.fixture(autouse=True, scope="module")
def tables_read_once():
    """Translators are safe to share: the verbs of this module need not read the same tables forty times."""
    read, load = {}, sidecar.tables.load_translator

    def load_once(target, profiles, *folder):
        asked = (target, tuple(sorted(profiles.items())), folder)
        if asked not in read:
            read[asked] = load(target, profiles, *folder)
        return read[asked]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sidecar.tables, "load_translator", load_once)
        yield


def run(*arguments):
    return CliRunner().invoke(semconv, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture
def configured(tmp_path) -> Path:
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "mine.yaml").write_text(MINE)
    config = tmp_path / "affidavit.yaml"
    config.write_text(f"semconv: {{profiles_dir: {json.dumps(str(folder))}}}\n")
    return config


@pytest.fixture
def unknown(tmp_path) -> Path:
    file = tmp_path / "unknown.json"
    file.write_text(json.dumps(UNKNOWN))
    return file


# ------------------------------------------------------------------ coverage


def test_coverage_prints_a_row_for_every_profile_and_where_its_items_come_from():
    done = run("coverage", CHAT)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("To gen-ai-dev ")
    assert lines[2].split()[:4] == ["profile", "spans", "logs", "points"]
    assert any(line.split()[:1] == ["openinference"] for line in lines[3:])
    assert any(line.startswith("  from   openinference.instrumentation.openai (") for line in lines)


def test_coverage_as_json_is_one_document_the_same_every_time():
    first, second = run("coverage", CHAT, "--json"), run("coverage", CHAT, "--json")
    assert first.stdout == second.stdout
    document = json.loads(first.stdout)
    assert document["schema_version"] == "semconv-coverage-v1"
    assert document["totals"]["items"]["spans"] > 0


def test_an_unknown_key_fails_only_when_asked_to(unknown):
    assert run("coverage", unknown).exit_code == 0
    done = run("coverage", unknown, "--fail-on-unknown")
    assert done.exit_code == 1
    assert f"openinference: openinference.brand.new  1 times  {unknown}, span b7ad6b7169203331" in done.stdout
    assert run("coverage", CHAT, "--fail-on-unknown").exit_code == 0


def test_names_of_telemetry_steer_no_terminal(tmp_path, unknown):
    hostile = tmp_path / "hostile.json"
    hostile.write_text(unknown.read_text().replace("brand.new", "\\u001b[2Jnew").replace('"lib"', '"\\u001b]0;lib"'))
    done = run("coverage", hostile, "--fail-on-unknown")
    assert done.exit_code == 1
    assert "openinference. [2Jnew" in done.stdout
    assert "\x1b" not in done.stdout


def test_what_is_no_telemetry_is_refused_by_name_and_the_rest_is_covered(tmp_path):
    broken = tmp_path / "broken.pb"
    broken.write_bytes(b"\xff" * 40)
    done = run("coverage", broken, CHAT)
    assert done.exit_code == 1
    assert f"refused: {broken}" in done.stderr
    assert "openinference" in done.stdout


def test_coverage_asks_the_users_profiles_too(configured):
    done = run("coverage", CHAT, "--config", configured, "--json")
    assert "mine" in {profile["id"] for profile in json.loads(done.stdout)["profiles"]}


# ------------------------------------------------------------------ explain


def test_explain_says_where_a_key_goes_with_file_and_line():
    done = run("explain", "llm.invocation_parameters#/seed", "--profile", "openinference")
    assert done.exit_code == 0
    assert "`" not in done.stdout
    assert "openinference: llm.invocation_parameters  (semconv/profiles/openinference.yaml:" in done.stdout
    assert "#/seed: gen_ai.request.seed" in done.stdout


def test_explain_of_a_name_of_the_target_says_what_leads_to_it():
    said = run("explain", "gen_ai.request.seed").stdout
    assert "What leads to it:" in said
    assert "openinference: llm.invocation_parameters" in said
    assert "object settings: seed  (semconv/tables/objects.yaml:" in said


def test_explain_of_a_reason_gives_its_severity_and_meaning():
    assert "conflict_lost, major: Two sources disagree" in run("explain", "conflict_lost").stdout


def test_explain_of_what_nobody_knows_exits_with_1_and_names_what_is_like_it():
    done = run("explain", "openinference.span.kinf")
    assert done.exit_code == 1
    assert "namespace of openinference" in done.stdout
    assert "openinference.span.kind" in done.stdout
    assert "stays on the item as it is" in run("explain", "zzz.qqq").stdout


def test_explain_names_the_profiles_there_are_when_one_is_not():
    done = run("explain", "x", "--profile", "nothing")
    assert done.exit_code == 2
    assert "openinference" in done.stderr


@pytest.mark.parametrize(
    ("given", "value"), [("7", 7), ("1.5", 1.5), ("true", True), ('"7"', "7"), ("x", "x"), ("[1]", "[1]"), ("{", "{")]
)
def test_values_of_the_command_line_are_json_scalars_or_text(given, value):
    done = run("explain", "openinference.span.kind", "--value", given, "--json")
    (tried,) = json.loads(done.stdout)["rows"][0]["tried"]
    assert (tried["value"], type(tried["value"])) == (value, type(value))


def test_explain_gives_the_users_file_for_the_users_row(configured):
    said = run("explain", "llm.cost.total", "--profile", "mine", "--config", configured).stdout
    assert f"({configured.parent / 'profiles' / 'mine.yaml'}:5)" in said
    assert "(semconv/profiles/openinference.yaml:" in said


def test_every_way_of_asking_leaves_no_mark_of_markdown():
    for name in ("gen_ai.provider.name", "gen_ai.choice", "llm.input_messages.0.message.role", "gen_ai.tool.name"):
        assert "`" not in run("explain", name, "--value", "x").stdout


# ------------------------------------------------------------------ profiles


def test_profiles_lists_every_profile_with_what_it_is_detected_by():
    said = run("profiles").stdout
    document = json.loads(run("profiles", "--json").stdout)
    assert document["schema_version"] == "semconv-profiles-v1"
    for profile in document["profiles"]:
        assert f"{profile['id']} {profile['version']}  {profile['layer']}  {profile['digest']}" in said
        assert profile["detect"]
        assert profile["digest"].startswith("sha256:")
        assert sum(profile["rows"].values()) > 0
        assert not profile["user"]
    assert [profile["layer"] for profile in document["profiles"]] == sorted(
        (profile["layer"] for profile in document["profiles"]), key=["current", "legacy", "vendor"].index
    )


def test_profiles_says_which_are_the_users_and_what_they_are_laid_over(configured):
    document = json.loads(run("profiles", "--json", "--config", configured).stdout)
    mine = next(profile for profile in document["profiles"] if profile["id"] == "mine")
    assert (mine["user"], mine["file"], mine["extends"]) == (True, "mine.yaml", "openinference")
    assert (
        f"yours: {configured.parent / 'profiles' / 'mine.yaml'}, extends openinference"
        in run("profiles", "--config", configured).stdout
    )


@pytest.mark.parametrize("target", ["gen-ai-dev", "core-1.41.1"])
def test_the_target_is_named_with_its_digest(target):
    named = json.loads(run("profiles", "--json", "--target", target).stdout)["target"]
    assert named["id"] == target
    assert f"{target} {named['version']}  target  {named['digest']}" in run("profiles", "--target", target).stdout
