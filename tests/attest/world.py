"""What the attack tests are made of: sealed bundles, their members taken apart and put together again, other statements.

Everything goes through the real sealing, signing and container code; only what an attacker would do by hand is done by
hand here.
"""

import base64
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attest.attest import attest_bundles
from attest.attestation.sigstore_bundle import write
from attest.dsse import PAYLOAD_TYPE, Envelope, pae
from attest.keys import PrivateKey
from attest.signers.key import KeySigner
from evidence import manifest as layout
from evidence.bundle import BundleFacts, EvidenceBundle, seal
from evidence.canonical import canonical
from evidence.container.archive import ContainerReader, write_container
from evidence.digest import sha256_hex
from evidence.event import EvidenceEvent
from evidence.merkle import MerkleTree
from evidence.packs import Pack, builtin
from evidence.run import RunMeta, attestation_file_name, bundle_file_name

PRODUCER = {"name": "affidavit", "version": "0.0.0"}
MAPPING = {"target": {"id": "t", "version": "1", "digest": "sha256:" + "7" * 64}, "profiles": []}
MAPPING_LOSS = canonical(
    {
        "schema": "mapping-loss-v1",
        "totals": {"atoms_in": 12, "dropped": 1, "dropped_by_severity": {"major": 0, "minor": 1}},
    }
)
SOURCE = "urn:affidavit:sidecar:test"

Members = dict[str, bytes]


def at(second: int) -> str:
    return f"2026-11-21T10:00:{second:02d}.000000000Z"


def run_events(run_id: str = "run-1", first_seq: int = 0, model: str = "m-1") -> list[EvidenceEvent]:
    """A small run: opened, a model call and a tool call under it, a receipt, closed."""
    resource = {"digest": "sha256:" + "a" * 64, "resource": {"attributes": []}}
    scope = {"digest": "sha256:" + "b" * 64, "scope": {"name": "test"}}

    def span(span_id: str, name: str, attributes: Mapping[str, str], parent: str | None = None) -> dict[str, Any]:
        return {
            "resource": resource["digest"],
            "scope": scope["digest"],
            "span": {
                "traceId": "0af7651916cd43dd8448eb211c80319c",
                "spanId": span_id,
                **({"parentSpanId": parent} if parent else {}),
                "name": name,
                "startTimeUnixNano": "1795255200000000000",
                "endTimeUnixNano": "1795255201000000000",
                "attributes": [{"key": k, "value": {"stringValue": v}} for k, v in sorted(attributes.items())],
            },
        }

    chat = span("b7ad6b7169203331", f"chat {model}", {"gen_ai.operation.name": "chat", "gen_ai.request.model": model})
    tool = span(
        "00f067aa0ba902b7",
        "execute_tool search",
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"},
        "b7ad6b7169203331",
    )
    counts = {"events": 7, "spans": 2, "logs": 0, "metrics": 0, "receipts": 1, "reason": "explicit"}
    content = [
        ("affidavit.run.opened.v1", {"run_id": run_id, "part": 1, "reason": "receipt"}),
        ("affidavit.otel.resource.v1", resource),
        ("affidavit.otel.scope.v1", scope),
        ("affidavit.otel.span.v1", chat),
        ("affidavit.otel.span.v1", tool),
        ("affidavit.receipt.v1", {"kind": "note", "idempotency_key": "k-1", "body": {"text": "done"}}),
        ("affidavit.run.closed.v1", counts),
    ]
    return [
        EvidenceEvent(
            run_id=run_id, seq=first_seq + index, type=kind, time=at(index), data=data, source=SOURCE, subject=None
        )
        for index, (kind, data) in enumerate(content)
    ]


def seal_run(
    folder: Path,
    events: Sequence[EvidenceEvent] | None = None,
    *,
    profiles: Mapping[str, bytes] | None = None,
    packs: Sequence[Pack] | None = None,
    **meta: Any,
) -> BundleFacts:
    """Seal events into `folder` and read the facts back."""
    events = run_events() if events is None else events
    lines = folder / "events.ndjson"
    lines.write_bytes(b"".join(event.line() + b"\n" for event in events))
    run = RunMeta(
        **{
            "run_id": events[0].run_id,
            "opened_at": at(0),
            "closed_at": at(30),
            "close_reason": "explicit",
            "source": SOURCE,
            "producer": PRODUCER,
            "mapping": MAPPING,
            **meta,
        }
    )
    out = folder / bundle_file_name(run.run_id, run.part)
    return seal(
        events=lines,
        run=run,
        packs=packs or [builtin("baseline")],
        profiles=profiles or {},
        mapping_loss=MAPPING_LOSS,
        out=out,
    )


def attest(key: PrivateKey, *bundles: BundleFacts) -> Path:
    """Attest bundles; the attestation goes beside each, and the path beside the first is returned."""
    data = attest_bundles(bundles, KeySigner(key), producer=PRODUCER)
    paths = [facts.path.with_name(attestation_file_name(facts.path.name)) for facts in bundles]
    for path in paths:
        path.write_bytes(data)
    return paths[0]


def attest_file(key: PrivateKey, path: Path) -> bytes:
    """An attestation over a bundle as it lies there, whoever made it: a signer who lies, or who was lied to."""
    with EvidenceBundle.open(path) as bundle:
        for _ in bundle.events():
            pass
        facts = bundle.finish()
    return attest_bundles([facts], KeySigner(key), producer=PRODUCER)


def sign_statement(key: PrivateKey, payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """An attestation over any payload, signed properly: what the owner of the key could be tricked or wish into."""
    signature = _sign(key, pae(payload_type, payload))
    envelope = Envelope(payload_type=payload_type, payload=payload, signatures=(signature,))
    return write(hint=key.public.fingerprint, envelope=envelope)


def _sign(key: PrivateKey, data: bytes) -> bytes:
    from securesystemslib.signer import CryptoSigner

    return bytes.fromhex(CryptoSigner(key.native).sign(data).signature)


def unpack(path: Path) -> Members:
    """The members of a container, in order."""
    with path.open("rb") as file:
        return {member.name: member.read() for member in ContainerReader(file).members()}


def pack(members: Mapping[str, bytes]) -> bytes:
    """A container of these members, as the real writer makes it."""
    out = io.BytesIO()
    write_container(out, [(name, len(data), data) for name, data in members.items()])
    return out.getvalue()


def with_manifest(members: Members, change: Callable[[dict[str, Any]], object]) -> Members:
    """The members with the manifest changed and its id made right again: a re-sealing by hand."""
    manifest = json.loads(members[layout.MANIFEST])
    change(manifest)
    manifest.pop("bundle_id", None)
    return {**members, layout.MANIFEST: layout.seal_manifest(manifest)}


def with_events(members: Members, events: bytes) -> Members:
    """The members with other event lines and the manifest's counts, digests, root and id made right again."""
    lines = events.split(b"\n")[:-1]
    tree = MerkleTree()
    for line in lines:
        tree.append(line)

    def change(manifest: dict[str, Any]) -> None:
        manifest["event_count"] = len(lines)
        manifest["last_seq"] = manifest["first_seq"] + len(lines) - 1
        manifest["merkle"].update(tree_size=len(lines), root=tree.root().hex())
        entry = next(entry for entry in manifest["files"] if entry["path"] == layout.EVENTS)
        entry.update(sha256=sha256_hex(events), bytes=len(events))

    return with_manifest({**members, layout.EVENTS: events}, change)


@dataclass(frozen=True)
class Case:
    """A sealed and attested bundle, ready to be attacked."""

    facts: BundleFacts
    attestation: Path
    key: PrivateKey

    @property
    def path(self) -> Path:
        return self.facts.path

    def statement(self) -> dict[str, Any]:
        """The signed statement, parsed."""
        return json.loads(base64.b64decode(json.loads(self.attestation.read_bytes())["dsseEnvelope"]["payload"]))
