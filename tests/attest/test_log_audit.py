"""What somebody with the bundles, or with the log and its key, can do after the fact, and by what it shows."""

import shutil
from pathlib import Path
from typing import get_args

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from attest.attestation.statement import LogEvidence, statement
from attest.errors import InvalidError
from attest.log_audit import Held, LogAudit, LogAuditor, hold
from attest.log_audit.findings import Finding, Kind
from attest.log_audit.holdings import Placed
from attest.tlog.checkpoint import read_checkpoint, sign_checkpoint
from attest.tlog.cosignature import cosign
from attest.tlog.log import Log
from attest.tlog.note import COSIGNATURE_V1, verifier_key
from attest.tlog.proof import prove_consistency, write_proof
from attest.tlog.reader import LogReader, read_checkpoint_file
from attest.tlog.tiles import Tiles
from evidence.merkle import EMPTY_ROOT
from tests.attest.logged import COUNT, KEPT, KEY, LOG_KEY, ORIGIN, SIGNER, Place, make_place
from tests.attest.world import PRODUCER, run_events, seal_run


def kinds(audit: LogAudit) -> set[str]:
    return {finding.kind for finding in audit.findings}


def only(audit: LogAudit, kind: str):
    (found,) = [finding for finding in audit.findings if finding.kind == kind]
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_place(tmp_path_factory.mktemp("place"))


@pytest.fixture
def place(made, tmp_path):
    shutil.copytree(made.root, tmp_path / "place")
    return Place(tmp_path / "place")


@pytest.fixture(scope="module")
def leaves(made):
    return list(LogReader(made.log).audit())


@pytest.fixture(params=[True, False], ids=["tiles", "checkpoint_only"])
def tiles(request):
    return request.param


def test_a_complete_set_verifies_with_tiles_and_with_the_checkpoint_alone(place, tiles):
    audit = place.audit(tiles=tiles)
    assert (audit.verdict, audit.exit_code, audit.findings) == ("verified", 0, ())
    assert (audit.leaves, audit.key) == (COUNT, LOG_KEY)
    assert audit.older == COUNT  # one with each attestation, among them the newest and the one that was kept


def test_the_result_as_json_is_the_contract(place):
    assert place.audit().to_json() == {
        "schema_version": "log-verification-v1",
        "verdict": "verified",
        "exit_code": 0,
        "origin": ORIGIN,
        "size": COUNT,
        "root": LogReader(place.log).checkpoint.root.hex(),
        "key": str(LOG_KEY),
        "witnesses": [],
        "leaves_at_hand": COUNT,
        "older_checkpoints": COUNT,
        "findings": [],
    }


@pytest.mark.parametrize("number", [0, 2, COUNT - 1])
def test_a_deleted_bundle_is_named_by_its_leaf_and_digest(place, leaves, number):
    place.bundle(number).unlink()
    place.attestation(number).unlink()
    audit = place.audit()
    assert (audit.verdict, audit.exit_code, audit.leaves) == ("invalid", 1, COUNT - 1)
    (finding,) = audit.findings
    assert (finding.kind, finding.index, finding.digest) == ("missing", number, leaves[number].hex())
    assert leaves[number].hex() in finding.reason


def test_deleted_bundles_are_named_by_their_leaves_from_a_checkpoint_alone(place):
    for number in (0, 2, 3):
        place.bundle(number).unlink()
        place.attestation(number).unlink()
    audit = place.audit(tiles=False, kept=False)
    assert audit.verdict == "invalid"
    gaps = [(finding.index, finding.last) for finding in audit.findings if finding.kind == "missing"]
    assert gaps == [(0, 0), (2, 3)]


def test_a_bundle_rewritten_and_sealed_again_is_a_stranger_and_its_leaf_is_missing(place, leaves):
    """It keeps its name and its old attestation."""
    seal_run(place.bundles, run_events(run_id="run-2", model="m-2"))
    audit = place.audit()
    assert (only(audit, "missing").index, only(audit, "missing").digest) == (2, leaves[2].hex())
    assert only(audit, "stranger").file == str(place.bundle(2))


def test_a_bundle_rewritten_and_attested_again_with_the_old_proof_is_misplaced(place, tiles):
    facts = seal_run(place.bundles, run_events(run_id="run-2", model="m-2"))
    reader = LogReader(place.log)
    honest = LogEvidence(checkpoint=reader.checkpoint, proofs={facts.bundle_id: reader.prove(2)})
    place.attestation(2).write_bytes(SIGNER.sign(statement([facts], PRODUCER, log=honest)))
    audit = place.audit(tiles=tiles)
    assert only(audit, "misplaced").index == 2
    assert audit.verdict == "invalid"


def test_a_rewritten_bundle_in_a_rewritten_log_does_not_extend_the_kept_checkpoint(place, leaves):
    """The owner of the log's key makes everything right again but what others hold."""
    digest = place.add(1, model="m-2", logged=False)
    place.begin_again([leaves[0], digest, *leaves[2:]])
    for number in range(COUNT):
        place.attestation(number).unlink()
    assert place.audit(kept=False).verdict == "verified"  # nothing was kept, nothing shows
    audit = place.audit()
    assert kinds(audit) == {"rewrite"}
    assert "its first 3 leaves have the root" in only(audit, "rewrite").reason


def test_the_attestations_at_hand_are_kept_checkpoints_as_well(place, leaves):
    digest = place.add(1, model="m-2", logged=False)
    place.begin_again([leaves[0], digest, *leaves[2:]])
    audit = place.audit(kept=False)
    assert {"rewrite", "fork"} <= kinds(audit)


def test_two_leaves_swapped_in_the_log_do_not_extend_the_kept_checkpoint(place, leaves):
    place.begin_again([leaves[1], leaves[0], *leaves[2:]])
    assert "rewrite" in kinds(place.audit())


def test_two_bundles_that_swap_their_names_are_still_the_same_leaves(place, tiles):
    """The log is of contents; `affidavit verify` says what belongs to which attestation."""
    for path in (place.bundle, place.attestation):
        held = path(0).read_bytes()
        path(0).write_bytes(path(1).read_bytes())
        path(1).write_bytes(held)
    assert place.audit(tiles=tiles).verdict == "verified"


def test_a_log_cut_short_was_rolled_back(place, leaves):
    place.begin_again(leaves[:2])
    audit = place.audit()
    assert kinds(audit) == {"rollback", "stranger"}
    assert "has 3 leaves" in next(one.reason for one in audit.findings if one.file == "kept")


def test_an_old_checkpoint_replayed_is_a_rollback_where_newer_ones_are_at_hand(place, tiles):
    (place.log / "checkpoint").write_bytes(place.kept.read_bytes())
    assert "rollback" in kinds(place.audit(tiles=tiles))
    newest = read_checkpoint((Path(place.log) / "checkpoint").read_bytes())
    assert newest.size == KEPT


def test_two_logs_of_one_key_are_a_fork_when_both_checkpoints_are_at_hand(place, leaves):
    """A split view: one auditor was shown the one, another the other."""
    shown = read_checkpoint_file(place.log)
    place.begin_again([*leaves[:4], b"x" * 32])
    for tiles in (True, False):
        audit = place.audit(shown, tiles=tiles, bundles=False)
        assert "two histories" in only(audit, "fork").reason
        assert audit.verdict == "invalid"


def test_two_older_checkpoints_of_one_size_are_a_fork_even_without_tiles(place):
    other = sign_checkpoint(ORIGIN, KEPT, bytes(32), KEY)
    audit = place.audit(other, tiles=False, bundles=False)
    assert "kept" in only(audit, "fork").reason


def test_a_leaf_that_two_bundles_claim_under_signed_checkpoints_is_a_fork(place, leaves):
    """No tiles and no older checkpoint: the attestations alone give it away."""
    shutil.copytree(place.log, place.root / "honest")
    place.begin_again(leaves[:4])
    place.add(9)
    shutil.rmtree(place.log)
    (place.root / "honest").rename(place.log)
    audit = place.audit(tiles=False, kept=False)
    assert any(one.kind == "fork" and one.index == 4 for one in audit.findings)


def test_a_bundle_that_was_never_logged_is_a_stranger(place):
    place.add(7, logged=False)
    audit = place.audit()
    assert (kinds(audit), only(audit, "stranger").file) == ({"stranger"}, str(place.bundle(7)))
    assert kinds(place.audit(tiles=False)) == {"unproven"}


def test_a_bundle_logged_twice_is_said(place, leaves):
    with Log(place.log, KEY) as log:
        log.append([leaves[1]])
    audit = place.audit()
    assert (kinds(audit), only(audit, "twice").index) == ({"twice"}, COUNT)


def test_the_same_bundle_at_hand_twice_is_a_warning(place, tiles):
    shutil.copy(place.bundle(1), place.bundles / "copy.evidence.tar.gz")
    audit = place.audit(tiles=tiles)
    assert (kinds(audit), audit.verdict) == ({"copy"}, "verified")


def test_a_damaged_bundle_does_not_stand_for_its_leaf(place):
    data = bytearray(place.bundle(1).read_bytes())
    data[len(data) // 2] ^= 1
    place.bundle(1).write_bytes(bytes(data))
    audit = place.audit()
    assert kinds(audit) == {"refused", "missing"}
    assert only(audit, "refused").file == str(place.bundle(1))


def test_an_attestation_that_cannot_be_read_is_said(place):
    place.attestation(1).write_bytes(b"{}")
    audit = place.audit()
    assert "run-1.sigstore.json" in only(audit, "refused").reason


@pytest.mark.parametrize("name", ["tile/0/000.p/5", "tile/entries/000.p/5"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "gone", "empty"])
def test_damaged_tiles_are_a_failure_and_nothing_is_concluded_from_them(place, name, damage):
    path = place.log / name
    data = path.read_bytes()
    changed = {"cut": data[:-1], "flipped": bytes([data[0] ^ 1]) + data[1:], "empty": b"", "gone": None}[damage]
    path.write_bytes(changed) if changed is not None else path.unlink()
    audit = place.audit()
    assert audit.verdict == "invalid"
    assert kinds(audit) <= {"tiles", "unproven"}
    assert audit.leaves == 0


def test_what_was_matched_before_the_damage_was_met_counts_for_nothing(place):
    """The first leaf has no bundle, the next ones have, and the last hash is another."""
    place.bundle(0).unlink()
    place.attestation(0).unlink()
    path = place.log / "tile/0/000.p/5"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    audit = place.audit()
    assert kinds(audit) == {"tiles", "unproven"}
    assert audit.leaves == 0


def test_a_leaf_that_is_no_digest_is_a_failure(place):
    with Log(place.log, KEY) as log:
        log.append([b"short"])
    assert "leaf 5 has 5 bytes, expected the 32" in only(place.audit(), "tiles").reason


@pytest.mark.parametrize("keys", [(), (verifier_key(ORIGIN, Ed25519PrivateKey.generate()),)], ids=["none", "another"])
def test_without_the_logs_trusted_key_nothing_is_decided(place, keys, tiles):
    audit = place.audit(keys=keys, tiles=tiles)
    assert (audit.verdict, audit.exit_code, audit.key) == ("undecided", 4, None)
    assert kinds(audit) == {"unknown_key"}


def test_every_bit_of_the_checkpoint_is_under_the_signature(place):
    """Each flipped bit: refused as malformed, or undecided, or invalid; never verified."""
    data = (place.log / "checkpoint").read_bytes()
    auditor = LogAuditor(keys=[LOG_KEY])
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            checkpoint = read_checkpoint(bytes(changed))
        except InvalidError:
            continue
        assert auditor.audit(checkpoint, None).verdict != "verified", f"bit {bit}"


def test_an_older_checkpoint_by_another_key_or_of_another_log_says_nothing_and_is_not_passed_over(place):
    strangers = (
        sign_checkpoint(ORIGIN, 2, bytes(32), Ed25519PrivateKey.generate()),
        sign_checkpoint("example.net/other", 2, bytes(32), KEY),
    )
    for one in strangers:
        audit = place.audit(one)
        assert (audit.verdict, kinds(audit)) == ("undecided", {"unknown_key"})


def test_an_empty_older_checkpoint_is_a_prefix_of_everything(place):
    assert place.audit(sign_checkpoint(ORIGIN, 0, EMPTY_ROOT, KEY), kept=False).verdict == "verified"


def test_an_older_checkpoint_that_nothing_at_hand_can_show_is_undecided_until_there_is_a_proof(place):
    audit = place.audit(tiles=False, bundles=False)
    assert (audit.verdict, kinds(audit)) == ("undecided", {"unproven"})
    proof = prove_consistency(Tiles(place.log, COUNT).node, KEPT, COUNT)
    shown = place.audit(tiles=False, bundles=False, consistency={KEPT: proof})
    assert (shown.verdict, shown.older) == ("verified", 1)
    wrong = place.audit(tiles=False, bundles=False, consistency={KEPT: proof[:-1]})
    assert (wrong.verdict, kinds(wrong)) == ("undecided", {"unproven"})


def test_a_proof_beside_a_bundle_stands_for_an_attestation(place):
    for number in range(COUNT):
        place.attestation(number).unlink()
        reader = LogReader(place.log)
        text = write_proof(reader.prove(number), reader.checkpoint)
        (place.bundles / f"run-{number}.tlog-proof").write_text(text)
    audit = place.audit(tiles=False)
    assert (audit.verdict, audit.leaves) == ("verified", COUNT)


def test_a_witness_that_did_not_cosign_is_named(place):
    key = Ed25519PrivateKey.generate()
    witness = verifier_key("w", key, COSIGNATURE_V1)
    audit = place.audit(witnesses=(witness,))
    assert (audit.verdict, kinds(audit)) == ("invalid", {"witnesses"})
    with Log(place.log, KEY) as log:
        log.store(log.checkpoint.with_signatures([cosign(log.checkpoint.note.text, "w", key, 5)]))
    audit = place.audit(witnesses=(witness,))
    assert (audit.verdict, audit.witnesses) == ("verified", (witness,))


def test_an_audit_of_a_checkpoint_that_claims_more_leaves_than_memory_is_bounded(place):
    """Signed by the trusted key: what it says of itself costs nothing."""
    huge = sign_checkpoint(ORIGIN, (1 << 63) - 1, bytes(32), KEY)
    audit = LogAuditor(keys=[LOG_KEY]).audit(huge, None, hold([place.bundles]))
    gap = only(audit, "missing")
    assert (gap.index, gap.last) == (COUNT, (1 << 63) - 2)


def test_the_documentation_names_every_finding_and_what_it_amounts_to():
    table = (Path(__file__).parents[2] / "docs" / "log.md").read_text()
    words = {"fail": "fail", "undecided": "could not decide", "warn": "warning"}
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    for kind in get_args(Kind):
        (row,) = [row for row in rows if row.startswith(f"| `{kind}` |")]
        assert row.endswith(f"| {words[Finding(kind=kind, reason='').outcome]} |")


@given(st.data())
def test_whatever_is_missing_or_strange_is_named_exactly(made, leaves, data):
    """Law: missing are the leaves without a bundle, strangers the bundles without a leaf, and nothing else is said."""
    kept = data.draw(st.sets(st.integers(0, COUNT - 1)))
    strange = data.draw(st.sets(st.binary(min_size=32, max_size=32), max_size=2))
    reader = LogReader(made.log)
    held = [Held(file=str(index), digest=leaves[index]) for index in kept] + [
        Held(file="strange", digest=digest) for digest in strange
    ]
    audit = LogAuditor(keys=[LOG_KEY]).audit(reader.checkpoint, reader, data.draw(st.permutations(held)))
    said = {(one.kind, one.digest) for one in audit.findings}
    missing = {("missing", leaves[index].hex()) for index in range(COUNT) if index not in kept}
    assert said == missing | {("stranger", digest.hex()) for digest in strange}
    assert (audit.verdict == "verified") == (len(kept) == COUNT and not strange)


@given(st.data())
def test_without_tiles_whatever_is_missing_is_named_by_its_leaves(made, leaves, data):
    """Law: each bundle's own proof, from whatever time, says which leaf it is; gaps are what is left, and fail."""
    kept = data.draw(st.sets(st.integers(0, COUNT - 1)))
    reader = LogReader(made.log)
    held = [
        Held(
            file=str(index),
            digest=leaves[index],
            placed=(Placed(file=str(index), proof=reader.prove(index), checkpoint=reader.checkpoint),),
        )
        for index in kept
    ]
    audit = LogAuditor(keys=[LOG_KEY]).audit(reader.checkpoint, None, held)
    gaps = {
        index for one in audit.findings if one.kind == "missing" for index in range(one.index or 0, (one.last or 0) + 1)
    }
    assert gaps == set(range(COUNT)) - kept
    assert (audit.verdict == "verified") == (len(kept) == COUNT)
