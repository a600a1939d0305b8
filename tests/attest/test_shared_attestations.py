"""What many bundles share is judged once, and never for another attestation than its own."""

import os
from pathlib import Path

import pytest

from attest.attestation.statement import statement
from attest.checks import attestation as attestation_checks
from attest.checks.attestation import AttestationJudge
from attest.checks.shared import SharedFiles
from attest.keys import generate
from attest.limits import AttestLimits
from attest.trust.trust import Trust
from tests.attest import sigstore_world as sw
from tests.attest import world

KEY = generate()


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    return [world.seal_run(folder, world.run_events(f"run-{number}")) for number in range(4)]


@pytest.fixture
def judged(monkeypatch):
    """How many signatures are looked at."""
    calls = []
    judge_key = attestation_checks.judge_key

    def counted(*arguments):
        calls.append(arguments)
        return judge_key(*arguments)

    monkeypatch.setattr(attestation_checks, "judge_key", counted)
    return calls


def test_bundles_under_one_statement_share_its_signature(bundles, judged):
    data = sw.keyed(KEY, statement(bundles, world.PRODUCER))
    judge = AttestationJudge(Trust.of(KEY.public))
    readings = [judge.judge([sw.Held(data)], sw.attested(facts)) for facts in bundles]
    assert [sw.outcomes(reading)["statement"] for reading in readings] == ["pass"] * 4
    assert len(judged) == 1


def test_a_bundle_that_the_shared_statement_does_not_name_fails_all_the_same(bundles, judged):
    data = sw.keyed(KEY, statement(bundles[:3], world.PRODUCER))
    judge = AttestationJudge(Trust.of(KEY.public))
    outcomes = [sw.outcomes(judge.judge([sw.Held(data)], sw.attested(facts)))["statement"] for facts in bundles]
    assert outcomes == ["pass", "pass", "pass", "fail"]


def test_one_byte_of_difference_is_another_attestation(bundles, judged):
    data = sw.keyed(KEY, statement(bundles, world.PRODUCER))
    at = data.index(b'"sig":"') + 40
    changed = data[:at] + (b"A" if data[at : at + 1] != b"A" else b"B") + data[at + 1 :]
    judge = AttestationJudge(Trust.of(KEY.public))
    outcomes = [
        sw.outcomes(judge.judge([sw.Held(one)], sw.attested(bundles[0])))["signature"] for one in (data, changed, data)
    ]
    assert outcomes == ["pass", "fail", "pass"]
    assert len(judged) == 2


def test_attestations_with_one_end_are_told_apart(bundles, judged):
    """Of one size and the same in their last kilobyte, where the signature is: only what comes before is another."""
    data = sw.keyed(KEY, statement(bundles, world.PRODUCER))
    changed = data.replace(b'"payload":"eyJ', b'"payload":"eyK', 1)
    assert (len(changed), changed[-1024:]) == (len(data), data[-1024:])
    judge = AttestationJudge(Trust.of(KEY.public))
    outcomes = [
        sw.outcomes(judge.judge([sw.Held(one)], sw.attested(bundles[0])))["signature"]
        for one in (data, changed, data, data)
    ]
    assert outcomes == ["pass", "fail", "pass", "pass"]
    assert len(judged) == 3
    assert judge._files._kept_bytes == len(data)


def test_what_is_kept_is_bounded_and_what_is_forgotten_is_judged_again(bundles, judged):
    made = [sw.keyed(KEY, statement([facts], world.PRODUCER)) for facts in bundles]
    judge = AttestationJudge(Trust.of(KEY.public), AttestLimits(opened_bytes_max=2 * len(made[0])))
    for _ in range(2):
        for data, facts in zip(made, bundles, strict=True):
            assert sw.outcomes(judge.judge([sw.Held(data)], sw.attested(facts)))["trust"] == "pass"
            assert len(judge._files._kept) <= 2
    assert len(judged) == 8


# ------------------------------------------------------------------ one file of several names


@pytest.fixture
def opened(monkeypatch):
    """The files that are opened to be read."""
    paths = []
    real = Path.open

    def noted(path, mode="r", *arguments, **options):
        if mode == "rb":
            paths.append(path.name)
        return real(path, mode, *arguments, **options)

    monkeypatch.setattr(Path, "open", noted)
    return paths


def linked(folder, data, *, names=3):
    files = [folder / f"{number}.sigstore.json" for number in range(names)]
    files[0].write_bytes(data)
    for file in files[1:]:
        file.hardlink_to(files[0])
    return files


def test_a_file_of_several_names_is_read_under_one_of_them(tmp_path, opened):
    files = linked(tmp_path, b"said")
    shared = SharedFiles(bytes.upper)
    assert [shared.read(file) for file in files] == [b"SAID"] * 3
    assert opened == ["0.sigstore.json"]


def test_a_file_written_to_in_between_is_read_again(tmp_path, opened):
    files = linked(tmp_path, b"said")
    shared = SharedFiles(bytes.upper)
    assert shared.read(files[0]) == b"SAID"
    files[1].write_bytes(b"sung")
    os.utime(files[1], ns=(0, 0))
    assert [shared.read(file) for file in files] == [b"SUNG"] * 3
    assert opened == ["0.sigstore.json"] * 2


def test_setting_its_time_back_does_not_hide_that_a_file_was_written_to(tmp_path):
    files = linked(tmp_path, b"said")
    os.utime(files[0], ns=(1, 1))
    shared = SharedFiles(bytes.upper)
    assert shared.read(files[0]) == b"SAID"
    before = files[0].stat().st_ctime_ns
    while files[0].stat().st_ctime_ns == before:  # the clock of the file system ticks rarely
        files[1].write_bytes(b"sung")
        os.utime(files[1], ns=(1, 1))
    assert shared.read(files[2]) == b"SUNG"


def test_what_is_written_to_while_it_is_read_is_judged_as_read_and_not_taken_for_the_file(tmp_path, monkeypatch):
    files = linked(tmp_path, b"said")
    os.utime(files[0], ns=(1, 1))
    shared = SharedFiles(bytes.upper)
    read = shared._bytes

    def beside(stream):
        data = read(stream)
        files[1].write_bytes(b"sung")
        return data

    monkeypatch.setattr(shared, "_bytes", beside)
    assert shared.read(files[0]) == b"SAID"
    monkeypatch.setattr(shared, "_bytes", read)
    assert shared.read(files[2]) == b"SUNG"


def test_another_file_put_in_its_place_is_read(tmp_path):
    files = linked(tmp_path, b"said")
    shared = SharedFiles(bytes.upper)
    assert shared.read(files[0]) == b"SAID"
    files[1].unlink()
    files[1].write_bytes(b"sung")
    assert [shared.read(file) for file in files] == [b"SAID", b"SUNG", b"SAID"]


def test_copies_with_names_of_their_own_are_still_found_by_their_bytes(tmp_path, opened):
    made = []
    shared = SharedFiles(lambda data: made.append(data) or data)
    files = []
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        files += linked(folder, b"said", names=2)
    assert [shared.read(file) for file in files] == [b"said"] * 6
    assert (len(made), len(opened)) == (1, 3)


def test_of_what_is_forgotten_nothing_is_kept(tmp_path, opened):
    files = [linked(folder, name.encode() * 8) for name in "abc" if not (folder := tmp_path / name).mkdir()]
    shared = SharedFiles(bytes.upper, AttestLimits(opened_bytes_max=16))
    for names in (*files, *files):
        assert shared.read(names[1]) == shared.read(names[0]) == names[0].parent.name.upper().encode() * 8
        assert max(len(shared._kept), len(shared._linked)) <= 2
    assert opened.count("1.sigstore.json") == 6


def test_a_file_too_large_is_read_no_further_than_shows_it(tmp_path):
    files = linked(tmp_path, bytes(100))
    shared = SharedFiles(len, AttestLimits(attestation_bytes_max=10))
    assert [shared.read(file) for file in files] == [11, 11, 11]
