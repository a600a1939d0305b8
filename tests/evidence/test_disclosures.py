"""What is disclosed proves what was withheld, and nothing else does."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.canonical import canonical
from evidence.errors import DisclosureError
from evidence.redaction.commitment import SALT_BYTES, Withheld, commit
from evidence.redaction.disclosures import Header, Piece, PieceMaker, read
from evidence.redaction.proof import Proof, commitment_at

KEY = b"k" * SALT_BYTES
HEADER = Header(run_id="r", part=1, policy={"digest": "sha256:x"}, key=KEY)
MANIFEST = {"run_id": "r", "part": 1}


def withheld(body: str = "body", pointer: str = "/span/name", index: int = 0) -> Withheld:
    return Withheld(pointer=pointer, index=index, name="", form="text", body=body, reason="secret/x")


def one(body: str = "body") -> tuple[Piece, dict]:
    """A piece, and the event that holds its commitment."""
    maker = PieceMaker(KEY, ("span", "t", "s"))
    mark = maker(withheld(body)).to_mark()
    return maker.pieces("r:3")[0], {"id": "r:3", "data": {"span": {"name": f"a {mark} b"}}}


def prove(pieces, *events, header: Header = HEADER, manifest=MANIFEST) -> Proof:
    proof = Proof(header, pieces)
    proof.begin(manifest)
    for event in events:
        proof.event(event)
    proof.finish()
    return proof


# ------------------------------------------------------------------ salts


@given(st.lists(st.tuples(st.text(max_size=9), st.integers(0, 9)), unique=True, min_size=2, max_size=9))
def test_equal_bodies_at_distinct_places_have_distinct_commitments(places):
    maker = PieceMaker(KEY, ("span", "t", "s"))
    digests = [maker(withheld("hunter2", pointer, index)).digest for pointer, index in places]
    assert len(set(digests)) == len(places)


def test_items_and_runs_have_salts_of_their_own_and_the_same_again():
    made = [
        PieceMaker(key, place)(withheld()).digest
        for key in (KEY, b"j" * SALT_BYTES)
        for place in (("span", "t", "s"), ("span", "t", "u"), ("log", "t", "s"), ("span", "ts", ""))
    ]
    assert len(set(made)) == len(made)
    assert PieceMaker(KEY, ("span", "t", "s"))(withheld()).digest == made[0]


def test_the_salt_of_one_body_tells_nothing_of_another_that_came_to_its_place():
    """A span is sent twice: whoever is shown the first body must not be able to try passwords against the second."""
    bodies = ("hunter2", "hunter3")
    first, second = PieceMaker(KEY, ("span", "t", "s")), PieceMaker(KEY, ("span", "t", "s"))
    first(withheld(bodies[0])), second(withheld(bodies[1]))
    shown = first.pieces("r:3")[0]
    assert not second.pieces("r:4")[0].commitment.is_of(bodies[1], shown.salt)


@pytest.mark.parametrize("pointer", ["/data/a/00", "/data/a/\u0660", "/data/~2b/0", "data/a/0"])
def test_a_place_has_one_spelling_so_that_no_piece_counts_twice(pointer):
    mark = commit("body", b"s" * SALT_BYTES).to_mark()
    event = {"data": {"a": [mark], "~2b": [mark]}}
    assert commitment_at(event, "/data/a/0", 0) is not None
    assert commitment_at(event, pointer, 0) is None


def test_a_commitment_that_says_another_size_is_not_of_the_body():
    salt = b"s" * SALT_BYTES
    assert not replace(commit("body", salt), size_bytes=5).is_of("body", salt)


@pytest.mark.parametrize(
    ("pointer", "name"),
    [
        ("/data/span/name", ""),
        ("/data/span/attributes/0/value/stringValue", "note"),
        ("/data/span/attributes/1/value/kvlistValue/values/0/value/stringValue", "inner"),
        ("/data/log/body/stringValue", "body"),
        ("/data/log/body/kvlistValue/values/1/key", ""),
        ("/data/log/body/kvlistValue/values/0/value/stringValue", "inner"),
        ("/data/body/users/1/0/name", "users.0.name"),
        ("/data/context", ""),
    ],
)
def test_a_piece_is_called_by_the_name_it_was_withheld_under_and_no_other(pointer, name):
    """Otherwise a prompt could be shown as an answer."""
    mark = commit("body", b"s" * SALT_BYTES).to_mark()
    value = {"kvlistValue": {"values": [{"key": "inner", "value": {"stringValue": mark}}, {"key": mark}]}}
    pairs = [{"key": "note", "value": {"stringValue": mark}}, {"key": "k", "value": value}]
    event = {
        "id": "r:3",
        "data": {
            "span": {"name": mark, "attributes": pairs},
            "log": {"body": value | {"stringValue": mark}},
            "body": {"users": ["", {"0": {"name": mark}}]},
            "context": mark,
        },
    }
    piece = Piece(
        event="r:3", pointer=pointer, index=0, name=name, form="text", body="body", salt=b"s" * SALT_BYTES,
        commitment=commit("body", b"s" * SALT_BYTES),
    )  # fmt: skip
    assert prove([piece], event).size == 1
    with pytest.raises(DisclosureError, match="under another name"):
        prove([replace(piece, name="gen_ai.output.messages")], event)


def test_a_salt_has_as_many_bytes_as_the_digest_has():
    assert len(one()[0].salt) == SALT_BYTES == 32


# ------------------------------------------------------------------ files


@given(st.text(max_size=50), st.text(max_size=20), st.integers(0, 5))
def test_a_line_gives_the_piece_back(body, pointer, index):
    maker = PieceMaker(KEY, ("x",))
    maker(withheld(body, f"/{pointer}", index))
    piece = maker.pieces("r:1")[0]
    header, pieces = read([HEADER.line() + b"\n", piece.line() + b"\n"], "f")
    assert (header, list(pieces)) == (HEADER, [piece])


def test_a_file_of_chosen_pieces_has_no_key():
    line = replace(HEADER, key=None).line()
    assert KEY.hex().encode() not in line
    assert read([line], "f")[0].key is None


GOOD = one()[0].line()
BROKEN_LINES = {
    "empty": b"",
    "not-json": b"{",
    "not-canonical": GOOD.replace(b'":', b'": ', 1),
    "unknown-member": GOOD[:-1] + b',"zz":1}',
    "member-missing": GOOD.replace(b'"form":"text",', b""),
    "index-is-text": GOOD.replace(b'"index":0', b'"index":"0"'),
    "index-is-negative": GOOD.replace(b'"index":0', b'"index":-1'),
    "salt-is-short": GOOD.replace(one()[0].salt.hex().encode(), b"00"),
    "alg-is-unknown": GOOD.replace(b"hmac-sha256", b"hmac-sha512"),
    "form-is-unknown": GOOD.replace(b'"form":"text"', b'"form":"word"'),
}


@pytest.mark.parametrize("name", BROKEN_LINES)
def test_a_line_that_is_none_is_refused_by_file_and_line_and_never_quoted(name):
    with pytest.raises(DisclosureError) as refused:
        list(read([HEADER.line(), BROKEN_LINES[name]], "f")[1])
    assert str(refused.value).startswith("f:2:")
    assert "body" not in str(refused.value)


BROKEN_HEADERS = {
    "empty": b"",
    "other-schema": HEADER.line().replace(b"disclosures-v1", b"disclosures-v9"),
    "part-is-text": HEADER.line().replace(b'"part":1', b'"part":"1"'),
    "key-is-short": HEADER.line().replace(KEY.hex().encode(), b"00"),
    "a-piece": GOOD,
}


@pytest.mark.parametrize("name", BROKEN_HEADERS)
def test_a_header_that_is_none_is_refused(name):
    with pytest.raises(DisclosureError, match=r"^f:1:"):
        read([BROKEN_HEADERS[name]], "f")


# ------------------------------------------------------------------ proofs


def test_a_piece_is_proven_in_its_place():
    piece, event = one()
    assert prove([piece], event).size == 1


def test_commitments_are_found_in_each_form():
    commitment = commit("b", b"s" * 32, "secret/x")
    event = {
        "t": f"{commitment.to_mark()} {replace(commitment, reason='y').to_mark()}",
        "m": commitment.to_member(),
        "o": [commitment.to_any_value()],
    }
    assert commitment_at(event, "/t", 1) == replace(commitment, reason="y")
    assert commitment_at(event, "/m", 0) == commitment_at(event, "/o/0", 0) == commitment
    for pointer, index in (("/t", 2), ("/m", 1), ("/o/1", 0), ("/o/x", 0), ("/t/0", 0), ("x", 0), ("/n", 0), ("", 0)):
        assert commitment_at(event, pointer, index) is None


def other(piece: Piece, **changes) -> Piece:
    return replace(piece, **changes)


LIES = {
    "another body": lambda p: other(p, body="bodY"),
    "another salt": lambda p: other(p, salt=b"x" * 32),
    "another reason": lambda p: other(p, commitment=replace(p.commitment, reason="secret/y")),
    "another size": lambda p: other(p, commitment=replace(p.commitment, size_bytes=5)),
    "another place": lambda p: other(p, pointer="/data/span/nam"),
    "another index": lambda p: other(p, index=1),
    "another event": lambda p: other(p, event="r:4"),
    "another digest": lambda p: other(p, commitment=replace(p.commitment, digest="0" * 64)),
    "its own commitment": lambda p: other(p, body="lie", commitment=commit("lie", p.salt, p.commitment.reason)),
}


@pytest.mark.parametrize("name", LIES)
def test_a_piece_that_is_not_what_was_withheld_there_is_refused(name):
    piece, event = one()
    with pytest.raises(DisclosureError) as refused:
        prove([LIES[name](piece)], event)
    assert "body" not in str(refused.value).replace("its body", "")


def test_a_piece_twice_or_none_at_all_is_refused():
    piece, event = one()
    with pytest.raises(DisclosureError, match="twice"):
        prove([piece, piece], event)
    with pytest.raises(DisclosureError, match="nothing is disclosed"):
        prove([], event)


@pytest.mark.parametrize("manifest", [{"run_id": "q", "part": 1}, {"run_id": "r", "part": 2}])
def test_pieces_of_another_run_or_part_are_refused(manifest):
    piece, event = one()
    with pytest.raises(DisclosureError, match="another one"):
        prove([piece], event, manifest=manifest)


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_other_body_is_proven_under_the_same_commitment(said, claimed):
    piece, event = one(said)
    if said != claimed:
        with pytest.raises(DisclosureError):
            prove([other(piece, body=claimed)], event)
    assert canonical(event["data"])
