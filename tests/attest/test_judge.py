"""Whatever a check raises is an answer, and what is none of its business goes on its way."""

import pytest

from attest.errors import InvalidError, UnsupportedError
from attest.judge import attempt, judge


class PanicException(BaseException):
    """As libraries written in Rust raise it; no module gives the class out."""


RAISED = {
    "ours_against_the_file": (InvalidError("x"), "fail"),
    "ours_undecided": (UnsupportedError("x"), "undecided"),
    "too_deep": (RecursionError("x"), "fail"),
    "somebody_elses": (AttributeError("x"), "fail"),
    "disk": (OSError(5, "x"), "undecided"),
    "memory": (MemoryError("x"), "undecided"),
    "panic": (PanicException("x"), "fail"),
}


@pytest.mark.parametrize("name", RAISED)
def test_what_a_check_raises_is_its_answer(name):
    error, outcome = RAISED[name]

    def work():
        raise error

    value, check = attempt("trust", work)
    assert value is None
    assert (check.id, check.outcome) == ("trust", outcome)
    assert judge("trust", work) == check


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_who_wants_the_process_to_end_is_heard(error):
    def work():
        raise error

    with pytest.raises(error):
        attempt("trust", work)
    with pytest.raises(error):
        judge("trust", work)
