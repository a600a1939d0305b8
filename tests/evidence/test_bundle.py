"""Bundles: sealed and read again, one refusal for every defect, and the attacks of re-sealing."""

import os
import subprocess
import sys
import tracemalloc
from dataclasses import replace

import orjson
import pytest

from evidence import manifest as layout
from evidence.bundle import EvidenceBundle, Recomputation, seal
from evidence.canonical import canonical
from evidence.errors import BundleError, EventError, EvidenceError, PackError, UnknownFormatError
from evidence.limits import Limits
from evidence.packs import builtin, read_pack
from tests.evidence import make
from tests.evidence.make import CHAT, DIGEST, changed, pack, sealed, setting, span, unpack, whole, with_lines

OWN_PACK = builtin("baseline").source.replace(b"name: baseline", b"name: own")


@pytest.fixture
def facts(tmp_path):
    return sealed(tmp_path)


@pytest.fixture
def members(facts):
    return unpack(facts.path)


def read(path, limits=Limits()):  # noqa: B008 - frozen
    with EvidenceBundle.open(path, limits) as bundle:
        for _ in bundle.events():
            pass
        return bundle.finish()


def refusal(path, limits=Limits()):  # noqa: B008 - frozen
    with pytest.raises(BundleError) as caught:
        read(path, limits)
    return caught.value


def test_batches_are_the_events_in_order_and_are_bounded_in_bytes_but_for_their_last_line(tmp_path):
    text = "x" * 10_000
    facts = sealed(tmp_path, whole(*(span(number, {**CHAT, "note": text}) for number in range(20))))
    with EvidenceBundle.open(facts.path) as bundle:
        one_by_one = list(bundle.events())
    with EvidenceBundle.open(facts.path) as bundle:
        batches = list(bundle.batches())
        assert bundle.finish() == facts
    assert [each for batch in batches for each in batch] == one_by_one
    assert len(batches) > 3
    assert max(sum(len(line) for _, line in batch[:-1]) for batch in batches) < 48 * 1024


@pytest.mark.parametrize("member", ["mapping", "scoring", "x-assay"])
def test_what_is_done_to_a_manifest_that_was_read_makes_no_other_one_acceptable(members, member):
    def broken(manifest):
        manifest[member]["more"] = "text"
        manifest.pop("bundle_id", None)
        return layout.seal_manifest(manifest)

    first = layout.read_manifest(members[layout.MANIFEST], Limits())
    data = broken(first)  # changes what was returned
    with pytest.raises(BundleError, match=f"manifest/{member}: unknown member 'more'"):
        layout.read_manifest(data, Limits())
    assert layout.read_manifest(members[layout.MANIFEST], Limits()) != first


# ------------------------------------------------------------------ sealing


def test_reading_a_bundle_gives_the_facts_that_sealing_gave(facts):
    assert read(facts.path) == facts


def test_sealing_twice_gives_the_same_bytes(tmp_path, facts):
    again = sealed(tmp_path, name="again.evidence.tar.gz")
    assert again.path.read_bytes() == facts.path.read_bytes()


def test_sealing_does_not_depend_on_the_hash_seed(tmp_path, facts):
    """Sets and dicts iterate differently under another seed; nothing of that may reach a file."""
    script = (
        "import sys, pathlib; sys.path.insert(0, '.'); from tests.evidence.make import sealed;"
        "print(sealed(pathlib.Path(sys.argv[1])).container_sha256)"
    )
    digests = set()
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        run = subprocess.run(
            [sys.executable, "-c", script, str(folder)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(run.stdout.strip())
    assert digests == {facts.container_sha256}


def test_members_stand_in_the_order_of_the_design(tmp_path):
    own = read_pack(OWN_PACK, "own.yaml")
    facts = sealed(tmp_path, packs=[builtin("baseline"), own], profiles={"b.yaml": b"b", "a.yaml": b"a"})
    order = [
        "manifest.json",
        "events.ndjson",
        "packs/own.yaml",
        "profiles/a.yaml",
        "profiles/b.yaml",
        "reports/closure.json",
        "reports/mapping-loss.json",
        "reports/formula-receipts.json",
    ]
    assert list(unpack(facts.path)) == order
    assert list(facts.members) == order


def test_packs_and_profiles_are_known_before_the_events(tmp_path):
    own = read_pack(OWN_PACK, "own.yaml")
    facts = sealed(tmp_path, packs=[own], profiles={"mine.yaml": b"x: 1"})
    with EvidenceBundle.open(facts.path) as bundle:
        assert bundle.attached == {"packs/own.yaml": OWN_PACK, "profiles/mine.yaml": b"x: 1"}
        assert len(list(bundle.events())) == 4
        assert bundle.finish() == facts


CHANGES = {
    "run identity is bound": {"part": 2},
    "opening time": {"opened_at": "2026-01-01T00:00:00.000000000Z"},
    "closing time": {"closed_at": "2026-01-01T00:00:00.000000000Z"},
    "close reason": {"close_reason": "idle"},
    "producer": {"producer": {"name": "affidavit", "version": "0.1.1"}},
    "mapping": {"mapping": {"target": {"id": "x", "version": "1", "digest": DIGEST}, "profiles": []}},
    "amends": {"amends": "ab" * 32},
    "previous bundle": {"previous_bundle": {"bundle_id": "ab" * 32, "manifest_sha256": "cd" * 32}},
    "redaction": {"redaction": {"policy_digest": DIGEST}},
}


@pytest.mark.parametrize("name", CHANGES)
def test_another_fact_is_another_bundle_id(tmp_path, facts, name):
    assert sealed(tmp_path, name="other.evidence.tar.gz", **CHANGES[name]).bundle_id != facts.bundle_id


def test_other_events_packs_profiles_or_loss_are_another_bundle_id(tmp_path, facts):
    others = [
        sealed(tmp_path, whole(span(1, CHAT)), name="1.evidence.tar.gz"),
        sealed(tmp_path, packs=[], name="2.evidence.tar.gz"),
        sealed(tmp_path, profiles={"a.yaml": b"a"}, name="3.evidence.tar.gz"),
        sealed(tmp_path, mapping_loss=b"{}", name="4.evidence.tar.gz"),
    ]
    assert len({facts.bundle_id, *(other.bundle_id for other in others)}) == 5


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "got no events"),
        (b"\n", "not JSON"),
        (make.lines(whole())[0], "without newline"),
        (make.lines(whole())[0] + b"\r\n", "not in RFC 8785"),
        (make.lines(whole())[0] + b"\n" + make.lines(whole())[0] + b"\n", "seq: expected 1, got 0"),
        (make.lines(whole(), first_seq=1)[0] + b"\n", "first_seq: expected 0"),
    ],
)
def test_lines_that_are_no_part_are_not_sealed_and_leave_no_file(tmp_path, content, words):
    events = tmp_path / "events"
    events.write_bytes(content)
    with pytest.raises(EvidenceError, match=words):
        seal(events=events, run=make.meta(), packs=[], profiles={}, mapping_loss=b"{}", out=tmp_path / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["events"]


def test_events_of_another_source_or_run_are_not_sealed(tmp_path):
    for changes in ({"source": "urn:other"}, {"run_id": "other"}):
        with pytest.raises(EventError, match="expected"):
            sealed(tmp_path, **changes)


def test_a_profile_whose_name_is_no_plain_path_is_not_sealed(tmp_path):
    with pytest.raises(EvidenceError, match="plain relative path"):
        sealed(tmp_path, profiles={"../a.yaml": b""})
    assert not (tmp_path / "run-1.evidence.tar.gz").exists()


def test_two_packs_of_one_name_are_not_sealed(tmp_path):
    other = read_pack(builtin("baseline").source + b"\n", "b.yaml")
    with pytest.raises(PackError, match="two of one name"):
        sealed(tmp_path, packs=[builtin("baseline"), other])


def test_a_failed_seal_leaves_the_bundle_that_was_there(tmp_path, facts):
    before = facts.path.read_bytes()
    with pytest.raises(EvidenceError):
        sealed(tmp_path, profiles={"..": b""})
    assert facts.path.read_bytes() == before


@pytest.mark.parametrize(
    "broken",
    [
        {"span": {"attributes": 5}},
        {"span": {"attributes": ["k"]}},
        {"span": {"attributes": [{"key": "gen_ai.operation.name", "value": 7}]}},
    ],
)
def test_telemetry_that_is_not_otlp_json_is_an_error_of_the_event(tmp_path, broken):
    item = span(1, CHAT)
    item[1].update(broken)
    with pytest.raises(EventError, match="not OTLP/JSON"):
        sealed(tmp_path, whole(item))


def test_what_could_not_be_read_again_is_not_sealed(tmp_path):
    too_long = b'{"x":"' + b"x" * Limits().member_bytes_max + b'"}'
    with pytest.raises(BundleError, match="reports/mapping-loss.json: 67108872 bytes, at most 67108864"):
        sealed(tmp_path, mapping_loss=too_long)
    assert [path.name for path in tmp_path.iterdir()] == ["events"]


def test_two_runs_with_equal_payloads_have_two_ids(tmp_path):
    first = sealed(tmp_path)
    items = whole(make.resource({"service.name": "agent"}), span(1, CHAT))
    events = tmp_path / "events"
    events.write_bytes(b"".join(line.replace(b"run-1", b"run-2") + b"\n" for line in make.lines(items)))
    second = seal(
        events=events,
        run=replace(make.meta(), run_id="run-2"),
        packs=[builtin("baseline")],
        profiles={},
        mapping_loss=b'{"schema":"mapping-loss-v1"}',
        out=tmp_path / "run-2.evidence.tar.gz",
    )
    assert first.bundle_id != second.bundle_id


# ------------------------------------------------------------------ reading: one defect each


def _drop(name):
    return lambda manifest: manifest.pop(name)


MANIFEST_DEFECTS = {
    "unknown_member": (setting("signed_by", "nobody"), "unknown member 'signed_by'"),
    "unknown_member_inside": (setting("producer", "git", "1"), "producer: unknown member"),
    "no_run_id": (_drop("run_id"), "/run_id: expected"),
    "run_id_with_colon": (setting("run_id", "a:b"), "/run_id"),
    "part_zero": (setting("part", 0), "/part"),
    "part_as_boolean": (setting("part", True), "/part"),
    "closed_at_without_nanoseconds": (setting("closed_at", "2026-01-01T00:00:00Z"), "/closed_at"),
    "close_reason_unheard_of": (setting("close_reason", "bored"), "/close_reason"),
    "event_count_zero": (setting("event_count", 0), "/event_count"),
    "last_seq_wrong": (setting("last_seq", 99), "last_seq: expected"),
    "merkle_alg_md5": (setting("merkle", "alg", "md5"), "/merkle/alg"),
    "merkle_tree_size_wrong": (setting("merkle", "tree_size", 1), "tree_size: expected"),
    "merkle_root_upper_case": (setting("merkle", "root", "AB" * 32), "/merkle/root"),
    "files_not_an_array": (setting("files", {}), "/files"),
    "files_entry_without_digest": (setting("files", 0, {"path": "events.ndjson"}), "/files/0/sha256"),
    "files_entry_traversing": (setting("files", 0, "path", "../x"), "/files/0/path"),
    "files_entry_without_place": (setting("files", 1, "path", "notes.txt"), "no place in a bundle"),
    "files_without_mapping_loss": (lambda m: m["files"].pop(), "expected reports/mapping-loss.json"),
    "files_without_events": (lambda m: m["files"].pop(0), "expected events.ndjson"),
    "files_twice": (lambda m: m["files"].append(m["files"][0]), "listed twice"),
    "files_out_of_order": (lambda m: m["files"].reverse(), "expected the order"),
    "mapping_without_target": (setting("mapping", {"profiles": []}), "/mapping/target"),
    "mapping_digest_untagged": (setting("mapping", "target", "digest", "ab" * 32), "/mapping/target/digest"),
    "capture_health_negative": (setting("capture_health", "gaps", -1), "/capture_health"),
    "capture_health_text": (setting("capture_health", "gaps", "0"), "/capture_health"),
    "limits_zero": (setting("limits", "max_events", 0), "/limits"),
    "previous_bundle_half": (setting("previous_bundle", {"bundle_id": "ab" * 32}), "/previous_bundle/manifest_sha256"),
    "amends_itself_in_words": (setting("amends", "the one before"), "/amends"),
    "packs_without_digest": (setting("x-assay", "packs_applied", 0, {"name": "baseline", "version": "1"}), "/digest"),
    "first_seq_one_in_part_one": (lambda m: m.update(first_seq=1, last_seq=m["last_seq"] + 1), "first_seq: expected 0"),
}


@pytest.mark.parametrize("defect", MANIFEST_DEFECTS)
def test_a_manifest_with_a_defect_is_refused_even_when_its_id_is_made_true(tmp_path, members, defect):
    change, words = MANIFEST_DEFECTS[defect]
    error = refusal(pack(changed(members, change).items(), tmp_path / "broken"))
    assert error.check == "manifest"
    assert words in error.reason


def test_a_manifest_of_another_version_is_undecided_not_wrong(tmp_path, members):
    path = pack(changed(members, setting("schema_version", "evidence-bundle-v2")).items(), tmp_path / "broken")
    with pytest.raises(UnknownFormatError):
        read(path)


RAW_MANIFEST_DEFECTS = {
    "pretty_printed": lambda data: orjson.dumps(orjson.loads(data), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS),
    "final_newline": lambda data: data + b"\n",
    "byte_order_mark": lambda data: b"\xef\xbb\xbf" + data,
    "duplicate_key": lambda data: data.replace(b'"part":1', b'"part":1,"part":1'),
    "not_an_object": lambda data: b"[]",
    "id_of_another": lambda data: data.replace(data[14:20], b"000000"),
}


@pytest.mark.parametrize("defect", RAW_MANIFEST_DEFECTS)
def test_a_manifest_whose_bytes_have_a_defect_is_refused(tmp_path, members, defect):
    broken = {**members, layout.MANIFEST: RAW_MANIFEST_DEFECTS[defect](members[layout.MANIFEST])}
    assert refusal(pack(broken.items(), tmp_path / "broken")).check == "manifest"


def _without(name):
    return lambda members: [(key, value) for key, value in members.items() if key != name]


def _swapped(members):
    items = list(members.items())
    items[2], items[3] = items[3], items[2]
    return items


FILE_DEFECTS = {
    "manifest_last": (lambda m: [*list(m.items())[1:], *list(m.items())[:1]], "expected manifest.json first"),
    "no_member": (lambda m: [], "got no member"),
    "no_events": (_without(layout.EVENTS), "expected the member events.ndjson"),
    "no_closure": (_without(layout.CLOSURE), "expected the member reports/closure.json"),
    "no_receipts": (_without(layout.FORMULA_RECEIPTS), "got the end"),
    "reports_swapped": (_swapped, "expected the member reports/closure.json"),
    "manifest_twice": (lambda m: [*list(m.items())[:1], *m.items()], "expected the member events.ndjson"),
    "unlisted_at_the_end": (lambda m: [*m.items(), ("notes.txt", b"")], "notes.txt: not listed"),
    "unlisted_drift": (lambda m: [*m.items(), (layout.DRIFT, b"{}")], "not listed"),
    "loss_report_longer": (lambda m: {**m, layout.MAPPING_LOSS: m[layout.MAPPING_LOSS] + b" "}.items(), "bytes, got"),
    "loss_report_edited": (lambda m: {**m, layout.MAPPING_LOSS: b"x" * len(m[layout.MAPPING_LOSS])}.items(), "sha256"),
    "event_text_edited": (
        lambda m: {**m, layout.EVENTS: m[layout.EVENTS].replace(b"gpt-x", b"gpt-y")}.items(),
        "sha256",
    ),
    "listed_pack_absent": (
        lambda m: changed(
            m, lambda man: man["files"].insert(1, {"path": "packs/a.yaml", "sha256": "ab" * 32, "bytes": 0})
        ).items(),
        "expected the member packs/a.yaml",
    ),
}


@pytest.mark.parametrize("defect", FILE_DEFECTS)
def test_members_with_a_defect_are_refused(tmp_path, members, defect):
    change, words = FILE_DEFECTS[defect]
    error = refusal(pack(change(members), tmp_path / "broken"))
    assert error.check == "files"
    assert words in error.reason


def _edit(number, old, new):
    def change(lines):
        assert old in lines[number]
        lines[number] = lines[number].replace(old, new)

    return change


def _null_data(lines):
    event = orjson.loads(lines[1])
    event["data"] = None
    lines[1] = canonical(event)


def _deep(lines):
    deep = b"[" * 300 + b"]" * 300
    lines[0] = lines[0].replace(b'"part":1', b'"context":{"a":' + deep + b'},"part":1')


LINE_DEFECTS = {
    "space_after_colon": (_edit(1, b'":', b'": '), "RFC 8785"),
    "unicode_escape": (_edit(1, b"agent", b"\\u0061gent"), "RFC 8785"),
    "float_integer": (_edit(1, b'"seq":1', b'"seq":1.0'), "RFC 8785"),
    "duplicate_key": (_edit(1, b'"seq":1', b'"seq":1,"seq":1'), "RFC 8785"),
    "carriage_return": (lambda lines: lines.__setitem__(1, lines[1] + b"\r"), "RFC 8785"),
    "byte_order_mark": (lambda lines: lines.__setitem__(0, b"\xef\xbb\xbf" + lines[0]), "not JSON"),
    "invalid_utf8": (_edit(1, b"agent", b"\xff"), "not JSON"),
    "blank_line": (lambda lines: lines.insert(1, b""), "not JSON"),
    "lone_surrogate": (_edit(1, b"agent", b"\\ud800"), "not JSON"),
    "nested_300_deep": (_deep, "Recursion limit"),
    "sequence_hole": (lambda lines: lines.pop(1), "seq: expected 1, got 2"),
    "sequence_repeated": (lambda lines: lines.insert(1, lines[1]), "seq: expected 2, got 1"),
    "reordered": (lambda lines: lines.reverse(), "seq: expected 0"),
    "id_of_another_seq": (_edit(1, b'"run-1:1"', b'"run-1:7"'), "id: expected"),
    "run_of_another": (lambda lines: lines.__setitem__(1, lines[1].replace(b"run-1", b"run-2")), "runid: expected"),
    "run_id_with_colon": (lambda lines: lines.__setitem__(1, lines[1].replace(b"run-1", b"a:b")), "runid: expected"),
    "mixed_source": (_edit(1, b"urn:affidavit:test", b"urn:other"), "source: expected"),
    "relative_source": (_edit(0, b"urn:affidavit:test", b"test"), "source: expected"),
    "type_unheard_of": (_edit(1, b"affidavit.otel.resource.v1", b"affidavit.otel.resource.v9"), "type: expected"),
    "specversion": (_edit(1, b'"specversion":"1.0"', b'"specversion":"1.1"'), "specversion: expected"),
    "time_without_nanoseconds": (_edit(1, b".000000001Z", b"Z"), "time: expected"),
    "time_with_offset": (_edit(1, b".000000001Z", b".00001+01:00"), "time: expected"),
    "time_on_february_30": (_edit(1, b"2023-11-14", b"2023-02-30"), "time: expected"),
    "null_data": (_null_data, "event.data: expected dict"),
    "unknown_member": (_edit(1, b',"type"', b',"trust":"me","type"'), "unknown member 'trust'"),
    "unknown_telemetry_member": (_edit(2, b'"scope":', b'"scape":1,"scope":'), "unknown member 'scape'"),
    "resource_without_digest": (_edit(2, b'"resource":"sha256:ab', b'"resource":"sha256:zz'), "data.resource"),
    "a_boolean_as_count": (_edit(3, b'"spans":1', b'"spans":true'), "data.spans: expected int"),
}


@pytest.mark.parametrize("defect", LINE_DEFECTS)
def test_an_event_line_with_a_defect_is_refused_even_when_everything_is_made_true_to_it(tmp_path, members, defect):
    change, words = LINE_DEFECTS[defect]
    error = refusal(pack(with_lines(members, change).items(), tmp_path / "broken"))
    assert error.check == "events"
    assert words in error.reason


def test_a_last_line_without_newline_is_refused(tmp_path, members):
    cut = {**members, layout.EVENTS: members[layout.EVENTS] + b"{}"}
    manifest = orjson.loads(members[layout.MANIFEST])
    manifest["files"][0] |= {"sha256": make.sha256_hex(cut[layout.EVENTS]), "bytes": len(cut[layout.EVENTS])}
    error = refusal(pack(make.with_manifest(cut, manifest).items(), tmp_path / "broken"))
    assert (error.check, "newline" in error.reason) == ("events", True)


def test_a_manifest_that_counts_another_number_of_events_is_refused(tmp_path, members):
    for count, words in ((3, "got more"), (5, "got 4")):
        lie = changed(
            members, lambda m, n=count: (m.update(event_count=n, last_seq=n - 1), m["merkle"].update(tree_size=n))
        )
        error = refusal(pack(lie.items(), tmp_path / "broken"))
        assert (error.check, words in error.reason) == ("events", True)


def test_a_merkle_root_of_other_lines_is_refused(tmp_path, members):
    lie = changed(members, lambda m: m["merkle"].update(root="ab" * 32))
    error = refusal(pack(lie.items(), tmp_path / "broken"))
    assert (error.check, "Merkle root" in error.reason) == ("events", True)


def test_times_that_go_backwards_are_read_and_counted(tmp_path):
    """Telemetry arrives late; order is the order of recording."""
    facts = sealed(tmp_path)

    def backwards(lines):
        lines[2] = lines[2].replace(b"2023-11-14", b"2023-11-13")

    facts = read(pack(with_lines(unpack(facts.path), backwards).items(), tmp_path / "late"))
    assert facts.first_time.startswith("2023-11-13")
    assert facts.last_time.startswith("2023-11-14")


@pytest.mark.parametrize(
    ("limits", "check"),
    [
        (Limits(bundle_bytes_max=100), "container"),
        (Limits(decoded_bytes_max=2000), "container"),
        (Limits(manifest_bytes_max=100), "manifest"),
        (Limits(events_bytes_max=100), "files"),
        (Limits(member_bytes_max=10), "files"),
        (Limits(members_max=3), "container"),
        (Limits(path_bytes_max=15), "container"),
        (Limits(events_max=3), "manifest"),
        (Limits(line_bytes_max=100), "events"),
        (Limits(json_depth_max=5), "events"),
    ],
)
def test_every_bound_of_reading_refuses(facts, limits, check):
    assert refusal(facts.path, limits).check == check


def test_packs_and_profiles_together_are_bounded(tmp_path):
    facts = sealed(tmp_path, profiles={"a.yaml": b"a" * 60, "b.yaml": b"b" * 60})
    assert refusal(facts.path, Limits(attached_bytes_max=100)).check == "files"


def test_the_facts_are_not_given_before_the_events_were_read(facts):
    with EvidenceBundle.open(facts.path) as bundle, pytest.raises(RuntimeError):
        bundle.finish()


def test_no_flipped_bit_is_read_as_the_same_file(tmp_path, facts):
    """Refused, or (where deflate has two ways to say one thing) the same members in a file of another digest.

    All bits of the gzip header and trailer, and one bit of every third byte between them.
    """
    data = facts.path.read_bytes()
    ends = [(position, bit) for position in (*range(10), *range(-8, 0)) for bit in range(8)]
    between = [(position, position // 3 % 8) for position in range(10, len(data) - 8, 3)]
    path = tmp_path / "flipped"
    for position, bit in ends + between:
        flipped = bytearray(data)
        flipped[position] ^= 1 << bit
        path.write_bytes(flipped)
        try:
            survivor = read(path)
        except BundleError:
            continue
        assert survivor.container_sha256 != facts.container_sha256
        assert survivor.members == facts.members


def test_every_cut_is_refused(tmp_path, facts):
    data = facts.path.read_bytes()
    path = tmp_path / "cut"
    for end in range(0, len(data), 7):
        path.write_bytes(data[:end])
        assert refusal(path).check in {"container", "files"}


def test_memory_does_not_grow_with_the_number_of_events(tmp_path):
    """Ten times the events may cost the 24 bytes a span of capture health and the set made of them, and nothing else."""

    def peak(count):
        folder = tmp_path / str(count)
        folder.mkdir()
        items = whole(*(span(number, {"note": "x" * 300}) for number in range(1, count + 1)))
        facts = sealed(folder, items)
        del items
        tracemalloc.start()
        with EvidenceBundle.open(facts.path) as bundle:
            again = Recomputation(bundle.manifest, bundle.attached)
            for batch in bundle.batches():
                again.add_all(batch)
            assert again.differences(bundle.finish()) == []
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    small, large = peak(800), peak(8000)
    assert large - small < 7200 * 200
