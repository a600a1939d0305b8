"""Turning work that may fail into a check: the one place where an exception becomes an answer.

Law: whatever a hostile file makes the code raise, the result is a check that did not pass, never a traceback.
"""

from collections.abc import Callable
from typing import TypeVar

from attest.errors import InvalidError, UnsupportedError
from attest.verdict import Check, CheckId, Outcome
from evidence.errors import BundleError, EvidenceError, PackUnavailableError, UnknownFormatError

T = TypeVar("T")

_UNDECIDED = (UnsupportedError, UnknownFormatError, PackUnavailableError, OSError, MemoryError)
"""Whose fault is not the file's: a form or a pack this installation does not have, or the machine itself."""
_OURS = (InvalidError, UnsupportedError, EvidenceError)
"""Whose message says everything; any other is named by its class as well."""


def attempt(check_id: CheckId, work: Callable[[], tuple[T, str]]) -> tuple[T | None, Check]:
    """Run a check that gives a value as well: the value and the reason of a pass, or None and what went wrong."""
    try:
        value, reason = work()
    except BaseException as error:  # noqa: BLE001 - the boundary that the law is about
        return None, caught(check_id, _answerable(error))
    return value, Check(id=check_id, outcome="pass", reason=reason)


def judge(check_id: CheckId, work: Callable[[], Check]) -> Check:
    """Run a check that answers by itself."""
    try:
        return work()
    except BaseException as error:  # noqa: BLE001 - the boundary that the law is about
        return caught(check_id, _answerable(error))


def _answerable(error: BaseException) -> Exception:
    """The error as an answer; what is none, such as Ctrl-C, goes on its way.

    A panic of a library written in Rust is a BaseException of a class that no module gives out.
    """
    if isinstance(error, Exception):
        return error
    if type(error).__name__ == "PanicException":
        return InvalidError(f"a library gave up on it: {error}")
    raise error


def caught(check_id: CheckId, error: Exception) -> Check:
    """The answer that an exception amounts to: undecided when the file is not to blame, a failure otherwise."""
    outcome: Outcome = "undecided" if isinstance(error, _UNDECIDED) else "fail"
    reason = error.reason if isinstance(error, BundleError) else str(error)
    if isinstance(error, OSError) and error.strerror:
        reason = f"cannot be read: {error.strerror}"
    elif not isinstance(error, _OURS):
        reason = f"{type(error).__name__}: {reason}"
    return Check(id=check_id, outcome=outcome, reason=reason)
