"""`affidavit semconv lint`: what it prints, and how it exits."""

import json

import pytest
from click.testing import CliRunner

from sidecar.cli.semconv import semconv
from sidecar.errors import ConfigError

GOOD = 'id: mine\nversion: "1"\ndetect: {keys: {mine.*: 1}}\nrows:\n  - {key: mine.a, keep: true}\n'
WARNED = GOOD + "enums: {spare: {x: y}}\n"
BROKEN = GOOD + "  - {key: mine.b, to: gen_ai.tool.nmae}\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "profiles").mkdir()
    return tmp_path / "profiles"


def lint(*arguments):
    return CliRunner().invoke(semconv, ["lint", *map(str, arguments)], catch_exceptions=False)


def test_a_profile_with_nothing_wrong_exits_0(folder):
    (folder / "mine.yaml").write_text(GOOD)
    done = lint("profiles")
    assert (done.exit_code, done.output) == (0, "1 profile: nothing found\n")


def test_an_error_exits_1_and_is_told_at_its_place(folder):
    (folder / "mine.yaml").write_text(BROKEN)
    done = lint("profiles/mine.yaml")
    assert done.exit_code == 1
    first, last = done.output.splitlines()
    assert first.startswith("profiles/mine.yaml:6:19: error: unknown concept 'gen_ai.tool.nmae'")
    assert first.endswith("(did you mean 'gen_ai.tool.name'?) [unknown-concept]")
    assert last == "1 profile: 1 error"


def test_a_warning_fails_only_when_it_is_asked_to(folder):
    (folder / "mine.yaml").write_text(WARNED)
    assert lint("profiles").exit_code == 0
    assert lint("profiles", "--strict").exit_code == 1
    assert lint("profiles").output.splitlines()[-1] == "1 profile: 1 warning"


def test_json_has_a_schema_version_and_every_finding(folder):
    (folder / "mine.yaml").write_text(WARNED + "events: 1\n")
    done = lint("profiles", "--json")
    said = json.loads(done.output)
    assert done.exit_code == 1
    assert said["schema_version"] == "semconv-lint-v1"
    assert (said["target"], said["files"]) == ("gen-ai-dev", ["profiles/mine.yaml"])
    assert [(found["line"], found["column"], found["severity"], found["code"]) for found in said["findings"]] == [
        (6, 9, "warning", "unused-enum"),
        (7, 1, "error", "wrong-value"),
    ]
    assert set(said["findings"][0]) == {"file", "line", "column", "severity", "code", "message"}


def test_without_a_file_the_configured_folder_is_checked(folder):
    (folder / "mine.yaml").write_text(BROKEN)
    (folder.parent / "c.yaml").write_text("semconv: {profiles_dir: profiles, target: core-1.41.1}\n")
    done = lint("--config", "c.yaml", "--json")
    assert (done.exit_code, json.loads(done.output)["target"]) == (1, "core-1.41.1")


def test_files_and_folders_are_taken_together(folder):
    (folder / "mine.yaml").write_text(GOOD)
    (folder.parent / "over.yaml").write_text("id: over\nextends: mine\nrows: [{key: mine.c, keep: true}]\n")
    assert lint("over.yaml").exit_code == 1
    assert lint("over.yaml", "profiles").output == "2 profiles: nothing found\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "semconv.profiles_dir"),
        (["gone"], "does not exist"),
        (["profiles"], "holds no *.yaml"),
        (["profiles", "--target", "newest"], "unknown target 'newest'"),
    ],
    ids=["nothing to check", "no such file", "an empty folder", "no such target"],
)
def test_what_cannot_be_checked_is_a_matter_of_usage(folder, arguments, said):
    if "--target" in arguments:
        (folder / "mine.yaml").write_text(GOOD)
    done = lint(*arguments)
    assert done.exit_code == 2
    assert said in done.output


def test_a_file_that_cannot_be_read_is_named(folder):
    (folder / "mine.yaml").mkdir()
    with pytest.raises(ConfigError, match=r"profile profiles/mine.yaml: Is a directory"):
        lint("profiles")
