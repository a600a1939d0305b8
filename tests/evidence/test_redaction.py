"""Of what a policy names nothing is left, and what is left has its shape."""

import base64
import hashlib
import hmac

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.errors import PackError
from evidence.redaction.commitment import MARK, Commitment, commit, marks, read_member
from evidence.redaction.detectors import findings
from evidence.redaction.disclosures import PieceMaker
from evidence.redaction.policy import Policy, default_policy, read_policy
from evidence.redaction.proof import commitment_at
from evidence.redaction.redaction import Also, Redaction
from tests.evidence.secret_examples import found

SIGNALS = ("llm_io_bodies", "tool_io_bodies")
SECRETS_ONLY = default_policy()
TEXTS = st.sampled_from([each.text for each in found()])
RANDOM = "aB3xK9mQ" + "2vR7tY5p"
FORGED = Commitment(alg="hmac-sha256", digest="0" * 64, size_bytes=7, reason="x").to_mark()


def policy(text: str) -> Policy:
    return read_policy(f"id: p\nversion: '1'\n{text}\n".encode(), "p.yaml", SIGNALS)


class Kept(list):
    """Commits under one salt and keeps what was withheld."""

    def __call__(self, piece) -> Commitment:
        self.append(piece)
        return commit(piece.body, b"s" * 32, piece.reason)


def redacted(item, of: Policy = SECRETS_ONLY, also: Also | None = None):
    kept = Kept()
    redaction = Redaction(of, kept, also) if also else Redaction(of, kept)
    return redaction.telemetry(item, "/span"), kept


def attribute(key: str, value: dict) -> dict:
    return {"attributes": [{"key": key, "value": value}]}


# ------------------------------------------------------------------ secrets


@pytest.mark.parametrize("example", found(), ids=lambda each: each.detector)
def test_of_a_secret_nothing_is_left_and_a_second_look_finds_none(example):
    made, kept = redacted(attribute("note", {"stringValue": f"before {example.text}"}))
    text = made["attributes"][0]["value"]["stringValue"]
    assert example.secret not in text
    assert list(findings(text)) == []
    assert [(each.reason, each.digest) for each in marks(text)] == [
        (piece.reason, commit(piece.body, b"s" * 32).digest) for piece in kept
    ]


@given(TEXTS, TEXTS)
def test_what_is_left_of_a_text_and_what_was_withheld_make_the_text(first, second):
    original = f"{first} ; {second}"
    made, kept = redacted({"name": original})
    parts = MARK.split(made["name"])[:: MARK.groups + 1]
    assert len(parts) == len(kept) + 1
    assert (
        "".join(left + piece.body for left, piece in zip(parts, [*kept, None], strict=True) if piece) + parts[-1]
        == original
    )


@pytest.mark.parametrize(
    "value",
    [
        {"stringValue": "hunter2"},
        {"arrayValue": {"values": [{"stringValue": "hunter2"}]}},
        {"kvlistValue": {"values": [{"key": "password", "value": {"stringValue": "hunter2"}}]}},
        {"intValue": "1234567"},
        {"doubleValue": 12345.5},
    ],
)
def test_what_stands_behind_a_name_for_a_password_is_withheld_whole_whatever_it_is(value):
    made, kept = redacted(attribute("db.password", value))
    assert b"hunter2" not in orjson.dumps(made)
    assert b"12345" not in MARK.sub("", orjson.dumps(made).decode()).encode()
    assert [piece.reason for piece in kept] == ["secret/named_password"]


def test_bytes_with_a_secret_in_them_are_withheld_whole():
    encoded = base64.b64encode(b"\xff\x00" + found()[0].text.encode()).decode()
    made, kept = redacted(attribute("raw", {"bytesValue": encoded}))
    assert list(marks(made["attributes"][0]["value"]["stringValue"]))
    assert kept[0].form == "otlp"
    assert orjson.loads(kept[0].body) == {"bytesValue": encoded}


def test_a_text_that_was_json_is_json_afterwards_or_withheld_whole():
    inside, _ = redacted({"name": '{"a": "' + found()[0].secret + '", "b": 1}'})
    assert orjson.loads(inside["name"])["b"] == 1
    number, kept = redacted({"name": '{"password": 12345678, "b": 1}'})
    assert MARK.fullmatch(number["name"])
    assert kept[0].body == '{"password": 12345678, "b": 1}'


def test_ids_times_and_numbers_stay_as_they_are():
    item = {"traceId": "4111111111111111" * 2, "spanId": "4111111111111111", "startTimeUnixNano": "4111111111111111"}
    made, kept = redacted(item, policy("data_classes: [credit_card, phone]"))
    assert made is item
    assert kept == []


@given(
    st.recursive(
        st.text(max_size=6) | st.integers(0, 9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    )
)
def test_what_nothing_is_withheld_of_is_given_back_as_it_is(value):
    kept = Kept()
    assert Redaction(SECRETS_ONLY, kept).plain({"x": value}, "/body") == {"x": value}
    assert kept == []


# ------------------------------------------------------------------ plain JSON


def test_a_member_is_replaced_by_its_commitment_and_a_text_by_marks():
    body = {"customer": {"name": "Ada", "n": 7}, "note": f"key {found()[0].text}"}
    kept = Kept()
    made = Redaction(policy("keys: [customer]"), kept).plain(body, "/body")
    assert read_member(made["customer"]).reason == "key/customer"
    assert {piece.form: piece.pointer for piece in kept} == {"json": "/body/customer", "text": "/body/note"}
    assert orjson.loads(kept[0].body) == body["customer"]
    assert len(list(marks(made["note"]))) == 1


def test_an_object_whose_member_is_named_by_a_secret_is_withheld_whole():
    made = Redaction(SECRETS_ONLY, Kept()).plain({"a": {found()[0].secret: 1}}, "/body")
    assert read_member(made["a"])


def test_pointers_escape_the_names_of_members():
    kept = Kept()
    Redaction(SECRETS_ONLY, kept).plain({"a/b": {"~": found()[0].text}}, "/body")
    assert kept[0].pointer == "/body/a~1b/~0"


# ------------------------------------------------------------------ keys, classes, and what others say


@pytest.mark.parametrize(
    ("pattern", "key", "is_withheld"),
    [
        ("http.request.header.*", "http.request.header.x", True),
        ("HTTP.request.*", "http.REQUEST.body", True),
        ("user.email", "user.email", True),
        ("user.email", "user.email.domain", False),
        ("*secret*", "my.secret.thing", True),
    ],
)
def test_what_stands_under_a_key_is_withheld_whole(pattern, key, is_withheld):
    item = attribute(key, {"kvlistValue": {"values": [{"key": "x", "value": {"boolValue": True}}]}})
    made, kept = redacted(item, policy(f"secrets: false\nkeys: ['{pattern}']"))
    assert (made is not item) == is_withheld
    assert [piece.form for piece in kept] == ["otlp"] * is_withheld


def test_data_classes_are_found_only_when_they_are_named():
    item = {"name": "mail ada@example.org or 10.0.0.1"}
    assert redacted(item)[0] is item
    made, kept = redacted(item, policy("data_classes: [email]"))
    assert "ada@" not in made["name"]
    assert "10.0.0.1" in made["name"]
    assert [piece.reason for piece in kept] == ["data/email"]


def test_what_else_is_to_go_goes_by_place_and_by_text():
    item = {"name": "say the words", "attributes": [{"key": "k", "value": {"intValue": "7"}}]}
    also = Also(values={"/span/attributes/0/value": "signal/x"}, texts={"the words": "signal/y"})
    made, kept = redacted(item, policy("secrets: false\nsignals: [llm_io_bodies]"), also)
    assert {piece.reason: piece.body for piece in kept} == {"signal/y": "the words", "signal/x": '{"intValue":"7"}'}
    assert "words" not in made["name"]


@given(st.text(max_size=20), st.text(max_size=20))
def test_overlapping_texts_leave_nothing_of_either_between_them(left, right):
    text = f"<{left}{right}{left}>"
    also = Also(texts=dict.fromkeys(filter(None, (left + right, right + left)), "signal/x"))
    made, _ = redacted({"name": text}, policy("secrets: false\nsignals: [llm_io_bodies]"), also)
    rest = MARK.sub("\0", made["name"])
    assert all(each not in rest for each in also.texts)


# ------------------------------------------------------------------ policies


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("secrets: false", "withholds nothing"),
        ("key: [x]", "unknown key 'key'"),
        ("signals: [sampling_params]", "one of llm_io_bodies"),
        ("data_classes: [emails]", "expected one of"),
        ("keys: []", "at least one"),
        ("secrets: maybe", "true or false"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused_with_its_line(text, expected):
    with pytest.raises(PackError, match=expected) as refused:
        policy(text)
    assert str(refused.value).startswith("p.yaml:")


def test_a_policys_digest_changes_with_whatever_it_says():
    texts = ["secrets: true", "keys: [a]", "keys: [b]", "keys: [a]\nsecrets: false", "data_classes: [email]"]
    assert len({policy(text).digest for text in texts}) == len(texts)


def test_the_mark_is_an_hmac_that_anyone_can_make_again():
    mark = next(marks(f"x {commit('body', b'k' * 32, 'secret/x').to_mark()} y"))
    assert mark.digest == hmac.new(b"k" * 32, b"body", hashlib.sha256).hexdigest()
    assert (mark.alg, mark.size_bytes, mark.reason) == ("hmac-sha256", 4, "secret/x")
    assert orjson.dumps(mark.to_mark()) == f'"{mark.to_mark()}"'.encode(), "it needs no escape"


def test_a_mark_that_the_sender_wrote_does_not_shift_the_place_of_ours():
    """Otherwise a sender could keep what is disclosed from being proven."""
    text = f"{FORGED} then token={RANDOM} and {FORGED} and token={RANDOM}"
    made = PieceMaker(b"k" * 32, ("x",))
    left = Redaction(SECRETS_ONLY, made).text(text, "/text")
    pieces = made.pieces("r:1")
    assert [piece.index for piece in pieces] == [1, 3]
    for piece in pieces:
        assert commitment_at({"data": {"text": left}}, piece.pointer, piece.index) == piece.commitment


@pytest.mark.parametrize(
    "text", ["cookie: a={}; session={}", 'password="{} {}"', "password={}{}", "https://u:{}{}@host/"]
)
def test_a_mark_beside_a_secret_does_not_hide_it(text):
    for before in (FORGED, "affidavit.redacted"):
        left = Redaction(SECRETS_ONLY, Kept()).text(text.format(before, RANDOM), "/text")
        assert RANDOM not in left
        assert list(findings(left)) == []


def test_of_a_text_full_of_secrets_nothing_stays_and_one_mark_stands_for_it():
    made = PieceMaker(b"k" * 32, ("x",))
    left = Redaction(SECRETS_ONLY, made).text("pass=ab1cd " * 5000, "/text")
    assert len(made) == 1
    assert MARK.fullmatch(left)


def test_a_long_text_that_goes_is_known_by_its_head_and_takes_along_what_stands_behind_it():
    """It may be cut off where it is repeated, and to look for all of it everywhere would take forever."""
    body = "word " * 100
    made, _ = redacted(
        {"name": f"in {body[:90]} and so on"}, policy("signals: [llm_io_bodies]"), Also(texts={body: "x"})
    )
    assert MARK.sub("", made["name"]) == "in "


@given(st.lists(st.text("ab", min_size=1, max_size=6), min_size=1, max_size=5), st.text("abc", max_size=40))
def test_whatever_texts_go_none_of_them_is_left(texts, text):
    made, kept = redacted({"name": text}, policy("signals: [llm_io_bodies]"), Also(texts=dict.fromkeys(texts, "x")))
    assert not any(part in stretch for stretch in MARK.split(made["name"])[::5] for part in texts)
    assert bool(kept) == any(part in text for part in texts)


def test_a_piece_is_not_called_by_the_secret_in_its_key():
    """Whoever is shown the value must not be told what was withheld of its key."""
    item = attribute(f"token={RANDOM} password", {"stringValue": "hunter2"})
    made, kept = redacted(item)
    assert not any(RANDOM in piece.name for piece in kept)
    assert kept[-1].name == made["attributes"][0]["key"]
