"""`affidavit evidence diff`: what it prints, with which exit code, and what it never sends to a terminal."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from rich.cells import cell_len

from evidence.reading.facets import FACETS
from evidence.redaction.commitment import Commitment
from tests.evidence import make
from tests.evidence.hostile import bundle_of, items
from tests.sidecar.cli.recorded import COMPARED, GOLDEN, bundle, compared
from tests.tools.process import PATIENCE_SECONDS

HELD = Commitment(alg="hmac-sha256", digest="ab" * 32, size_bytes=42, reason="key/prompt")


def of(folder: Path, name: str, *made: make.Item) -> Path:
    return bundle_of(folder, make.whole(*made), f"{name}.evidence.tar.gz")


# ---------------------------------------------------------------- recorded runs


@pytest.mark.parametrize("name", sorted(COMPARED))
def test_recorded_runs_compare_as_their_golden_text(name):
    """Written anew by `python -m tests.sidecar.cli.recorded`."""
    a, b, *options = COMPARED[name]
    said = compared(bundle(a), bundle(b), *options).output.partition("\n\n")[2]
    assert said == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_one_scenario_told_by_two_instrumentations_differs_in_its_translation_alone():
    done = compared(bundle("tools_loop"), bundle("tools_loop_elsewhere"), "--json")
    assert done.exit_code == 1
    assert list(orjson.loads(done.output)["changes"]) == ["mapping"]
    assert compared(bundle("tools_loop"), bundle("tools_loop_elsewhere"), "--ignore", "mapping").exit_code == 0


@pytest.mark.parametrize("columns", [60, 80, 160])
def test_no_line_is_wider_than_asked_for(columns):
    lines = compared(bundle("tools_loop"), bundle("multi_agent"), "--width", str(columns)).output.splitlines()
    assert max(map(cell_len, lines)) <= columns


def test_colour_adds_nothing_that_the_words_do_not_say():
    plain, coloured = (
        compared(bundle("tools_loop"), bundle("logs_only"), option).output for option in ("--no-color", "--color")
    )
    assert "\x1b[" in coloured
    assert click.unstyle(coloured) == plain


# ---------------------------------------------------------------- what it says


def test_a_run_is_the_same_as_itself():
    done = compared(bundle("tools_loop"), bundle("tools_loop"))
    assert done.exit_code == 0
    assert "No difference in what could be compared." in done.output


def test_only_what_changed_has_lines_and_the_rest_is_named_once(tmp_path):
    a, b = (
        of(tmp_path, "a", make.span(1, make.CHAT)),
        of(tmp_path, "b", make.span(1, make.CHAT | {"gen_ai.request.model": "gpt-y"})),
    )
    done = compared(a, b, "--only", "models", "--only", "sampling", "--only", "approvals")
    assert done.exit_code == 1
    assert done.output.splitlines()[3:9] == [
        "models",
        "  - openai gpt-x → gpt-x-1  1",
        "  + openai gpt-y → gpt-x-1  1",
        "",
        "same: sampling",
        "neither says: approvals",
    ]


def test_two_prompts_show_where_they_begin_to_differ(tmp_path):
    def prompt(text):
        return make.span(
            1, make.CHAT | {"gen_ai.system_instructions": orjson.dumps([{"type": "text", "content": text}]).decode()}
        )

    long = "You answer questions about the weather. "
    a, b = of(tmp_path, "a", prompt(long + "Never call tools.")), of(tmp_path, "b", prompt(long + "Always call tools."))
    said = compared(a, b, "--only", "prompts", "--width", "80").output
    assert "the same for 40 characters, then:" in said
    assert "      - …about the weather. Never call tools." in said
    assert "      + …about the weather. Always call tools." in said


def test_what_is_withheld_is_said_not_to_be_comparable(tmp_path):
    held = make.span(1, make.CHAT | {"gen_ai.system_instructions": HELD.to_mark()})
    done = compared(of(tmp_path, "a", held), of(tmp_path, "b", held))
    assert done.exit_code == 0
    assert "cannot be told: prompts (withheld: 1 in A, 1 in B)" in done.output


def test_json_fits_its_schema_and_is_the_same_every_time():
    first, second = (compared(bundle("tools_loop"), bundle("multi_agent"), "--json").output for _ in range(2))
    assert first == second
    path = files("evidence").joinpath("schemas/run-diff-v1.schema.json")
    Draft202012Validator(orjson.loads(path.read_bytes())).validate(orjson.loads(first))


def test_the_documentation_names_every_facet():
    text = (Path(__file__).resolve().parents[3] / "docs" / "reading.md").read_text(encoding="utf-8")
    assert [facet for facet in FACETS if f"`{facet}`" not in text] == []


def test_help_names_every_facet():
    from click.testing import CliRunner

    from sidecar.cli.evidence.diff import diff

    words = CliRunner().invoke(diff, ["--help"]).output.split()
    assert set(FACETS) <= set(words)


# ---------------------------------------------------------------- exit codes


def test_exit_zero_is_for_those_who_only_look(tmp_path):
    a, b = of(tmp_path, "a", make.span(1, make.CHAT)), of(tmp_path, "b", make.span(1, make.TOOL))
    assert compared(a, b).exit_code == 1
    assert compared(a, b, "--exit-zero").exit_code == 0


def test_trouble_is_2_and_never_looks_like_a_difference(tmp_path):
    a = of(tmp_path, "a", make.span(1, make.CHAT))
    cut = tmp_path / "cut.evidence.tar.gz"
    cut.write_bytes(a.read_bytes()[:-9])
    for arguments, word in (
        ((a, cut), "not a valid bundle: container"),
        ((cut, a, "--exit-zero"), "not a valid bundle: container"),
        ((a, tmp_path / "none"), "No such file"),
        ((a, a, "--only", "modles"), "modles"),
        ((a, a, "--ignore", "times"), "there are signals"),
    ):
        done = compared(*arguments)
        assert (done.exit_code, word in done.output) == (2, True)


# ---------------------------------------------------------------- hostile bundles


def test_a_short_value_that_a_terminal_would_obey_stands_beside_its_name_as_harmless_text(tmp_path):
    a = of(tmp_path, "a", make.span(1, make.CHAT))
    b = of(tmp_path, "b", make.span(1, make.CHAT), make.resource({"service.name": "\x1b[31mred\x07"}))
    said = compared(a, b, "--only", "environment").output
    assert "  + service.name   [31mred" in said
    assert said.replace("\n", "").isprintable()


@settings(max_examples=40)
@given(items(), items(), st.sampled_from([60, 80, 160]))
def test_whatever_two_bundles_hold_no_terminal_obeys_it_and_every_line_fits(one, other, columns):
    with TemporaryDirectory() as folder:
        a, b = bundle_of(Path(folder), one, "a.evidence.tar.gz"), bundle_of(Path(folder), other, "b.evidence.tar.gz")
        done = compared(a, b, "--width", str(columns))
    assert done.exit_code in {0, 1}
    assert not isinstance(done.exception, Exception)
    lines = done.output.removesuffix("\n").split("\n")
    assert all(line.isprintable() for line in lines)
    assert max(map(cell_len, lines)) <= columns


# ---------------------------------------------------------------- the same everywhere


def test_both_documents_are_the_same_under_every_hash_seed(tmp_path):
    import subprocess
    import sys

    root = Path(__file__).resolve().parents[3]
    a, b = str(bundle("tools_loop")), str(bundle("multi_agent"))
    for arguments in (["show", a, "--json"], ["diff", a, b, "--json"]):
        said = set()
        for seed in ("0", "1"):
            command = [sys.executable, "-m", "sidecar", "evidence", *arguments]
            environment = {"PYTHONPATH": str(root), "PYTHONHASHSEED": seed}
            said.add(subprocess.run(command, capture_output=True, env=environment, timeout=PATIENCE_SECONDS).stdout)
        assert len(said) == 1
        assert said != {b""}
