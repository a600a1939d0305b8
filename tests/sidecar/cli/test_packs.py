"""`affidavit packs`: what it lists, shows and refuses, and with which exit code."""

import json
import re

import pytest
from click.testing import CliRunner

from evidence.packs import BUILTIN, builtin
from sidecar.cli.packs import packs

OWN = """name: own
version: "1"
kind: security
description: A pack of one's own
x-assay: {requires_signals: [tool_calls]}
rules:
  - id: OWN-1
    title: Tools return something
    severity: warning
    check: {type: exists_for_all, when: {event: span, operation: [execute_tool]}, all_of: [gen_ai.tool.call.result]}
    remedy: Capture results.
"""


def run(*arguments: object):
    return CliRunner().invoke(packs, [str(argument) for argument in arguments])


@pytest.fixture
def own(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(OWN)
    return file


def test_list_has_every_built_in_pack_with_what_it_is():
    lines = run("list").stdout.splitlines()
    assert lines[0].split() == ["NAME", "VERSION", "KIND", "RULES", "SIGNALS", "APPLIES", "FROM"]
    assert [line.split()[:2] for line in lines[1:]] == [[name, builtin(name).version] for name in BUILTIN]
    assert "2027-12-02" in run("list").stdout


def test_list_as_json_is_canonical_and_has_digests():
    said = json.loads(run("list", "--json").stdout)
    assert said["schema_version"] == "packs-v1"
    assert {pack["name"]: pack["digest"] for pack in said["packs"]} == {name: builtin(name).digest for name in BUILTIN}


@pytest.mark.parametrize("name", BUILTIN)
def test_show_says_everything_a_pack_says_of_each_rule(name):
    said = re.sub(r"\s+", " ", run("show", name).stdout)
    pack = builtin(name)
    for rule in pack.rules:
        for text in (
            rule.id,
            rule.title,
            rule.severity,
            rule.remedy,
            rule.rationale,
            rule.ref,
            rule.source_url,
            *rule.signals,
        ):
            assert text is None or text in said, (rule.id, text)
    assert said.count("to be checked against the primary text before it is relied on") >= sum(
        rule.to_be_checked for rule in pack.rules
    )
    assert pack.disclaimer is None or pack.disclaimer in said


def test_show_as_json_has_each_rule_with_its_check_in_words(own):
    said = json.loads(run("show", own, "--json").stdout)
    assert (said["schema_version"], said["name"], said["signals"]) == ("pack-v1", "own", ["tool_calls"])
    assert [(rule["id"], rule["severity"], rule["remedy"]) for rule in said["rules"]] == [
        ("OWN-1", "warning", "Capture results.")
    ]
    assert "gen_ai.tool.call.result" in said["rules"][0]["asks"][0]


def test_digest_says_what_to_pin(own):
    own.write_text("# a comment\n" + OWN)
    before = run("digest", own).stdout
    own.write_text(OWN)
    assert run("digest", own).stdout == before
    assert re.fullmatch(r"sha256:[0-9a-f]{64}  own@1\n", before)


def test_check_says_ok_or_file_and_line_and_fails_when_any_file_is_wrong(own, tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(OWN.replace("severity: warning", "severity: grave"))
    assert (run("check", own).exit_code, run("check", own).stdout) == (0, f"{own}: ok: own@1, 1 rule\n")
    done = run("check", wrong, own)
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        f"{wrong}:9: expected one of error, warning, info, got 'grave'",
        f"{own}: ok: own@1, 1 rule",
    ]


def test_check_of_no_file_is_usage(tmp_path):
    assert run("check").exit_code == 2
    assert run("check", tmp_path / "absent.yaml").exit_code == 2


def test_no_text_of_a_pack_is_obeyed_by_a_terminal(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(
        OWN.replace("Tools return something", '"\\e[2Jgone"').replace('version: "1"', 'version: "1\\e[31m"')
    )
    for verb in ("show", "digest", "check"):
        done = CliRunner().invoke(packs, [verb, str(file)], color=True)  # else click takes out what it knows
        assert done.exit_code == 0
        assert "\x1b[2J" not in done.stdout
        assert "\x1b[31m" not in done.stdout
