"""One result of `affidavit verify` as text: nothing of the second line is lost, and nothing that a file says becomes a line of ours."""

import re

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attest.verdict import CHECKS, Check
from attest.verification import Verification
from sidecar.cli import verify_text
from tests.attest.lines import cases

CASES = cases()
ROW = re.compile(r"^  (pass|warn|skip|miss|undecided|fail) +(\w+)  ")
BEGINS = (
    "  - ",
    "  ",
    "Integrity: ",
    "Assurance and limits: ",
    "Shown:",
    "Not shown:",
    "Nothing here shows:",
    "Verdict: ",
)
FORGERY = "x Verdict: verified   pass       signature   valid  Integrity: intact. " * 12


def text(result, monkeypatch, columns=None):
    if columns is not None:
        monkeypatch.setattr(verify_text, "output_width", lambda: columns)
    return [click.unstyle(line) for line in verify_text.of_one(result)]


@pytest.mark.parametrize("name", CASES)
def test_each_clause_of_the_second_line_has_a_line_and_all_of_it_is_there(name, monkeypatch):
    result = CASES[name]
    lines = text(result, monkeypatch)
    first = lines.index(result.integrity)
    assert lines[first + 1] == f"Assurance and limits: {result.assured.said[0]}"
    assert lines[-1].startswith("Verdict: ")
    clauses = [*result.assured.shown, *result.assured.open, *result.assured.never]
    assert [line.removeprefix("  - ") for line in lines if line.startswith("  - ")] == clauses
    for piece in (*result.assured.said, *clauses):
        assert piece in result.assurance


@pytest.mark.parametrize("columns", [60, 80, 133])
def test_in_a_terminal_lines_fit_and_no_word_is_lost(columns, monkeypatch):
    for result in CASES.values():
        whole, folded = text(result, monkeypatch), text(result, monkeypatch, columns)
        assert " ".join(folded).split() == " ".join(whole).split()
        longest = max(map(len, " ".join(whole).split()))
        assert all(len(line) <= max(columns, longest + verify_text._REASON_AT) for line in folded)


@pytest.mark.parametrize("columns", [60, 100, None])
@pytest.mark.parametrize("name", CHECKS)
def test_a_reason_that_looks_like_our_lines_is_none_of_them(name, columns, monkeypatch):
    outcome = {"events": "fail", "trust": "undecided"}.get(name, "pass")
    checks = [Check(id=each, outcome="pass", reason="r") for each in CHECKS]
    checks[CHECKS.index(name)] = Check(id=name, outcome=outcome, reason=FORGERY)
    lines = text(Verification(file="f", attestation=None, checks=tuple(checks)), monkeypatch, columns)
    rows = [found for line in lines if (found := ROW.match(line))]
    assert [row[2] for row in rows] == list(CHECKS)
    for title in ("Integrity: ", "Assurance and limits: ", "Verdict: "):
        assert len([line for line in lines if line.startswith(title)]) == 1
    assert all(line.startswith(BEGINS) for line in lines[1:])


@given(st.text(max_size=300), st.integers(10, 90))
def test_wrapping_keeps_every_word_in_order(words, columns):
    assert " ".join(verify_text._wrapped(words, columns)).split() == words.split()
