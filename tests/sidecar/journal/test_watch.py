"""A disk that fails is told at once and then once a minute; that it works again, when something was written."""

from dataclasses import replace

from sidecar.journal import JournalStats, JournalWatch

STATS = JournalStats(**{name: "" if name == "last_failure" else 0 for name in JournalStats.__slots__})


def told(*looks):
    watch = JournalWatch()
    return [watch.look(replace(STATS, failures=failures, commits=commits), now) for now, failures, commits in looks]


def test_a_journal_that_works_is_not_spoken_of():
    assert told((0, 0, 0), (2, 0, 7), (4, 0, 9)) == [None, None, None]


def test_a_failure_is_told_at_once_and_then_once_a_minute():
    assert told((0, 3, 0), (2, 9, 0), (58, 10, 0), (60, 11, 0), (62, 12, 0)) == ["fails", None, None, "fails", None]


def test_that_it_works_again_is_told_once_and_only_when_something_was_written():
    assert told((0, 1, 0), (2, 1, 0), (4, 1, 1), (6, 1, 2)) == ["fails", None, "works", None]


def test_a_failure_after_it_worked_again_is_told_at_once():
    assert told((0, 1, 0), (2, 1, 1), (4, 2, 1)) == ["fails", "works", "fails"]
