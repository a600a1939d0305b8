"""The check `disclosed`: made only when a file is given, and passed by nothing but what was withheld."""

import pytest

from attest.limits import AttestLimits
from attest.trust import Trust
from attest.verify import verify_file
from evidence.redaction.commitment import Withheld
from evidence.redaction.disclosures import Header, PieceMaker
from tests.attest import world


@pytest.fixture(scope="module")
def case(tmp_path_factory, key):
    facts = world.seal_run(tmp_path_factory.mktemp("good"))
    return world.Case(facts=facts, attestation=world.attest(key, facts), key=key)


@pytest.fixture(scope="module")
def trust(key):
    return Trust.of(key.public)


def a_file(path, *, run_id: str = "run-1", part: int = 1, event: str = "run-1:0"):
    maker = PieceMaker(b"k" * 32, ("x",))
    maker(Withheld(pointer="/reason", index=0, name="", form="text", body="the body", reason="r"))
    header = Header(run_id=run_id, part=part, policy={"digest": "d"})
    path.write_bytes(b"\n".join([header.line(), maker.pieces(event)[0].line()]) + b"\n")
    return path


def answer(case, trust, path, **options) -> tuple[str, str]:
    result = verify_file(case.path, trust=trust, disclosed=path, **options)
    check = result.check("disclosed")
    assert "the body" not in check.reason
    return check.outcome, result.verdict


@pytest.mark.parametrize(
    "what",
    [
        {},
        {"event": "run-1:99"},
        {"run_id": "run-2"},
        {"part": 2},
    ],
    ids=["nothing-withheld-there", "no-such-event", "another-run", "another-part"],
)
def test_pieces_that_are_not_of_the_bundle_fail(case, trust, tmp_path, what):
    assert answer(case, trust, a_file(tmp_path / "d", **what)) == ("fail", "invalid")


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00\xff", b"{}\n", b"[]\n{", b'{"schema_version":"disclosures-v1"}\n'],
    ids=["empty", "binary", "object", "list", "header-alone"],
)
def test_a_file_that_is_none_fails(case, trust, tmp_path, data):
    path = tmp_path / "d"
    path.write_bytes(data)
    assert answer(case, trust, path) == ("fail", "invalid")


def test_a_file_that_cannot_be_read_leaves_it_undecided(case, trust, tmp_path):
    assert answer(case, trust, tmp_path / "none") == ("undecided", "undecided")
    large = a_file(tmp_path / "d")
    assert answer(case, trust, large, attest_limits=AttestLimits(disclosed_bytes_max=10)) == ("undecided", "undecided")


def test_without_a_file_the_check_is_skipped_and_the_bundle_stands(case, trust):
    result = verify_file(case.path, trust=trust)
    assert (result.check("disclosed").outcome, result.check("disclosed").reason) == ("skip", "none was given")
    assert result.verdict == "verified"
