"""Assay's bundles: what our writer writes, our strict reader reads, in the digests that the format describes."""

import hashlib
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.assay import gnu_tar, timestamp
from evidence.assay.limits import DEFAULT, AssayLimits
from evidence.assay.reader import AssayBundle, read_assay
from evidence.assay.writer import AssayWriter
from evidence.canonical import canonical
from evidence.container.foreign import is_assay
from evidence.errors import BundleError, EventError, EvidenceError
from tests.evidence import assay_world as world
from tests.tools.examples import times

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture
def read(tmp_path):
    def read(data, limits=DEFAULT):
        path = tmp_path / "bundle.tar.gz"
        path.write_bytes(data)
        return read_assay(path, limits)

    return read


def test_a_bundle_that_was_written_reads_back_with_the_digests_that_the_format_describes(read):
    data = world.made()
    facts, (manifest, events) = read(data), world.unpack(data)
    hashes = [world.hashed(event) for event in events]
    assert [event["assaycontenthash"] for event in events] == hashes
    root = hashlib.sha256("".join(f"{each}\n" for each in hashes).encode()).hexdigest()
    assert facts.run_root == manifest["bundle_id"] == f"sha256:{root}"
    assert facts.container_sha256 == hashlib.sha256(data).hexdigest()
    assert facts.events_sha256 == hashlib.sha256(world.lines(events)).hexdigest()
    assert facts.odd == ()


def test_the_run_root_is_the_one_that_assay_itself_worked_out():
    """Type, subject and data of the five events of a bundle made by Assay (MIT licence), and the root it printed."""
    about = {"build_id": "ci-test-run-001", "version": "fixture-1.0.0"}
    subjects = {
        "assay.profile.started": "ci-test",
        "assay.fs.access": "/tmp/test-file.txt",
        "assay.net.connect": "api.example.com:443",
        "assay.process.exec": "echo",
    }
    content = [
        {"type_": kind, "subject": subject, "data": {**about, "seq": number, "subject": subject, "test": True}}
        for number, (kind, subject) in enumerate(subjects.items())
    ]
    content.append({"type_": "assay.profile.finished", "data": {**about, "event_count": 5, "status": "ok"}})
    manifest, _ = world.unpack(world.made(content))
    assert manifest["run_root"] == "sha256:7a47bb25f2bd8e4ca031033d6c151812188f3b2bb8fa629ed100ea2fa53b7e41"


def test_the_same_events_give_the_same_bytes_and_another_run_the_same_root_in_another_file():
    data = world.made()
    assert data == world.made()
    other = world.made(run_id="run-b")
    assert other != data
    assert world.unpack(other)[0]["run_root"] == world.unpack(data)[0]["run_root"]


def test_the_container_is_in_the_one_form_that_assay_writes():
    data = world.made()
    assert data[:10].hex() == "1f8b08000000000002ff"
    header = world.archive(data)[:512]
    assert header[100:108] == b"0000644\0"
    assert header[156:157] == b"\0"
    assert header[257:270] == b"ustar  \0assay"
    assert gnu_tar.decode(header)[2] == ()


@settings(max_examples=times(0.6))
@given(
    content=st.lists(
        st.fixed_dictionaries(
            {"type_": st.sampled_from(["assay.fs.access", "own.thing.v1"]), "data": JSON},
            optional={"subject": TEXT},
        ),
        min_size=1,
        max_size=5,
    )
)
def test_whatever_the_writer_takes_the_reader_takes_and_gives_back(content, tmp_path_factory):
    path = tmp_path_factory.mktemp("w") / "b.tar.gz"
    path.write_bytes(world.made(content))
    with AssayBundle.open(path) as bundle:
        read = [(event["type"], event.get("subject"), event["data"]) for event, _ in bundle.events()]
        bundle.finish()
    assert [(kind, subject, canonical(data)) for kind, subject, data in read] == [
        (each["type_"], each.get("subject"), canonical(each["data"])) for each in content
    ]


@given(st.integers(-62_135_596_800 * 10**9, 253_402_300_799 * 10**9))
def test_a_time_reads_back_as_the_time_it_was(unix_nano):
    assert timestamp.to_unix_nano(timestamp.from_unix_nano(unix_nano)) == unix_nano


@pytest.mark.parametrize(
    ("unix_nano", "text"),
    [
        (1_700_000_000_000_000_000, "2023-11-14T22:13:20Z"),
        (1_700_000_000_500_000_000, "2023-11-14T22:13:20.500Z"),
        (1_700_000_000_000_001_000, "2023-11-14T22:13:20.000001Z"),
        (1_700_000_000_000_000_001, "2023-11-14T22:13:20.000000001Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
    ],
)
def test_a_time_has_as_many_digits_as_there_are_to_say(unix_nano, text):
    assert timestamp.from_unix_nano(unix_nano) == text


@pytest.mark.parametrize(
    "text", ["", "2023-11-14", "2023-11-14T22:13:20", "2023-11-14T22:13:20+02:00", "2023-02-30T00:00:00Z", "2023-11-14T24:00:00Z"]
)  # fmt: skip
def test_a_text_that_is_no_time_in_utc_is_refused(text):
    with pytest.raises(EvidenceError, match="time: expected RFC 3339 in UTC"):
        timestamp.to_unix_nano(text)


def test_a_writer_refuses_what_its_reader_would_and_appends_nothing():
    spool = io.BytesIO()
    writer = AssayWriter(
        spool, run_id="r", source="urn:x", producer=world.PRODUCER, limits=AssayLimits(line_bytes_max=500)
    )
    for event in (
        {"data": "x" * 600},
        {"data": {}, "time": "yesterday"},
        {"data": {}, "assaysemanticdigest": "sha256:1"},
        {"data": float("nan")},
    ):
        with pytest.raises(EventError):
            writer.event(**{"type_": "a.b", "time": world.at(0), "secrets": False, **event})
    assert spool.getvalue() == b""
    with pytest.raises(BundleError, match="event_count"):
        writer.finish(io.BytesIO())


# ---------------------------------------------------------------- bounds, each by its name


def grown(key, value):
    return lambda _, events: events[1]["data"].update({key: value})


@pytest.mark.parametrize(
    ("limits", "change", "check", "says"),
    [
        (AssayLimits(bundle_bytes_max=200), None, "container", "larger than 200 bytes"),
        (AssayLimits(decoded_bytes_max=3000), None, "container", "inflates to more than 3000 bytes"),
        (AssayLimits(manifest_bytes_max=100), None, "files", "expected at most 100"),
        (AssayLimits(events_bytes_max=100), None, "files", "expected at most 100"),
        (AssayLimits(events_max=4), None, "manifest", "expected 1 to 4, got 5"),
        (AssayLimits(line_bytes_max=300), None, "events", "expected at most 300"),
        (AssayLimits(json_depth_max=3), grown("deep", [[[]]]), "events", "nested deeper than 3"),
        (AssayLimits(object_members_max=20), grown("wide", {str(n): n for n in range(21)}), "events", "an object of 21 members"),
        (AssayLimits(string_bytes_max=300), grown("long", "x" * 301), "events", "a string of 301 bytes"),
    ],
    ids=["bundle", "decoded", "manifest", "events", "count", "line", "depth", "members", "string"],
)  # fmt: skip
def test_what_is_over_a_bound_is_refused_under_its_name(limits, change, check, says, read):
    data = world.made() if change is None else world.resealed(world.made(), change)
    with pytest.raises(BundleError, match=says) as refused:
        read(data, limits)
    assert refused.value.check == check


def test_a_bomb_is_refused_before_it_is_inflated(read):
    """Sixty megabytes of zeros in sixty kilobytes, where the events' header says as much as may be."""
    manifest = canonical(world.unpack(world.made())[0])
    bomb = world.gzipped(
        world.member("manifest.json", manifest) + gnu_tar.encode("events.ndjson", 500 * 1024 * 1024) + bytes(60_000_000)
    )
    with pytest.raises(BundleError, match=r"events.ndjson: expected \d+ bytes, got 524288000"):
        read(bomb)


# ---------------------------------------------------------------- any bytes


@settings(max_examples=times(1.5))
@given(data=st.binary(max_size=300), wrapped=st.sampled_from(["raw", "gzip", "manifest", "events"]))
def test_any_bytes_anywhere_end_in_a_named_refusal(data, wrapped, tmp_path_factory):
    manifest, events = world.unpack(world.made())
    file = {
        "raw": lambda: data,
        "gzip": lambda: world.gzipped(data),
        "manifest": lambda: world.packed(data, world.lines(events)),
        "events": lambda: world.packed(canonical(manifest), data),
    }[wrapped]()
    path = tmp_path_factory.mktemp("any") / "b.tar.gz"
    path.write_bytes(file)
    is_assay(path)
    with pytest.raises(BundleError):
        read_assay(path)


@settings(max_examples=times(1.5))
@given(where=st.integers(0, 10**6), bit=st.integers(0, 7), data=st.data())
def test_a_flipped_bit_of_the_archive_is_refused_or_named_or_in_an_unbound_member(where, bit, data, tmp_path_factory):
    """Below compression, so that no checksum of gzip helps: what is then accepted has another run root or another claim."""
    good = world.made()
    tar = bytearray(world.archive(good))
    tar[where % len(tar)] ^= 1 << bit
    path = tmp_path_factory.mktemp("flip") / "b.tar.gz"
    path.write_bytes(world.gzipped(bytes(tar)))
    try:
        facts = read_assay(path)
    except BundleError:
        return
    assert facts.container_sha256 != hashlib.sha256(good).hexdigest()
    path.write_bytes(good)
    before = read_assay(path)
    assert (facts.odd, facts.manifest["producer"]) != (before.odd, before.manifest["producer"])


def test_an_assay_bundle_is_told_from_ours_by_its_first_bytes(tmp_path):
    path = tmp_path / "b"
    for data, expected in (
        (world.made(), True),
        (world.packed(b'{"schema_version": 7}', b""), True),
        (world.gzipped(world.member("events.ndjson", b"")), True),
        (world.gzipped(world.member("README", b"")), False),
        (b"", False),
        (b"\x1f\x8b garbage", False),
        (json.dumps({}).encode(), False),
    ):
        path.write_bytes(data)
        assert is_assay(path) is expected
    assert is_assay(tmp_path / "absent") is False
    assert is_assay(tmp_path) is False
