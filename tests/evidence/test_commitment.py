"""A commitment in place of a body: read back as written, and whatever only looks like one is none."""

import pytest

from evidence.redaction.commitment import KEY, Commitment, read_commitment


def withheld(members):
    return {"kvlistValue": {"values": [{"key": KEY, "value": members}]}}


def kvlist(*pairs):
    return {"kvlistValue": {"values": list(pairs)}}


ALG = {"key": "alg", "value": {"stringValue": "sha256"}}
DIGEST = {"key": "digest", "value": {"stringValue": "ab" * 32}}
SIZE = {"key": "size_bytes", "value": {"intValue": "12"}}


def test_a_commitment_is_read_as_it_was_written():
    commitment = Commitment(alg="sha256", digest="ab" * 32, size_bytes=2**53 - 1, reason="policy")
    assert read_commitment(commitment.to_any_value()) == commitment


def test_a_reason_need_not_be_given():
    assert read_commitment(withheld(kvlist(ALG, DIGEST, SIZE))) == Commitment(
        alg="sha256", digest="ab" * 32, size_bytes=12
    )


BROKEN = {
    "no_value": {"kvlistValue": {"values": [{"key": KEY}]}},
    "empty_value": withheld({}),
    "text": withheld({"stringValue": "sha256:00"}),
    "no_members": withheld({"kvlistValue": {}}),
    "member_without_key": withheld(kvlist({"value": {"stringValue": "x"}}, ALG, DIGEST)),
    "member_without_value": withheld(kvlist(ALG, DIGEST, {"key": "size_bytes"})),
    "digest_not_text": withheld(kvlist(ALG, {"key": "digest", "value": {"boolValue": True}}, SIZE)),
    "size_negative": withheld(kvlist(ALG, DIGEST, {"key": "size_bytes", "value": {"intValue": "-1"}})),
    "size_as_text": withheld(kvlist(ALG, DIGEST, {"key": "size_bytes", "value": {"stringValue": "12"}})),
    "size_beyond_json": withheld(kvlist(ALG, DIGEST, {"key": "size_bytes", "value": {"intValue": str(2**53)}})),
    "something_beside_it": {
        "kvlistValue": {"values": [{"key": KEY, "value": kvlist(ALG, DIGEST, SIZE)}, {"key": "x"}]}
    },
    "first_without_key": {"kvlistValue": {"values": [{"value": {"stringValue": "x"}}]}},
    "an_array": {"arrayValue": {"values": []}},
}


@pytest.mark.parametrize("defect", BROKEN)
def test_what_only_looks_like_a_commitment_is_none(defect):
    """Senders may write anything, and a run must be scored and sealed all the same."""
    assert read_commitment(BROKEN[defect]) is None
