"""`affidavit evidence show`: what it prints, in which width, with which exit code, and what it never sends to a terminal."""

from __future__ import annotations

import os
from functools import cache
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

from evidence import event as types
from evidence.redaction.commitment import Commitment
from tests.evidence import make
from tests.evidence.hostile import bundle_of, items
from tests.sidecar.cli.recorded import GOLDEN, SHOWN, bundle, compared, shown
from tests.sidecar.cli.test_verbs import affidavit
from tests.tools.process import PATIENCE_SECONDS

HELD = Commitment(alg="hmac-sha256", digest="ab" * 32, size_bytes=42, reason="data_class/person")
GREEN = "\x1b[32m"


@cache
def schema() -> Draft202012Validator:
    return Draft202012Validator(
        orjson.loads(files("evidence").joinpath("schemas/timeline-v1.schema.json").read_bytes())
    )


# ---------------------------------------------------------------- recorded runs


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_a_recorded_run_reads_as_its_golden_text(name):
    """Written anew by `python -m tests.sidecar.cli.recorded`."""
    run, *options = SHOWN[name]
    assert shown(bundle(run), *options).output.partition("\n\n")[2] == (GOLDEN / f"{name}.txt").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("columns", [60, 80, 160])
@pytest.mark.parametrize("run", ["multi_agent", "mcp_error", "logs_only", "metrics_only", "tools_loop"])
def test_no_line_is_wider_than_asked_for(run, columns):
    for options in ((), ("--bodies",), ("--limit", "3")):
        lines = shown(bundle(run), "--width", str(columns), *options).output.splitlines()
        assert max(map(cell_len, lines)) <= columns


def test_the_head_says_who_recorded_what_with_which_scores_and_what_is_not_checked():
    head = shown(bundle("tools_loop")).output.partition("\n\n")[0]
    rows = {line.split()[0] for line in head.splitlines()[1:]}
    assert rows >= {"recorded", "by", "holds", "pack", "closure", "signals", "missing", "capture", "mapping", "Not"}
    assert "sender uncounted" in head
    assert "7 spans" in head
    assert "Not checked here: signature" in head


def test_colour_adds_nothing_that_the_words_do_not_say():
    plain, coloured = (shown(bundle("multi_agent"), option).output for option in ("--no-color", "--color"))
    assert "\x1b[" in coloured
    assert "\x1b" not in plain
    assert click.unstyle(coloured) == plain


def test_metrics_say_their_points():
    said = shown(bundle("metrics_only"), "--width", "160").output
    assert "metric gen_ai.client.token.usage" in said
    assert "gen_ai.token.type=input" in said


def test_json_is_a_record_a_line_that_fits_its_schema_and_is_the_same_every_time():
    first, second = (shown(bundle("multi_agent"), "--json").output for _ in range(2))
    assert first == second
    records = [orjson.loads(line) for line in first.splitlines()]
    assert [record["record"] for record in records] == ["head", *["entry"] * (len(records) - 2), "end"]
    for record in records:
        schema().validate(record)
    assert len(records) - 2 == records[0]["event_count"]


def test_json_escapes_what_a_terminal_would_obey_and_says_the_same(tmp_path):
    name = "\u202eright \x9b2J \U000e0001 日本"
    said = shown(bundle_of(tmp_path, [make.span(1, name=name)]), "--json").output
    assert said.replace("\n", "").isprintable()
    assert orjson.loads(said.splitlines()[1])["name"] == name


# ---------------------------------------------------------------- options


@pytest.fixture
def small(tmp_path) -> Path:
    made = make.whole(
        make.resource({"service.name": "agent"}),
        make.span(1, {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "boss"}, name="invoke_agent boss"),
        make.span(2, make.CHAT, failed=True, parentSpanId=f"{1:016x}"),
        make.span(3, make.TOOL | {"gen_ai.tool.call.result": HELD.to_any_value()}, parentSpanId=f"{1:016x}"),
        make.receipt(
            "policy_decision", {"decision": "deny", "tool_name": "search"}, trace_id=make.TRACE, span_id=f"{3:016x}"
        ),
        make.gap("rejected", 4),
    )
    return make.sealed(tmp_path, made).path


def tree(path: Path, *options: str) -> list[str]:
    return [line[20:].strip() for line in shown(path, *options).output.partition("\n\n")[2].splitlines()]


@pytest.mark.parametrize(
    ("withheld", "said"),
    [
        (None, "nothing withheld by the recorder, policy sha256:"),
        ({"secret/jwt": 1}, "1 piece withheld, policy sha256:"),
        ({"secret/jwt": 2, "key": "3", "odd": [], "less": -1}, "5 pieces withheld, policy sha256:"),
    ],
)
def test_the_head_says_how_much_was_withheld_and_under_which_policy(tmp_path, withheld, said):
    told = [(types.REDACTION, {"withheld": withheld})] if withheld else []
    made = make.sealed(tmp_path, make.whole(make.span(1), *told), redaction={"policy_digest": make.DIGEST})
    assert f"  redacted   {said}" in shown(made.path).output
    head = orjson.loads(shown(made.path, "--json").output.splitlines()[0])
    schema().validate(head)


def test_receipts_gaps_failures_and_what_is_withheld_are_said_where_they_belong(small):
    assert tree(small, "--width", "100") == [
        "run opened  reason=span",
        "resource agent",
        "invoke_agent boss",
        "├─ chat gpt-x  ! failed  → gpt-x-1  openai  named a span",
        "│     system: be brief",
        "│     user: hi",
        "│     assistant: ho",
        "└─ execute_tool search  call-1  named a span",
        "│  arguments: {}",
        "│  result: withheld (data_class/person, 42 bytes)",
        "└─ receipt policy_decision  decision=deny  tool_name=search",
        "gap rejected  count=4  detail=a test",
        "run closed  reason=explicit",
    ]


def test_every_entry_has_the_number_that_evidence_paths_name(small):
    lines = shown(small, "--width", "100").output.partition("\n\n")[2].splitlines()
    assert [line.split()[0] for line in lines if line[0].isdigit()] == [str(number) for number in range(8)]
    assert lines[3].startswith("3     +0 s    0 µs  ├─ chat gpt-x")


def test_types_failures_and_a_part_can_be_asked_for(small):
    assert tree(small, "--type", "receipt", "--type", "gap") == [
        "receipt policy_decision  decision=deny  tool_name=search",
        "gap rejected  count=4  detail=a test",
    ]
    assert tree(small, "--failed")[0].startswith("chat gpt-x  ! failed")
    assert [line.split()[0] for line in tree(small, "--below", f"{3:016x}")] == ["execute_tool", "│", "│", "└─"]
    assert tree(small, "--below", "4") == tree(small, "--below", f"{3:016x}")


def test_what_a_limit_leaves_out_is_counted_where_it_would_stand(small):
    lines = tree(small, "--limit", "5")
    assert "└─ … 3 more: 1 chat, 1 execute_tool, 1 receipt, of them 1 failed" in lines
    assert shown(small, "--limit", "0").output == shown(small, "--limit", "500").output


def test_a_span_is_shown_whole_with_what_belongs_to_it(small):
    said = shown(small, "--span", f"{3:016x}").output
    assert "gen_ai.tool.call.arguments" in said
    assert "withheld (data_class/person, 42 bytes, hmac-sha256:" in said
    assert "receipt" in said
    as_json = [orjson.loads(line) for line in shown(small, "--span", f"{3:016x}", "--json").output.splitlines()]
    assert [event["seq"] for event in as_json] == [4, 5]


def test_an_event_shows_what_translation_set_removed_and_lost(tmp_path):
    kind, data = make.span(1, {"llm.model_name": "gpt-x", "kept": "k", "odd": "o"}, name="ChatOpenAI")
    data["mapped"] = {
        "profiles": ["openinference"],
        "name": "chat gpt-x",
        "attributes": make.pairs({"gen_ai.request.model": "gpt-x"}),
        "removed": ["llm.model_name"],
    }
    data["loss"] = {"no_concept": ["odd"]}
    said = shown(bundle_of(tmp_path, [(kind, data)]), "--event", "0").output
    for line in (
        "  translated by  openinference",
        "+ name  chat gpt-x",
        "+ gen_ai.request.model  gpt-x",
        "- llm.model_name  gpt-x",
        "  kept  k",
        "  no_concept  odd",
    ):
        assert line in said.splitlines()


def test_an_event_whose_translation_removed_and_lost_most_fits_its_columns_too(tmp_path):
    kind, data = make.span(1, make.CHAT)
    data["span"]["events"] = [{"name": "gen_ai.content.prompt " * 9}]
    data |= {"mapped": {"events_removed": [0]}, "loss": {"no_concept": ["odd"]}}
    said = shown(bundle_of(tmp_path, [(kind, data)]), "--event", "0", "--width", "60").output
    assert "  removed by translation" in said
    assert "lost in translation: `affidavit semconv explain REASON`" in said
    assert max(map(cell_len, said.splitlines())) <= 60


def test_bodies_are_shown_whole_with_their_lines(tmp_path):
    text = "first line\n" + "word " * 100 + "\nthe end"
    path = bundle_of(tmp_path, [make.span(1, make.TOOL | {"gen_ai.tool.call.result": text})])
    assert "the end" not in shown(path).output
    whole = shown(path, "--bodies", "--width", "80").output
    assert "the end" in whole
    assert "".join(whole.split()).count("word") == 100


# ---------------------------------------------------------------- exit codes


@pytest.mark.parametrize("verb", [("verify",), ("evidence", "show"), ("evidence", "diff")], ids="-".join)
def test_help_has_a_line_for_each_exit_code(verb):
    said = affidavit(*verb, "--help").stdout
    assert "\\b" not in said
    assert [line.split()[0] for line in said.splitlines() if line.startswith(" " * 13) and line.split()[0].isdigit()][
        :2
    ] == ["1", "2"]


def test_an_unknown_span_event_or_type_is_usage(small):
    for option in (
        ("--span", "ff"),
        ("--event", "99"),
        ("--below", "ff"),
        ("--type", "x"),
        ("--width", "10"),
        ("--limit", "-1"),
    ):
        done = shown(small, *option)
        assert (done.exit_code, option[0] in done.output) == (2, True)


def test_a_bundle_that_was_tampered_with_is_1_with_the_stage_and_shows_nothing(tmp_path, small):
    changed = make.with_lines(make.unpack(small), lambda lines: lines.pop(3))
    path = make.pack(changed.items(), tmp_path / "changed.evidence.tar.gz")
    for options in ((), ("--json",), ("--event", "1")):
        done = shown(path, *options)
        assert (done.exit_code, done.stdout) == (1, "")
        assert "not a valid bundle: events: line 4: seq: expected 3, got 4" in done.stderr


def test_another_format_is_4_and_a_file_that_is_not_there_is_2(tmp_path, small):
    other = make.changed(make.unpack(small), lambda manifest: manifest.update(schema_version="evidence-bundle-v9"))
    assert shown(make.pack(other.items(), tmp_path / "other.evidence.tar.gz")).exit_code == 4
    done = affidavit("evidence", "show", tmp_path / "none")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)


def test_an_encoding_without_the_signs_of_a_tree_gets_plain_ones(small, monkeypatch):
    import subprocess
    import sys

    root = Path(__file__).resolve().parents[3]
    environment = {"PYTHONPATH": str(root), "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "sidecar", "evidence", "show", str(small)]
    done = subprocess.run(command, capture_output=True, env=environment, timeout=PATIENCE_SECONDS)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"|- chat gpt-x" in done.stdout.replace(b"|-- ", b"|- ")


# ---------------------------------------------------------------- hostile bundles


@pytest.mark.parametrize(
    "report",
    [
        b"[]",
        b"{",
        b'{"closure":3,"completeness":[]}',
        b'{"closure":{"confidence":{},"score":"1"},"completeness":{"by_signal":{"a":1}}}',
    ],
)
def test_reports_that_the_manifest_does_not_hold_may_be_anything(tmp_path, small, report):
    members = make.unpack(small) | {"reports/closure.json": report, "reports/formula-receipts.json": report}
    path = make.pack(members.items(), tmp_path / "odd.evidence.tar.gz")
    done = shown(path)
    assert (done.exit_code, done.exception) == (0, None)
    assert "closure" not in done.output.partition("\n\n")[0].replace("reports", "")
    for line in shown(path, "--json").output.splitlines():
        schema().validate(orjson.loads(line))
    assert compared(path, path).exit_code == 0


@settings(max_examples=40)
@given(
    items(),
    st.sampled_from([(), ("--bodies",), ("--limit", "2"), ("--json",), ("--event", "0")]),
    st.sampled_from([60, 80, 160]),
)
def test_whatever_a_bundle_holds_no_terminal_obeys_it_and_every_line_fits(made, options, columns):
    with TemporaryDirectory() as folder:
        path = bundle_of(Path(folder), made)
        done = shown(path, *options, "--width", str(columns))
    assert (done.exit_code, done.exception) == (0, None)
    lines = done.output.removesuffix("\n").split("\n")
    assert all(line.isprintable() for line in lines)
    if "--json" not in options:
        assert max(map(cell_len, lines)) <= columns


@pytest.mark.parametrize("place", ["none", ""])
def test_a_file_that_is_not_there_and_a_folder_are_wrong_usage(tmp_path, place):
    done = shown(tmp_path / place)
    assert done.exit_code == 2
    assert str(tmp_path) in done.output


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full, as a file: Linux has one")
def test_output_that_cannot_be_written_is_not_blamed_on_the_bundle(small):
    import subprocess
    import sys

    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sidecar", "evidence", "show", str(small)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parents[3],
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
            timeout=PATIENCE_SECONDS,
        )
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert str(small) not in done.stderr
