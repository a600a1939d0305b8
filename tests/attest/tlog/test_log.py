"""A log that is appended to: what it leaves on disk, and what happens when it is stopped anywhere or tampered with."""

import contextlib
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from attest.errors import AttestError, InvalidError, LogError
from attest.tlog import disk
from attest.tlog import log as log_module
from attest.tlog.log import Log
from attest.tlog.note import verifier_key
from attest.tlog.proof import is_prefix
from attest.tlog.reader import LogReader, read_checkpoint_file
from evidence.merkle import consistency_proof, inclusion_proof, leaf_hash, root_of
from tests.tools.examples import times

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
ORIGIN = "example.net/log"


def entry(number: int) -> bytes:
    return hashlib.sha256(number.to_bytes(8, "big")).digest()


@cache
def leaves() -> tuple[list[bytes], list[bytes]]:
    """The entries of the largest log, and their hashes."""
    made = [entry(number) for number in range(70_000)]
    return made, [leaf_hash(one) for one in made]


def entries(count: int) -> list[bytes]:
    return leaves()[0][:count]


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    """What is written in which order is tested; that fsync works is not."""
    monkeypatch.setattr(disk.os, "fsync", lambda _: None)


@pytest.fixture
def folder(tmp_path):
    Log.create(tmp_path, KEY, ORIGIN)
    return tmp_path


def fill(folder: Path, *batches: int) -> None:
    with Log(folder, KEY) as log:
        for count in batches:
            log.append(entries(log.size + count)[log.size :])


def root(count: int) -> bytes:
    return root_of(leaves()[1][:count])


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    """A log of 70,000 leaves: three levels of tiles."""
    folder = tmp_path_factory.mktemp("large")
    Log.create(folder, KEY, ORIGIN)
    fill(folder, 70_000)
    return folder


def test_a_new_log_is_empty_and_signed(folder):
    checkpoint = read_checkpoint_file(folder)
    assert (checkpoint.origin, checkpoint.size) == (ORIGIN, 0)
    assert checkpoint.signed_by([verifier_key(ORIGIN, KEY)])
    with Log(folder, KEY) as log:
        assert log.size == 0


@settings(max_examples=times(0.3))
@given(st.lists(st.sampled_from([1, 2, 3, 100, 255, 256, 257, 513]), max_size=6))
def test_however_entries_are_batched_the_checkpoint_is_of_the_same_tree(tmp_path_factory, batches):
    """Law: the root is RFC 9162's over the entries, whatever the batches, and the whole log can be audited after each."""
    folder = tmp_path_factory.mktemp("log")
    Log.create(folder, KEY, ORIGIN)
    fill(folder, *batches)
    checkpoint = read_checkpoint_file(folder)
    assert (checkpoint.size, checkpoint.root) == (sum(batches), root(sum(batches)))
    assert list(LogReader(folder).audit()) == entries(sum(batches))
    shutil.rmtree(folder)


def test_a_log_of_seventy_thousand_has_the_tiles_that_the_specification_counts(large):
    """273 full level 0 tiles and one of 112, one full level 1 tile and one of 17, one level 2 tile of 1."""
    names = {name for name in files(large) if name.startswith("tile/")}
    levels = {f"tile/0/{at:03}" for at in range(273)} | {
        "tile/0/273.p/112",
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    }
    bundles = {f"tile/entries/{at:03}" for at in range(273)} | {"tile/entries/273.p/112"}
    assert names == levels | bundles


def test_every_size_that_had_a_checkpoint_keeps_its_partial_tile_until_the_tile_is_full(folder):
    fill(folder, 1, 1, 3)
    assert {"tile/0/000.p/1", "tile/0/000.p/2", "tile/0/000.p/5"} <= files(folder).keys()
    fill(folder, 251)
    assert {name for name in files(folder) if name.startswith("tile/0/")} == {"tile/0/000"}


def test_what_a_checkpoint_speaks_of_is_never_written_again(folder):
    fill(folder, 300)
    before = files(folder)
    fill(folder, 5, 400, 1)
    after = files(folder)
    kept = {name for name in before if name.startswith("tile/") and ".p/" not in name}
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


@pytest.mark.parametrize("index", [0, 1, 255, 256, 65_535, 65_536, 69_887, 69_999])
def test_an_inclusion_proof_from_tiles_is_the_one_from_all_leaves_and_reads_few_tiles(large, index, monkeypatch):
    opened = []
    real = Path.open
    monkeypatch.setattr(Path, "open", lambda path, *rest: opened.append(path) or real(path, *rest))
    reader = LogReader(large)
    proof = reader.prove(index)
    assert proof.proves(entry(index), reader.checkpoint)
    assert list(proof.hashes) == inclusion_proof(leaves()[1], index)
    assert len([path for path in opened if path.is_relative_to(large / "tile")]) <= 2 * 3


@settings(max_examples=times(0.5))
@given(st.integers(1, 3_000), st.integers(1, 3_000))
def test_consistency_from_tiles_is_the_proof_from_all_leaves(large, one, other):
    first, second = sorted((one, other))
    hashes = leaves()[1][:second]
    older, newer = at(large, first), at(large, second)
    proof = LogReader(large, newer).prove_since(older)
    assert list(proof) == consistency_proof(hashes, first)
    assert is_prefix(older, newer, proof)


def at(folder: Path, size: int):
    """The checkpoint that the log had at that size; its partial tiles may be gone, the full ones begin with them."""
    from attest.tlog.checkpoint import sign_checkpoint

    return sign_checkpoint(ORIGIN, size, root(size), KEY)


@pytest.mark.parametrize("number", range(12))
def test_stopped_at_any_write_the_log_is_with_or_without_the_entries_and_goes_on(folder, monkeypatch, number):
    """Every write may be the last one, torn in its middle."""
    fill(folder, 254)
    writes = 0
    real = disk._write

    def torn(path: Path, data: bytes) -> None:
        nonlocal writes
        writes += 1
        if writes == number + 1:
            path.write_bytes(data[: len(data) // 2])
            raise KeyboardInterrupt
        real(path, data)

    monkeypatch.setattr(disk, "_write", torn)
    with contextlib.suppress(KeyboardInterrupt):
        fill(folder, 3)
    monkeypatch.setattr(disk, "_write", real)
    size = read_checkpoint_file(folder).size
    assert size in (254, 257)
    assert size == 257 or writes == number + 1
    fill(folder, 1000 - size)
    assert list(LogReader(folder).audit()) == entries(1000)


def test_after_a_failed_append_the_same_writer_goes_on_as_if_nothing_had_been(folder, monkeypatch):
    with Log(folder, KEY) as log:
        log.append(entries(200))
        with monkeypatch.context() as patch:
            patch.setattr(log_module, "replace", _full)
            with pytest.raises(OSError, match="full"):
                log.append([b"never"] * 100)
        assert log.append([entry(200)]) == 200
    assert list(LogReader(folder).audit()) == entries(201)


def _full(*_):
    raise OSError("full")


def test_stopped_before_the_checkpoint_a_longer_tail_is_overwritten(folder, monkeypatch):
    """What a torn append left beyond the checkpoint says other things than what comes next."""
    with monkeypatch.context() as patch:
        patch.setattr(log_module, "replace", _full)
        with Log(folder, KEY) as log, pytest.raises(OSError, match="full"):
            log.append([b"x" * 32] * 700)
    fill(folder, 1, 699)
    assert list(LogReader(folder).audit()) == entries(700)


LOOP = """
import sys, hashlib
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from attest.tlog.log import Log
with Log(Path(sys.argv[1]), Ed25519PrivateKey.from_private_bytes(bytes(32))) as log:
    print(log.size, flush=True)
    while True:
        print(log.append([hashlib.sha256(log.size.to_bytes(8, "big")).digest()]), flush=True)
"""


def test_killed_in_the_append_loop_nothing_acknowledged_is_lost_and_the_log_goes_on(folder):
    """kill -9, several times over; what was printed was on disk, and at most one more."""
    pause = random.Random(5)
    acknowledged = -1
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", LOOP, str(folder)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
        )
        assert process.stdout is not None
        assert int(process.stdout.readline()) in (acknowledged + 1, acknowledged + 2)
        for _ in range(pause.randrange(20, 60)):
            acknowledged = int(process.stdout.readline())
        time.sleep(pause.random() / 100)
        os.kill(process.pid, signal.SIGKILL)
        acknowledged = max([acknowledged, *(int(line) for line in process.stdout if line.endswith("\n"))])
        process.wait()
        process.stdout.close()
        assert read_checkpoint_file(folder).size - 1 in (acknowledged, acknowledged + 1)
        size = read_checkpoint_file(folder).size
        assert list(LogReader(folder).audit()) == entries(size)


# ---------------------------------------------------------------- refusals


def test_signatures_under_a_checkpoint_that_is_the_present_one_no_more_are_not_stored(folder):
    """A witness's answer that comes late must not take the log back."""
    with Log(folder, KEY) as log:
        late = log.checkpoint.with_signatures([])
        log.append([b"more"])
        with pytest.raises(LogError, match="the log has grown since"):
            log.store(late)
        assert read_checkpoint_file(folder) == log.checkpoint != late


def test_one_log_has_one_writer(folder):
    with Log(folder, KEY), pytest.raises(LogError, match="another process writes"):
        Log(folder, KEY)
    with Log(folder, KEY):
        pass


def test_a_log_is_never_begun_over_another(folder):
    with pytest.raises(LogError, match="there is a log already"):
        Log.create(folder, KEY, ORIGIN)


def test_a_log_of_another_key_is_not_continued(folder):
    with pytest.raises(LogError, match="not signed by the key"):
        Log(folder, Ed25519PrivateKey.generate())


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\nb"])
def test_an_origin_that_cannot_name_a_key_is_refused(tmp_path, origin):
    with pytest.raises(LogError, match="origin"):
        Log.create(tmp_path, KEY, origin)
    assert list(tmp_path.iterdir()) == []


def test_where_no_log_is_none_is_written(tmp_path):
    with pytest.raises(LogError, match="no log is there"):
        Log(tmp_path, KEY)
    with pytest.raises(LogError, match="no log that can be written to"):
        Log(tmp_path / "absent", KEY)


@pytest.mark.parametrize("name", ["tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44"])
@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_a_log_whose_last_tiles_are_damaged_is_not_continued(folder, name, damage):
    fill(folder, 300)
    path = folder / name
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(data[:-1] + (b"" if damage == "cut" else bytes([data[-1] ^ 1])))
    with pytest.raises(LogError, match="cannot be continued"):
        Log(folder, KEY)
    if damage == "gone":
        path.write_bytes(data)
        fill(folder, 1)  # a refusal leaves the log free for the next


def test_an_old_checkpoint_put_back_is_continued_only_a_kept_checkpoint_or_a_witness_knows(folder):
    """The limit of a log by itself: its own files cannot say that they have said more."""
    fill(folder, 10)
    old = (folder / "checkpoint").read_bytes()
    fill(folder, 290)
    newest = read_checkpoint_file(folder)
    (folder / "checkpoint").write_bytes(old)
    with Log(folder, KEY) as log:
        assert log.size == 10
    with pytest.raises(InvalidError, match="has 300 leaves, the log 10"):
        LogReader(folder).prove_since(newest)


@pytest.mark.parametrize("size", [1, 255, 256, 300, 513])
def test_a_flipped_bit_in_any_file_of_a_log_is_noticed_by_an_audit(folder, size):
    fill(folder, size)
    chance = random.Random(size)
    for name, data in files(folder).items():
        if not name.startswith("tile/"):
            continue
        changed = bytearray(data)
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        (folder / name).write_bytes(bytes(changed))
        with pytest.raises(InvalidError):
            list(LogReader(folder).audit())
        (folder / name).write_bytes(data)
    assert len(list(LogReader(folder).audit())) == size


def test_no_proof_is_handed_out_that_does_not_verify(folder):
    fill(folder, 300)
    (folder / "tile/0/000").write_bytes(bytes(8192))
    reader = LogReader(folder)
    for index in (0, 255):
        with pytest.raises(InvalidError, match="do not lead"):
            reader.prove(index)
    assert reader.prove(260).proves(entry(260), reader.checkpoint)  # its proof needs the hash of that tile alone


def test_an_entry_is_found_from_the_end_or_not_at_all(folder):
    fill(folder, 300)
    reader = LogReader(folder)
    assert [reader.find(entry(number)) for number in (0, 255, 256, 299, 300)] == [0, 255, 256, 299, None]
    assert reader.entry(256) == entry(256)
    for index in (-1, 300):
        with pytest.raises(InvalidError, match=f"no leaf {index} in a log of 300"):
            reader.entry(index)


def test_a_reader_of_an_older_checkpoint_proves_from_the_newer_logs_tiles(folder):
    fill(folder, 100)
    old = read_checkpoint_file(folder)
    fill(folder, 500)
    assert LogReader(folder, old).prove(99).proves(entry(99), old)
    assert list(LogReader(folder, old).audit()) == entries(100)


def test_a_foreign_or_larger_checkpoint_is_no_prefix(folder, tmp_path_factory):
    fill(folder, 10)
    other = tmp_path_factory.mktemp("other")
    Log.create(other, KEY, "example.net/other")
    reader = LogReader(folder)
    with pytest.raises(InvalidError, match="of the log 'example.net/other'"):
        reader.prove_since(read_checkpoint_file(other))
    with pytest.raises(InvalidError, match="has 11 leaves, the log 10"):
        reader.prove_since(at(folder, 11))


@settings(max_examples=times(0.4))
@given(st.data())
def test_hostile_tiles_end_in_an_error_of_ours_or_a_true_proof(large, data):
    """Law: whatever the bytes of a tile are, what is handed out verifies."""
    reader = LogReader(large)
    real = reader._tiles._read
    garbage = data.draw(st.binary(max_size=100) | st.integers(0, 300).map(lambda count: bytes(32 * count)))
    names = data.draw(st.sets(st.sampled_from(["tile/0", "tile/1", "tile/2", "tile/entries"])))

    def read(path, width, bytes_max):
        return garbage if any(path.startswith(name) for name in names) else real(path, width, bytes_max)

    reader._tiles._read = read
    index = data.draw(st.integers(0, 69_999))
    with contextlib.suppress(AttestError):
        assert reader.prove(index).proves(entry(index), reader.checkpoint)
