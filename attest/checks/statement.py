"""The row `statement`: whether an attestation is about this very bundle, and says of it what is found in it.

Law: everything that is said about a bundle is worked out from its own bytes and compared; nothing is believed and nothing
that is said is left out. What a statement says of other bundles is theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from attest.attestation import predicate
from attest.attestation.statement import Statement
from attest.checks.batch import Batch
from attest.errors import InvalidError, UnsupportedError
from attest.shape import describe
from attest.verdict import Check
from evidence.bundle import BundleFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """What an attestation is compared with: as much of the bundle as could be read."""

    file_name: str
    """What the container file is called now."""
    container_sha256: str | None
    """Known even when the container's content was refused; None when the file could not be read."""
    facts: BundleFacts | None
    """None when the bundle was refused before its members were known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A parsed statement with its subjects by bundle, so that a thousand bundles are compared with it one by one."""

    statement: Statement
    inside: Mapping[str, frozenset[str]] = field(init=False)
    """Names of the subjects inside a bundle, by its id."""
    digests: frozenset[str] = field(init=False)
    """Of all subjects."""
    batch: Batch = field(init=False)
    """The bundles that it names."""

    def __post_init__(self) -> None:
        inside: dict[str, set[str]] = {}
        for name in self.statement.subjects:
            if "/" in name:
                inside.setdefault(name.partition("/")[0], set()).add(name)
        object.__setattr__(self, "inside", {bundle: frozenset(names) for bundle, names in inside.items()})
        object.__setattr__(self, "digests", frozenset(self.statement.subjects.values()))
        object.__setattr__(self, "batch", Batch.of(self.statement.entries))


def check_statement(said: Said, attested: Attested) -> Check:
    """Compare a statement with a bundle.

    Raises:
        InvalidError: it does not name the bundle, or says something of it that is not so.
        UnsupportedError: it says something of it that this version does not know.
    """
    facts = attested.facts
    if facts is None:
        return _check_container(said, attested.container_sha256)
    entry = said.statement.entries.get(facts.bundle_id)
    if entry is None:
        raise InvalidError(f"the statement does not name the bundle {facts.bundle_id}")
    then = replace(facts, path=facts.path.with_name(entry["file"]))  # a file may be renamed: the digest counts
    _compare_entry(predicate.entry(then), entry)
    expected = predicate.subjects(then)
    _compare_subjects(expected, said, facts.bundle_id)
    called = "" if entry["file"] == attested.file_name else f"; the file was called {describe(entry['file'])} then"
    return Check(
        id="statement",
        outcome="pass",
        reason=f"all {len(expected)} subjects of this bundle and what is said about it are as found{called}",
    )


def _check_container(said: Said, container_sha256: str | None) -> Check:
    if container_sha256 is None:
        return Check(id="statement", outcome="skip", reason="the bundle could not be read")
    if container_sha256 not in said.digests:
        raise InvalidError(f"no subject has the container's digest {container_sha256}")
    return Check(id="statement", outcome="pass", reason="the container is a subject; its content could not be read")


def _compare_entry(expected: Mapping[str, object], entry: Mapping[str, object]) -> None:
    for name, value in expected.items():
        if name not in entry:
            raise InvalidError(f"the predicate says nothing about {name}, expected {describe(value)}")
        if entry[name] != value or type(entry[name]) is not type(value):  # to Python true is 1
            raise InvalidError(f"the predicate's {name} is {describe(entry[name])}, the bundle's {describe(value)}")
    unknown = sorted(entry.keys() - expected.keys())
    if unknown:
        raise UnsupportedError(f"the predicate says {describe(unknown[0])} of the bundle, unknown to this version")


def _compare_subjects(expected: Mapping[str, str], said: Said, bundle_id: str) -> None:
    subjects = said.statement.subjects
    for name, digest in expected.items():
        if name not in subjects:
            raise InvalidError(f"{describe(name)} is not a subject of the statement")
        if subjects[name] != digest:
            raise InvalidError(f"the subject {describe(name)} has the digest {subjects[name]}, found {digest}")
    extra = sorted(said.inside.get(bundle_id, frozenset()) - expected.keys())
    if extra:
        raise InvalidError(f"the statement's subject {describe(extra[0])} is not in the bundle")
