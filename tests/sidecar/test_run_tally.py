"""What is counted of runs: every span once, whatever the order, within the bounds."""

from hypothesis import given
from hypothesis import strategies as st

from sidecar.run_client import SenderCounts
from sidecar.run_tally import _LIVE_MAX, Tally

LINGER, IDLE = 2.0, 30.0
FOREVER = float("inf")


def tally(runs_max: int = 8) -> Tally:
    return Tally(runs_max=runs_max, linger_seconds=LINGER, idle_seconds=IDLE)


def start(into: Tally, run: str, span: int, now: float = 0.0, *, root: bool = False, trace: bool = True):
    return into.start(run, span, now, is_root=root, is_trace=trace)


def end(into: Tally, run: str, span: int, now: float = 0.0, *, root: bool = False, trace: str = "t"):
    return into.end(run, trace, span, now, is_root=root)


def counts(run) -> tuple:
    found = run.counts()
    return found.spans_started, found.spans_ended, found.spans_dropped, found.spans_unsampled


def test_a_trace_whose_root_has_ended_lingers_for_what_comes_later():
    runs = tally()
    start(runs, "t", 1, root=True)
    start(runs, "t", 2)
    assert runs.next_due == FOREVER
    end(runs, "t", 2, 1.0)
    assert runs.next_due == FOREVER
    end(runs, "t", 1, 2.0, root=True)
    assert runs.next_due == 2.0 + LINGER
    runs.send(["t", "t"], 2.0)
    (run,) = runs.due(2.0 + LINGER)
    assert counts(run) == (2, 2, 0, 0)


def test_only_a_trace_that_is_over_can_be_hurried():
    runs = tally()
    for name, is_trace in (("over", True), ("in flight", True), ("session", False)):
        start(runs, name, 1, root=True, trace=is_trace)
        end(runs, name, 1, 5.0, root=True)
    start(runs, "in flight", 2, 5.0)
    start(runs, "begun", 1, root=True)
    runs.hurry()
    assert [run.run_id for run in runs.due(5.0)] == ["over"]


def test_a_trace_whose_root_has_ended_lingers_for_what_has_not():
    runs = tally()
    start(runs, "t", 1, root=True)
    start(runs, "t", 2)
    end(runs, "t", 1, 5.0, root=True)
    assert list(runs.due(5.0)) == []
    assert runs.next_due == 5.0 + LINGER
    (run,) = runs.due(5.0 + LINGER)
    assert counts(run) == (2, 1, 1, 0)


def test_a_run_of_many_traces_lingers_for_the_next_one():
    runs = tally()
    for now, trace in enumerate(("t1", "t2")):
        start(runs, "session", now, now, root=True, trace=False)
        assert runs.next_due == FOREVER
        end(runs, "session", now, now, root=True, trace=trace)
        assert runs.next_due == now + LINGER
    (run,) = runs.due(1 + LINGER)
    assert counts(run) == (2, 2, 2, 0)


def test_spans_of_a_run_that_began_elsewhere_are_passed_over():
    runs = tally()
    assert start(runs, "t", 1) is None
    assert end(runs, "t", 1) is None
    assert runs.leave_out("t", 0.0, is_root=False, is_trace=True) is None
    assert list(runs.all()) == []


def test_a_span_that_gets_its_runs_name_after_it_started_counts_there_alone():
    runs = tally()
    start(runs, "t", 1, root=True)
    end(runs, "session", 1, root=True)
    (run,) = runs.all()
    assert (run.run_id, counts(run)) == ("session", (1, 1, 1, 0))


def test_what_ends_after_its_run_was_closed_is_the_next_part():
    runs = tally()
    start(runs, "t", 1, root=True)
    start(runs, "t", 2)
    end(runs, "t", 1, root=True)
    (first,) = runs.due(LINGER)
    end(runs, "t", 2, 9.0)
    runs.done(first)
    runs.send(["t"], 9.0)
    (second,) = runs.due(9.0 + LINGER)
    assert (counts(first), counts(second)) == ((2, 1, 1, 0), (1, 1, 0, 0))


def test_an_acknowledgement_while_a_part_is_being_closed_is_that_parts():
    runs = tally()
    start(runs, "t", 1, root=True)
    end(runs, "t", 1, root=True)
    (run,) = runs.due(LINGER)
    runs.send(["t"], 0.0)
    assert counts(run) == (1, 1, 0, 0)
    runs.done(run)
    runs.send(["t"], 0.0)  # one too many, from nobody knows where
    assert list(runs.all()) == []


def test_what_is_left_out_makes_a_run_that_is_closed_once_it_is_idle():
    runs = tally()
    runs.leave_out("t", 1.0, is_root=True, is_trace=True)
    runs.leave_out("t", 3.0, is_root=False, is_trace=True)
    assert runs.next_due == 3.0 + IDLE
    (run,) = runs.due(3.0 + IDLE)
    assert run.counts() == SenderCounts(spans_started=0, spans_ended=0, spans_dropped=0, spans_unsampled=2)


def test_a_run_that_is_asked_for_is_due_at_once_known_or_not():
    runs = tally()
    start(runs, "t", 1, root=True)
    runs.ask("t", b"{}", 4.0)
    runs.ask("only receipts", b"", 4.0)
    assert {(run.run_id, run.outcome_json) for run in runs.due(4.0)} == {("t", b"{}"), ("only receipts", b"")}


def test_the_oldest_run_is_given_up_when_there_are_too_many():
    runs = tally(runs_max=2)
    for name in ("a", "b", "c"):
        start(runs, name, 1, root=True)
    assert ([run.run_id for run in runs.all()], runs.given_up) == (["b", "c"], 1)


def test_a_run_of_which_nothing_was_sampled_is_given_up_before_one_that_has_spans():
    runs = tally(runs_max=2)
    start(runs, "a", 1, root=True)
    runs.leave_out("b", 0.0, is_root=True, is_trace=True)
    runs.leave_out("c", 0.0, is_root=True, is_trace=True)
    assert [run.run_id for run in runs.all()] == ["a", "c"]


def test_a_run_of_which_something_was_sampled_since_is_given_up_last():
    runs = tally(runs_max=2)
    runs.leave_out("a", 0.0, is_root=True, is_trace=True)
    runs.leave_out("b", 0.0, is_root=True, is_trace=True)
    start(runs, "a", 1, root=True)
    start(runs, "c", 2, root=True)
    assert [run.run_id for run in runs.all()] == ["a", "c"]
    start(runs, "d", 3, root=True)
    start(runs, "e", 4, root=True)
    start(runs, "f", 5, root=True)
    assert ([run.run_id for run in runs.all()], runs.given_up) == (["e", "f"], 2)


def test_a_span_may_get_the_name_of_a_run_for_which_its_own_trace_is_given_up():
    runs = tally(runs_max=1)
    start(runs, "trace", 7, root=True)
    run = runs.end("named", "trace", 7, 0.0, is_root=True)
    assert run is not None
    assert ([run.run_id for run in runs.all()], run.ended, runs.given_up) == (["named"], 1, 1)


def test_more_spans_in_flight_than_are_told_apart_are_counted():
    runs = tally()
    for span in range(_LIVE_MAX + 3):
        run = start(runs, "t", span, root=span == 0)
    for span in range(_LIVE_MAX + 2, -1, -1):
        assert run.in_flight == span + 1
        end(runs, "t", span, root=span == 0)
    assert counts(run)[:2] == (_LIVE_MAX + 3, _LIVE_MAX + 3)
    assert runs.next_due == LINGER


EVENTS = st.lists(
    st.tuples(st.sampled_from(["start", "end", "send", "leave_out", "due"]), st.sampled_from("ab"), st.integers(0, 5)),
    max_size=60,
)


@given(EVENTS)
def test_every_span_is_counted_in_one_part_of_one_run(events):
    """Over any order of events: all parts together say as many starts and ends as there were, and no part more sent than ended."""
    runs, parts = tally(), []
    started: set[tuple[str, int]] = set()
    begun = ended = left_out = 0
    number = 0
    for now, (what, name, pick) in enumerate(events):
        mine = sorted(each for each in started if each[0] == name)
        if what == "start":
            number += 1
            started.add((name, number))
            begun += 1
            start(runs, name, number, now, root=True)
        elif what == "end" and mine:
            span = mine[pick % len(mine)]
            started.discard(span)
            ended += 1
            end(runs, name, span[1], now, root=True, trace=name)
        elif what == "send":
            runs.send([name], now)
        elif what == "leave_out":
            left_out += 1
            runs.leave_out(name, now, is_root=True, is_trace=True)
        elif what == "due":
            parts += list(runs.due(now))
    parts += list(runs.all())
    found = [counts(part) for part in parts]
    late = sum(part[0] for part in found) - begun  # ended in a later part than they started in: started in both
    assert 0 <= late <= ended
    assert sum(part[1] for part in found) == ended
    assert sum(part[3] for part in found) == left_out
    assert all(part[0] >= part[1] >= part[2] >= 0 for part in found)
