"""Perturbation profiles: named ways in which the telemetry of a run goes wrong, and a run as it would then be.

Law: the perturbed run is a function of the run, the profile, the seed and the iteration; it is a valid sequence of events
again (`evidence.bundle.sequence` accepts it), and without a fault it is the run byte for byte.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from evidence.canonical import JsonObject, canonical
from evidence.digest import tagged
from evidence.errors import EventError, EvidenceError
from evidence.soak.draw import Draw
from evidence.soak.faults import FAULTS, RECEIVER_FAULTS, Fault, Kind
from evidence.soak.rerecording import Arrival, rerecorded
from evidence.strict_yaml import Node, load

_SHARES = ("chance", "least", "most")
_COUNTS = ("burst", "places", "characters", "keep", "octets")
_TOGETHER = ("trace", "resource")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One named way in which things go wrong."""

    name: str
    title: str
    run: tuple[Fault, ...] = ()
    """Faults between agent and recorder, in order."""
    receiver: tuple[Fault, ...] = ()
    """Faults at the receiver's door, while a command runs."""
    one_of: tuple["Profile", ...] = ()
    """One of these is drawn for each iteration."""

    def drawn(self, seed: int, iteration: int) -> "Profile":
        """The profile of one iteration."""
        if not self.one_of:
            return self
        return self.one_of[Draw(seed, iteration, "profile").below(len(self.one_of), self.name)]

    @property
    def needs_receiver(self) -> bool:
        """Whether it has faults that only a command that sends to a receiver can meet."""
        return bool(self.receiver) or any(profile.needs_receiver for profile in self.one_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiles:
    """All profiles of a table."""

    version: str
    digest: str
    """Tagged SHA-256 over the canonical form of the whole table."""
    by_name: Mapping[str, Profile]

    def named(self, name: str) -> Profile:
        """The profile of that name.

        Raises:
            EvidenceError: there is none.
        """
        if name not in self.by_name:
            raise EvidenceError(f"profile {name!r}: expected one of {', '.join(self.by_name)}")
        return self.by_name[name]


def perturbed(
    events: Iterable[tuple[JsonObject, bytes]], faults: Iterable[Fault], *, seed: int, iteration: int, total: int
) -> Iterator[tuple[JsonObject, bytes]]:
    """The events of a run, each with its line, as a recorder would have written them under some faults.

    Args:
        events: the run, from its first event to its last, as a strict reader gave it.
        faults: what goes wrong, in order.
        seed: of the whole series of iterations.
        iteration: from 1.
        total: the number of events of the run.

    Raises:
        EventError: the telemetry in an event is not OTLP/JSON.
    """
    chosen = tuple(faults)
    if not chosen:
        return iter(events)
    stream: Iterator[Arrival] = (Arrival(event, line) for event, line in events)
    for place, fault in enumerate(chosen):
        stage = FAULTS[fault.kind].stage
        assert stage is not None, "faults of a run have one"
        stream = stage(stream, fault, Draw(seed, iteration, f"{place}/{fault.kind}"), total)
    return _in_words(rerecorded(stream))


def _in_words(events: Iterator[tuple[JsonObject, bytes]]) -> Iterator[tuple[JsonObject, bytes]]:
    try:
        yield from events
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise EventError(f"data is not OTLP/JSON: {type(error).__name__}: {error}") from error


@cache
def profiles() -> Profiles:
    """The profiles of this installation."""
    return read_profiles(files("evidence").joinpath("soak", "perturbations.yaml").read_bytes(), "perturbations.yaml")


def read_profiles(data: bytes, file: str) -> Profiles:
    """Read a table of profiles strictly.

    Raises:
        PackError: with file and line, what does not fit.
    """
    node = load(data, file)
    members = node.mapping(["id", "version", "profiles"])
    members["id"].one_of(("affidavit-perturbations",))
    known: dict[str, Profile] = {}
    for entry in members["profiles"].items():
        profile = _profile(entry, known)
        if profile.name in known:
            entry.fail(f"the profile {profile.name!r} stands twice")
        known[profile.name] = profile
    return Profiles(version=members["version"].text(), digest=tagged(canonical(node.plain())), by_name=known)


def _profile(node: Node, known: Mapping[str, Profile]) -> Profile:
    members = node.mapping(["name", "title"], ["run", "receiver", "one_of"])
    faults = [key for key in ("run", "receiver") if key in members]
    if "one_of" in members and faults:
        node.fail(f"one_of and {faults[0]} exclude each other")
    return Profile(
        name=members["name"].text(),
        title=members["title"].text(),
        run=_faults(members.get("run"), FAULTS),
        receiver=_faults(members.get("receiver"), RECEIVER_FAULTS),
        one_of=_choices(members.get("one_of"), known),
    )


def _choices(node: Node | None, known: Mapping[str, Profile]) -> tuple[Profile, ...]:
    """The profiles to draw from: defined above, so that none draws from itself."""
    for entry in node.items() if node else ():
        if entry.text() not in known:
            entry.fail(f"expected a profile that stands above, got {entry.text()!r}")
    return tuple(known[name] for name in node.texts()) if node else ()


def _faults(node: Node | None, kinds: Mapping[str, Kind]) -> tuple[Fault, ...]:
    faults = tuple(_fault(entry, kinds) for entry in node.items()) if node else ()
    if node and not faults:
        node.fail("expected at least one fault")
    return faults


def _fault(node: Node, kinds: Mapping[str, Kind]) -> Fault:
    name = node.entries().get("fault")
    if name is None:
        node.fail("expected the key 'fault'")
    kind = kinds[name.one_of(tuple(kinds))]
    members = node.mapping(["fault", *kind.required], kind.optional)
    values: dict[str, Any] = {"kind": name.text()}
    if "of" in members:
        values["of"] = frozenset(entry.one_of(kind.items) for entry in members["of"].items())
    if "together" in members:
        values["together"] = members["together"].one_of(_TOGETHER)
    values |= {key: _number(members[key], 1.0) for key in _SHARES if key in members}
    values |= {key: members[key].count() for key in _COUNTS if key in members}
    if "seconds" in members:
        values["seconds"] = _number(members["seconds"], 3600.0)
    if values.get("of") == frozenset():
        members["of"].fail("expected at least one kind of item")
    for key in ("chance", "burst", "places", "seconds", "most"):
        if key in values and not values[key]:
            members[key].fail(f"{key} 0 is no fault")
    if values.get("least", 0) > values.get("most", 1):
        members["least"].fail("least is above most")
    return Fault(**values)


def _number(node: Node, most: float) -> float:
    if type(node.value) not in {int, float} or not 0 <= node.value <= most:
        node.fail(f"expected a number from 0 to {most:g}")
    return float(node.value)
