"""Bundles that were removed together with their attestations: a statement that lies beside another bundle still names them."""

import json
import os
import pickle
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attest import verify
from attest.checks.batch import Batch, others
from attest.limits import AttestLimits
from attest.many.absent import Batches, _Look, find_absent
from attest.many.rows import Row
from attest.sarif import sarif
from attest.trust.trust import Required, Trust
from attest.verdict import Check, Facts, in_order
from attest.verification import Verification
from attest.verify import verify_files
from evidence.run import ATTESTATION_SUFFIX, BUNDLE_SUFFIX
from tests.attest import world
from tests.evidence import assay_world

SIZE = 5


@pytest.fixture(scope="module")
def batch(tmp_path_factory, key):
    """A folder of bundles under one statement."""
    folder = tmp_path_factory.mktemp("batch")
    bundles = [world.seal_run(folder, world.run_events(f"run-{number}")) for number in range(SIZE)]
    world.attest(key, *bundles)
    (folder / "events.ndjson").unlink()
    return bundles


@pytest.fixture(scope="module")
def trust(key):
    return Trust.of(key.public)


def attestation(path):
    return path.with_name(path.name.removesuffix(BUNDLE_SUFFIX) + ATTESTATION_SUFFIX)


def kept(batch, folder, numbers):
    """These bundles of the batch in a folder, each with its attestation."""
    for number in numbers:
        for path in (batch[number].path, attestation(batch[number].path)):
            os.link(path, folder / path.name)
    return [folder / batch[number].path.name for number in numbers]


def named(summary):
    """What is said to be missing: the breaks' bundles, by id and file."""
    found = [(one["bundle_id"], one["file"]) for each in summary.breaks for one in each["missing"]]
    assert len(found) == len(set(found))
    return set(found)


def absent(batch, numbers):
    return {(batch[number].bundle_id, batch[number].path.name) for number in range(SIZE) if number not in numbers}


# ---------------------------------------------------------------- what is named


@settings(max_examples=12)
@given(numbers=st.sets(st.integers(0, SIZE - 1), min_size=1, max_size=SIZE))
def test_whatever_part_of_a_batch_is_kept_exactly_the_absent_bundles_are_named(batch, trust, tmp_path_factory, numbers):
    folder = tmp_path_factory.mktemp("kept")
    kept(batch, folder, sorted(numbers))
    summary = verify_files([folder], trust=trust, recompute=False, strict=True)
    assert named(summary) == absent(batch, numbers)
    assert [each["kind"] for each in summary.breaks] == ["missing_attested"] * (len(numbers) < SIZE)
    assert summary.exit_code == (0 if len(numbers) == SIZE else 3)


def test_it_is_said_at_the_first_bundle_that_the_statement_lies_beside(batch, trust, tmp_path):
    first, second = kept(batch, tmp_path, [1, 3])
    summary = verify_files([tmp_path], trust=trust)
    (broken,) = summary.breaks
    assert (broken["file"], broken["outcome"]) == (str(first), "warn")
    words = "its statement also names 3 bundles that are missing: removed, or never handed over"
    assert broken["reason"] == words
    files = "run-0.evidence.tar.gz, run-2.evidence.tar.gz, run-4.evidence.tar.gz"
    assert summary.results[0].check("chain").reason == f"{words} ({files})"
    assert summary.results[1].check("chain").outcome == "pass"
    (result,) = sarif(summary.results, version="1", summary=summary)["runs"][0]["results"]
    assert (result["ruleId"], result["level"], words in result["message"]["text"]) == ("chain", "warning", True)
    assert second.name in summary.results[1].file


def test_of_some_files_what_is_not_among_them_is_only_said(batch, trust, tmp_path):
    files = kept(batch, tmp_path, [0, 1, 2, 3])
    summary = verify_files(files, trust=trust, strict=True)
    assert (summary.exit_code, summary.breaks) == (0, [])
    words = "its statement also names a bundle that is not at hand (run-4.evidence.tar.gz)"
    assert summary.results[0].check("chain").reason == words
    told = json.loads(b"".join(summary.to_json_pieces()))["chain"]["not_at_hand"]
    assert told == [{"bundle_id": batch[4].bundle_id, "file": batch[4].path.name}]
    assert verify_files(files, trust=trust, strict=True, complete=True).exit_code == 3


def test_an_attestation_left_alone_names_the_bundles_that_went_without_theirs(batch, trust, tmp_path):
    (path,) = kept(batch, tmp_path, [2])
    path.unlink()
    summary = verify_files([tmp_path], trust=trust)
    (broken,) = summary.breaks
    assert broken["kind"] == "orphan"
    assert broken["reason"].endswith("; its statement names 5 bundles that are missing")
    assert named(summary) == absent(batch, [])
    text = sarif(summary.results, version="1", summary=summary)["runs"][0]["results"][0]["message"]["text"]
    assert "5 bundles that are missing (run-0.evidence.tar.gz, " in text


def test_bundles_of_another_tool_are_named_by_no_statement_of_ours(batch, trust, tmp_path):
    converted = tmp_path / f"assay{BUNDLE_SUFFIX}"
    converted.write_bytes(assay_world.made())
    os.link(attestation(batch[0].path), attestation(converted))
    summary = verify_files([tmp_path], trust=trust)
    assert ([result.verdict for result in summary.results], summary.breaks) == (["undecided"], [])


def test_a_second_signers_statement_names_what_the_first_ones_did_not(batch, trust, tmp_path, key, other_key):
    alone = world.seal_run(tmp_path, world.run_events("run-9"))
    path = world.attest(key, alone)
    os.link(attestation(batch[0].path), path.with_name(f"run-9.2{ATTESTATION_SUFFIX}"))
    summary = verify_files([tmp_path], trust=trust)
    assert named(summary) == absent(batch, [])


def test_a_link_beside_a_second_attestation_does_not_take_its_statement_out_of_sight(batch, trust, tmp_path, key):
    """As RUN.2.sigstore.json it would be of RUN.2.evidence.tar.gz, which is a link and not followed."""
    alone = world.seal_run(tmp_path, world.run_events("run-9"))
    path = world.attest(key, alone)
    second = path.with_name(f"run-9.2{ATTESTATION_SUFFIX}")
    os.link(attestation(batch[0].path), second)
    (tmp_path / f"run-9.2{BUNDLE_SUFFIX}").symlink_to(alone.path)
    (tmp_path / f"loop{BUNDLE_SUFFIX}").symlink_to(f"loop{BUNDLE_SUFFIX}")
    summary = verify_files([tmp_path], trust=trust, strict=True)
    assert (summary.exit_code, summary.orphans) == (3, (str(second),))
    assert named(summary) == absent(batch, [])


# ---------------------------------------------------------------- who is believed


def test_a_stranger_cannot_make_up_bundles_to_be_missed(batch, other_key, tmp_path):
    kept(batch, tmp_path, [0, 1])
    attestation(kept(batch, tmp_path, [2])[0]).rename(tmp_path / "left.sigstore.json")
    for stranger in (Trust.of(other_key.public), None):
        summary = verify_files([tmp_path], trust=stranger)
        assert {each["kind"] for each in summary.breaks} == {"orphan"}
        assert named(summary) == set()


def test_a_statement_that_is_not_dated_as_required_is_not_believed(batch, key, tmp_path):
    kept(batch, tmp_path, [0])
    trust = Trust(keys=Trust.of(key.public).keys, required=Required(timestamps=1))
    assert named(verify_files([tmp_path], trust=trust)) == set()


# ---------------------------------------------------------------- what is at hand


def test_a_bundle_under_another_name_is_at_hand(batch, trust, tmp_path):
    for number, path in enumerate(kept(batch, tmp_path, range(SIZE))):
        attestation(path).rename(tmp_path / f"renamed-{number}{ATTESTATION_SUFFIX}")
        path.rename(tmp_path / f"renamed-{number}{BUNDLE_SUFFIX}")
    assert verify_files([tmp_path], trust=trust).breaks == []


@pytest.mark.parametrize("spoil", ["flip", "cut", "manifest"])
def test_a_bundle_that_is_here_and_invalid_is_not_said_to_be_missing(batch, trust, tmp_path, spoil):
    path = kept(batch, tmp_path, range(SIZE))[0]
    data = bytearray(path.read_bytes())
    path.unlink()
    data[len(data) // 2] ^= 1
    changed = world.pack(world.with_manifest(world.unpack(batch[0].path), lambda manifest: manifest.update(part=2)))
    path.write_bytes({"flip": bytes(data), "cut": bytes(data[:100]), "manifest": changed}[spoil])
    summary = verify_files([tmp_path], trust=trust)
    assert summary.exit_code == 1
    assert named(summary) == set()


def test_junk_of_a_removed_bundles_name_hides_its_absence_nowhere_but_beside_the_statement(batch, trust, tmp_path):
    kept(batch, tmp_path, [1, 2, 3, 4])
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / batch[0].path.name).write_bytes(b"junk")
    assert named(verify_files([tmp_path], trust=trust)) == absent(batch, [1, 2, 3, 4])


class Deadly:
    """A translator that ends its process."""

    def begin(self, manifest, profiles):
        import os

        os._exit(9)

    def event(self, event):
        pytest.fail("its process has ended")

    report = event


def test_bundles_whose_process_died_are_not_said_to_be_missing(batch, trust, tmp_path):
    files = kept(batch, tmp_path, range(SIZE))
    assert named(verify_files(files[:2], trust=trust, mapping=Deadly(), processes=2, complete=True)) == set()


# ---------------------------------------------------------------- bounds


def test_over_processes_it_is_the_same(batch, trust, tmp_path):
    kept(batch, tmp_path, [0, 2, 3])
    one, several = (verify_files([tmp_path], trust=trust, processes=many) for many in (1, 3))
    assert b"".join(one.to_json_pieces()) == b"".join(several.to_json_pieces())
    assert named(one) == absent(batch, [0, 2, 3])


def test_a_process_tells_of_a_statement_once_however_many_bundles_it_lies_beside(batch, trust, tmp_path):
    work = verify._Work({"trust": trust})
    told = [work(path) for path in kept(batch, tmp_path, range(SIZE))]
    assert [len(batches) for _, batches in told] == [1, 0, 0, 0, 0]
    assert len({row.batches for row, _ in told}) == 1


def test_more_than_can_be_kept_is_said_whatever_came_first(batch, trust, tmp_path):
    kept(batch, tmp_path, [0, 1])
    limits = AttestLimits(batches_bytes_max=100)
    for many in (1, 2):
        summary = verify_files([tmp_path], trust=trust, attest_limits=limits, processes=many)
        (broken,) = summary.breaks
        assert (broken["kind"], broken["outcome"], broken["missing"]) == ("missing_attested", "warn", [])
        assert broken["reason"].endswith("whether all of them are here was not looked at")


def entries(count):
    return {f"{number:064x}": {"file": f"run-{number}{BUNDLE_SUFFIX}"} for number in range(count)}


def test_a_row_beside_a_statement_of_a_thousand_stays_small():
    thousand = Batch.of(entries(1_000))
    assert thousand.size < 100_000
    checks = in_order([Check(id="chain", outcome="pass", reason="alone")])
    result = Verification(file="f", attestation=None, checks=checks, facts=Facts(bundle_id="0" * 64))
    alone, beside = (len(pickle.dumps(Row.of(result, "", batches))) for batches in ((), (thousand,)))
    assert beside - alone < 64
    assert [name.bundle_id for name in thousand] == list(entries(1_000))


def test_a_statement_about_one_bundle_alone_is_not_kept_for_it():
    one = Batch.of(entries(1))
    assert others([one, one], "0" * 64) == ()
    assert others([one, one], "1" * 64) == (one,)
    assert others([one], None) == others([one], "sha256:" + "0" * 64) == (one,)


@settings(max_examples=40)
@given(
    st.lists(st.sets(st.integers(0, 7), min_size=1), min_size=1, max_size=5), st.sets(st.integers(0, 7)), st.randoms()
)
def test_each_absent_bundle_is_named_once_in_whatever_order_batches_are_kept(shape, at_hand, random):
    """Several statements over the same bundles, each beside those of it that are at hand."""
    made = [Batch.of({f"{number:064x}": {"file": f"{number}"} for number in sorted(numbers)}) for numbers in shape]
    checks = in_order([Check(id="container", outcome="fail", reason="whatever")])
    rows = [
        Row.of(
            Verification(file=f"{here}", attestation=None, checks=checks, facts=Facts(bundle_id=f"{here:064x}")),
            "",
            [batch for batch, numbers in zip(made, shape, strict=True) if here in numbers],
        )
        for here in sorted(at_hand)
    ]
    batches = Batches(AttestLimits())
    batches.add(random.sample(made, len(made)))
    findings, _ = find_absent(rows, {}, batches, complete=True)
    found = [int(named.bundle_id, 16) for finding in findings for named in finding.missing]
    expected = {number for numbers in shape if numbers & at_hand for number in numbers} - at_hand
    assert sorted(found) == sorted(expected)
    assert Path(rows[0].result().file).name == str(min(at_hand)) if at_hand else not findings


def test_junk_in_a_folder_is_not_copied_for_each_statement():
    """There may be as many statements as pieces of junk: what either takes must not be multiplied by the other."""
    batch = Batch.of(entries(1))
    beside = Row(verdict="verified", link=None, claims=None, packed=b"", alone="pass", batches=(batch.digest,))
    junk = [
        Row(verdict="undecided", link=None, claims=None, packed=b"", alone="skip", name=f"junk-{number}")
        for number in range(5_000)
    ]
    batches = Batches(AttestLimits())
    batches.add([batch])
    look = _Look([beside, *junk], batches)
    tracemalloc.start()
    try:
        assert len(look.absent(batch.digest)) == 1
        assert tracemalloc.get_traced_memory()[1] < 50_000  # bytes; the names alone take 300 kB in a set
    finally:
        tracemalloc.stop()
