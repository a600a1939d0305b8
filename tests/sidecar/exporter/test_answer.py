"""What answers mean, without a wire."""

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st

from sidecar.exporter.answer import (
    GRPC_RULES,
    HTTP_RETRYABLE,
    accepted,
    grpc_outcome,
    http_outcome,
    printable,
    retry_after_seconds,
)
from sidecar.exporter.outcome import Accepted, Refused, Retry
from sidecar.limits import DEFAULT
from sidecar.otlp.signal import OtlpSignal

NOON = 1_788_264_000 * 10**9  # 2026-09-01T12:00:00Z


def details(*messages):
    status = Status()
    for message in messages:
        status.details.add().Pack(message)
    return status.SerializeToString()


def test_the_table_has_every_grpc_code_but_ok():
    """A code that gRPC gains fails here, to be decided."""
    assert set(Code.keys()) - {"OK"} == set(GRPC_RULES)


@pytest.mark.parametrize("code", ["", "OK", "NEW_CODE"])
def test_a_code_outside_the_table_is_refused(code):
    assert isinstance(grpc_outcome(code, "", b""), Refused)


def test_retry_info_is_found_among_other_details():
    delay = RetryInfo(retry_delay=Duration(seconds=3, nanos=500_000_000))
    outcome = grpc_outcome("RESOURCE_EXHAUSTED", "", details(BadRequest(), delay))
    assert Retry(reason="grpc RESOURCE_EXHAUSTED", after_seconds=3.5) == outcome


@pytest.mark.parametrize("delay", [Duration(), Duration(seconds=-5), Duration(nanos=-1)])
def test_retry_info_without_a_delay_leaves_it_to_the_backoff(delay):
    """It still says that the server can recover; asking without a pause would keep it from doing so."""
    outcome = grpc_outcome("RESOURCE_EXHAUSTED", "", details(RetryInfo(retry_delay=delay)))
    assert Retry(reason="grpc RESOURCE_EXHAUSTED", after_seconds=None) == outcome


def test_retry_info_does_not_make_a_final_code_retryable():
    assert isinstance(
        grpc_outcome("INVALID_ARGUMENT", "", details(RetryInfo(retry_delay=Duration(seconds=1)))), Refused
    )


@pytest.mark.parametrize("seconds", [10**9, 315_576_000_000])
def test_a_wait_of_years_is_bounded(seconds):
    """A careless backend must not silence export for good."""
    outcome = grpc_outcome("UNAVAILABLE", "", details(RetryInfo(retry_delay=Duration(seconds=seconds))))
    assert DEFAULT.export_told_wait_seconds_max == outcome.after_seconds


RETRY_AFTER = {
    "120": 120,
    " 7 ": 7,
    "Tue, 01 Sep 2026 12:00:30 GMT": 30,
    "Tuesday, 01-Sep-26 12:00:30 GMT": 30,
    "Tue Sep  1 12:00:30 2026": 30,
    "Tue, 01 Sep 2026 14:00:30 +0200": 30,
    "99999999999999999999": DEFAULT.export_told_wait_seconds_max,
    "0": None,
    "": None,
    "-1": None,
    "1.5": None,
    "1e3": None,
    "soon": None,
    "²": None,
    "Tue, 01 Sep 2026 11:00:00 GMT": None,
    "Tue, 99 Sep 2026 11:00:00 GMT": None,
    "9" * 5000: DEFAULT.export_told_wait_seconds_max,
}


@pytest.mark.parametrize(("value", "seconds"), RETRY_AFTER.items(), ids=lambda value: str(value)[:40])
def test_retry_after_in_every_form(value, seconds):
    """RFC 9110: seconds, the three date forms; anything else asks for nothing."""
    assert seconds == retry_after_seconds(value, now_unix_nano=NOON)


@given(st.text(max_size=60))
def test_no_retry_after_raises_and_every_wait_is_bounded(value):
    seconds = retry_after_seconds(value, now_unix_nano=NOON)
    low, high = DEFAULT.export_told_wait_seconds_min, DEFAULT.export_told_wait_seconds_max
    assert seconds is None or low <= seconds <= high


@given(
    st.sampled_from(list(OtlpSignal)),
    st.integers(100, 599),
    st.binary(max_size=80),
    st.sampled_from(["", "x", "application/x-protobuf"]),
)
def test_every_http_answer_has_an_outcome(signal, status, body, content_type):
    """Whatever the body: success by 2xx, retry by the four codes, refusal otherwise; the message short and printable."""
    outcome = http_outcome(signal, status, {"content-type": content_type, "retry-after": "x"}, body, now_unix_nano=NOON)
    expected = Accepted if 200 <= status < 300 else Retry if status in HTTP_RETRYABLE else Refused
    assert isinstance(outcome, expected)
    assert outcome.message.isprintable() and len(outcome.message) <= DEFAULT.error_message_chars_max


@given(st.sampled_from(sorted(GRPC_RULES)), st.text(max_size=2000), st.binary(max_size=80))
def test_every_grpc_answer_has_an_outcome(code, message, status_details):
    outcome = grpc_outcome(code, message, status_details)
    assert f"grpc {code}" == outcome.reason
    assert outcome.message.isprintable() and len(outcome.message) <= DEFAULT.error_message_chars_max


@given(st.sampled_from(list(OtlpSignal)), st.binary(max_size=40))
def test_every_success_is_a_success_whatever_its_body(signal, body):
    """The backend has the data; a body we cannot read must not send it twice."""
    assert accepted(signal, body).rejected >= 0


def test_a_negative_rejection_counts_as_none():
    response = OtlpSignal.LOGS.response()
    response.partial_success.rejected_log_records = -3
    assert accepted(OtlpSignal.LOGS, response.SerializeToString()).rejected == 0


def test_the_message_of_a_status_is_read_and_else_the_text():
    body = Status(message="bad").SerializeToString()
    as_status = http_outcome(OtlpSignal.LOGS, 400, {"content-type": "application/x-protobuf"}, body, now_unix_nano=0)
    as_text = http_outcome(OtlpSignal.LOGS, 400, {"content-type": "text/html"}, b"<b>\x1b[31m no", now_unix_nano=0)
    assert (as_status.message, as_text.message) == ("bad", "<b> [31m no")


def test_only_sizes_are_too_large():
    """413 and RESOURCE_EXHAUSTED are about the request; other refusals are about what is in it."""
    assert http_outcome(OtlpSignal.LOGS, 413, {}, b"", now_unix_nano=0).too_large
    assert not http_outcome(OtlpSignal.LOGS, 400, {}, b"", now_unix_nano=0).too_large
    assert grpc_outcome("RESOURCE_EXHAUSTED", "", b"").too_large
    assert not grpc_outcome("INVALID_ARGUMENT", "", b"").too_large


def test_printable_keeps_text_and_loses_control_characters():
    assert printable("ok\n\x1b[31m é") == "ok  [31m é"


def test_details_that_are_not_a_status_are_passed_over():
    any_message = AnyMessage(type_url="type.googleapis.com/google.rpc.RetryInfo", value=b"\xff")
    status = Status(details=[any_message]).SerializeToString()
    assert isinstance(grpc_outcome("UNAVAILABLE", "", status), Retry)
    assert isinstance(grpc_outcome("RESOURCE_EXHAUSTED", "", b"\xff\xff"), Refused)
