"""The receipt service: what it takes, what it refuses, what reaches the journal."""

from dataclasses import replace

import grpc
import pytest

from sidecar.errors import Overloaded
from sidecar.journal import FrameSignal
from sidecar.limits import DEFAULT
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.pb.affidavit.evidence.v1.evidence_pb2_grpc import EvidenceServiceStub
from tests.sidecar.receiver.world import NoRuns, Refusing, bomb, details, serving


def receipt(**changes) -> pb.Receipt:
    fields = {"run_id": "run-1", "kind": "policy.decision", "idempotency_key": "k1", "body_json": b'{"allow": true}'}
    return pb.Receipt(**(fields | changes))


class Runs(NoRuns):
    """A directory with one run, whose newest part is sealed in the files given."""

    def __init__(self, *parts: pb.Run, files=None, recorded=True, sealed=None) -> None:
        self._parts, self._files, self._recorded, self._sealed = list(parts), files, recorded, sealed
        self.asked: list[tuple] = []

    async def parts(self, run_id, *, live_scores=False):
        return self._parts if run_id == "run-1" else []

    async def recorded(self, sequence, timeout_seconds):
        self.asked.append((sequence, timeout_seconds))
        return self._recorded

    async def sealed(self, run_id, timeout_seconds):
        return self._sealed

    async def files(self, run_id, part):
        return self._files if part in {0, 1} else None


@pytest.fixture
def service(world):
    with world.channel() as channel:
        yield EvidenceServiceStub(channel)


def submit(service, *receipts) -> pb.SubmitReceiptsResponse:
    return service.SubmitReceipts(pb.SubmitReceiptsRequest(receipts=receipts), timeout=20)


def test_receipts_are_acknowledged_once_they_are_in_the_journal(world, service):
    good = [receipt(idempotency_key=f"k{n}", sequence=n + 1, trace_id=b"t" * 16, span_id=b"s" * 8) for n in range(3)]
    answer = submit(service, *good)
    assert (answer.accepted, answer.duplicates, list(answer.rejected)) == (3, 0, [])
    (frame,) = world.frames()
    assert (frame.signal, frame.encoding) == (FrameSignal.RECEIPTS, 0)
    assert list(pb.SubmitReceiptsRequest.FromString(frame.body).receipts) == good


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"run_id": ""}, "run_id: got 0 bytes, expected 1 to 1024"),
        ({"run_id": "r" * 1025}, "run_id: got 1025 bytes"),
        ({"kind": ""}, "kind: got ''"),
        ({"kind": "with space"}, "kind: got 'with space'"),
        ({"kind": "k" * 257}, "kind: got"),
        ({"kind": "line\n"}, "kind: got"),
        ({"idempotency_key": ""}, "idempotency_key: got 0 bytes, expected 1 to 256"),
        ({"idempotency_key": "ü" * 129}, "idempotency_key: got 258 bytes"),
        ({"sequence": 2**53}, "sequence: got 9007199254740992"),
        ({"trace_id": b"short"}, "trace_id: got 5 bytes, expected 16 or none"),
        ({"trace_id": bytes(16)}, "trace_id: got 16 bytes of zeros"),
        ({"span_id": b"x" * 16}, "span_id: got 16 bytes, expected 8 or none"),
        ({"body_json": b""}, "body_json: "),
        ({"body_json": b"[]"}, "body_json: got list, expected one JSON object"),
        ({"body_json": b"{"}, "body_json: not JSON"),
        ({"body_json": b'{"a":1} {}'}, "body_json: not JSON"),
        ({"body_json": b'{"a":1,"a":2}'}, "body_json: "),
        ({"body_json": b'{"a":NaN}'}, "body_json: "),
        ({"body_json": b'{"a":"\xff"}'}, "body_json: "),
        ({"body_json": b'{"a":9007199254740993}'}, "body_json: "),
        ({"body_json": b'{"a":' * 65 + b"1" + b"}" * 65}, "body_json: nested deeper than 64"),
        ({"body_json": b'{"a":' * 100_000}, "body_json: nested deeper than 64"),
        ({"body_json": b'{"a":"' + b"x" * (1 << 20) + b'"}'}, "body_json: got 1048584 bytes, expected at most 1048576"),
    ],
)
def test_a_receipt_that_is_not_what_it_should_be_is_rejected_by_name_and_the_others_are_taken(
    world, service, change, reason
):
    answer = submit(service, receipt(idempotency_key="a"), receipt(**change), receipt(idempotency_key="b"))
    assert (answer.accepted, [rejected.index for rejected in answer.rejected]) == (2, [1])
    assert answer.rejected[0].reason.startswith(reason)
    assert len(answer.rejected[0].reason) <= 200
    (frame,) = world.frames()
    keys = [taken.idempotency_key for taken in pb.SubmitReceiptsRequest.FromString(frame.body).receipts]
    assert keys == ["a", "b"]


def test_a_batch_of_which_nothing_is_taken_leaves_no_frame(world, service):
    assert len(submit(service, receipt(kind=""), receipt(run_id="")).rejected) == 2
    assert submit(service) == pb.SubmitReceiptsResponse()
    assert world.frames() == []


def test_the_same_receipt_again_is_acknowledged_again_as_a_duplicate(service):
    assert submit(service, receipt(), receipt()).duplicates == 1
    answer = submit(service, receipt())
    assert (answer.accepted, answer.duplicates, len(answer.rejected)) == (1, 1, 0)


def test_a_known_key_with_other_content_is_rejected_in_one_batch_and_over_two(service):
    other = receipt(body_json=b'{"allow": false}')
    answers = submit(service, receipt(), other), submit(service, other)
    for answer, accepted in zip(answers, (1, 0), strict=True):
        assert answer.accepted == accepted
        assert [rejected.reason for rejected in answer.rejected] == ["idempotency_key: known with other content"]


def test_a_key_belongs_to_its_run(service):
    answer = submit(
        service, receipt(), receipt(run_id="run-2", body_json=b"{}"), receipt(run_id="run-1k", idempotency_key="1")
    )
    assert (answer.accepted, answer.duplicates) == (3, 0)


def test_a_receipt_that_was_not_made_durable_is_not_known_afterwards(tmp_path):
    journal = Refusing(Overloaded("the disk is behind", retry_after_seconds=3))
    with serving(tmp_path / "journal", journal=journal) as world, world.channel() as channel:
        service = EvidenceServiceStub(channel)
        with pytest.raises(grpc.RpcError) as refusal:
            submit(service, receipt())
        assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE
        assert details(refusal.value)["RetryInfo"].retry_delay.seconds == 3
        journal._error = Overloaded("still")
        with pytest.raises(grpc.RpcError) as refusal:
            submit(service, receipt(body_json=b'{"other":1}'))  # no conflict: nothing was taken
        assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE


def test_keys_are_remembered_up_to_a_bound(tmp_path):
    with (
        serving(tmp_path / "journal", limits=replace(DEFAULT, receipt_keys_max=5)) as world,
        world.channel() as channel,
    ):
        service = EvidenceServiceStub(channel)
        submit(service, *(receipt(idempotency_key=f"k{n}") for n in range(20)))
        assert submit(service, receipt(idempotency_key="k19")).duplicates == 1
        assert submit(service, receipt(idempotency_key="k1")).duplicates == 0


def test_too_many_receipts_at_once_are_refused_as_a_whole(tmp_path):
    with serving(tmp_path / "journal", limits=replace(DEFAULT, receipts_max=3)) as world, world.channel() as channel:
        with pytest.raises(grpc.RpcError) as refusal:
            submit(EvidenceServiceStub(channel), *[receipt()] * 4)
        assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "got 4, expected at most 3" in refusal.value.details()
        assert world.frames() == []


def test_ten_thousand_receipts_go_in_one_request_compressed(world):
    with world.channel(grpc.Compression.Gzip) as channel:
        answer = submit(EvidenceServiceStub(channel), *(receipt(idempotency_key=f"k{n}") for n in range(10_000)))
    assert (answer.accepted, len(world.frames())) == (10_000, 1)


@pytest.mark.parametrize("body", [b"\xff\xff", b"\x1f\x8b\x08nonsense", b"\x0a\x05\x0a\x03\xff\xfe\xfd"])
def test_bytes_that_are_no_request_are_invalid_argument(world, body):
    with world.channel() as channel, pytest.raises(grpc.RpcError) as refusal:
        channel.unary_unary("/affidavit.evidence.v1.EvidenceService/SubmitReceipts")(body, timeout=20)
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert set(details(refusal.value)) == {"BadRequest"}
    assert world.frames() == []


def test_a_bomb_is_resource_exhausted_here_too(world):
    with world.channel() as channel, pytest.raises(grpc.RpcError) as refusal:
        channel.unary_unary("/affidavit.evidence.v1.EvidenceService/SubmitReceipts")(bomb(70), timeout=20)
    assert refusal.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_runs_are_opened_and_closed_through_the_journal(world, service):
    opening = pb.OpenRunRequest(run_id="run-1", context_json=b'{"goal":"x"}')
    closing = pb.CloseRunRequest(run_id="run-1", outcome_json=b"{}", counts=pb.SenderCounts(spans_ended=0))
    assert service.OpenRun(opening).opened
    assert service.CloseRun(closing).closed
    assert [(frame.signal, frame.body) for frame in world.frames()] == [
        (FrameSignal.OPEN_RUN, opening.SerializeToString()),
        (FrameSignal.CLOSE_RUN, closing.SerializeToString()),
    ]


def test_opening_an_open_run_and_closing_a_closed_one_succeed_and_say_so(tmp_path):
    for state, opened, closed in ((pb.RUN_STATE_OPEN, False, True), (pb.RUN_STATE_SEALED, True, False)):
        runs = Runs(pb.Run(run_id="run-1", state=state))
        with serving(tmp_path / str(state), runs=runs) as world, world.channel() as channel:
            service = EvidenceServiceStub(channel)
            assert service.OpenRun(pb.OpenRunRequest(run_id="run-1")).opened is opened
            assert service.CloseRun(pb.CloseRunRequest(run_id="run-1")).closed is closed


@pytest.mark.parametrize(
    ("method", "request_", "reason"),
    [
        ("OpenRun", pb.OpenRunRequest(), "run_id: got 0 bytes"),
        ("OpenRun", pb.OpenRunRequest(run_id="r", context_json=b"[]"), "context_json: got list"),
        ("CloseRun", pb.CloseRunRequest(run_id="r" * 2000), "run_id: got 2000 bytes"),
        ("CloseRun", pb.CloseRunRequest(run_id="r", outcome_json=b"{"), "outcome_json: not JSON"),
        ("GetRun", pb.GetRunRequest(), "run_id"),
        ("SealRun", pb.SealRunRequest(), "run_id"),
    ],
)
def test_requests_about_runs_are_refused_by_name(world, service, method, request_, reason):
    with pytest.raises(grpc.RpcError) as refusal:
        getattr(service, method)(request_, timeout=20)
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.value.details().startswith(reason)
    assert world.frames() == []


def test_a_run_is_given_as_the_recorder_has_it_and_an_unknown_one_is_not_found(tmp_path):
    parts = [pb.Run(run_id="run-1", part=1, event_count=7), pb.Run(run_id="run-1", part=2)]
    with serving(tmp_path / "journal", runs=Runs(*parts)) as world, world.channel() as channel:
        service = EvidenceServiceStub(channel)
        assert list(service.GetRun(pb.GetRunRequest(run_id="run-1")).parts) == parts
        with pytest.raises(grpc.RpcError) as refusal:
            service.GetRun(pb.GetRunRequest(run_id="other"))
        assert refusal.value.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("runs", "code"),
    [
        (Runs(recorded=False), grpc.StatusCode.DEADLINE_EXCEEDED),
        (Runs(pb.Run(run_id="run-1", state=pb.RUN_STATE_CLOSED)), grpc.StatusCode.DEADLINE_EXCEEDED),
        (Runs(), grpc.StatusCode.NOT_FOUND),
    ],
    ids=["the recorder is behind", "not sealed in time", "unknown"],
)
def test_sealing_that_does_not_come_about_says_why(tmp_path, runs, code):
    with serving(tmp_path / "journal", runs=runs) as world, world.channel() as channel:
        with pytest.raises(grpc.RpcError) as refusal:
            EvidenceServiceStub(channel).SealRun(pb.SealRunRequest(run_id="run-1"), timeout=20)
        assert refusal.value.code() is code
        assert [frame.signal for frame in world.frames()] == [FrameSignal.SEAL_RUN]


def test_sealing_waits_for_its_own_frame_within_the_callers_deadline(tmp_path):
    run = pb.Run(run_id="run-1", state=pb.RUN_STATE_ATTESTED)
    runs = Runs(run, sealed=run)
    with serving(tmp_path / "journal", runs=runs) as world, world.channel() as channel:
        service = EvidenceServiceStub(channel)
        submit(service, receipt())
        assert service.SealRun(pb.SealRunRequest(run_id="run-1"), timeout=20).run == run
        assert service.SealRun(pb.SealRunRequest(run_id="run-1")).run == run
    (first, within), (second, without) = runs.asked
    assert (first, second) == (2, 3)
    assert 0 < within < 60
    assert without == DEFAULT.seal_wait_seconds_max


def test_a_bundle_comes_in_pieces_and_its_attestation_after_it(tmp_path):
    bundle, attestation = tmp_path / "run-1.evidence.tar.gz", tmp_path / "run-1.sigstore.json"
    bundle.write_bytes(bytes(range(256)) * 10_000)
    attestation.write_bytes(b"{}")
    with serving(tmp_path / "journal", runs=Runs(files=(bundle, attestation))) as world, world.channel() as channel:
        pieces = list(EvidenceServiceStub(channel).GetBundle(pb.GetBundleRequest(run_id="run-1", part=1)))
    assert [(piece.content, piece.file_name) for piece in pieces] == [
        *[(pb.GetBundleResponse.CONTENT_BUNDLE, bundle.name)] * 3,
        (pb.GetBundleResponse.CONTENT_ATTESTATION, attestation.name),
    ]
    assert b"".join(piece.data for piece in pieces[:3]) == bundle.read_bytes()
    assert pieces[3].data == b"{}"


def test_a_bundle_without_attestation_and_none_at_all(tmp_path):
    bundle = tmp_path / "run-1.evidence.tar.gz"
    bundle.write_bytes(b"bundle")
    with serving(tmp_path / "journal", runs=Runs(files=(bundle, None))) as world, world.channel() as channel:
        service = EvidenceServiceStub(channel)
        assert [piece.data for piece in service.GetBundle(pb.GetBundleRequest(run_id="run-1"))] == [b"bundle"]
        with pytest.raises(grpc.RpcError) as refusal:
            list(service.GetBundle(pb.GetBundleRequest(run_id="run-1", part=9)))
        assert refusal.value.code() is grpc.StatusCode.NOT_FOUND


def test_what_is_not_carried_out_yet_says_so_and_what_to_do_instead(service):
    calls = {
        "StreamReceipts": lambda: list(service.StreamReceipts(iter([pb.StreamReceiptsRequest()]))),
        "WatchRuns": lambda: list(service.WatchRuns(pb.WatchRunsRequest())),
        "Explain": lambda: service.Explain(pb.ExplainRequest(run_id="run-1", target="closure.score")),
    }
    for name, call in calls.items():
        with pytest.raises(grpc.RpcError) as refusal:
            call()
        assert refusal.value.code() is grpc.StatusCode.UNIMPLEMENTED
        assert refusal.value.details().startswith(f"{name} is part of the contract and not carried out yet; ")
