"""The table of threats: the tests it names exist, the document and the second line are made of it, and more proof never shows less."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attest.attestation.sigstore_bundle import SigstoreBundle
from attest.checks.key import judge_key
from attest.checks.material import Dated, Stamps
from attest.dsse import Envelope
from attest.keys import generate
from attest.threats import INTACT, LIARS, nevers, standings
from attest.trust.trust import Trust, TrustedKey
from attest.verdict import CHECKS, Check, Facts, ProvenTime, SignedBy
from tests.attest import lines, world
from tests.tools.threats import threat_model

TESTS = Path(__file__).parents[1]
ROWS = [row for liar in LIARS for row in liar.defences]


def test_the_two_lines_for_every_kind_of_verdict_are_the_golden_ones():
    assert lines.text() == lines.GOLDEN.read_text(), "run `python -m tests.attest.lines` and look at the difference"


def test_the_document_is_made_of_the_table():
    document = TESTS.parent / "docs" / "threat-model.md"
    assert document.read_text() == threat_model(), "run `python -m tests.tools.generated --write`"


@pytest.mark.parametrize("liar", LIARS, ids=lambda liar: liar.id)
def test_every_test_that_a_liars_rows_name_exists(liar):
    for row in liar.defences:
        assert row.tests
        for name in row.tests:
            file, _, test = name.partition("::")
            tree = ast.parse((TESTS / file).read_text())
            assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, name


def test_every_check_is_a_ground_against_somebody():
    grounds = {ground for row in ROWS for ground in row.grounds} | set(INTACT)
    assert set(CHECKS) <= grounds


def test_each_clause_is_said_once():
    clauses = [clause for row in ROWS for clause in (row.shown, row.open) if clause] + list(nevers())
    assert len(set(clauses)) == len(clauses)


# ------------------------------------------------------------------ what is said follows from what was checked

_OUTCOMES = st.sampled_from(["pass", "warn", "skip", "undecided"])
_facts = st.builds(
    lambda key, second, times, witnesses, uncounted: Facts(
        manifest={**lines._MANIFEST, "capture_health": {"sender_uncounted": uncounted}},
        signer=SignedBy(key="1") if key else SignedBy(identity="i", issuer="u"),
        signers=(SignedBy(key="1"), SignedBy(key="2")) if second else (SignedBy(key="1"),),
        times=tuple(ProvenTime(time="t", source="rfc3161", by=str(number)) for number in range(times)),
        log_witnesses=("w",) * witnesses,
    ),
    st.booleans(), st.booleans(), st.integers(0, 2), st.integers(0, 1), st.booleans(),
)  # fmt: skip


def _made(outcomes):
    return [Check(id=name, outcome=outcome, reason="r") for name, outcome in zip(CHECKS, outcomes, strict=True)]


@given(st.lists(_OUTCOMES, min_size=len(CHECKS), max_size=len(CHECKS)), st.sampled_from(CHECKS), _facts)
def test_one_more_check_that_passes_never_shows_less(outcomes, more, facts):
    """Law: shown against each liar is monotone in what passed."""
    before = _made(outcomes)
    after = [replace(check, outcome="pass") if check.id == more else check for check in before]
    for less, greater in zip(standings(before, facts), standings(after, facts), strict=True):
        assert set(less.shown) <= set(greater.shown)


@given(st.lists(_OUTCOMES, min_size=len(CHECKS), max_size=len(CHECKS)), _facts)
def test_nothing_is_shown_and_open_at_once_and_nothing_shown_without_all_of_its_grounds(outcomes, facts):
    checks = _made(outcomes)
    passed = {check.id for check in checks if check.outcome == "pass"}
    for liar, standing in zip(LIARS, standings(checks, facts), strict=True):
        for row in liar.defences:
            assert not (row.shown in standing.shown and row.open in standing.open)
            if row.shown and row.shown in standing.shown:
                assert set(row.grounds) & set(CHECKS) <= passed


def test_without_any_check_nothing_is_shown():
    assert [standing.shown for standing in standings([], Facts())] == [()] * len(LIARS)


_ANY = st.sampled_from(["pass", "warn", "skip", "miss", "undecided", "fail"])


@given(st.lists(_ANY, min_size=len(CHECKS), max_size=len(CHECKS)), _facts)
def test_the_second_line_is_in_the_words_of_the_table_and_never_leaves_out_what_nothing_shows(outcomes, facts):
    result = lines.verification(facts, **dict(zip(CHECKS, outcomes, strict=True)))
    for clause in nevers():
        assert clause in result.assurance
    standing = standings(result.checks, facts)
    for clause in (clause for each in standing for clause in each.open):
        assert (clause in result.assurance) == (result.verdict != "invalid")
    for clause in (clause for each in standing for clause in each.shown):
        assert (clause in result.assurance) == (result.verdict != "invalid")


def test_a_file_that_floods_the_line_does_not_push_the_limits_out_of_it():
    loud = {**lines._MANIFEST, "producer": {"name": "x" * 50_000, "version": "1"}}
    result = lines.verification(lines.facts(manifest=loud))
    assert len(result.assurance) < 4_100
    assert all(clause in result.assurance for clause in nevers())
    assert " Not shown: " in result.assurance


# ------------------------------------------------------------------ keys in time

_REVOKED = "2026-11-21T12:00:00.000000000Z"


@pytest.mark.parametrize(
    ("time", "outcome"),
    [
        (None, "undecided"),
        ("2026-11-21T11:59:59.999999999Z", "pass"),
        (_REVOKED, "fail"),
        ("2026-11-21T12:00:01.000000000Z", "fail"),
    ],
    ids=["no-proven-time", "proven-before", "at-that-moment", "proven-after"],
)
def test_a_key_revoked_later_leaves_what_was_proven_before_and_nothing_else(time, outcome):
    key = generate("ed25519")
    envelope = Envelope(payload_type="t", payload=b"{}", signatures=())
    signed = replace(envelope, signatures=(world._sign(key, envelope.pae()),))
    trust = Trust(keys=(TrustedKey(public=key.public, revoked_at=_REVOKED),))
    times = (ProvenTime(time=time, source="rfc3161", by="tsa"),) if time else ()
    judged = judge_key(
        SigstoreBundle(hint=key.public.fingerprint, envelope=signed), trust, Dated(stamps=Stamps(times=times))
    )
    assert (judged.signature.outcome, judged.trust.outcome) == ("pass", outcome)
