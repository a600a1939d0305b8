"""The checks of Assay's attestation of a bundle: a DSSE envelope with one Ed25519 signature over an in-toto statement.

Law: everything the statement says is worked out from the bundle again and compared. A signature without a proven time counts
only for a key that is trusted at any time; the envelope's `keyid` finds no key and must only not contradict the one that signed.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attest.attestation.statement import STATEMENT_TYPE, typed
from attest.dsse import PAYLOAD_TYPE, Envelope, decode_base64
from attest.errors import InvalidError, UnsupportedError
from attest.judge import attempt, judge
from attest.keys import PublicKey
from attest.limits import AttestLimits
from attest.shape import describe, members, read_object
from attest.trust.trust import Trust, TrustedKey
from attest.verdict import Check, CheckId, Outcome, SignedBy
from evidence.assay import timestamp
from evidence.assay.reader import AssayFacts
from evidence.canonical import canonical, parse
from evidence.regular import open_regular

PREDICATE_TYPE = "https://docs.getassay.dev/attestation/evidence-bundle/v1"
PREDICATE_TYPE_V0 = "https://assay.dev/attestation/evidence-bundle/v0"
"""Its subject is the run root and identifies no file: it cannot be matched."""

_ALGORITHM = "ed25519"
_NEED_ENVELOPE: tuple[CheckId, ...] = ("statement", "signature", "trust", "time")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssayAttested:
    """What an attestation is compared with."""

    container_sha256: str | None
    """Known even when the container's content was refused; None when the file could not be read."""
    facts: AssayFacts | None
    """None when the bundle was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssayAttestationReading:
    """The checks made on an attestation, and who signed it."""

    checks: tuple[Check, ...]
    signer: SignedBy | None = None
    key_hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signed:
    envelope: Envelope
    keyid: str


def predicate(facts: AssayFacts) -> dict[str, Any]:
    """What an attestation says about a bundle, all of it worked out from the bundle."""
    manifest, claims = facts.manifest, facts.claims
    producer = manifest["producer"]
    return {
        "schema_version": 1,
        "semantic_equivalence": {"algorithm": "assay-run-root-v1", "value": facts.run_root},
        "run": {
            "run_id": manifest["run_id"],
            "event_count": manifest["event_count"],
            "producer": {"name": producer["name"], "version": producer["version"], "git": producer.get("git", "")},
            "time_window": {
                "start": timestamp.from_unix_nano(claims.first_unix_nano),
                "end": timestamp.from_unix_nano(claims.last_unix_nano),
            },
        },
    }


def statement(facts: AssayFacts) -> bytes:
    """The canonical bytes of the statement about a bundle."""
    return canonical(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": facts.run_root, "digest": {"sha256": facts.container_sha256}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": predicate(facts),
        }
    )


def check_attestation(
    path: Path | None, attested: AssayAttested, trust: Trust | None, limits: AttestLimits
) -> AssayAttestationReading:
    """Check the envelope at `path` against the bundle it should be about.

    Args:
        path: the envelope, or None when there is none.
        attested: what was read of the bundle.
        trust: the keys that count, or None when the caller named none.
        limits: bounds on the envelope.
    """
    if path is None:
        absent = _answer(
            "envelope", "undecided", "no attestation was given; the format says of none where it would lie"
        )
        return _unread(absent, "no attestation")
    signed, envelope = attempt("envelope", lambda: _read(path, limits))
    if signed is None:
        return _unread(envelope, "the attestation could not be read")
    stated = judge("statement", lambda: _statement(signed.envelope, attested, limits))
    key, signature = _check_signature(signed, trust)
    return AssayAttestationReading(
        checks=(envelope, stated, signature, _check_trust(trust, key), _TIME),
        signer=SignedBy(key=key.public.fingerprint) if key else None,
        key_hint=signed.keyid,
    )


def _unread(envelope: Check, why: str) -> AssayAttestationReading:
    return AssayAttestationReading(checks=(envelope, *(_answer(name, "skip", why) for name in _NEED_ENVELOPE)))


# ------------------------------------------------------------ envelope


def _read(path: Path, limits: AttestLimits) -> tuple[_Signed, str]:
    with open_regular(path) as file:
        data = file.read(limits.attestation_bytes_max + 1)
    if len(data) > limits.attestation_bytes_max:
        raise InvalidError(f"the attestation has more than {limits.attestation_bytes_max} bytes")
    obj = parse(data.strip(), depth_max=limits.json_depth_max, require_canonical=False)
    members(obj, "the envelope", {"payload": str, "payloadType": str, "signatures": list})
    if len(obj["signatures"]) != 1:
        raise InvalidError(f"the envelope has {len(obj['signatures'])} signatures, expected exactly one")
    signature = members(obj["signatures"][0], "signatures[0]", {"keyid": str, "sig": str})
    envelope = Envelope(
        payload_type=obj["payloadType"],
        payload=decode_base64(obj["payload"], what="payload"),
        signatures=(decode_base64(signature["sig"], what="signatures[0].sig"),),
    )
    return _Signed(envelope=envelope, keyid=signature["keyid"]), f"DSSE, a payload of {len(envelope.payload)} bytes"


# ------------------------------------------------------------ statement


def _statement(envelope: Envelope, attested: AssayAttested, limits: AttestLimits) -> Check:
    if envelope.payload_type != PAYLOAD_TYPE:
        raise InvalidError(f"the payload type is {describe(envelope.payload_type)}, expected {PAYLOAD_TYPE!r}")
    said = read_object(
        envelope.payload, what="the statement", depth_max=limits.json_depth_max, commas_max=limits.json_commas_max
    )
    if said.get("predicateType") == PREDICATE_TYPE_V0:
        raise UnsupportedError(f"the predicate {PREDICATE_TYPE_V0} names no file as its subject: it cannot be matched")
    typed(said, PREDICATE_TYPE)
    name, digest = _subject(said["subject"])
    if attested.container_sha256 is None:
        return _answer("statement", "skip", "the bundle could not be read")
    if digest != attested.container_sha256:
        raise InvalidError(f"the subject has the digest {describe(digest)}, the container {attested.container_sha256}")
    facts = attested.facts
    if facts is None:
        return _answer("statement", "pass", "the container is the subject; its content could not be read")
    if name != facts.run_root:
        raise InvalidError(f"the subject is called {describe(name)}, the bundle {facts.run_root}")
    _compare("predicate", said["predicate"], predicate(facts))
    return _answer(
        "statement", "pass", "the container is the one subject, and all that is said about it as found in it"
    )


def _subject(items: list[object]) -> tuple[str, str]:
    if len(items) != 1:
        raise InvalidError(f"the statement has {len(items)} subjects, expected exactly one")
    subject = members(items[0], "subject[0]", {"name": str, "digest": dict})
    digest = members(subject["digest"], "subject[0].digest", {"sha256": str})
    return subject["name"], digest["sha256"]


def _compare(where: str, said: object, found: object) -> None:
    """Refuse what differs, by the path of the first member that does."""
    if isinstance(found, dict):
        obj = members(said, where, {name: type(value) for name, value in found.items()})
        for name, value in found.items():
            _compare(f"{where}.{name}", obj[name], value)
    elif said != found:
        raise InvalidError(f"{where} is {describe(said)}, in the bundle {describe(found)}")


# ------------------------------------------------------------ signature and trust


def _check_signature(signed: _Signed, trust: Trust | None) -> tuple[TrustedKey | None, Check]:
    if trust is None:
        return None, _answer("signature", "skip", "no trusted key was given to check it with")
    return attempt("signature", lambda: _verify(signed, trust))


def _verify(signed: _Signed, trust: Trust) -> tuple[TrustedKey, str]:
    data = signed.envelope.pae()
    for key in trust.keys:
        if key.public.algorithm == _ALGORITHM and key.public.verifies(signed.envelope.signatures[0], data):
            if signed.keyid != _keyid(key.public):
                raise InvalidError(f"keyid is {describe(signed.keyid)}, the key that signed is {_keyid(key.public)}")
            return key, "valid ed25519 signature over the statement"
    raise InvalidError("the signature was not made over this statement by a trusted Ed25519 key")


def _keyid(key: PublicKey) -> str:
    return f"sha256:{key.fingerprint}"


def _check_trust(trust: Trust | None, key: TrustedKey | None) -> Check:
    if trust is None:
        return _answer("trust", "undecided", "no trusted key was given")
    if key is None:
        return _answer("trust", "skip", "no trusted key made the signature")
    if asked := _unmet(trust, key):
        return _answer("trust", "undecided", f"such an attestation cannot show {asked}")
    return _answer("trust", "pass", f"signed by the trusted key {_keyid(key.public)}")


def _unmet(trust: Trust, key: TrustedKey) -> str:
    """What trust asks for that one signature without a time cannot have; empty when nothing."""
    required, accepted = trust.required, trust.accepted
    asked = {
        "that it was signed while the key was valid": key.valid_from or key.valid_until or key.revoked_at,
        "a timestamp": required.timestamps,
        "a delay": required.delay_seconds_max is not None,
        "several signers": required.signers > 1,
        "a sidecar's log": required.sidecar_log or required.witnesses,
        f"a payload type other than {PAYLOAD_TYPE}": _refuses(accepted.payload_types, PAYLOAD_TYPE),
        f"a predicate type other than {PREDICATE_TYPE}": _refuses(accepted.predicate_types, PREDICATE_TYPE),
    }
    return ", ".join(name for name, is_asked in asked.items() if is_asked)


def _refuses(allowed: frozenset[str] | None, used: str) -> bool:
    return allowed is not None and used not in allowed


def _answer(check_id: CheckId, outcome: Outcome, reason: str) -> Check:
    return Check(id=check_id, outcome=outcome, reason=reason)


_TIME = _answer("time", "skip", "not established: the format has no proof of when it was signed")
