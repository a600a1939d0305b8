"""What is fuzzed: every reader that meets bytes of strangers, by name.

The invariant of all: whatever the bytes, the answer is a value or a named error of ours, never another exception. Memory and time are
bounded by who runs them (`tests.fuzz.run`; `tests/fuzz/test_targets.py` in the suite).
"""

from __future__ import annotations

import base64
import functools
import io
import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from attest import dsse
from attest.attestation import sigstore_bundle, statement
from attest.checks.timestamp_token import read_token
from attest.errors import AttestError
from attest.keys import generate, load_public
from attest.policy.file import read_policy
from attest.results.result import read_result, result_statement
from attest.tlog.checkpoint import read_checkpoint
from attest.tlog.proof import read_growth, read_proof
from attest.trust.identity_pattern import compiled
from attest.trust.roots import read_root, trusted_root
from attest.trust.trust import Trust
from attest.verdict import CHECKS
from attest.verify import verify_file
from evidence import manifest as layout
from evidence.canonical import canonical, parse
from evidence.container.archive import ContainerReader
from evidence.container.gzip_stream import GzipWriter
from evidence.errors import CanonicalError, EvidenceError
from evidence.event import decode
from evidence.merkle import leaf_hash, verify_consistency, verify_inclusion
from evidence.packs import read_pack
from evidence.redaction.commitment import Withheld
from evidence.redaction.disclosures import Header, PieceMaker
from evidence.redaction.disclosures import read as read_disclosures
from evidence.run import attestation_file_name
from tests.attest import world
from tests.evidence import assay_world

__all__ = ["TARGETS", "Target"]


@dataclass(frozen=True, kw_only=True)
class Target:
    """One reader."""

    read: Callable[[bytes], object]
    seeds: Callable[[], Iterable[bytes]]
    refuses: tuple[type[Exception], ...] = (EvidenceError, AttestError)
    """What it may raise, and nothing else."""

    def __call__(self, data: bytes) -> None:
        """Reads the bytes; an exception that is not a named one goes through."""
        try:
            self.read(data)
        except self.refuses:
            return


@functools.cache
def _case() -> world.Case:
    """One sealed and attested bundle in a folder of its own, removed when the process ends."""
    folder = Path(_folder().name)
    key = generate()
    facts = world.seal_run(folder)
    return world.Case(facts=facts, attestation=world.attest(key, facts), key=key)


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="affidavit-fuzz-")


@functools.cache
def _keyless() -> tuple[bytes, bytes, tuple[bytes, ...], Trust]:
    """Of a loopback Sigstore that is gone already: an attestation, a trusted root, timestamps, and whom to trust."""
    from tests.attest import sigstore_world
    from tests.sigstore.loopback import Sigstore

    with Sigstore.start() as sigstore:
        attestation, root = sigstore.sign(_payload(), version=2), sigstore.trusted_root
        trust = sigstore_world.trust(sigstore)
    material = json.loads(attestation)["verificationMaterial"]
    stamps = material["timestampVerificationData"]["rfc3161Timestamps"]
    return attestation, root, tuple(base64.b64decode(stamp["signedTimestamp"]) for stamp in stamps), trust


@functools.cache
def _log() -> tuple[bytes, bytes, bytes]:
    """A checkpoint of a small log, a proof that an entry is in it, and one that it has grown."""
    from attest.tlog.log import Log
    from attest.tlog.proof import write_growth, write_proof
    from attest.tlog.reader import LogReader

    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    folder = Path(_folder().name) / "log"
    Log.create(folder, key, "log.example")
    with Log(folder, key) as log:
        log.append([b"one"])
        old = LogReader(folder).checkpoint
        log.append([b"two", b"three", b"four"])
    reader = LogReader(folder)
    checkpoint = str(reader.checkpoint).encode()
    grown = write_growth(old.size, reader.prove_since(old), reader.checkpoint).encode()
    return checkpoint, write_proof(reader.prove(2), reader.checkpoint).encode(), grown


@functools.cache
def _members() -> world.Members:
    return world.unpack(_case().path)


def _gzipped(data: bytes) -> bytes:
    out = io.BytesIO()
    gzip = GzipWriter(out)
    gzip.write(data)
    gzip.close()
    return out.getvalue()


def _tar() -> bytes:
    import gzip

    return gzip.decompress(_case().path.read_bytes())


def _contents(container: bytes) -> list[bytes]:
    return [member.read() for member in ContainerReader(io.BytesIO(container)).members() if member.size < 1 << 24]


def _verdict(bundle: bytes | None = None, attestation: bytes | None = None, *, changed: bool = True) -> None:
    """A whole verification with one file replaced: a verdict with every check, `verified` without warning only where nothing changed."""
    case, folder = _case(), Path(_folder().name) / "tried"
    folder.mkdir(exist_ok=True)
    path = folder / case.path.name
    original = case.path.read_bytes(), case.attestation.read_bytes()
    path.write_bytes(original[0] if bundle is None else bundle)
    path.with_name(attestation_file_name(path.name)).write_bytes(original[1] if attestation is None else attestation)
    result = verify_file(path, trust=Trust.of(case.key.public), strict=True)
    assert [check.id for check in result.checks] == list(CHECKS)
    untouched = bundle in (None, original[0]) and attestation in (None, original[1])
    assert not changed or (result.verdict == "verified") == untouched, result.integrity


def _with_events(events: bytes) -> None:
    _verdict(bundle=world.pack(world.with_events(_members(), events)))


def _with_manifest(data: bytes) -> None:
    _verdict(bundle=world.pack({**_members(), layout.MANIFEST: data}))


def _with_payload(payload: bytes) -> None:
    """A statement of any bytes, signed properly: what it says of the bundle must hold, and the rest is the signer's to say."""
    _verdict(attestation=world.sign_statement(_case().key, payload), changed=False)


def _manifest_parts(data: bytes) -> None:
    """A manifest whose id is right: the members behind the first check."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(value, dict):
        value.pop("bundle_id", None)
        _with_manifest(layout.seal_manifest(value))


def _proof(data: bytes) -> None:
    """Hashes cut from the bytes: no proof that was not made for a leaf and a tree holds."""
    position, size, hashes = data[:8], data[8:16], [data[at : at + 32] for at in range(16, len(data), 32)]
    index, leaves = int.from_bytes(position, "big"), int.from_bytes(size, "big")
    assert not verify_inclusion(leaf_hash(data), index, leaves, hashes, leaf_hash(b"another"))
    if index != leaves:
        assert not verify_consistency(index, leaves, hashes, leaf_hash(b"one"), leaf_hash(b"two"))


def _certified(data: bytes) -> None:
    """A whole verification of a certificate's attestation: never `verified` without a warning once anything changed."""
    attestation, _, _, trust = _keyless()
    case = _case()
    path = Path(_folder().name) / "certified" / case.path.name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(case.path.read_bytes())
    path.with_name(attestation_file_name(path.name)).write_bytes(data)
    result = verify_file(path, trust=trust, recompute=False)
    good = result.verdict == "verified" and not result.of("warn")
    assert good == (data == attestation), result.integrity


def _policy(data: bytes) -> None:
    path = Path(_folder().name) / "policy.yaml"
    path.write_bytes(data)
    read_policy(path)


def _pattern(data: bytes) -> None:
    """A pattern and a text, whichever: an answer, soon."""
    pattern, _, text = data.decode("utf-8", "replace").partition("\n")
    compiled(pattern).fullmatch(text[:2_048])


def _assay(data: bytes) -> None:
    path = Path(_folder().name) / "assay.tar.gz"
    path.write_bytes(data)
    assert verify_file(path, trust=Trust.of(_case().key.public)).verdict != "verified"


def _assay_events(data: bytes) -> None:
    """Any lines, of the size and digest that the manifest lists."""
    _assay(assay_world.sealed(*assay_world.unpack(assay_world.made()), data))


def _disclosures(data: bytes) -> None:
    _, pieces = read_disclosures(data.splitlines(), "disclosures")
    list(pieces)


def _envelope(data: bytes) -> None:
    bundle = sigstore_bundle.read(data)
    written = sigstore_bundle.encode(bundle)
    assert bundle.is_respelled == (written != data)
    assert sigstore_bundle.read(written) == bundle
    assert dsse.pae(bundle.envelope.payload_type, bundle.envelope.payload)


def _attestation_seeds() -> list[bytes]:
    ours = _case().attestation.read_bytes()
    return [ours, json.dumps(json.loads(ours), indent=1).encode()]


def _payload() -> bytes:
    return base64.b64decode(json.loads(_case().attestation.read_bytes())["dsseEnvelope"]["payload"])


def _pack(data: bytes) -> None:
    read_pack(data, "pack.yaml")


def _result_seeds() -> list[bytes]:
    case = _case()
    result = verify_file(case.path, trust=Trust.of(case.key.public))
    return [result_statement([result], "2026-11-21T12:00:00.000000000Z")]


def _disclosure_seeds() -> list[bytes]:
    header = Header(run_id="run-1", part=1, policy={"digest": "sha256:" + "0" * 64}, key=bytes(32))
    make = PieceMaker(bytes(32), ("run-1", 1))
    make(Withheld(pointer="/span/name", index=0, name="", form="text", body="a secret", reason="secret"))
    return [b"\n".join([header.line(), *(piece.line() for piece in make.pieces("run-1:1"))])]


_ROOT = Path(__file__).parents[2]


def _files(pattern: str) -> Callable[[], list[bytes]]:
    return lambda: [path.read_bytes() for path in sorted(_ROOT.glob(pattern))]


TARGETS: dict[str, Target] = {
    "canonical": Target(read=parse, seeds=lambda: [canonical({"a": [1, "é", 0.5, None], "b": {"c": True}})]),
    "container": Target(read=_contents, seeds=lambda: [_case().path.read_bytes()]),
    "archive": Target(read=lambda data: _contents(_gzipped(data)), seeds=lambda: [_tar()]),
    "manifest": Target(read=_with_manifest, seeds=lambda: [_members()[layout.MANIFEST]], refuses=()),
    "manifest-members": Target(
        read=_manifest_parts, seeds=lambda: [_members()[layout.MANIFEST]], refuses=(CanonicalError,)
    ),
    "event": Target(read=decode, seeds=lambda: list(_members()[layout.EVENTS].splitlines())),
    "events": Target(read=_with_events, seeds=lambda: [_members()[layout.EVENTS]], refuses=()),
    "bundle": Target(read=_verdict, seeds=lambda: [_case().path.read_bytes()], refuses=()),
    "envelope": Target(read=_envelope, seeds=_attestation_seeds),
    "attestation": Target(read=lambda data: _verdict(attestation=data), seeds=_attestation_seeds, refuses=()),
    "statement": Target(read=statement.read, seeds=lambda: [_payload()]),
    "signed-payload": Target(read=_with_payload, seeds=lambda: [_payload()], refuses=()),
    "proof": Target(read=_proof, seeds=lambda: [bytes(7) + b"\x01" + bytes(7) + b"\x04" + bytes(64)]),
    "pack": Target(read=_pack, seeds=_files("evidence/builtin/*.yaml")),
    "certified": Target(read=_certified, seeds=lambda: [_keyless()[0]], refuses=()),
    "timestamp": Target(read=read_token, seeds=lambda: _keyless()[2]),
    "trusted-root": Target(read=lambda data: read_root(trusted_root(data, "root")), seeds=lambda: [_keyless()[1]]),
    "checkpoint": Target(read=read_checkpoint, seeds=lambda: [_log()[0]]),
    "log-proof": Target(read=read_proof, seeds=lambda: [_log()[1]]),
    "log-growth": Target(read=read_growth, seeds=lambda: [_log()[2]]),
    "policy": Target(read=_policy, seeds=_files("config/policy*.yaml")),
    "pattern": Target(read=_pattern, seeds=lambda: [b"https://ci\\.example/[a-z]+/(x|y)@.*\nhttps://ci.example/a/x@b"]),
    "result": Target(read=read_result, seeds=_result_seeds),
    "assay": Target(read=_assay, seeds=lambda: [assay_world.made()], refuses=()),
    "assay-archive": Target(
        read=lambda data: _assay(assay_world.gzipped(data)),
        seeds=lambda: [assay_world.archive(assay_world.made())],
        refuses=(),
    ),
    "assay-events": Target(
        read=_assay_events,
        seeds=lambda: [assay_world.lines(assay_world.unpack(assay_world.made())[1])],
        refuses=(),
    ),
    "disclosures": Target(read=_disclosures, seeds=_disclosure_seeds),
    "public-key": Target(read=load_public, seeds=lambda: [_case().key.public.to_pem()]),
}
"""Readers by name."""
