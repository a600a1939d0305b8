"""The sidecar's log: begun once, entered into once whatever stops the process, and proven from."""

import shutil

import orjson
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from attest.attestation.statement import read, statement
from attest.checks.log import check_log
from attest.errors import LogError, WitnessError
from attest.tlog import disk
from attest.tlog.note import VerifierKey
from attest.tlog.reader import LogReader, read_checkpoint_file
from attest.trust.trust import Required, Trust
from sidecar.bundle_log import BundleLog, LogSpec
from sidecar.errors import ConfigError, SidecarError
from sidecar.journal import Frame, FrameSignal
from sidecar.recorder import sealer as sealer_module
from sidecar.recorder.lifecycle import Lifecycle
from sidecar.recorder.recorder import Recorder
from sidecar.recorder.sealer import PRODUCER, Sealer
from sidecar.recorder.store import RunStore
from sidecar.tables import load_packs
from sidecar.translation import FrameTranslator
from tests.attest.tlog.witness import LoopbackWitness, hang, running
from tests.tools.translators import loaded

NEVER = Lifecycle(quiet_seconds=1e9, idle_seconds=1e9, age_seconds_max=1e9, bytes_max=1 << 40)
TRANSLATOR = loaded()
PACKS = load_packs(["baseline"])
DIGESTS = [bytes([number]) * 32 for number in range(5)]


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(disk.os, "fsync", lambda _: None)


def log_in(folder, spec=LogSpec()) -> BundleLog:  # noqa: B008 - frozen
    return BundleLog(folder / "log", folder / "keys" / "log.pem", name="local", spec=spec)


# ---------------------------------------------------------------- beginning


def test_a_log_is_begun_once_with_a_key_of_its_own(tmp_path):
    log = log_in(tmp_path)
    assert [log.ensure(), log.ensure(), log_in(tmp_path).ensure()] == [True, False, False]
    key = VerifierKey.parse(log.vkey)
    checkpoint = read_checkpoint_file(tmp_path / "log")
    assert (checkpoint.size, checkpoint.signed_by([key])) == (0, key)
    assert (tmp_path / "keys/log.pem").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys/log.vkey").read_text() == f"{key}\n"
    prefix, name, fingerprint = checkpoint.origin.split("/")
    assert (prefix, name, len(fingerprint)) == ("affidavit", "local", 16)


def test_two_sidecars_of_one_name_have_logs_of_two_origins(tmp_path):
    logs = [log_in(tmp_path / name) for name in ("one", "other")]
    for log in logs:
        log.ensure()
    assert len({VerifierKey.parse(log.vkey).name for log in logs}) == 2


def test_the_configured_origin_is_the_logs_and_stays_it(tmp_path):
    named = LogSpec(origin="example.com/agents/log1")
    assert log_in(tmp_path, named).ensure()
    assert not log_in(tmp_path).ensure()
    with pytest.raises(
        ConfigError, match=r"origin is 'example\.com/other', and the log in .* is 'example\.com/agents/log1'"
    ):
        log_in(tmp_path, LogSpec(origin="example.com/other")).ensure()


def test_a_key_whose_log_is_gone_begins_no_other_log(tmp_path):
    """Under the same key that would be a fork."""
    log_in(tmp_path).ensure()
    shutil.rmtree(tmp_path / "log")
    with pytest.raises(ConfigError, match=r"the log of the key .* is gone"):
        log_in(tmp_path).ensure()


def test_a_log_whose_key_is_gone_is_not_continued_by_another(tmp_path):
    log = log_in(tmp_path)
    log.ensure()
    log.append([DIGESTS[0]])
    log.close()
    (tmp_path / "keys/log.pem").unlink()
    with pytest.raises(ConfigError, match=r"the key of the log .* is gone"):
        log_in(tmp_path).ensure()


def test_stopped_before_the_key_was_saved_the_next_start_begins_it(tmp_path, monkeypatch):
    monkeypatch.setattr("attest.keys.save", _stop)
    with pytest.raises(KeyboardInterrupt):
        log_in(tmp_path).ensure()
    monkeypatch.undo()
    log = log_in(tmp_path)
    assert log.ensure()
    assert log.append([DIGESTS[0]]) == 0


def _stop(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("vkey", "reason"),
    [
        ("w+00000000+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "has the id '00000000'"),
        ("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "expected type 04"),
    ],
)
def test_a_witnesss_key_that_cannot_be_used_is_refused_at_the_start(tmp_path, vkey, reason):
    spec = LogSpec(witnesses=((vkey, "http://127.0.0.1:1"),))
    with pytest.raises(ConfigError, match=r"attest\.sidecar_log\.witnesses\[0\]\.vkey: .*" + reason):
        log_in(tmp_path, spec).ensure()


# ---------------------------------------------------------------- evidence


@pytest.fixture
def log(tmp_path):
    log = log_in(tmp_path)
    log.ensure()
    yield log
    log.close()


def test_what_was_appended_is_held_and_found_also_by_the_next_process(tmp_path, log):
    assert [log.append([digest]) for digest in DIGESTS[:3]] == [0, 1, 2]
    log.close()
    later = log_in(tmp_path)
    assert later.size == 3
    assert [later.holds(index, DIGESTS[1]) for index in range(4)] == [False, True, False, False]
    assert [later.find(digest) for digest in DIGESTS[:4]] == [0, 1, 2, None]
    later.close()


def facts_of(make, number):
    return make(number, manifest_sha256=DIGESTS[number].hex())


@pytest.fixture
def make_facts():
    from tests.attest.conftest import _make_facts

    return _make_facts


def test_evidence_proves_each_bundle_to_whoever_trusts_the_logs_key(make_facts, log):
    for digest in DIGESTS:
        log.append([digest])
    facts = [facts_of(make_facts, number) for number in (1, 3)]
    said = read(statement(facts, PRODUCER, log=log.evidence(facts)))
    trust = Trust(logs=(log.vkey,), required=Required(sidecar_log=True))
    for number, one in zip((1, 3), facts, strict=True):
        check = check_log(said, one, trust)
        assert check.outcome == "pass"
        assert f"leaf {number} of 5 (counted from 0)" in check.reason


def test_a_bundle_that_is_not_in_the_log_has_no_evidence(make_facts, log):
    log.append([DIGESTS[0]])
    with pytest.raises(SidecarError, match=r"run-2\.evidence\.tar\.gz is not in the log of 1 leaves"):
        log.evidence([facts_of(make_facts, 2)])


def test_a_damaged_log_gives_no_evidence_and_says_so(tmp_path, make_facts, log):
    log.append([DIGESTS[1]])
    log.close()
    (tmp_path / "log/tile/0/000.p/1").write_bytes(bytes(32))
    with pytest.raises(LogError, match="cannot be continued"):
        log_in(tmp_path).evidence([facts_of(make_facts, 1)])


def test_evidence_waits_for_as_many_witnesses_as_are_asked_for_and_keeps_their_cosignatures(tmp_path, make_facts):
    log_in(tmp_path, LogSpec(origin="example.com/log")).ensure()
    key = VerifierKey.parse((tmp_path / "keys/log.vkey").read_text().strip())
    one, other = (LoopbackWitness(f"w.example/{at}", key) for at in range(2))
    with running(one, other):
        spec = LogSpec(
            witnesses=tuple((str(each.vkey), each.url) for each in (one, other)), witnesses_min=2, timeout_seconds=0.5
        )
        log = log_in(tmp_path, spec)
        log.append([DIGESTS[1]])
        facts = [facts_of(make_facts, 1)]
        other.fault = hang
        with pytest.raises(WitnessError, match="1 of 2 witnesses cosigned"):
            log.evidence(facts)
        other.fault = None
        evidence = log.evidence(facts)
        trust = Trust(logs=(str(key),), witnesses=(str(one.vkey), str(other.vkey)), required=Required(witnesses=2))
        assert check_log(read(statement(facts, PRODUCER, log=evidence)), facts[0], trust).outcome == "pass"
        assert read_checkpoint_file(tmp_path / "log") == evidence.checkpoint
        asked = one.requests
        assert log.evidence(facts) == evidence  # nobody is asked again for the same checkpoint
        assert one.requests == asked
        log.append([DIGESTS[2]])
        assert log.evidence(facts).checkpoint.cosigned_by([one.vkey, other.vkey]).keys() == {one.vkey, other.vkey}
        log.close()


# ---------------------------------------------------------------- sealing


def span(run: int) -> bytes:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(
        trace_id=bytes([run]) * 16, span_id=bytes([run]) * 8, name="x"
    )
    return request.SerializeToString()


class Sidecar:
    """Store, sealer and log on disk, started again and again."""

    def __init__(self, folder, runs: int) -> None:
        self.folder = folder
        (folder / "bundles").mkdir()
        log_in(folder).ensure()
        store = RunStore(folder / "runs.sqlite", durable=False)
        recorder = Recorder(
            store=store,
            lifecycle=NEVER,
            translate=FrameTranslator(TRANSLATOR),
            run_key=("trace_id",),
            source="urn:affidavit:test",
            unrecorded=lambda *_: None,
        )
        recorder.record([Frame(number, 1_000, FrameSignal.TRACES, 0, span(number)) for number in range(1, runs + 1)])
        recorder.close_all("shutdown", 2_000)
        store.close()

    def start(self, seconds: float = 0.0) -> None:
        """Seal what is closed, as a new process does, until a crash or the end."""
        self.log, self.store = log_in(self.folder), RunStore(self.folder / "runs.sqlite", durable=False)
        self.failures = []
        sealer = Sealer(
            store=self.store,
            out=self.folder / "bundles",
            packs=PACKS,
            translator=TRANSLATOR,
            profiles={},
            source="urn:affidavit:test",
            chained=True,
            log=self.log,
            clock_seconds=lambda: self.now,
        )
        self.now = 0.0
        try:
            for self.now in (0.0, 1e6):  # what failed is tried again
                list(sealer.seal_closed(lambda run, error: self.failures.append(error)))
        finally:
            self.store.close()
            self.log.close()

    def check(self) -> None:
        """Every bundle is a leaf, once, and its row says which."""
        store = RunStore(self.folder / "runs.sqlite", durable=False)
        rows = [orjson.loads(run.sealed_json) for run in store.in_state("sealed")]
        store.close()
        leaves = list(LogReader(self.folder / "log").audit())
        assert sorted(leaves) == sorted(bytes.fromhex(row["manifest_sha256"]) for row in rows)
        assert [leaves[row["log_index"]].hex() for row in rows] == [row["manifest_sha256"] for row in rows]


class Crash(BaseException):
    """What no handler of errors catches: the process is gone."""


def test_every_sealed_bundle_is_a_leaf_and_its_row_says_which(tmp_path):
    sidecar = Sidecar(tmp_path, runs=3)
    sidecar.start()
    sidecar.check()
    assert [orjson.loads(run.sealed_json)["log_index"] for run in _rows(tmp_path)] == [0, 1, 2]


def _rows(folder):
    store = RunStore(folder / "runs.sqlite", durable=False)
    try:
        return store.in_state("sealed")
    finally:
        store.close()


@pytest.fixture(params=[1, 3, 16], ids=lambda count: f"together_{count}")
def together(request, monkeypatch):
    """How many bundles share an entry into the log."""
    monkeypatch.setattr(sealer_module, "_ENTERED_AT_ONCE", request.param)


@pytest.mark.usefixtures("together")
@pytest.mark.parametrize("error", [Crash, OSError], ids=["crash", "error"])
@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_stopped_around_any_append_every_bundle_is_still_a_leaf_once(tmp_path, monkeypatch, error, number, after):
    """A crash ends the process and another one goes on; an error rests that run, others take its place, and it is tried again."""
    sidecar = Sidecar(tmp_path, runs=4)
    calls = []
    real = BundleLog.append

    def failing(self, digests):
        calls.append(digests)
        if len(calls) != number + 1:
            return real(self, digests)
        if after:
            real(self, digests)
        raise error

    monkeypatch.setattr(BundleLog, "append", failing)
    try:
        sidecar.start()
    except Crash:
        sidecar.start()
    sidecar.check()


@pytest.mark.usefixtures("together")
@pytest.mark.parametrize("number", range(7))
def test_stopped_at_any_transaction_every_bundle_is_still_a_leaf_once(tmp_path, monkeypatch, number):
    sidecar = Sidecar(tmp_path, runs=3)
    calls = []
    real = RunStore.save

    def failing(self, run):
        calls.append(run)
        if len(calls) == number + 1:
            raise Crash
        real(self, run)

    monkeypatch.setattr(RunStore, "save", failing)
    try:
        sidecar.start()
    except Crash:
        sidecar.start()
    sidecar.check()


def test_a_run_that_cannot_be_sealed_does_not_keep_the_others_out_of_the_log(tmp_path, monkeypatch):
    sidecar = Sidecar(tmp_path, runs=4)
    seal = Sealer._seal
    tried = []

    def broken(self, run):
        tried.append(run.run_id)
        if tried.count(run.run_id) == 1 and run.run_id.startswith("02"):
            raise KeyError("a fault of ours")
        return seal(self, run)

    monkeypatch.setattr(Sealer, "_seal", broken)
    sidecar.start()
    sidecar.check()
    assert len(sidecar.failures) == 1
    assert LogReader(tmp_path / "log").checkpoint.size == 4


def test_what_was_sealed_before_there_was_a_log_is_entered_at_the_next_start(tmp_path):
    sidecar = Sidecar(tmp_path, runs=2)
    sidecar.start()
    store = RunStore(tmp_path / "runs.sqlite", durable=False)
    with store.transaction():
        for run in store.in_state("sealed"):
            sealed = orjson.loads(run.sealed_json)
            del sealed["log_index"]
            run.sealed_json = orjson.dumps(sealed).decode()
            store.save(run)
    store.close()
    shutil.rmtree(tmp_path / "log")
    shutil.rmtree(tmp_path / "keys")
    log_in(tmp_path).ensure()
    sidecar.start()
    sidecar.check()
