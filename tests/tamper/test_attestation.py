"""The tamper matrix of an attestation: every field of its JSON, every element of its certificate and its timestamp, every field of the
statement in it, its file.

For each way to sign: a key, a key with a time, Rekor 1, Rekor 1 with a time, Rekor 2 with a time. A change is refused, or flagged with a
warning where the format has room that no signature covers; a check that has to do with the change says so.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import pytest

from attest.attest import attest_bundles
from attest.keys import generate
from attest.signers.key import KeySigner
from attest.signers.timestamp import Timestamper
from attest.trust.trust import Identity, Required, Trust, TrustedRoot
from attest.verdict import CheckId
from attest.verification import Verification
from attest.verify import verify_file
from evidence.canonical import canonical
from evidence.digest import sha256_hex
from evidence.run import attestation_file_name
from sidecar.clock import now_unix_nano
from tests.attest import world
from tests.sigstore.loopback import IDENTITY
from tests.tamper import der
from tests.tamper.mutations import cuts_and_additions, of_json, of_value

SIGNED: set[CheckId] = {"envelope", "statement", "signature", "trust", "time"}


@dataclass(frozen=True)
class Signed:
    """A bundle, an attestation of one kind, and whom to trust."""

    folder: Path
    bundle: Path
    attestation: bytes
    trust: Trust

    def verify(self, attestation: bytes) -> Verification:
        path = self.folder / self.bundle.name
        path.with_name(attestation_file_name(path.name)).write_bytes(attestation)
        return verify_file(path, trust=self.trust, recompute=False)

    def with_(self, change: Callable[[dict], object]) -> bytes:
        """The attestation with its JSON changed, canonical again."""
        value = json.loads(self.attestation)
        change(value)
        return canonical(value)


KINDS = ["key", "key, dated", "log 1", "log 1, dated", "log 2, dated"]


@pytest.fixture(scope="module")
def key():
    return generate()


@pytest.fixture(params=KINDS)
def signed(request, sigstore, key, tmp_path_factory) -> Signed:
    return _signed(request.param, sigstore, key, tmp_path_factory)


_MADE: dict[str, Signed] = {}


def _signed(kind: str, sigstore, key, tmp_path_factory) -> Signed:
    if kind not in _MADE:
        folder = tmp_path_factory.mktemp("attested")
        facts = world.seal_run(folder)
        data = sigstore.trusted_root
        root = TrustedRoot(name="root.json", data=data, sha256=sha256_hex(data))
        dated = Required(timestamps=1 if "dated" in kind else 0)
        issuer = sigstore.url
        if kind.startswith("key"):
            timestamper = (
                Timestamper(sigstore.tsa_url, clock=now_unix_nano, timeout_seconds=10) if "dated" in kind else None
            )
            signer = KeySigner(key, timestamper=timestamper)
            attestation = attest_bundles([facts], signer, producer=world.PRODUCER)
            trust = replace(Trust.of(key.public), roots=(root,), required=dated)
        else:
            unsigned = json.loads(attest_bundles([facts], KeySigner(key), producer=world.PRODUCER))
            payload = base64.b64decode(unsigned["dsseEnvelope"]["payload"])
            attestation = sigstore.sign(payload, version=int(kind[4]), timestamp="dated" in kind)
            identity = Identity(identity=IDENTITY, issuer=issuer)
            trust = Trust(roots=(root,), identities=(identity,), required=dated)
        _MADE[kind] = Signed(folder=folder, bundle=facts.path, attestation=attestation, trust=trust)
    return _MADE[kind]


@pytest.fixture(params=[13, pytest.param(1, marks=pytest.mark.soak)], ids=["one in thirteen", "all"])
def share(request) -> int:
    """How many of the changes are tried: `make soak` tries all."""
    return request.param


def silent(signed: Signed, changes: Iterator[tuple[str, bytes]]) -> list[str]:
    """The changes that no check of the attestation stands against, neither by refusing nor by a warning."""
    wrong, count = [], 0
    for what, attestation in changes:
        count += 1
        result = signed.verify(attestation)
        named = {check.id for check in result.of("fail", "undecided", "warn")}
        if not named & SIGNED:
            wrong.append(f"{what}: {result.verdict} {sorted(named)}")
    assert count >= 5
    return wrong


def test_the_attestation_itself_verifies_without_a_warning(signed):
    result = signed.verify(signed.attestation)
    assert (result.exit_code, result.of("warn")) == (0, ()), result.integrity


def test_an_attestation_with_any_field_changed_is_refused_or_flagged(signed, share):
    def spelled() -> Iterator[tuple[str, bytes]]:
        for each in of_json(signed.attestation):
            yield str(each), each.data

    assert silent(signed, islice(spelled(), 0, None, share)) == []


def test_an_attestation_cut_or_extended_is_refused(signed):
    assert silent(signed, ((str(each), each.data) for each in cuts_and_additions(signed.attestation))) == []


@pytest.mark.parametrize("signed", KINDS[2:], indirect=True)
def test_a_certificate_with_any_element_changed_is_refused_or_flagged(signed, share):
    original = base64.b64decode(json.loads(signed.attestation)["verificationMaterial"]["certificate"]["rawBytes"])

    def certificates() -> Iterator[tuple[str, bytes]]:
        for what, changed in islice(der.changes(original), 0, None, share):
            text = base64.b64encode(changed).decode()
            yield what, signed.with_(lambda v, t=text: v["verificationMaterial"]["certificate"].update(rawBytes=t))

    assert silent(signed, certificates()) == []


@pytest.mark.parametrize("signed", [kind for kind in KINDS if "dated" in kind], indirect=True)
def test_a_timestamp_with_any_element_changed_is_refused_or_flagged(signed, share):
    stamps = json.loads(signed.attestation)["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
    original = base64.b64decode(stamps[0]["signedTimestamp"])

    def timestamps() -> Iterator[tuple[str, bytes]]:
        for what, changed in islice(der.changes(original), 0, None, share):
            stamp = {"signedTimestamp": base64.b64encode(changed).decode()}
            data = {"rfc3161Timestamps": [stamp]}
            yield what, signed.with_(lambda v, d=data: v["verificationMaterial"].update(timestampVerificationData=d))

    # Whether a timestamp brings its signer's certificate along is nobody's claim: the trusted root has it.
    assert [what for what in silent(signed, timestamps()) if not what.startswith("removed .1.1.0.3")] == []


@pytest.mark.parametrize("signed", KINDS[2:], indirect=True)
def test_a_log_entry_with_any_field_of_its_body_changed_is_refused_or_flagged(signed, share):
    (entry,) = json.loads(signed.attestation)["verificationMaterial"]["tlogEntries"]
    body = json.loads(base64.b64decode(entry["canonicalizedBody"]))

    def entries() -> Iterator[tuple[str, bytes]]:
        for kind, path, value in islice(of_value(body), 0, None, max(1, share // 3)):
            text = base64.b64encode(canonical(value)).decode()
            if text == entry["canonicalizedBody"]:
                continue
            changed = [{**entry, "canonicalizedBody": text}]
            yield f"{kind} {path}", signed.with_(lambda v, c=changed: v["verificationMaterial"].update(tlogEntries=c))

    assert silent(signed, entries()) == []


@pytest.mark.parametrize("signed", KINDS[2:], indirect=True)
def test_a_checkpoint_with_any_character_changed_is_refused_or_flagged(signed, share):
    (entry,) = json.loads(signed.attestation)["verificationMaterial"]["tlogEntries"]
    text = entry["inclusionProof"]["checkpoint"]["envelope"]

    def checkpoints() -> Iterator[tuple[str, bytes]]:
        for at in range(0, len(text), share):
            other = text[:at] + ("B" if text[at] != "B" else "A") + text[at + 1 :]
            yield (
                f"character {at} {text[at]!r}",
                signed.with_(
                    lambda v, o=other: v["verificationMaterial"]["tlogEntries"][0]["inclusionProof"].update(
                        checkpoint={"envelope": o}
                    )
                ),
            )

    assert silent(signed, checkpoints()) == []


def test_material_of_another_attestation_does_not_do(sigstore, key, tmp_path_factory):
    """Every member of the material and of the envelope taken from another attestation over the same bundle."""
    kinds = {kind: _signed(kind, sigstore, key, tmp_path_factory) for kind in KINDS}
    wrong = []
    for kind, signed in kinds.items():
        for other_kind, other in kinds.items():
            if other_kind == kind:
                continue
            theirs = json.loads(other.attestation)
            for part in ("verificationMaterial", "dsseEnvelope"):
                data = signed.with_(lambda v, p=part, t=theirs: v.update({p: t[p]}))
                if signed.verify(data).exit_code == 0:
                    wrong.append(f"{kind} with the {part} of {other_kind}")
            for member, value in theirs["verificationMaterial"].items():
                data = signed.with_(lambda v, m=member, x=value: v["verificationMaterial"].update({m: x}))
                if data != signed.attestation and not signed.verify(data).of("fail", "undecided", "warn"):
                    wrong.append(f"{kind} with the {member} of {other_kind}")
    # A dated signature without its date is the same key's signature over the same statement; `require: timestamps` asks for more.
    assert wrong == ["key with the dsseEnvelope of key, dated"]


# ---------------------------------------------------------------- what the owner of the key signs

SAYS_ITSELF = ("predicate", "producer")
"""Of a statement, the one thing that a bundle does not show: which tool made it."""


def test_a_statement_with_any_field_changed_and_signed_anew_is_named_unless_it_is_the_signers_to_say(
    sigstore, key, tmp_path_factory, share
):
    signed = _signed("key", sigstore, key, tmp_path_factory)
    payload = base64.b64decode(json.loads(signed.attestation)["dsseEnvelope"]["payload"])
    wrong, count = [], 0
    for each in islice(of_json(payload), 0, None, max(1, share // 3)):
        if each.path[:2] == SAYS_ITSELF or str(each) == "swapped items of subject":
            continue  # subjects are a set: each is looked up by name and held to its digest
        count += 1
        result = signed.verify(world.sign_statement(key, each.data))
        if "statement" not in {check.id for check in result.of("fail", "undecided")}:
            wrong.append(f"{each}: {result.verdict}")
    assert count >= 20
    assert wrong == []
