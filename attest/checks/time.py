"""The row `time`: when somebody trusted had seen the signature, and whether that is as early and as well proven as asked.

Laws: a time that nobody trusted has signed is no time; a proven time is the latest that the signature can have been made,
so it cannot lie before the end of the run that the signature is about.
"""

from attest.checks.material import Dated
from attest.limits import AttestLimits
from attest.trust.trust import Required
from attest.verdict import Check, Outcome, ProvenTime
from evidence.timestamp import to_unix_nano

_NANOS = 1_000_000_000
_GRAIN_SECONDS = 1
"""Logs and most authorities tell whole seconds, so a time may be given as up to this much too early."""
_SOURCES = {"rfc3161": "timestamp", "log": "log entry"}


def check_time(dated: Dated, required: Required, closed_at: str | None, limits: AttestLimits, *, by_key: bool) -> Check:
    """Judge what is known of when an attestation was signed.

    Args:
        dated: what was proven.
        required: what the verifier asks for.
        closed_at: when the run was closed, by its sidecar's clock; None when the bundle could not be read.
        limits: how far two clocks may be apart.
        by_key: whether it is signed with a key, for the reason.
    """
    if dated.refuted is not None:
        return dated.refuted
    missing = _missing(dated, required)
    if missing:
        return _answer("undecided", f"{missing}{_proven(dated)}{_said(dated.stamps.concerns)}")
    concerns = list(dated.stamps.concerns)
    if not dated.times:
        if concerns:
            return _answer("warn", f"not established{_said(concerns)}")
        lacks = "a signature by a key alone carries no time" if by_key else "nothing verified says when it was signed"
        return _answer("skip", f"not established: {lacks}")
    if closed_at is not None:
        delay = _seconds_between(closed_at, dated.times[0].time)
        if delay < -limits.clock_skew_seconds_max:
            return _answer("fail", f"signed {-delay:.0f} s before the run was closed at {closed_at}{_proven(dated)}")
        if required.delay_seconds_max is not None and delay > required.delay_seconds_max:
            asked = f"at most {required.delay_seconds_max} s after"
            return _answer("fail", f"signed {delay:.0f} s after the run was closed, asked for {asked}{_proven(dated)}")
        if delay < -_GRAIN_SECONDS:
            concerns.append(f"the run was closed {-delay:.0f} s later by its sidecar's clock")
    return _answer("warn" if concerns else "pass", f"{_list(dated.times)}{_said(concerns)}")


def _missing(dated: Dated, required: Required) -> str:
    distinct = dated.stamps.distinct
    if distinct < required.timestamps:
        return f"{distinct} authorities have stamped it, expected {required.timestamps} or more"
    if required.delay_seconds_max is not None and not dated.times:
        return "no proven time says how long after the run it was signed"
    return ""


def _seconds_between(first: str, second: str) -> float:
    return (to_unix_nano(second) - to_unix_nano(first)) / _NANOS


def _proven(dated: Dated) -> str:
    return f" ({_list(dated.times)})" if dated.times else ""


def _list(times: tuple[ProvenTime, ...]) -> str:
    return ", ".join(f"{proven.time} by the {_SOURCES[proven.source]} of {proven.by}" for proven in times)


def _said(concerns: tuple[str, ...] | list[str]) -> str:
    return "".join(f"; {concern}" for concern in concerns)


def _answer(outcome: Outcome, reason: str) -> Check:
    return Check(id="time", outcome=outcome, reason=reason)
