"""The tamper matrix of a bundle: every field of its manifest, events and reports, its file, its parts, and what was left out.

Three attackers: one who only has the file (the attestation stays as it was), one who makes the bundle whole again by hand, and the
signer himself, who signs the changed bundle with the right key. Nothing of any of them is verified in silence.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from attest.errors import AttestError
from attest.keys import generate
from attest.trust.trust import Trust
from attest.verdict import CheckId
from attest.verification import Verification
from attest.verify import verify_file
from evidence import manifest as layout
from evidence.canonical import canonical
from evidence.errors import EvidenceError
from evidence.event import EvidenceEvent
from evidence.run import attestation_file_name
from tests.attest import world
from tests.tamper.mutations import Mutation, cuts_and_additions, of_json, of_value

REPORTS = (layout.CLOSURE, layout.MAPPING_LOSS, layout.FORMULA_RECEIPTS)
CONTENT: set[CheckId] = {"container", "manifest", "files", "events", "chain", "reports"}


class Bench:
    """A sealed and attested bundle, and a place where a changed one is verified."""

    def __init__(self, folder: Path) -> None:
        self.key = generate("ed25519")
        self.trust = Trust.of(self.key.public)
        self.facts = world.seal_run(folder)
        self.attestation = world.attest(self.key, self.facts).read_bytes()
        self.members = world.unpack(self.facts.path)
        self._tried = folder / "tried"
        self._tried.mkdir()
        self.path = self._tried / self.facts.path.name

    def verify(self, container: bytes | None = None, attestation: bytes | None = None) -> Verification:
        self.path.write_bytes(self.facts.path.read_bytes() if container is None else container)
        beside = self.path.with_name(attestation_file_name(self.path.name))
        beside.write_bytes(self.attestation if attestation is None else attestation)
        return verify_file(self.path, trust=self.trust)

    def signed_by_its_owner(self, container: bytes) -> Verification | None:
        """The changed bundle under a statement that its owner made of it; None when no statement can be made."""
        self.path.write_bytes(container)
        try:
            attestation = world.attest_file(self.key, self.path)
        except (EvidenceError, AttestError):
            return None
        return self.verify(container, attestation)


@pytest.fixture(params=[7, pytest.param(1, marks=pytest.mark.soak)], ids=["one in seven", "all"])
def share(request) -> int:
    """How many of the changes of a long document are tried: `make soak` tries all."""
    return request.param


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"))


def bad(result: Verification) -> set[CheckId]:
    return {check.id for check in result.of("fail", "undecided")}


def not_named(
    cases: Iterator[tuple[Mutation, Verification | None]], named: set[CheckId], *, all_of: set[CheckId] = frozenset()
) -> list[str]:
    """The changes that no check of `named` (or not every one of `all_of`) stands against; there is a handful of cases at least."""
    wrong, count = [], 0
    for mutation, result in cases:
        count += 1
        if result is None:
            continue
        found = bad(result)
        if result.exit_code == 0 or not found & named or not all_of <= found:
            wrong.append(f"{mutation}: {result.verdict}, {sorted(found)}")
    assert count >= 5
    return wrong


def test_the_bench_itself_verifies(bench):
    assert bench.verify().exit_code == 0


# ---------------------------------------------------------------- manifest


def manifests(bench: Bench) -> Iterator[tuple[Mutation, bytes]]:
    """Manifests with one thing changed and the id made right again."""
    original = bench.members[layout.MANIFEST]
    for kind, path, value in of_value(json.loads(original)):
        value.pop("bundle_id", None)
        data = layout.seal_manifest(value)
        if data != original:
            yield Mutation(kind, path, data), world.pack({**bench.members, layout.MANIFEST: data})


def test_a_manifest_with_anything_changed_is_refused_as_a_manifest(bench):
    cases = (
        (each, bench.verify(world.pack({**bench.members, layout.MANIFEST: each.data})))
        for each in of_json(bench.members[layout.MANIFEST])
    )
    assert not_named(cases, {"manifest"}) == []


def test_a_manifest_changed_and_given_its_right_id_is_not_what_was_signed(bench, share):
    cases = ((each, bench.verify(container)) for each, container in islice(manifests(bench), 0, None, share))
    assert not_named(cases, {"statement"}, all_of={"statement"}) == []


def test_a_manifest_changed_and_signed_anew_does_not_fit_its_events_and_reports(bench, share):
    cases = (
        (each, bench.signed_by_its_owner(container)) for each, container in islice(manifests(bench), 0, None, share)
    )
    assert not_named(cases, CONTENT) == []


# ---------------------------------------------------------------- events


def event_files(bench: Bench) -> Iterator[tuple[Mutation, bytes]]:
    lines = bench.members[layout.EVENTS].splitlines()
    for at, line in enumerate(lines):
        for each in of_json(line):
            changed = b"\n".join([*lines[:at], each.data, *lines[at + 1 :]]) + b"\n"
            yield Mutation(f"line {at + 1}: {each.kind}", each.path, changed), changed


def test_an_event_with_anything_changed_breaks_the_digest_of_its_file(bench, share):
    cases = (
        (each, bench.verify(world.pack({**bench.members, layout.EVENTS: events})))
        for each, events in islice(event_files(bench), 0, None, share)
    )
    assert not_named(cases, {"files", "events"}) == []


def test_an_event_changed_under_a_manifest_made_right_is_not_what_was_signed(bench, share):
    cases = (
        (each, bench.verify(world.pack(world.with_events(bench.members, events))))
        for each, events in islice(event_files(bench), 0, None, share)
    )
    assert not_named(cases, {"statement"}, all_of={"statement"}) == []


def test_an_event_changed_and_signed_anew_does_not_fit_the_reports(bench, share):
    cases = (
        (each, bench.signed_by_its_owner(world.pack(world.with_events(bench.members, events))))
        for each, events in islice(event_files(bench), 0, None, share)
    )
    assert not_named(cases, CONTENT) == []


# ---------------------------------------------------------------- reports


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_with_anything_changed_is_neither_what_was_signed_nor_what_the_events_give(bench, name, share):
    cases = (
        (each, bench.verify(world.pack({**bench.members, name: each.data})))
        for each in islice(of_json(bench.members[name]), 0, None, share)
    )
    assert not_named(cases, {"files", "reports"}, all_of={"statement"}) == []


@pytest.mark.parametrize("name", [layout.CLOSURE, layout.FORMULA_RECEIPTS])
def test_a_report_changed_and_signed_anew_is_not_what_the_events_give(bench, name, share):
    cases = (
        (each, bench.signed_by_its_owner(world.pack({**bench.members, name: each.data})))
        for each in islice(of_json(bench.members[name]), 0, None, share)
    )
    assert not_named(cases, {"reports"}) == []


# ---------------------------------------------------------------- files and members


def test_a_container_cut_or_extended_anywhere_is_refused_as_a_container(bench):
    cases = ((each, bench.verify(each.data)) for each in cuts_and_additions(bench.facts.path.read_bytes()))
    assert not_named(cases, {"container"}) == []


def test_a_member_cut_or_extended_is_refused(bench):
    cases = (
        (Mutation(f"{name}: {each.kind}", (), each.data), bench.verify(world.pack({**bench.members, name: each.data})))
        for name, data in bench.members.items()
        for each in cuts_and_additions(data)
        if each.data != data
    )
    assert not_named(cases, {"container", "manifest", "files", "events", "reports"}) == []


def test_members_left_out_doubled_renamed_or_in_another_order_are_refused(bench):
    names = list(bench.members)

    def containers() -> Iterator[tuple[Mutation, Verification]]:
        for at, name in enumerate(names):
            without = {other: data for other, data in bench.members.items() if other != name}
            yield Mutation("without", (name,), b""), bench.verify(world.pack(without))
            renamed = {("x" + other if other == name else other): data for other, data in bench.members.items()}
            yield Mutation("renamed", (name,), b""), bench.verify(world.pack(renamed))
            last = {**without, name: bench.members[name]}
            if at < len(names) - 1:
                yield Mutation("put last", (name,), b""), bench.verify(world.pack(last))

    assert not_named(containers(), {"files"}) == []


def test_a_part_of_another_bundle_in_place_of_its_own_is_refused(bench, tmp_path):
    other = world.unpack(world.seal_run(tmp_path, world.run_events("run-1", model="m-2")).path)

    def containers() -> Iterator[tuple[Mutation, Verification]]:
        for name, data in other.items():
            if data == bench.members[name]:
                continue
            yield Mutation("swapped in", (name,), data), bench.verify(world.pack({**bench.members, name: data}))
            rest = world.pack({**other, name: bench.members[name]})
            yield Mutation("swapped out", (name,), data), bench.verify(rest)
            signed = bench.signed_by_its_owner(world.pack({**bench.members, name: data}))
            if signed is not None:
                yield Mutation("swapped in and signed", (name,), data), signed

    found = list(containers())
    assert len(found) >= 8
    wrong = [f"{each}: {result.verdict}" for each, result in found if not bad(result) & CONTENT]
    assert wrong == []


# ---------------------------------------------------------------- what was left out


def left_out(keep: Callable[[list[EvidenceEvent]], list[EvidenceEvent]]) -> list[EvidenceEvent]:
    """The run without some events, numbered anew: what a liar with the real sealer makes of it."""
    from dataclasses import replace

    return [replace(event, seq=at) for at, event in enumerate(keep(world.run_events()))]


OMISSIONS: dict[str, Callable[[list[EvidenceEvent]], list[EvidenceEvent]]] = {
    "head": lambda events: events[1:],
    "head and what follows it": lambda events: events[3:],
    "a span in the middle": lambda events: [*events[:4], *events[5:]],
    "the receipt": lambda events: [*events[:5], *events[6:]],
    "tail": lambda events: events[:-1],
    "tail and what is before it": lambda events: events[:-3],
}


@pytest.mark.parametrize("what", OMISSIONS)
def test_a_run_sealed_anew_without_a_part_is_not_what_was_signed(bench, tmp_path, what):
    facts = world.seal_run(tmp_path, left_out(OMISSIONS[what]))
    assert facts.path.name == bench.facts.path.name
    result = bench.verify(facts.path.read_bytes())
    assert "statement" in bad(result)


@pytest.mark.parametrize("what", OMISSIONS)
def test_a_run_sealed_and_signed_without_a_part_is_refused_or_flagged_at_the_events(bench, tmp_path, what):
    """By the signer himself. Counts at the run's end and the order of its events are all there is; see docs/threat-model.md."""
    facts = world.seal_run(tmp_path, left_out(OMISSIONS[what]))
    path = tmp_path / "signed" / facts.path.name
    path.parent.mkdir()
    shutil.copy(facts.path, path)
    path.with_name(attestation_file_name(path.name)).write_bytes(world.attest_file(bench.key, path))
    result = verify_file(path, trust=bench.trust, strict=True)
    assert result.exit_code != 0
    assert {check.id for check in result.of("fail", "undecided", "warn")} <= {"events"}
    assert canonical(result.to_json()) == canonical(verify_file(path, trust=bench.trust, strict=True).to_json())
