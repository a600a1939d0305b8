"""What is to be believed of the bytes of a segment."""

import pytest

from sidecar.journal.frame import SEGMENT_HEADER_BYTES, Frame, encode_header, encode_segment_header
from sidecar.journal.recovery import Remedy, judge_middle, judge_tail, scan, unreadable

MARK = b"\x91marker\x92"
SLACK = bytes(500)


def segment(*groups: list[int], first=1) -> list[bytes]:
    """The header and the frames of a segment, each group of sequences committed together."""
    parts = [encode_segment_header(MARK, first)]
    for group in groups:
        for position, sequence in enumerate(group):
            frame = Frame(sequence, 0, 1, 0, b"body %d" % sequence)
            parts.append(encode_header(MARK, position, frame) + frame.body)
    return parts


def without(parts: list[bytes], *indices: int) -> list[bytes]:
    """The same with frames that never reached the disk."""
    return [bytes(len(part)) if index in indices else part for index, part in enumerate(parts)]


def look(parts: list[bytes], *, below=None, slack=SLACK):
    data = b"".join(parts) + slack
    return scan(lambda offset, size: data[offset : offset + size], len(data), below=below)


def sequences(verdict) -> list[tuple[int, int]]:
    return [(piece.first, piece.last) for piece in verdict.pieces]


def test_an_intact_tail_is_cut_behind_its_last_frame():
    verdict = judge_tail(look(segment([1, 2], [3])), durable=3)
    assert (verdict.remedy, sequences(verdict), verdict.last) == (Remedy.CUT, [(1, 3)], 3)
    assert (verdict.torn_bytes, verdict.lost_frames) == (0, 0)


def test_an_empty_tail_is_discarded_and_its_name_still_counts():
    verdict = judge_tail(look(segment(first=41)), durable=0)
    assert (verdict.remedy, verdict.last) == (Remedy.DISCARD, 40)


@pytest.mark.parametrize("missing", [[3], [4], [5], [3, 4], [3, 5], [4, 5], [3, 4, 5]])
def test_a_group_that_is_not_whole_was_never_acknowledged_and_is_cut(missing):
    """Groups (1, 2) and (3, 4, 5): whatever is missing of the second, the first is kept, and what came before the hole."""
    verdict = judge_tail(look(without(segment([1, 2], [3, 4, 5]), *missing)), durable=2)
    assert (verdict.remedy, verdict.lost_frames) == (Remedy.CUT, 0)
    assert sequences(verdict) == [(1, missing[0] - 1)]


def test_a_torn_group_alone_in_a_segment_is_discarded():
    verdict = judge_tail(look(without(segment([7, 8], first=7), 1)), durable=6)
    assert (verdict.remedy, verdict.last, verdict.torn_bytes > 0) == (Remedy.DISCARD, 6, True)


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_a_hole_before_the_last_group_is_damage_to_what_was_acknowledged(missing):
    verdict = judge_tail(look(without(segment([1, 2], [3], [4, 5]), missing)), durable=0)
    assert (verdict.remedy, verdict.lost_frames, verdict.last) == (Remedy.SALVAGE, 1, 5)
    assert [s for first, last in sequences(verdict) for s in range(first, last + 1)] == [
        s for s in range(1, 6) if s != missing
    ]


def test_damage_and_a_torn_group_in_one_tail_are_told_apart():
    verdict = judge_tail(look(without(segment([1], [2], [3], [4, 5, 6]), 2, 5)), durable=0)
    assert (verdict.remedy, sequences(verdict)) == (Remedy.SALVAGE, [(1, 1), (3, 4)])
    assert (verdict.lost_frames, verdict.last) == (1, 4)


def test_a_frame_cut_short_is_counted_as_torn():
    parts = segment([1], [2])
    verdict = judge_tail(look([*parts[:2], parts[2][:20]], slack=b""), durable=1)
    assert (verdict.remedy, sequences(verdict), verdict.torn_bytes) == (Remedy.CUT, [(1, 1)], 8)
    whole = judge_tail(look([*parts[:2], parts[2][:-1] + b"?"]), durable=1)
    assert whole.torn_bytes == len(parts[2])


def test_frames_from_the_first_of_the_next_segment_on_do_not_count():
    """They are what a failed sync left behind; their sequences stand in the next segment."""
    found = look(segment([1, 2], [3, 4, 5]), below=3)
    verdict = judge_middle(found, next_first=3)
    assert (verdict.remedy, sequences(verdict), verdict.lost_frames) == (Remedy.KEEP, [(1, 2)], 0)


def test_a_middle_segment_whose_end_is_missing_is_damaged_unless_it_was_cut_there():
    parts = segment([1, 2], [3])
    assert judge_middle(look(parts), next_first=6).remedy is Remedy.SALVAGE
    assert judge_middle(look(parts), next_first=6).lost_frames == 2
    assert judge_middle(look(parts, slack=b""), next_first=6).remedy is Remedy.KEEP


def test_a_middle_segment_without_a_readable_frame_is_kept_aside():
    verdict = judge_middle(look(without(segment([1, 2]), 1, 2)), next_first=3)
    assert (verdict.remedy, verdict.lost_frames) == (Remedy.QUARANTINE, 2)


def test_what_has_no_header_may_have_given_out_as_many_sequences_as_fit():
    assert scan(lambda offset, size: b"", 0) is None
    assert look([bytes(SEGMENT_HEADER_BYTES)]) is None
    assert unreadable(100, 4000, next_first=None).last >= 200
    assert (unreadable(100, 4000, next_first=130).last, unreadable(100, 4000, next_first=130).lost_frames) == (129, 30)


def test_marks_are_found_across_the_borders_of_what_is_read_at_once():
    parts = segment([1], [2], [3])
    for gap in range((1 << 20) - 60, (1 << 20) + 10, 7):
        found = look([*parts[:2], bytes(gap), parts[3]])
        assert [(piece.first, piece.last) for piece in found.pieces] == [(1, 1), (3, 3)]
