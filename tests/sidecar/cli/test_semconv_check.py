"""`affidavit semconv check`: what it says, to whom, and with which exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sidecar.cli.semconv import semconv

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
LEGACY = CORPUS / "openinference-instrumentation-openai@0.1.66" / "chat.traces.otlp.pb"
CURRENT = (
    CORPUS / "opentelemetry-instrumentation-genai-openai@1.3b0" / "chat_stream.latest-span_and_event.traces.otlp.pb"
)
STRANGER = {
    "resourceSpans": [
        {"scopeSpans": [{"spans": [{"traceId": "ab" * 16, "spanId": "cd" * 8, "name": "GET /", "attributes": []}]}]}
    ]
}


def check(*arguments: object) -> Result:
    return CliRunner().invoke(semconv, ["check", *map(str, arguments)])


def written(folder: Path, spans: list[dict], scope: str = "app") -> Path:
    spans = [{"traceId": "ab" * 16, "spanId": "cd" * 8, "kind": 3, **span} for span in spans]
    path = folder / "x.traces.json"
    path.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"scope": {"name": scope}, "spans": spans}]}]}))
    return path


def attribute(key: str, value: str) -> dict:
    return {"key": key, "value": {"stringValue": value}}


def chat(*more: dict) -> dict:
    said = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "m"}
    return {"name": "chat m", "attributes": [*(attribute(*pair) for pair in said.items()), *more]}


def test_what_is_current_is_0_and_says_so():
    result = check(CURRENT)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1] == "Nothing found."


def test_a_violation_is_1_with_scope_place_example_and_what_to_do(tmp_path):
    result = check(written(tmp_path, [chat(attribute("gen_ai.system", "anthropic"))] * 2))
    assert result.exit_code == 1
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert lines[0].startswith("2 spans, as received, against gen-ai-dev ")
    assert lines[2:5] == [
        "app",
        "violation  deprecated-attribute  gen_ai.system  (2 items)",
        "got       anthropic",
    ]
    assert "gen_ai.provider.name" in lines[5]
    assert lines[6] == f"in        span 'chat m' {'ab' * 16}/{'cd' * 8}"
    assert lines[7] == "Set what has taken its place."
    assert lines[-1] == "2 violations and 0 pieces of advice."


def test_what_the_translation_makes_of_it_is_checked_on_demand():
    as_is, translated = check(LEGACY, "--strict"), check(LEGACY, "--translate")
    assert (as_is.exit_code, translated.exit_code) == (1, 0)
    assert translated.stdout.startswith("1 span, translated, against gen-ai-dev ")
    assert translated.stdout.splitlines()[-1] == "Nothing found."


def test_what_is_absent_at_the_source_does_not_fail_but_strictly(tmp_path):
    path = written(tmp_path, [{"name": "x", "attributes": [attribute("openinference.span.kind", "LLM")]}])
    found = json.loads(check(path, "--translate", "--json").stdout)
    assert found["totals"]["violation"] == 0 < found["totals"]["absent-at-source"]
    assert (check(path, "--translate").exit_code, check(path, "--translate", "--strict").exit_code) == (0, 1)


def test_json_is_the_same_every_time_and_complete():
    first, second = check(LEGACY, "--translate", "--json"), check(LEGACY, "--translate", "--json")
    assert first.stdout == second.stdout
    found = json.loads(first.stdout)
    assert found["schema"] == "conformance/1"
    assert found["mode"] == "translated"
    assert found["target"]["digest"].startswith("sha256:")
    assert sum(group["findings"] for group in found["findings"]) == sum(found["totals"].values())


def test_another_target_asks_for_other_things(tmp_path):
    path = written(tmp_path, [chat({"key": "gen_ai.usage.cache_creation.input_tokens", "value": {"intValue": "1"}})])
    assert check(path).exit_code == 1
    assert check(path, "--target", "core-1.41.1").exit_code == 0


@pytest.mark.parametrize(("options", "code"), [((), 0), (("--strict",), 1)])
def test_where_nothing_is_of_the_conventions_it_says_so_and_strictly_fails(tmp_path, options, code):
    path = tmp_path / "x.traces.json"
    path.write_text(json.dumps(STRANGER))
    result = check(path, *options)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (code, "Nothing here was held to the conventions.")


def test_what_cannot_be_read_is_named_and_the_rest_is_checked(tmp_path):
    (tmp_path / "broken.traces.pb").write_bytes(b"\xff\xff")
    result = check(tmp_path / "broken.traces.pb", CURRENT)
    assert result.exit_code == 1
    assert "broken.traces.pb" in result.stderr
    assert "Nothing found." in result.stdout


def test_telemetry_does_not_get_to_write_on_the_terminal(tmp_path):
    evil = "\x1b]0;owned\x07"
    path = written(tmp_path, [{**chat(attribute("gen_ai." + evil, evil)), "name": evil}], scope=evil)
    assert not {"\x1b", "\x07"} & set(check(path).stdout)
