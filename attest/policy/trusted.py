"""The half of a policy file that says whom to trust, read strictly.

Laws: an unknown key is an error; what can never be met is an error; what anybody could meet is an error, or a warning where somebody
may want it. What is read from another file is pinned in the policy by a digest, or the policy warns that it is not.
"""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from attest.attestation.predicate import PREDICATE_TYPE
from attest.checks.transparency import REKOR_1, REKOR_2
from attest.dsse import PAYLOAD_TYPE
from attest.errors import AttestError
from attest.keys import PublicKey, load_public
from attest.limits import AttestLimits
from attest.policy.sense import any_identity, any_issuer, refuse_nonsense, weaknesses
from attest.tlog.note import COSIGNATURE_V1, ED25519, VerifierKey
from attest.trust.identity_pattern import compiled
from attest.trust.roots import read_root
from attest.trust.trust import Accepted, Identity, Required, Trust, TrustedKey, TrustedRoot
from evidence.digest import is_sha256_hex
from evidence.errors import EvidenceError
from evidence.regular import open_regular
from evidence.strict_yaml import Node
from evidence.timestamp import from_rfc3339

T = TypeVar("T")

KEYS = ("keys", "roots", "identities", "logs", "witnesses", "require", "accept")
"""The keys of a policy that are read here."""

_WINDOW = ("valid_from", "valid_until", "revoked_at")
_COUNTS = ("timestamps", "signers", "witnesses", "delay_seconds_max")
_FLAGS = ("log_entry", "sidecar_log")
_READ: Mapping[str, tuple[str, ...]] = {
    "payload_types": (PAYLOAD_TYPE,),
    "predicate_types": (PREDICATE_TYPE,),
    "entry_kinds": (REKOR_1, REKOR_2),
}


def read_trust(
    root: Node, members: Mapping[str, Node], folder: Path, limits: AttestLimits
) -> tuple[Trust, tuple[str, ...]]:
    """Read whom a policy trusts, and what whoever relies on it should know.

    Args:
        root: the whole file, for what is wrong with all of it.
        members: its members; those not named in `KEYS` are passed over.
        folder: where the files lie that it names.
        limits: bounds on those files.

    Raises:
        PackError: with file and line, what does not fit.
    """
    keys = _each(members, "keys", lambda node: _key(node, folder, limits))
    roots = tuple(_each(members, "roots", lambda node: _root(node, folder, limits)))
    digests = {root.name: root.sha256 for root in roots}
    trust = Trust(
        keys=tuple(key for key, _ in keys),
        roots=roots,
        identities=tuple(_each(members, "identities", lambda node: _identity(node, digests))),
        logs=tuple(_each(members, "logs", lambda node: _verifier_key(node, ED25519))),
        witnesses=tuple(_each(members, "witnesses", lambda node: _verifier_key(node, COSIGNATURE_V1))),
        required=_required(members["require"]) if "require" in members else Required(),
        accepted=_accepted(members["accept"]) if "accept" in members else Accepted(),
    )
    refuse_nonsense(root, members, trust, [read_root(each, limits=limits) for each in trust.roots])
    return trust, (*(warning for _, warning in keys if warning), *weaknesses(trust))


def _each(members: Mapping[str, Node], name: str, read: Callable[[Node], T]) -> list[T]:
    if name not in members:
        return []
    items = members[name].items()
    if not items:
        members[name].fail(f"{name} is empty; expected at least one, or no {name!r} at all")
    return [read(item) for item in items]


def _key(node: Node, folder: Path, limits: AttestLimits) -> tuple[TrustedKey, str]:
    """A key, and the warning that it is not pinned."""
    members = node.mapping([], ["file", "pem", "fingerprint", *_WINDOW])
    if ("file" in members) == ("pem" in members):
        node.fail("expected a key as either 'file' or 'pem'")
    source = members.get("file") or members["pem"]
    data = _read(source, folder, limits.key_file_bytes_max) if "file" in members else source.text().encode()
    public = _refusing(source, lambda: load_public(data, limits=limits))
    if "fingerprint" in members:
        _hold(members["fingerprint"], public)
    unpinned = "file" in members and "fingerprint" not in members
    warning = (
        f"the key in {source.text()} is not pinned: whoever changes that file changes whom this policy trusts, and not its "
        f"digest; 'fingerprint: sha256:{public.fingerprint}' beside it would pin it"
    )
    return _dated(node, members, public), warning if unpinned else ""


def _hold(fingerprint: Node, public: PublicKey) -> None:
    if fingerprint.text() != f"sha256:{public.fingerprint}":
        fingerprint.fail(f"expected the key of fingerprint {fingerprint.text()}, got sha256:{public.fingerprint}")


def _dated(node: Node, members: Mapping[str, Node], public: PublicKey) -> TrustedKey:
    start, end, revoked = (moment(members[name]) if name in members else None for name in _WINDOW)
    last = min((time for time in (end, revoked) if time is not None), default=None)
    if start is not None and last is not None and last < start:
        node.fail(f"the key is never valid: from {start}, and only until {last}")
    return TrustedKey(public=public, valid_from=start, valid_until=end, revoked_at=revoked)


def _root(node: Node, folder: Path, limits: AttestLimits) -> TrustedRoot:
    members = node.mapping(["file", "sha256"])
    expected = members["sha256"].text()
    if not is_sha256_hex(expected):
        members["sha256"].fail(f"expected 64 lower-case hexadecimal digits, got {expected[:80]!r}")
    data = _read(members["file"], folder, limits.trusted_root_bytes_max)
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        members["file"].fail(
            f"expected a file of sha256 {expected}, got {found}: it is not the root this policy was written for"
        )
    root = TrustedRoot(name=members["file"].text(), data=data, sha256=found)
    _refusing(members["file"], lambda: read_root(root, limits=limits))
    return root


def _identity(node: Node, roots: Mapping[str, str]) -> Identity:
    """An identity; `roots` are digests by file, one of which it may be bound to."""
    members = node.mapping([], ["identity", "identity_pattern", "issuer", "issuer_pattern", "root"])
    for name in ("identity", "issuer"):
        if (name in members) == (f"{name}_pattern" in members):
            node.fail(f"expected either {name!r} or '{name}_pattern', one of the two")
    bound = members.pop("root", None)
    if bound is not None and bound.text() not in roots:
        bound.fail(f"expected a file of 'roots', got {bound.text()[:120]!r}")
    found = {name: member.text() for name, member in members.items()}
    for name in ("identity_pattern", "issuer_pattern"):
        if name in members:
            _refusing(members[name], partial(compiled, found[name]))
    identity = Identity(**found, root_sha256=roots[bound.text()] if bound else None)
    if any_identity(identity) and any_issuer(identity):
        node.fail("both patterns take anything: it trusts anyone who can get a certificate")
    return identity


def _verifier_key(node: Node, kind: int) -> str:
    key = _refusing(node, lambda: VerifierKey.parse(node.text()))
    if key.kind != kind:
        node.fail(
            f"expected a key of the type {kind:02x}, got {key.kind:02x}: logs sign notes (01), witnesses cosign (04)"
        )
    return str(key)


def _required(node: Node) -> Required:
    members = node.mapping([], [*_COUNTS, *_FLAGS])
    if not members:
        node.fail("an empty 'require'; expected something that is required, or no 'require' at all")
    found: dict[str, Any] = {
        **{name: members[name].count() for name in _COUNTS if name in members},
        **{name: members[name].boolean() for name in _FLAGS if name in members},
    }
    if found.get("signers") == 0:
        members["signers"].fail("expected at least 1 signer: with none required, nobody has to have signed")
    if found.pop("log_entry", True) is False:  # the one word that asks for what is so in any case, for who looks for it
        members["log_entry"].fail("expected true: no certificate can be judged without an entry in a transparency log")
    return Required(**found)


def _accepted(node: Node) -> Accepted:
    members = node.mapping([], tuple(_READ))
    if not members:
        node.fail("an empty 'accept'; expected a list of what is accepted, or no 'accept' at all")
    lists = {name: frozenset(member.texts()) for name, member in members.items()}
    for name, accepted in lists.items():
        if accepted.isdisjoint(_READ[name]):
            read = " or ".join(map(repr, _READ[name]))
            members[name].fail(f"nothing is ever accepted: expected {read} among them, which this version reads")
    return Accepted(**lists)


# ------------------------------------------------------------------ values


def moment(node: Node) -> str:
    """A time in any form of RFC 3339, in the form that evidence has."""
    return _refusing(node, lambda: from_rfc3339(node.text()))


def _read(node: Node, folder: Path, bytes_max: int) -> bytes:
    """The file a policy names, relative to its own folder; no more of it is read than shows that it is too large."""
    name = node.text()
    if Path(name).is_absolute() or not name.isprintable():
        node.fail(f"expected a file relative to the policy, got {name[:120]!r}")
    try:
        with open_regular(folder / name) as file:
            data = file.read(bytes_max + 1)
    except (OSError, ValueError) as error:
        node.fail(f"{name[:120]}: cannot be read: {getattr(error, 'strerror', None) or error}")
    if len(data) > bytes_max:
        node.fail(f"{name[:120]}: larger than {bytes_max} bytes")
    return data


def _refusing(node: Node, work: Callable[[], T]) -> T:
    """What the work gives, or its refusal at this node."""
    try:
        return work()
    except (AttestError, EvidenceError) as error:
        node.fail(str(error))
