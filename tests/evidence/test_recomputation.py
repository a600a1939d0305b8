"""What a bundle says of its own events is worked out again: what was made better and sealed again is found."""

import orjson
import pytest

from evidence import manifest as layout
from evidence.bundle import EvidenceBundle, Recomputation
from evidence.canonical import canonical
from evidence.errors import PackError, PackUnavailableError
from evidence.packs import builtin, read_pack
from tests.evidence import make
from tests.evidence.make import CHAT, DIGEST, changed, pack, sealed, setting, span, unpack, with_lines

OWN_PACK = builtin("baseline").source.replace(b"name: baseline", b"name: own")


@pytest.fixture
def members(tmp_path):
    return unpack(sealed(tmp_path).path)


def recomputed(path):
    with EvidenceBundle.open(path) as bundle:
        again = Recomputation(bundle.manifest, bundle.attached)
        for batch in bundle.batches():
            again.add_all(batch)
        return again.differences(bundle.finish())


def test_a_sealed_bundle_recomputes_to_the_same_bytes(tmp_path):
    own = read_pack(OWN_PACK, "own.yaml")
    assert recomputed(sealed(tmp_path, packs=[builtin("baseline"), own]).path) == []


def test_a_better_score_that_was_sealed_again_is_found(tmp_path, members):
    report = orjson.loads(members[layout.CLOSURE])
    report["closure"]["score"] = 1
    path = pack({**members, layout.CLOSURE: canonical(report)}.items(), tmp_path / "better")
    assert recomputed(path) == [layout.CLOSURE]


def test_a_removed_receipt_is_found(tmp_path, members):
    receipts = orjson.loads(members[layout.FORMULA_RECEIPTS])
    receipts["receipts"].pop()
    path = pack({**members, layout.FORMULA_RECEIPTS: canonical(receipts)}.items(), tmp_path / "fewer")
    assert recomputed(path) == [layout.FORMULA_RECEIPTS]


def test_better_capture_health_that_was_sealed_again_is_found(tmp_path, members):
    path = pack(changed(members, setting("capture_health", "sender_uncounted", False)).items(), tmp_path / "better")
    assert "manifest.json#/capture_health" in recomputed(path)


def test_an_invented_framework_reference_is_found(tmp_path, members):
    claim = [{"rule": "baseline@1.0.0:BASE-001", "framework": "AI Act", "ref": "12"}]
    path = pack(changed(members, setting("x-assay", "mappings", claim)).items(), tmp_path / "claim")
    assert "manifest.json#/x-assay/mappings" in recomputed(path)


def test_taking_the_last_events_away_and_sealing_again_shows_in_capture_health(tmp_path, members):
    path = pack(with_lines(members, lambda lines: lines.pop()).items(), tmp_path / "cut")
    assert "manifest.json#/capture_health" in recomputed(path)
    items = [make.opened(), span(1, CHAT)]
    assert orjson.loads(sealed(tmp_path, items).reports[layout.CLOSURE])["closure"]["confidence"] == "low"


@pytest.mark.parametrize("name", ["signals", "formulas"])
def test_a_bundle_scored_with_other_tables_is_undecided(members, tmp_path, name):
    def other(manifest):
        scoring = manifest["scoring"]
        (scoring["signals"] if name == "signals" else scoring["formulas"][0])["version"] = "0"

    with pytest.raises(PackUnavailableError, match=f"other {name}"):
        recomputed(pack(changed(members, other).items(), tmp_path / "other"))


def test_a_bundle_with_a_pack_that_is_not_at_hand_is_undecided(members, tmp_path):
    path = pack(changed(members, setting("x-assay", "packs_applied", 0, "digest", DIGEST)).items(), tmp_path / "other")
    with pytest.raises(PackUnavailableError, match="not at hand"):
        recomputed(path)


def test_a_pack_described_otherwise_is_refused(members, tmp_path):
    path = pack(
        changed(members, setting("x-assay", "packs_applied", 0, "kind", "compliance")).items(), tmp_path / "other"
    )
    with pytest.raises(PackError, match="describes it otherwise"):
        recomputed(path)
