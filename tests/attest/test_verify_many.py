"""Many bundles at once: the same results over processes, small rows, folders, and what is broken between bundles."""

import json
import pickle
import threading
from pathlib import Path

import pytest

from attest.errors import AttestError, FolderError
from attest.many.rows import Row, Rows
from attest.many.summary import Summary
from attest.trust.trust import Trust
from attest.verdict import Check, in_order
from attest.verification import Verification
from attest.verify import verify_file, verify_files
from tests.attest import world


@pytest.fixture(scope="module")
def trust(key):
    return Trust.of(key.public)


def chained(folder, key, runs, **meta):
    """Bundles of these runs, each linked to the one before and attested."""
    bundles, before = [], None
    for number, run in enumerate(runs):
        link = {"bundle_id": before.bundle_id, "manifest_sha256": before.manifest_sha256} if before else None
        before = world.seal_run(
            folder, world.run_events(run), previous_bundle=link, closed_at=world.at(30 + number), **meta
        )
        world.attest(key, before)
        bundles.append(before)
    (folder / "events.ndjson").unlink()
    return bundles


@pytest.fixture(scope="module")
def five(tmp_path_factory, key):
    """A folder with a chain of five, one of which a byte is flipped in."""
    folder = tmp_path_factory.mktemp("five")
    bundles = chained(folder, key, [f"run-{number}" for number in range(5)])
    data = bytearray(bundles[2].path.read_bytes())
    data[len(data) // 2] ^= 1
    bundles[2].path.write_bytes(data)
    return folder, bundles


def everything(summary):
    return b"".join(summary.to_json_pieces())


# ---------------------------------------------------------------- rows


@pytest.mark.parametrize("recompute", [True, False])
def test_a_row_says_all_that_the_result_said(tmp_path, key, trust, recompute):
    facts = world.seal_run(tmp_path)
    world.attest(key, facts)
    for result in (
        verify_file(facts.path, trust=trust, recompute=recompute),
        verify_file(facts.path, trust=trust, recompute=recompute, strict=True),
        verify_file(facts.path),
        verify_file(tmp_path / "none"),
    ):
        row = Row.of(result)
        assert row.verdict == result.verdict
        assert row.result().to_json() == result.to_json()


def test_a_row_keeps_neither_the_list_of_files_nor_the_reports(tmp_path, key, trust):
    facts = world.seal_run(tmp_path)
    world.attest(key, facts)
    result = verify_file(facts.path, trust=trust)
    row = Row.of(result)
    assert {"files", "scoring", "mapping", "x-assay"} & row.result().facts.manifest.keys() == set()
    assert len(pickle.dumps(row)) < 4096 < len(pickle.dumps(result))


def test_rows_are_a_sequence_of_results(five, trust):
    _, bundles = five
    rows = verify_files([facts.path for facts in bundles], trust=trust).results
    assert isinstance(rows, Rows)
    assert [result.file for result in rows[1:3]] == [str(facts.path) for facts in bundles[1:3]]
    assert rows[-1].verdict == "verified"


# ---------------------------------------------------------------- over processes


def test_over_processes_the_result_is_the_same_bytes_in_the_order_given(five, trust):
    _, bundles = five
    paths = [facts.path for facts in reversed(bundles)]
    alone = verify_files(paths, trust=trust)
    assert everything(verify_files(paths, trust=trust, processes=3)) == everything(alone)
    assert [result.file for result in alone.results] == [str(path) for path in paths]
    assert alone.counts == {"invalid": 1, "undecided": 0, "insufficient": 0, "warnings": 0, "verified": 4}


def test_a_program_with_threads_gets_the_same_from_processes_that_are_not_forked(five, trust):
    folder, _ = five
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        assert everything(verify_files([folder], trust=trust, processes=2)) == everything(
            verify_files([folder], trust=trust)
        )
    finally:
        stop.set()
        thread.join()


class Deadly:
    """A translator that ends its process at a run."""

    def __init__(self, run):
        self.run = run

    def begin(self, manifest, profiles):
        if manifest["run_id"] == self.run:
            import os

            os._exit(9)
        return "none of this"

    def event(self, event):
        return None

    def report(self):
        return b""


def test_the_bundle_at_which_a_process_dies_is_undecided_and_no_other(tmp_path, key, trust):
    chained(tmp_path, key, ["run-1", "run-2", "run-3"])
    summary = verify_files([tmp_path], trust=trust, mapping=Deadly("run-2"), processes=2)
    assert [result.verdict for result in summary.results] == ["verified", "undecided", "verified"]
    assert summary.results[1].check("container").reason == "the process that verified it ended with code 9"
    assert summary.exit_code == 4


@pytest.mark.parametrize("processes", [1, 2])
def test_progress_says_how_many_are_done_and_how_many_there_are(five, trust, processes):
    told = []
    verify_files([five[0]], trust=trust, processes=processes, progress=lambda done, of: told.append((done, of)))
    assert told == [(number, 5) for number in range(1, 6)]


# ---------------------------------------------------------------- a folder


def test_a_folder_is_every_bundle_below_it_with_the_chain_between_them(five, trust):
    folder, bundles = five
    summary = verify_files([folder], trust=trust)
    assert [Path(result.file).name for result in summary.results] == [facts.path.name for facts in bundles]
    said = json.loads(everything(summary))["chain"]
    assert [end["run_id"] for end in said["beginnings"]] == ["run-0", "run-3"]
    assert [end["run_id"] for end in said["heads"]] == ["run-1", "run-4"]
    (broken,) = said["breaks"]
    assert (broken["kind"], broken["outcome"]) == ("missing_bundle", "warn")
    assert broken["reason"].endswith("is here and is invalid")


def test_a_bundle_removed_from_a_folder_leaves_its_attestation_and_a_link_that_leads_nowhere(tmp_path, key, trust):
    bundles = chained(tmp_path, key, ["run-1", "run-2", "run-3"])
    assert verify_files([tmp_path], trust=trust, strict=True).exit_code == 0
    bundles[1].path.unlink()
    summary = verify_files([tmp_path], trust=trust, strict=True)
    assert [(one["kind"], one["file"]) for one in summary.breaks] == [
        ("missing_bundle", str(bundles[2].path)),
        ("orphan", str(tmp_path / "run-2.sigstore.json")),
    ]
    assert summary.exit_code == 3
    assert verify_files([tmp_path], trust=trust).exit_code == 0


def test_an_orphan_alone_is_a_warning_under_strict(tmp_path, key, trust):
    bundles = chained(tmp_path, key, ["run-1", "run-2"])
    bundles[1].path.unlink()
    assert verify_files([tmp_path], trust=trust).exit_code == 0
    summary = verify_files([tmp_path], trust=trust, strict=True)
    assert (summary.verdict, [result.verdict for result in summary.results]) == ("warnings", ["verified"])


def test_only_attestations_left_decide_nothing(tmp_path, key, trust):
    (only,) = chained(tmp_path, key, ["run-1"])
    only.path.unlink()
    summary = verify_files([tmp_path], trust=trust)
    assert (summary.exit_code, len(summary.results), len(summary.breaks)) == (4, 0, 1)


def test_files_alone_may_be_a_part_and_with_complete_they_may_not(tmp_path, key, trust):
    bundles = chained(tmp_path, key, ["run-1", "run-2", "run-3"])
    some = [bundles[0].path, bundles[2].path]
    assert verify_files(some, trust=trust, strict=True).exit_code == 0
    assert verify_files(some, trust=trust, strict=True, complete=True).exit_code == 3


def test_sidecars_in_one_folder_are_told_apart(tmp_path, key, other_key, trust):
    for name, signer in (("a", key), ("b", other_key)):
        (tmp_path / name).mkdir()
        chained(tmp_path / name, signer, [f"{name}-1", f"{name}-2"])
    summary = verify_files([tmp_path], trust=Trust.of(key.public, other_key.public), strict=True)
    assert summary.exit_code == 0
    heads = json.loads(everything(summary))["chain"]["heads"]
    assert [head["signer"] for head in heads] == [f"sha256:{one.public.fingerprint}" for one in (key, other_key)]


def test_a_forged_branch_cannot_make_a_signed_bundle_invalid(tmp_path, key, other_key, trust):
    first, _ = chained(tmp_path, key, ["run-1", "run-2"])
    link = {"bundle_id": first.bundle_id, "manifest_sha256": first.manifest_sha256}
    forged = world.seal_run(tmp_path, world.run_events("forged"), previous_bundle=link)
    verdicts = {Path(one.file).name: one.verdict for one in verify_files([tmp_path], trust=trust).results}
    assert verdicts == {
        "run-1.evidence.tar.gz": "verified",
        "run-2.evidence.tar.gz": "verified",
        forged.path.name: "invalid",
    }


def test_a_folder_without_anything_to_verify_is_the_callers_mistake(tmp_path, trust):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(FolderError, match="there is no bundle in this folder"):
        verify_files([tmp_path], trust=trust)


def test_more_bundles_than_a_call_takes_are_the_callers_mistake(five):
    from attest.limits import AttestLimits

    with pytest.raises(AttestError, match="5 files to verify, expected 1 to 4"):
        verify_files([five[0]], attest_limits=AttestLimits(files_per_call_max=4))


def test_a_name_that_is_no_text_is_said_with_marks(tmp_path, key, trust):
    (facts,) = chained(tmp_path, key, ["run-1"])
    odd = facts.path.with_name("odd\udcff.evidence.tar.gz")
    facts.path.rename(odd)
    summary = verify_files([odd], trust=trust)
    assert json.loads(everything(summary))["results"][0]["file"].endswith("odd\ufffd.evidence.tar.gz")


def test_pieces_come_to_the_same_as_the_whole(five, trust):
    summary = verify_files([five[0]], trust=trust)
    assert json.loads(everything(summary)) == json.loads(json.dumps(summary.to_json()))
    assert json.loads(everything(Summary(results=())))["results"] == []


@pytest.mark.parametrize(("alone", "after"), [("fail", "fail"), ("skip", "skip"), ("warn", "pass"), ("pass", "pass")])
def test_what_others_say_of_a_bundles_place_never_mends_what_was_wrong_with_it_alone(alone, after):
    checks = in_order([Check(id="chain", outcome=alone, reason="alone")])
    row = Row.of(Verification(file="f", attestation=None, checks=checks))
    beside = row.beside(Check(id="chain", outcome="pass", reason="beside"))
    assert beside.result().check("chain").outcome == after
    assert beside.verdict == beside.result().verdict
