"""The check `disclosed`: made only when a file is given, and passed by nothing but what was withheld."""

import pytest

from attest.errors import DisclosedFileError
from attest.limits import AttestLimits
from attest.trust.trust import Trust
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


NO_DISCLOSURES = {
    "empty": (b"", "an empty file"),
    "gzip": (b"\x1f\x8b\x08\x00 the body", "a gzip file, such as a bundle"),
    "key": (b"-----BEGIN PRIVATE KEY----- the body", "a PEM file, such as a key"),
    "binary": (b"\x00\xff the body", "not lines of canonical JSON"),
    "list": (b"[]\n{", "not lines of canonical JSON"),
    "object": (b"{}\n", "a JSON object that does not say what it is"),
    "attestation": (b'{"mediaType":"application/x"}\n', "JSON of the type 'application/x'"),
    "header-alone": (b'{"schema_version":"disclosures-v1"}\n', "the file is disclosures"),
}


@pytest.mark.parametrize("kind", NO_DISCLOSURES)
def test_a_file_that_is_none_is_the_callers_mistake_and_it_is_said_what_it_is(case, trust, tmp_path, kind):
    data, said = NO_DISCLOSURES[kind]
    path = tmp_path / "d"
    path.write_bytes(data)
    with pytest.raises(DisclosedFileError) as raised:
        verify_file(case.path, trust=trust, disclosed=path)
    assert said in str(raised.value)
    assert "the body" not in str(raised.value)


def test_a_piece_that_is_none_is_the_callers_mistake_with_its_line(case, trust, tmp_path):
    path = a_file(tmp_path / "d")
    path.write_bytes(path.read_bytes() + b"{}\n")
    with pytest.raises(DisclosedFileError, match="d:3: .*expected"):
        verify_file(case.path, trust=trust, disclosed=path)


def test_a_file_that_cannot_be_read_or_is_too_large_is_the_callers_mistake(case, trust, tmp_path):
    with pytest.raises(DisclosedFileError, match="cannot be read"):
        verify_file(case.path, trust=trust, disclosed=tmp_path / "none")
    large = a_file(tmp_path / "d")
    with pytest.raises(DisclosedFileError, match="at most 10 are read"):
        verify_file(case.path, trust=trust, disclosed=large, attest_limits=AttestLimits(disclosed_bytes_max=10))


def test_without_a_file_the_check_is_skipped_and_the_bundle_stands(case, trust):
    result = verify_file(case.path, trust=trust)
    assert (result.check("disclosed").outcome, result.check("disclosed").reason) == ("skip", "none was given")
    assert result.verdict == "verified"
