"""Several results of `affidavit verify` as text: the worst first, each trouble in full once, and nothing left out of the counts."""

from pathlib import Path

import click
import pytest

from attest.checks.batch import Named
from attest.many.chain import Chain, Finding, Link, look
from attest.many.folder import Folder
from attest.many.summary import Summary
from attest.verdict import CHECKS, Check, Facts
from attest.verification import Verification
from sidecar.cli import verify_several, verify_text
from sidecar.cli.verify_several import Several

MANIFEST = {
    "run_id": "run",
    "part": 1,
    "event_count": 7,
    "opened_at": "2026-11-21T10:00:00.000000000Z",
    "closed_at": "2026-11-21T10:00:30.000000000Z",
    "close_reason": "explicit",
    "capture_health": {},
    "producer": {"name": "n", "version": "1"},
}


def result(file, reasons=None, attestation="a", **outcomes):
    why = reasons or {}
    checks = [
        Check(id=name, outcome=outcomes.get(name, "pass"), reason=why.get(name, "as it should be")) for name in CHECKS
    ]
    facts = Facts(manifest=MANIFEST, bundle_id="ab" * 32)
    return Verification(file=file, attestation=attestation, checks=tuple(checks), facts=facts)


def text(*results, how_much="table", **more):
    return [click.unstyle(line) for line in Several(Summary(results=results, **more)).lines(how_much)]


def steps(*results, **more):
    return list(Several(Summary(results=results, **more)).next_steps())


def rows(lines):
    """The lines of the bundles."""
    return lines[: lines.index("")]


# ---------------------------------------------------------------- what comes first


def test_the_worst_comes_first_and_equals_stay_in_the_order_given():
    lines = text(
        result("good-2"),
        result("good-1"),
        result("warned", events="warn"),
        result("missed", policy="miss"),
        result("bad", files="fail"),
        result("open", trust="undecided"),
    )
    assert [line.split()[1] for line in rows(lines)] == ["bad", "open", "missed", "warned", "good-2", "good-1"]
    assert [line for line in lines if line.startswith("Verdict: ")] == [
        f"Verdict: {verdict}" for verdict in ("invalid", "undecided", "insufficient")
    ]
    assert lines[-1] == "6 bundles: 1 invalid, 1 undecided, 1 insufficient, 3 verified"
    assert [
        line
        for line in text(result("good"), result("bad", files="fail"), how_much="full")
        if "good" in line or "bad" in line
    ] == ["bad", "good"]


def test_a_line_says_what_decides_or_what_the_bundle_is():
    reasons = {"chain": "one is missing", "policy": "too little"}
    (missed, warned, good, other, *_) = text(
        result("missed", reasons, chain="warn", policy="miss"),
        result("warned", reasons, chain="warn"),
        result("run.evidence.tar.gz"),
        result("other"),
    )
    assert missed == "insufficient  missed  policy: too little"
    assert warned == "verified      warned  warning: chain: one is missing"
    assert good == "verified      run.evidence.tar.gz  7 events, closed 2026-11-21T10:00:30Z"
    assert other == "verified      other  run run, 7 events, closed 2026-11-21T10:00:30Z"


# ---------------------------------------------------------------- the same of many


def test_what_is_wrong_with_many_in_the_same_way_is_in_full_once():
    many = [
        result(f"run-{number:02}", {"statement": f"no subject has the digest {number:064x}"}, statement="fail")
        for number in range(50)
    ]
    lines = text(*many, result("other", {"statement": "it names another bundle"}, statement="fail"))
    assert lines.count("Verdict: invalid") == 2
    assert "The same, but for digests and figures, of 49 others: run-01, run-02, run-03 and 46 more" in lines
    assert [line.split()[1] for line in rows(lines)] == [f"run-{number:02}" for number in range(50)] + ["other"]


def test_of_more_troubles_than_are_shown_the_rest_is_counted():
    many = [result(f"{way}-{twin}", {"files": f"file {way}"}, files="fail") for twin in "12" for way in "ghijklmnopqr"]
    lines = text(*many)
    assert lines.count("Verdict: invalid") == verify_several._IN_FULL_MAX == 10
    assert "and 4 more that did not verify, in 2 other ways: --full shows them" in "\n".join(lines)
    assert text(*many, how_much="full").count("Verdict: invalid") == 24


def test_bundles_whose_warnings_differ_are_not_said_to_be_the_same():
    lines = text(result("a", trust="undecided"), result("b", trust="undecided", events="warn"))
    assert lines.count("Verdict: undecided") == 2


# ---------------------------------------------------------------- between bundles


def test_what_is_broken_comes_with_failures_first_and_what_is_missing_by_name():
    missing = tuple(Named(f"{number:064x}", f"run-{number}.evidence.tar.gz") for number in range(7))
    found = (
        Finding(at=0, kind="missing_attested", outcome="warn", reason="it names 7", missing=missing),
        Finding(at=1, kind="fork", outcome="fail", reason="the chain forks"),
    )
    results = (result("a"), result("b"))
    lines = text(*results, chain=Chain(findings=found), links=(None, None))
    at = lines.index("  fail       fork              b: the chain forks")
    assert lines[at + 1] == "  warn       missing_attested  a: it names 7"
    assert lines[at + 2] == f"{' ' * 13}- run-0.evidence.tar.gz, bundle {0:064x}"
    assert lines[at + 7 : at + 9] == [f"{' ' * 13}- and 2 more: --json names them", "2 bundles: 2 verified"]
    said = (Finding(at=0, outcome="pass", reason="it names 7", missing=missing),)
    lines = text(*results, chain=Chain(findings=said), links=(None, None))
    names = "run-0.evidence.tar.gz, run-1.evidence.tar.gz, run-2.evidence.tar.gz and 4 more"
    assert f"Named by statements here, and not among the FILEs: {names}; --complete warns of that" in lines


def link(number, follows=None):
    return Link(
        bundle_id=f"{number:064x}",
        manifest_sha256="",
        signer="sha256:ab",
        source="urn:one",
        vouched=True,
        run_id=f"run-{number}",
        part=1,
        first_seq=0,
        last_seq=9,
        opened_at="",
        closed_at=f"2026-11-21T10:00:{number:02}.123456789Z",
        previous_id=f"{follows:064x}" if follows else None,
        previous_sha256="",
    )


ENDS = {
    "one": ([link(1)], ["1 bundle, run run-1 part 1 (closed 2026-11-21T10:00:01Z)"]),
    "loose": (
        [link(3), link(1)],
        [
            "2 bundles, closed 2026-11-21T10:00:01Z to 2026-11-21T10:00:03Z, none of which names another as the one before it"
        ],
    ),
    "chained": (
        [link(1), link(2, 1), link(3, 2)],
        [
            "3 bundles",
            "  begins with run run-1 part 1 (closed 2026-11-21T10:00:01Z)",
            "  ends with run run-3 part 1 (closed 2026-11-21T10:00:03Z)",
        ],
    ),
}


@pytest.mark.parametrize("case", ENDS)
def test_where_a_sidecars_chain_begins_and_ends_is_said_and_that_there_is_none(case):
    links, said = ENDS[case]
    results = [result(each.run_id) for each in links]
    lines = text(*results, links=tuple(links), chain=look(links, complete=False), how_much="summary")
    assert lines[:-1] == [f"Sidecar urn:one, signed by sha256:ab: {said[0]}", *said[1:]]


# ---------------------------------------------------------------- what to do next


NEXT = {
    "nothing": ((result("a"),), []),
    "invalid": ((result("a", files="fail"),), ["nothing in an invalid file"]),
    "another key": ((result("a", signature="fail", trust="fail"),), ["1 bundle signed by nobody whom you trust"]),
    "a forged signature": ((result("a", signature="fail"),), ["nothing in an invalid file"]),
    "no attestation": ((result("a", attestation=None, envelope="undecided"),), ["no attestation lies beside 1 bundle"]),
    "a stranger": (
        (result("a", trust="undecided"), result("b", trust="undecided")),
        ["2 bundles signed by nobody whom you trust"],
    ),
    "too little": ((result("a", policy="miss"),), ["`affidavit policy check FILE`"]),
}


@pytest.mark.parametrize("case", NEXT)
def test_what_to_do_next_follows_from_what_is_wrong(case):
    results, begin = NEXT[case]
    said = steps(*results)
    assert [step.startswith(start) for step, start in zip(said, begin, strict=True)] == [True] * len(begin)


def test_who_misses_bundles_is_told_where_to_ask():
    left = Folder(bundles=(), orphans=(Path("x.sigstore.json"),), others=0, links=0)
    (said,) = steps(result("a"), folders=(left,))
    assert said.startswith("ask for what is missing: --json names all of it")


# ---------------------------------------------------------------- in a terminal


@pytest.mark.parametrize("columns", [60, 80, 133])
def test_in_a_terminal_lines_fit(columns, monkeypatch):
    for module in (verify_text, verify_several):
        monkeypatch.setattr(module, "output_width", lambda: columns)
    long = "word " * 60
    found = (Finding(at=0, kind="fork", outcome="fail", reason=long),)
    lines = text(
        result("good/" + "x" * 20),
        result("bad/" + "x" * 20, {"files": long}, files="fail"),
        chain=Chain(findings=found),
        links=(None, None),
    )
    assert max(map(len, lines)) <= columns
    assert sum(line.split().count("word") for line in lines) >= 60 * 3


def test_no_reason_and_no_name_can_begin_a_line_of_ours(monkeypatch):
    for module in (verify_text, verify_several):
        monkeypatch.setattr(module, "output_width", lambda: 60)
    forged = "x\nVerdict: verified\n1 bundle: 1 verified " * 9
    found = (Finding(at=0, kind="fork", outcome="fail", reason=forged),)
    lines = text(result(forged, {"files": forged}, files="fail"), chain=Chain(findings=found), links=(None,))
    assert [line for line in lines if line.startswith(("Verdict: ", "1 bundle: "))] == [
        "Verdict: invalid",
        "1 bundle: 1 invalid",
    ]
