"""The attester over a real store, real bundles and, where it matters, real signers: what is sealed is attested in the end."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from random import Random

import orjson
import pytest

from attest.attestation import sigstore_bundle
from attest.attestation.statement import read as read_statement
from attest.errors import KeyFileError, SignerUnavailableError, SigningError, WitnessError
from attest.keys import generate
from attest.signers.key import KeySigner
from attest.signers.timestamp import Timestamper
from attest.trust.trust import Trust
from attest.verify import verify_file
from sidecar.attesting import Attester
from sidecar.clock import now_unix_nano
from sidecar.log import Log
from sidecar.recorder.store import RunRow, RunStore
from sidecar.spool import Pace
from tests.attest.world import run_events, seal_run
from tests.sigstore.loopback import Fault

KEY = generate()


class Scripted:
    """Signs for real, unless its script says otherwise for this call."""

    def __init__(self, *script: Exception | None) -> None:
        self.script = list(script)
        self.signed: list[int] = []
        """How many bundles each statement was over."""
        self.refuses = lambda statement: None
        self._signer = KeySigner(KEY)

    def sign(self, payload: bytes) -> bytes:
        statement = read_statement(payload)
        self.signed.append(len(statement.entries))
        if (error := self.script.pop(0) if self.script else self.refuses(statement)) is not None:
            raise error
        return self._signer.sign(payload)

    def describe(self) -> str:
        return self._signer.describe()


class World:
    def __init__(self, folder: Path) -> None:
        self.bundles = folder / "bundles"
        self.bundles.mkdir()
        self.runs = folder / "runs.sqlite"
        self.store = RunStore(self.runs)
        self.now = 0.0
        self.signer = Scripted()
        self.attester = self.start()

    def start(self, *, pace: Pace = Pace(), signer=None, **options) -> Attester:  # noqa: B008
        """A new process would do the same: a fresh attester, handed what the store has sealed."""
        self.attester = Attester(
            runs=self.runs,
            out=self.bundles,
            signer=(lambda: self.signer) if signer is None else signer,
            pace=pace,
            log=Log("debug"),
            clock_seconds=lambda: self.now,
            random=Random(7),
            **options,
        )
        for run in self.store.in_state("sealed"):
            self.attester.add(run, None)
        return self.attester

    def seal(self, count: int = 1, *, kept: bool = True) -> list[Path]:
        """Seals runs and hands them on, with their facts as the sealer does."""
        made = []
        for _ in range(count):
            number = len(list(self.bundles.glob("*.tar.gz"))) + 1
            facts = seal_run(self.bundles, run_events(f"run-{number}"))
            run = RunRow(
                run_id=f"run-{number}",
                part=1,
                state="sealed",
                opened_unix_nano=1,
                last_unix_nano=1,
                closed_unix_nano=number,
                first_seq=0,
                next_seq=7,
                sealed_json=orjson.dumps({"file": facts.file, "attestation": None}).decode(),
            )
            with self.store.transaction():
                self.store.save(run)
            self.attester.add(run, facts if kept else None)
            made.append(facts.path)
        return made

    def states(self) -> list[str]:
        return [self.store.row(row).state for row in range(1, len(list(self.bundles.glob("*.tar.gz"))) + 1)]

    def verdicts(self) -> list[str]:
        return [verify_file(path, trust=Trust.of(KEY.public)).verdict for path in sorted(self.bundles.glob("*.tar.gz"))]

    def run_for(self, seconds: float) -> None:
        """Steps as the thread would, with the clock moved on by what each step asks for."""
        until = self.now + seconds
        while (wait := self.attester.step()) is not None and self.now + wait <= until:
            self.now += wait


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.store.close()


def beside(bundle: Path) -> Path:
    return bundle.with_name(bundle.name.replace(".evidence.tar.gz", ".sigstore.json"))


def test_a_sealed_run_is_attested_by_the_next_step_and_verifies(world):
    (bundle,) = world.seal()
    assert world.attester.step() is None
    assert (world.states(), world.verdicts()) == (["attested"], ["verified"])
    assert orjson.loads(world.store.row(1).sealed_json)["attestation"] == beside(bundle).name


def test_what_is_there_at_once_shares_one_statement_and_each_bundle_verifies_by_itself(world):
    bundles = world.seal(5)
    world.attester.step()
    assert world.signer.signed == [5]
    assert world.verdicts() == ["verified"] * 5
    assert len({beside(bundle).read_bytes() for bundle in bundles}) == 1
    assert len({beside(bundle).stat().st_ino for bundle in bundles}) == 1, "one file under five names"


def test_a_bundle_still_verifies_when_it_is_copied_away_from_those_it_was_signed_with(world, tmp_path):
    first, *_ = world.seal(3)
    world.attester.step()
    (away := tmp_path / "away").mkdir()
    for path in (first, beside(first)):
        (away / path.name).write_bytes(path.read_bytes())
    assert verify_file(away / first.name, trust=Trust.of(KEY.public)).verdict == "verified"


def test_more_than_a_batch_is_signed_batch_by_batch(world):
    world.start(pace=Pace(batch_bundles_max=2))
    world.seal(5)
    world.run_for(0.0)
    assert world.signer.signed == [2, 2, 1]
    assert world.verdicts() == ["verified"] * 5


def test_where_the_file_system_has_no_hard_links_each_bundle_has_a_copy(world, monkeypatch):
    def refuse(self, target):
        raise PermissionError("no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    bundles = world.seal(3)
    world.attester.step()
    assert world.verdicts() == ["verified"] * 3
    assert len({beside(bundle).stat().st_ino for bundle in bundles}) == 3


def test_a_statement_from_facts_of_sealing_is_that_from_facts_read_back(world):
    (bundle,) = world.seal()
    payloads = []
    for _ in range(2):
        world.run_for(0.0)
        payloads.append(sigstore_bundle.read(beside(bundle).read_bytes()).envelope.payload)
        run = world.store.row(1)
        run.state = "sealed"
        with world.store.transaction():
            world.store.save(run)
        world.start()  # a new process: nothing is in memory
    assert payloads[0] == payloads[1]


# ---------------------------------------------------------------- the signer fails


@pytest.mark.parametrize("error", [SignerUnavailableError("no answer"), WitnessError("too few"), SigningError("401")])
def test_while_the_signer_fails_everything_waits_and_is_signed_afterwards(world, error):
    world.seal(3)
    world.signer.script = [error] * 3
    world.run_for(0.0)
    assert (world.states(), list(world.bundles.glob("*.sigstore.json"))) == (["sealed"] * 3, [])
    world.run_for(2000)
    assert world.verdicts() == ["verified"] * 3


def test_a_signer_that_cannot_even_be_opened_is_tried_again(world):
    tries = iter([KeyError("no such table"), OSError("no route"), None])

    def signer():
        if (error := next(tries)) is not None:
            raise error
        return world.signer

    world.start(signer=signer)
    world.seal()
    world.run_for(2000)
    assert world.verdicts() == ["verified"]


def test_a_key_that_cannot_be_read_is_the_signers_fault_and_no_bundles(world, capsys):
    """Such as a secret that was mounted anew with something else in it: said once for all that waits, not once for each bundle."""
    tries = iter([KeyFileError("k.pem: a PEM PUBLIC KEY; expected a PKCS#8 PEM private key")])

    def signer():
        if (error := next(tries, None)) is not None:
            raise error
        return world.signer

    world.start(signer=signer)
    world.seal(4)
    world.run_for(0.0)
    said = capsys.readouterr().err
    assert said.count("not attested yet; tried again") == 1
    assert "a PEM PUBLIC KEY" in said
    assert "a bundle cannot be attested" not in said
    world.run_for(2000)
    assert world.verdicts() == ["verified"] * 4


def test_what_waits_and_why_is_in_the_log(world, capsys):
    world.seal(2)
    world.signer.script = [SignerUnavailableError("the vault is sealed")]
    world.run_for(0.0)
    said = capsys.readouterr().err
    assert "not attested yet; tried again" in said
    assert "waiting=2" in said
    assert "oldest_seconds=" in said
    assert "the vault is sealed" in said
    world.run_for(2000)
    assert "attested  bundles=1" in capsys.readouterr().err


def test_a_bundle_that_the_signer_alone_refuses_is_found_and_the_others_are_attested(world):
    """Such as one whose statement a log does not take."""
    world.seal(20)
    world.signer.refuses = lambda statement: (
        SigningError("400: not this one") if any(e["run_id"] == "run-13" for e in statement.entries.values()) else None
    )
    world.run_for(60)
    assert [at + 1 for at, state in enumerate(world.states()) if state == "sealed"] == [13]
    world.signer.refuses = lambda statement: None
    world.run_for(1000)
    assert set(world.states()) == {"attested"}


# ---------------------------------------------------------------- a bundle fails


def test_a_bundle_that_was_damaged_on_disk_is_not_signed_and_holds_nobody_up(world, capsys):
    _, damaged, _ = world.seal(3, kept=False)
    good = damaged.read_bytes()
    damaged.write_bytes(good[:200] + bytes([good[200] ^ 1]) + good[201:])
    world.run_for(0.0)
    assert world.states() == ["attested", "sealed", "attested"]
    assert "a bundle cannot be attested" in capsys.readouterr().err
    assert not beside(damaged).exists()
    damaged.write_bytes(good)
    world.run_for(1000)
    assert world.verdicts() == ["verified"] * 3


def test_a_bundle_that_is_gone_is_not_signed_and_holds_nobody_up(world):
    first, _ = world.seal(2, kept=False)
    first.unlink()
    world.run_for(0.0)
    assert [world.store.row(row).state for row in (1, 2)] == ["sealed", "attested"]


def test_a_bundle_over_which_there_is_no_statement_is_found_by_halves(world):
    proven = []

    def evidence(bundles):
        proven.append(len(bundles))
        if any(facts.manifest["run_id"] == "run-3" for facts in bundles):
            raise ValueError("not in the log")

    world.start(evidence=evidence)
    world.seal(8)
    world.run_for(0.0)
    assert [at + 1 for at, state in enumerate(world.states()) if state == "sealed"] == [3]
    assert proven == [8, 4, 2, 2, 1, 1, 4]
    assert world.signer.signed == [2, 1, 4]


def test_more_bundles_than_an_attestation_has_room_for_are_signed_in_several(world, monkeypatch):
    """Nobody reads a larger file: what would not be read is found before anybody is asked to sign it."""
    from attest import attest as attesting
    from attest.limits import AttestLimits

    small = AttestLimits(attestation_bytes_max=64 * 1024 + 3 * 4096)
    whole = attesting.attest_bundles
    monkeypatch.setattr(attesting, "attest_bundles", lambda *some, **options: whole(*some, **options, limits=small))
    world.seal(8)
    world.run_for(0.0)
    assert world.verdicts() == ["verified"] * 8
    assert max(world.signer.signed) < 8


# ---------------------------------------------------------------- restarts


def test_what_was_sealed_before_a_crash_is_read_back_and_attested_by_the_next_process(world):
    world.seal(3)
    world.start()  # the first was killed before it came to it
    world.run_for(0.0)
    assert world.verdicts() == ["verified"] * 3


def test_a_crash_between_writing_and_remembering_signs_again(world, monkeypatch):
    bundles = world.seal(2)

    def killed(self, found):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunStore, "attested", killed)
        with pytest.raises(KeyboardInterrupt):
            world.attester.step()
    left = beside(bundles[0]).read_bytes()
    assert world.states() == ["sealed", "sealed"]
    world.start().step()
    assert world.verdicts() == ["verified"] * 2
    assert beside(bundles[0]).read_bytes() != left
    assert sorted(path.name for path in world.bundles.glob(".*")) == []


def test_what_is_attested_already_is_not_signed_again(world):
    world.seal(2)
    (row,) = [run for run in world.store.in_state("sealed") if run.row == 1]
    world.attester.step()
    world.attester.add(row, None)  # handed over once more, from before
    world.run_for(0.0)
    assert world.signer.signed == [2]


# ---------------------------------------------------------------- the thread, and its end


def test_the_thread_attests_what_is_added_and_its_end_leaves_nothing(world):
    world.attester.start()
    world.seal(3)
    world.attester.stop(60)
    assert world.verdicts() == ["verified"] * 3


def test_a_stop_does_not_wait_for_others_to_share_a_signature(world):
    world.start(pace=Pace(batch_wait_seconds=3600)).start()
    world.seal(2)
    world.attester.stop(60)
    assert (world.states(), world.signer.signed) == (["attested"] * 2, [2])


def test_a_stop_asks_a_resting_signer_once_more_and_then_says_what_is_left(world, capsys):
    world.signer.script = [SignerUnavailableError("away")] * 100
    world.seal(3)
    world.run_for(0.0)
    assert (world.signer.signed, "not attested yet" in capsys.readouterr().err) == ([3], True)
    world.start().start()
    while "not attested yet" not in capsys.readouterr().err:
        time.sleep(0.01)
    world.attester.stop(60)
    assert world.signer.signed == [3, 3, 1]
    assert "not all attested; kept for the next start  waiting=3" in capsys.readouterr().err
    assert world.states() == ["sealed"] * 3


def test_a_signer_that_hangs_does_not_hold_up_the_end(world, capsys):
    released = threading.Event()

    class Hanging(Scripted):
        def sign(self, payload: bytes) -> bytes:
            released.wait()
            return super().sign(payload)

    world.signer = Hanging()
    world.attester.start()
    world.seal(1)
    world.attester.stop(0.05)
    assert "kept for the next start" in capsys.readouterr().err
    released.set()
    world.attester._thread.join()


def test_a_fault_of_the_store_is_said_and_tried_again(world, monkeypatch, capsys):
    attested = RunStore.attested
    failures = iter([True])

    def locked(self, found):
        if next(failures, False):
            raise OSError("database is locked")
        attested(self, found)

    monkeypatch.setattr(RunStore, "attested", locked)
    monkeypatch.setattr("sidecar.attesting._FAULT_REST_SECONDS", 0.01)
    world.seal(1)
    world.attester.start()
    while world.states() != ["attested"]:
        threading.Event().wait(0.01)
    world.attester.stop(60)
    assert "attesting failed; tried again" in capsys.readouterr().err


# ---------------------------------------------------------------- a timestamp authority, over HTTP


def test_a_bundle_waits_for_its_time_while_the_authority_is_down(world, sigstore):
    signer = KeySigner(KEY, timestamper=Timestamper(sigstore.tsa_url, clock=now_unix_nano))
    world.start(signer=lambda: signer, dated=True)
    sigstore.faults.set("tsa", Fault(status=503, times=2))
    (bundle,) = world.seal()
    world.run_for(0.0)
    assert world.states() == ["sealed"]
    world.run_for(100)
    assert len(sigstore_bundle.read(beside(bundle).read_bytes()).timestamps) == 1
    assert world.verdicts() == ["verified"]


def test_where_no_time_is_required_the_log_says_that_there_is_none(world, sigstore, capsys):
    signer = KeySigner(KEY, timestamper=Timestamper(sigstore.tsa_url, clock=now_unix_nano), require_timestamp=False)
    world.start(signer=lambda: signer, dated=True)
    sigstore.faults.set("tsa", Fault(status=503, times=1))
    world.seal()
    world.run_for(0.0)
    said = capsys.readouterr().err
    assert "warning receiver: attested  bundles=1 dated=False" in said
    world.seal()
    world.run_for(0.0)
    assert "dated=True" in capsys.readouterr().err
