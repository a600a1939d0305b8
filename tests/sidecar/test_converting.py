"""Bundles of Assay become ours and ours become theirs; nothing is lost silently, and what can come back does, byte for byte."""

import hashlib
import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import orjson
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from attest.keys import generate, save
from attest.trust.trust import Trust
from attest.verify import verify_file
from evidence.assay.event_types import TOOL_DECISION
from evidence.assay.export import MEMBER
from evidence.assay.ledger import Ledger
from evidence.assay.limits import AssayLimits
from evidence.assay.reader import AssayBundle, read_assay
from evidence.assay.writer import AssayWriter
from evidence.bundle import EvidenceBundle
from evidence.canonical import canonical
from evidence.errors import BundleError, UnknownFormatError
from evidence.event import RECEIPT, RUN_CLOSED, RUN_OPENED, EvidenceEvent
from semconv.translate import Translator
from sidecar.cli.evidence import evidence
from sidecar.converting import to_assay, to_native
from sidecar.converting.to_assay import Exporter
from sidecar.errors import SidecarError
from sidecar.mapping import MappingAgain
from sidecar.offline import Inputs, seal_files
from sidecar.tables import load_packs
from tests.attest import world as ours
from tests.evidence import assay_world as theirs

CORPUS = Path(__file__).parents[1] / "corpus"
RUN = "pydantic-ai-slim@2.68.0/tools_loop.traces.otlp.pb"
TOKEN = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"
SCHEMA = orjson.loads(files("evidence").joinpath("schemas", "conversion-report-v1.schema.json").read_bytes())


@pytest.fixture(scope="module")
def translator():
    return Translator.load("gen-ai-dev")


@pytest.fixture(scope="module")
def packs():
    return load_packs(["baseline"])


@pytest.fixture(scope="module")
def recorded(packs, translator, tmp_path_factory):
    """A recorded run, sealed as `affidavit seal` does."""
    folder = tmp_path_factory.mktemp("recorded")
    inputs = Inputs([CORPUS / RUN])
    (sealed,) = seal_files(
        inputs, folder, packs=packs, translator=translator, profiles={}, run_key=["trace_id"], signer=None
    )
    return folder / sealed.file


@pytest.fixture
def native(packs, translator, tmp_path):
    """An Assay bundle as one of ours."""

    def convert(data, signer=None, name="made"):
        path = tmp_path / f"{name}.in.tar.gz"
        path.write_bytes(data)
        out = tmp_path / f"{name}.evidence.tar.gz"
        return to_native(path, out, packs=packs, translator=translator, signer=signer)

    return convert


def sealed_ours(folder, kind="policy_decision", **body):
    """A sealed run of ours with a tool call and a receipt, through real sealing."""
    events = ours.run_events()
    span = events[4].data["span"]
    span["attributes"].append({"key": "gen_ai.tool.call.id", "value": {"stringValue": "call-1"}})
    receipt = {"kind": kind, "idempotency_key": "k-1", "body": body}
    events[5] = EvidenceEvent(run_id="run-1", seq=5, type=RECEIPT, time=ours.at(5), data=receipt, source=ours.SOURCE)
    return ours.seal_run(folder, events)


def lines(path):
    with EvidenceBundle.open(path) as bundle:
        return [(event, line) for event, line in bundle.events()]


def assay_events(path):
    with AssayBundle.open(path) as bundle:
        return [event for event, _ in bundle.events()]


def rows(report, fate):
    return [row for row in report.to_json()["rows"] if row["fate"] == fate]


def outcome(path, check, **options):
    return verify_file(path, **options).check(check).outcome


# ---------------------------------------------------------------- theirs to ours


def test_each_of_their_events_is_a_receipt_that_holds_it_whole_at_the_time_that_it_says(native):
    data = theirs.made()
    made = native(data)
    _, events = theirs.unpack(data)
    found = [event for event, _ in lines(made.file) if event["type"] == RECEIPT]
    assert [event["data"]["body"]["assay"] for event in found] == events
    assert [event["time"] for event in found] == [f"2026-08-01T10:00:0{n}.250000000Z" for n in range(5)]
    assert [event["data"]["body"]["time_source"] for event in found] == ["event"] * 5
    assert all("received" not in event["data"] for event in found)
    assert made.report.way_back == "exact"
    assert made.refused == ()


def test_the_run_says_that_it_was_converted_and_from_which_file(native):
    data = theirs.made()
    opened, _ = lines(native(data).file)[0]
    assert opened["type"] == RUN_OPENED
    assert opened["source"] == "urn:affidavit:convert:assay-v1"
    said = opened["data"]["context"]["assay"]
    assert said["container_sha256"] == hashlib.sha256(data).hexdigest()
    assert said["manifest"] == theirs.unpack(data)[0]
    assert said["converted_by"]["name"] == "affidavit"
    assert {"time", "source", "assayrunid"} <= set(said["unbound"])


def test_their_decision_is_one_that_our_rules_read(native):
    found = [event["data"] for event, _ in lines(native(theirs.made()).file) if event["type"] == RECEIPT]
    decision = found[1]
    assert decision["kind"] == "policy_decision"
    body = {name: value for name, value in decision["body"].items() if name not in ("assay", "time_source")}
    assert body == {
        "decision": "allow",
        "tool_name": "transfer",
        "reason": "within_limit",
        "policy_digest": "sha256:" + "3" * 64,
        "policy_id": "payments",
    }
    assert decision["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert [each["kind"] for each in found if each is not decision] == [
        "assay.profile.started", "assay.mandate.v1", "assay.fs.access", "assay.profile.finished"
    ]  # fmt: skip


@pytest.mark.parametrize("decision", ["error", 1, None])
def test_what_is_neither_allowed_nor_denied_is_no_decision_of_ours(decision, native):
    made = native(theirs.made([{"type_": TOOL_DECISION, "data": {"tool": "t", "decision": decision}}]))
    assert [event["data"]["kind"] for event, _ in lines(made.file) if event["type"] == RECEIPT] == [TOOL_DECISION]


def test_the_converted_bundle_verifies_whole_when_it_is_signed_and_is_undecided_when_not(native):
    from attest.signers.key import KeySigner

    key = generate()
    made = native(theirs.made(), KeySigner(key))
    options = {"mapping": MappingAgain(), "trust": Trust.of(key.public)}
    assert made.attestation is not None
    assert verify_file(made.file, **options).exit_code == 0
    bare = native(theirs.made(), name="bare")
    assert bare.attestation is None
    assert verify_file(bare.file, **options).exit_code == 4


def test_there_and_back_is_the_same_manifest_and_events_byte_for_byte(native, tmp_path):
    data = theirs.made()
    back = tmp_path / "back.tar.gz"
    report = to_assay(native(data).file, back)
    assert theirs.archive(back.read_bytes()) == theirs.archive(data)
    assert report.way_back == "exact"
    assert report.result.events_sha256 == read_assay(tmp_path / "made.in.tar.gz").events_sha256


def test_a_secret_is_withheld_and_the_report_says_that_the_original_does_not_come_back(native):
    data = theirs.made([*theirs.CONTENT[:2], {"type_": "assay.fs.access", "data": {"note": f"token {TOKEN}"}}])
    made = native(data)
    assert TOKEN.encode() not in b"".join(line for _, line in lines(made.file))
    assert made.disclosures is not None
    assert TOKEN.encode() in made.disclosures.read_bytes()
    assert made.report.way_back == "partial"
    assert "assaycontenthash: expected" in made.report.why_not
    (changed,) = rows(made.report, "changed")
    assert (changed["what"], changed["example"], changed["count"]) == ("assay.fs.access", "run-a:2", 1)
    assert verify_file(made.file).exit_code == 4


def test_what_was_changed_on_the_way_is_exported_as_ours_and_not_as_an_original(native, tmp_path):
    made = native(theirs.made([{"type_": "a.b", "data": {"note": f"token {TOKEN}"}}]))
    out = tmp_path / "again.tar.gz"
    report = to_assay(made.file, out)
    assert [event["type"] for event in assay_events(out)] == [
        "assay.profile.started", "affidavit.receipt.v1", "affidavit.redaction.v1", "assay.profile.finished"
    ]  # fmt: skip
    assert report.way_back == "exact"


TIMES = {
    "before_1970": "1969-12-31T23:59:59Z",
    "after_2262": "2300-01-01T00:00:00Z",
    "year_1": "0001-01-01T00:00:00Z",
}


@pytest.mark.parametrize("name", TIMES)
def test_a_time_that_no_recorder_holds_is_said_to_be_none_and_stands_in_the_event(name, native):
    made = native(theirs.made(theirs.CONTENT[:2], times=lambda _: TIMES[name]))
    found = [event["data"]["body"] for event, _ in lines(made.file) if event["type"] == RECEIPT]
    assert [body["time_source"] for body in found] == ["none", "none"]
    assert found[0]["assay"]["time"] == TIMES[name]
    assert {(row["member"], row["example"]) for row in rows(made.report, "changed")} == {("time", TIMES[name])}
    assert made.report.way_back == "exact"


@pytest.mark.parametrize("name", ["with space", "x" * 200, "läuft", "."])
def test_a_run_id_that_is_none_of_ours_is_replaced_by_its_digest_and_kept(name, native, tmp_path):
    data = theirs.made(theirs.CONTENT[:2], run_id=name)
    made = native(data)
    assert {row["what"] for row in rows(made.report, "changed")} == {"run id"}
    back = tmp_path / "back.tar.gz"
    to_assay(made.file, back)
    assert theirs.unpack(back.read_bytes())[0]["run_id"] == name


def test_a_trace_context_that_is_none_stays_in_the_event_alone(native):
    made = native(theirs.made([{"type_": "a.b", "data": 1, "traceparent": "nonsense"}]))
    assert [row["member"] for row in rows(made.report, "changed")] == ["traceparent"]
    assert made.report.way_back == "exact"


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=12, deadline=None)
@given(
    content=st.lists(
        st.fixed_dictionaries(
            {"type_": st.sampled_from(["a.b", "assay.tool.decision", "not a kind", "x" * 300]), "data": JSON}
        ),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_their_events_hold_comes_back_or_the_report_says_why(content, tmp_path_factory, packs, translator):
    folder = tmp_path_factory.mktemp("there")
    path, out, back = folder / "in.tar.gz", folder / "o.evidence.tar.gz", folder / "back.tar.gz"
    path.write_bytes(theirs.made(content))
    made = to_native(path, out, packs=packs, translator=translator, signer=None)
    to_assay(out, back)
    came = theirs.archive(back.read_bytes()) == theirs.archive(path.read_bytes())
    assert came == (made.report.way_back == "exact")
    assert came or made.disclosures


# ---------------------------------------------------------------- ours to theirs


def test_each_of_our_events_is_one_of_theirs_and_stands_in_it_whole(tmp_path):
    facts = sealed_ours(tmp_path, decision="deny", tool_call_id="call-1", rule="limit", policy_id="payments")
    out = tmp_path / "out.tar.gz"
    to_assay(facts.path, out)
    made, before = assay_events(out), lines(facts.path)
    assert [canonical(event["data"][MEMBER]["event"]) for event in made] == [line for _, line in before]
    assert [event["type"] for event in made] == [
        "assay.profile.started",
        "affidavit.otel.resource.v1",
        "affidavit.otel.scope.v1",
        "affidavit.otel.span.v1",
        "affidavit.otel.span.v1",
        "assay.tool.decision",
        "assay.profile.finished",
    ]
    assert made[0]["data"][MEMBER]["manifest"] == facts.manifest
    assert made[0]["time"] == "2026-11-21T10:00:00Z"
    assert {name: made[6]["data"][name] for name in ("event_count", "status")} == {
        "event_count": 7,
        "status": "explicit",
    }


DECISIONS = {
    "by_name": ({"decision": "allow", "tool_name": "search"}, {"tool": "search", "decision": "allow"}),
    "by_call": ({"decision": "deny", "tool_call_id": "call-1"}, {"tool": "search", "decision": "deny"}),
    "with_reasons": (
        {"decision": "deny", "tool_name": "t", "reason": "no", "policy_digest": "sha256:1"},
        {"tool": "t", "decision": "deny", "reason_code": "no", "policy_digest": "sha256:1"},
    ),
    "of_an_unknown_call": ({"decision": "deny", "tool_call_id": "call-9"}, None),
    "of_nothing": ({"decision": "deny"}, None),
    "undecided": ({"decision": "maybe", "tool_name": "t"}, None),
    "of_other_types": ({"decision": "allow", "tool_name": 5, "tool_call_id": ["x"]}, None),
}


@pytest.mark.parametrize("name", DECISIONS)
def test_a_decision_is_told_in_their_terms_only_when_the_run_says_it(name, tmp_path):
    body, expected = DECISIONS[name]
    facts = sealed_ours(tmp_path, **body)
    out = tmp_path / "out.tar.gz"
    to_assay(facts.path, out)
    event = assay_events(out)[5]
    data = {name: value for name, value in event["data"].items() if name != MEMBER}
    assert (event["type"], data) == ((TOOL_DECISION, expected) if expected else (RECEIPT, {}))


def test_what_has_no_place_is_lost_by_name_and_what_is_demanded_is_made_by_name(tmp_path):
    facts = sealed_ours(tmp_path, decision="allow", tool_name="t")
    report = to_assay(facts.path, tmp_path / "out.tar.gz")
    assert {row["what"] for row in rows(report, "lost")} == {
        "Merkle root", "attestation", "reports/closure.json", "reports/formula-receipts.json", "reports/mapping-loss.json"
    }  # fmt: skip
    assert {(row["to"], row["count"]) for row in rows(report, "made")} == {("assaypii", 7), ("assaygit", 1)}
    jsonschema.validate(report.to_json(), SCHEMA)


def test_an_event_too_large_for_them_is_named_in_its_place_and_counted_as_lost(tmp_path):
    facts = sealed_ours(tmp_path, kind="note", text="x" * 1_100_000)
    report = to_assay(facts.path, tmp_path / "out.tar.gz")
    omitted = assay_events(tmp_path / "out.tar.gz")[5]
    line = lines(facts.path)[5][1]
    assert omitted["type"] == "affidavit.omitted.v1"
    said = omitted["data"][MEMBER]["omitted"]
    assert (said["id"], said["sha256"], said["bytes"]) == ("run-1:5", hashlib.sha256(line).hexdigest(), len(line))
    assert [row["example"] for row in rows(report, "lost") if row["what"] == RECEIPT] == ["run-1:5"]
    assert report.way_back == "partial"
    assert "run-1:5 carries no event of ours" in report.why_not


def test_more_depth_than_they_take_is_lost_in_the_same_way(tmp_path):
    deep = []
    for _ in range(70):
        deep = [deep]
    facts = sealed_ours(tmp_path, kind="note", deep=deep)
    report = to_assay(facts.path, tmp_path / "out.tar.gz")
    assert [row["what"] for row in rows(report, "lost") if row["what"] == RECEIPT] == [RECEIPT]
    assert assay_events(tmp_path / "out.tar.gz")[5]["type"] == "affidavit.omitted.v1"


def test_a_manifest_too_large_to_carry_is_lost_by_name_and_its_event_is_not(tmp_path):
    facts = sealed_ours(tmp_path, kind="note")
    manifest = {**facts.manifest, "x-assay": {"packs_applied": [], "mappings": ["m" * 2500]}}
    ledger = Ledger()
    with (tmp_path / "spool").open("w+b") as spool:
        limits = AssayLimits(line_bytes_max=2500)
        writer = AssayWriter(spool, run_id="r", source="urn:x", producer=ours.PRODUCER, limits=limits)
        event, line = lines(facts.path)[0]
        Exporter(facts, ledger).write(writer, event, line, manifest)
    fates = {(row["fate"], row["what"]) for row in ledger.rows()}
    assert {("lost", "manifest.json"), ("carried", RUN_OPENED)} <= fates
    assert ("carried", "manifest.json") not in fates


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (AssayLimits(events_max=6), "7 events, an Assay bundle holds at most 6"),
        (AssayLimits(events_bytes_max=5000), "does not fit into an Assay bundle: more than 5000 bytes of events"),
        (AssayLimits(bundle_bytes_max=1000), "does not fit into an Assay bundle: container: larger than 1000 bytes"),
    ],
    ids=["events", "bytes_of_events", "bytes_of_the_file"],
)
def test_a_run_that_is_too_large_for_them_is_refused_and_nothing_is_left(limits, says, tmp_path):
    facts = sealed_ours(tmp_path, kind="note")
    before = set(tmp_path.iterdir())
    with pytest.raises(SidecarError, match=says):
        to_assay(facts.path, tmp_path / "out.tar.gz", limits=limits)
    assert set(tmp_path.iterdir()) == before


def test_a_later_part_of_a_run_is_a_run_of_its_own_there_and_says_so(tmp_path):
    events = ours.run_events(first_seq=40)
    facts = ours.seal_run(tmp_path, events, part=2)
    report = to_assay(facts.path, tmp_path / "out.tar.gz")
    assert theirs.unpack((tmp_path / "out.tar.gz").read_bytes())[0]["run_id"] == "run-1.part2"
    assert {row["what"] for row in rows(report, "changed")} == {"run id", "seq"}


def test_a_secret_that_was_recorded_all_the_same_is_flagged_for_them(tmp_path):
    facts = sealed_ours(tmp_path, kind="note", text=f"token {TOKEN}")
    to_assay(facts.path, tmp_path / "out.tar.gz")
    assert [event["assaysecrets"] for event in assay_events(tmp_path / "out.tar.gz")] == [False] * 5 + [True, False]


def test_a_recorded_run_goes_there_and_comes_back_byte_for_byte(recorded, tmp_path, packs, translator):
    there, back = tmp_path / "there.tar.gz", tmp_path / "back.evidence.tar.gz"
    report = to_assay(recorded, there)
    assert report.way_back == "exact"
    assert outcome(there, "events") in ("pass", "warn")
    made = to_native(there, back, packs=packs, translator=translator, signer=None)
    assert back.read_bytes() == recorded.read_bytes()
    assert made.report.way_back == "exact"


def test_a_forged_carried_bundle_does_not_come_back_as_the_original(tmp_path, packs, translator):
    """One carried event changed, and everything sealed again: it becomes receipts of theirs, never our bundle."""
    facts = sealed_ours(tmp_path, decision="allow", tool_name="t")
    there = tmp_path / "there.tar.gz"
    to_assay(facts.path, there)

    def change(_, events):
        events[5]["data"][MEMBER]["event"]["data"]["body"]["decision"] = "deny"

    forged = tmp_path / "forged.tar.gz"
    forged.write_bytes(theirs.resealed(there.read_bytes(), change))
    made = to_native(forged, tmp_path / "o.evidence.tar.gz", packs=packs, translator=translator, signer=None)
    assert made.report.result.bundle_id != facts.bundle_id
    assert [event["type"] for event, _ in lines(made.file)][1:-1] == [RECEIPT] * 7
    assert lines(made.file)[-1][0]["type"] == RUN_CLOSED


def test_what_stands_around_our_events_and_is_not_ours_is_lost_by_name(recorded, tmp_path, packs, translator):
    there, forged, out = tmp_path / "there.tar.gz", tmp_path / "forged.tar.gz", tmp_path / "o.evidence.tar.gz"
    to_assay(recorded, there)

    def change(_, events):
        events[3]["assaypolicyid"] = "added"

    forged.write_bytes(theirs.resealed(there.read_bytes(), change))
    report = to_native(forged, out, packs=packs, translator=translator, signer=None).report
    assert out.read_bytes() == recorded.read_bytes()
    assert (report.way_back, report.why_not) == ("partial", "around our events it says something else than we would")
    assert "the event around data.affidavit" in {row["what"] for row in rows(report, "lost")}


HOSTILE = [
    {"attributes": 5}, {"attributes": [5, {"key": 7}, {"key": "gen_ai.tool.call.id", "value": 1}]},
    {"attributes": [{"key": "gen_ai.tool.call.id", "value": {"stringValue": ["x"]}}]},
]  # fmt: skip


@pytest.mark.parametrize("span", HOSTILE, ids=range(len(HOSTILE)))
def test_telemetry_that_is_none_is_carried_as_it_is_or_refused_by_name(span, tmp_path, packs, translator):
    facts = sealed_ours(tmp_path, decision="allow", tool_call_id="call-1")
    there, forged = tmp_path / "there.tar.gz", tmp_path / "forged.tar.gz"
    to_assay(facts.path, there)

    def change(_, events):
        events[4]["data"][MEMBER]["event"]["data"]["span"] = span

    forged.write_bytes(theirs.resealed(there.read_bytes(), change))
    made = to_native(forged, tmp_path / "o.evidence.tar.gz", packs=packs, translator=translator, signer=None)
    assert made.report.result.bundle_id != facts.bundle_id
    members = ours.unpack(facts.path)
    events = [json.loads(line) for line in members["events.ndjson"].splitlines()]
    events[4]["data"]["span"] = span
    facts.path.write_bytes(ours.pack(ours.with_events(members, theirs.lines(events))))
    report = to_assay(facts.path, tmp_path / "again.tar.gz")
    assert report.way_back == "partial"


# ---------------------------------------------------------------- refusals, and the verb


def test_nothing_is_written_over_something_else_and_the_same_again_is_fine(native, tmp_path):
    native(theirs.made())
    native(theirs.made())
    with pytest.raises(SidecarError, match="is there already with other content"):
        native(theirs.made(run_id="run-b"))


def test_a_bundle_that_is_not_valid_is_not_converted_and_nothing_is_left(native, tmp_path):
    with pytest.raises(BundleError, match="bytes after the end"):
        native(theirs.made() + b"\0")
    assert [path.name for path in tmp_path.iterdir()] == ["made.in.tar.gz"]


def run(*arguments):
    return CliRunner().invoke(evidence, ["convert", *map(str, arguments)])


def test_the_verb_converts_writes_the_report_and_says_what_is_lost(tmp_path):
    path, out, report = tmp_path / "in.tar.gz", tmp_path / "o.evidence.tar.gz", tmp_path / "r.json"
    path.write_bytes(theirs.made())
    save(generate(), tmp_path / "key.pem")
    done = run(path, "--to", "native", "--out", out, "--report", report, "--key", tmp_path / "key.pem")
    assert done.exit_code == 0, done.output
    assert "lost     container (1)" in done.stderr
    assert "comes back byte for byte" in done.stderr
    said = json.loads(report.read_bytes())
    jsonschema.validate(said, SCHEMA)
    assert canonical(said) + b"\n" == report.read_bytes()
    assert (tmp_path / "o.sigstore.json").exists()
    again = run(out, "--to", "assay-v1", "--out", tmp_path / "back.tar.gz")
    assert again.exit_code == 0
    assert theirs.archive((tmp_path / "back.tar.gz").read_bytes()) == theirs.archive(path.read_bytes())


def test_wrong_usage_is_said_before_anything_is_written(tmp_path):
    path, mine = tmp_path / "in.tar.gz", sealed_ours(tmp_path, kind="note").path
    path.write_bytes(theirs.made())
    save(generate(), tmp_path / "key.pem")
    for arguments, says in (
        ((path, "--to", "assay-v1", "--out", tmp_path / "o"), "an Assay bundle already"),
        ((mine, "--to", "native", "--out", tmp_path / "o.evidence.tar.gz"), "no bundle of Assay"),
        ((path, "--to", "native", "--out", tmp_path / "o.tar.gz"), "expected NAME.evidence.tar.gz"),
        (
            (mine, "--to", "assay-v1", "--out", tmp_path / "o", "--key", tmp_path / "key.pem"),
            "--key, --keyless: for --to native",
        ),
    ):
        done = run(*arguments)
        assert (done.exit_code, says in done.stderr) == (2, True), done.output
    assert not list(tmp_path.glob("o*"))


def test_a_bundle_that_is_invalid_is_exit_code_1_and_one_of_another_version_4(tmp_path):
    path, out = tmp_path / "in.tar.gz", tmp_path / "o.evidence.tar.gz"
    path.write_bytes(theirs.made()[:-1])
    assert run(path, "--to", "native", "--out", out).exit_code == 1
    path.write_bytes(theirs.sealed(*theirs.unpack(theirs.made()), schema_version=2))
    assert run(path, "--to", "native", "--out", out).exit_code == 4


@pytest.mark.parametrize(("verb", "code"), [("show", 4), ("lint", 4), ("diff", 2)])
def test_verbs_that_read_ours_call_theirs_by_name(verb, code, tmp_path):
    path = tmp_path / "in.tar.gz"
    path.write_bytes(theirs.made())
    done = CliRunner().invoke(evidence, [verb, str(path), *([str(path)] if verb == "diff" else [])])
    assert done.exit_code == code
    assert "an evidence bundle of Assay, not one of ours" in done.output
    with pytest.raises(UnknownFormatError, match="convert --to native"):
        EvidenceBundle.open(path)


def test_what_an_agent_says_does_not_make_our_bundle_one_of_theirs(tmp_path):
    """Their manifest and version among our events: what a file is, its first member says."""
    facts = sealed_ours(tmp_path, kind="note", schema_version=1, run_root="sha256:" + "0" * 64)
    assert outcome(facts.path, "manifest") == "pass"
