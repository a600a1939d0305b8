"""Assay bundles in our own bytes: made by our writer, taken apart, and put together again as a forger would."""

import hashlib
import io
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import rfc8785

from evidence.assay import gnu_tar
from evidence.assay.container import EVENTS, GZIP_HEADER, MANIFEST
from evidence.assay.writer import AssayWriter
from evidence.canonical import canonical

RUN = "run-a"
SOURCE = "urn:assay:test"
PRODUCER = {"name": "assay-test", "version": "1.2.3"}

Event = dict[str, Any]
Manifest = dict[str, Any]


def mandate(**content: Any) -> dict[str, Any]:
    """A mandate with the id that the format describes, made without our own code."""
    made = {
        "mandate_kind": "transaction",
        "principal": {"subject": "user-1", "method": "oidc"},
        "scope": {"tools": ["transfer"]},
        "validity": {"issued_at": "2026-08-01T09:00:00Z"},
        "constraints": {},
        "context": {"audience": "a", "issuer": "b"},
        **content,
    }
    return {**made, "mandate_id": "sha256:" + hashlib.sha256(rfc8785.dumps(made)).hexdigest()}


CONTENT: tuple[dict[str, Any], ...] = (
    {"type_": "assay.profile.started", "data": {"source": "ci"}, "subject": "urn:assay:phase:profile"},
    {
        "type_": "assay.tool.decision",
        "data": {
            "tool": "transfer",
            "decision": "allow",
            "reason_code": "within_limit",
            "policy_digest": "sha256:" + "3" * 64,
        },
        "subject": "transfer",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "assaypolicyid": "payments",
    },
    {"type_": "assay.mandate.v1", "data": mandate(scope={"tools": ["transfer"], "weight": 0.5})},
    {"type_": "assay.fs.access", "data": {"path": "/etc/hosts", "häufig": [1, 2, None]}},
    {"type_": "assay.profile.finished", "data": {"event_count": 5, "status": "ok"}},
)


def at(second: int) -> str:
    return f"2026-08-01T10:00:{second:02d}.25Z"


def made(
    content: Sequence[Mapping[str, Any]] = CONTENT, *, run_id: str = RUN, times: Callable[[int], str] = at
) -> bytes:
    """A bundle as our writer makes it."""
    out = io.BytesIO()
    writer = AssayWriter(io.BytesIO(), run_id=run_id, source=SOURCE, producer=PRODUCER)
    for index, each in enumerate(content):
        writer.event(time=times(index), secrets=False, **each)
    writer.finish(out)
    return out.getvalue()


def archive(data: bytes) -> bytes:
    """What a container inflates to."""
    return zlib.decompress(data, wbits=31)


def unpack(data: bytes) -> tuple[Manifest, list[Event]]:
    """Manifest and events of a good bundle."""
    tar = archive(data)
    _, size, _ = gnu_tar.decode(tar[:512])
    manifest = json.loads(tar[512 : 512 + size])
    rest = tar[512 + size + gnu_tar.padding(size) :]
    _, size, _ = gnu_tar.decode(rest[:512])
    return manifest, [json.loads(line) for line in rest[512 : 512 + size].splitlines()]


def member(name: str, content: bytes, header: Callable[[bytes], bytes] = bytes) -> bytes:
    """A member with its header, which may be changed on the way; the checksum is made right again."""
    block = bytearray(header(gnu_tar.encode(name, len(content))))
    block[148:156] = f"{sum(block[:148]) + 256 + sum(block[156:]):06o}\x00 ".encode()
    return bytes(block) + content + bytes(gnu_tar.padding(len(content)))


def gzipped(data: bytes, header: bytes = GZIP_HEADER) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    tail = zlib.crc32(data).to_bytes(4, "little") + (len(data) & 0xFFFFFFFF).to_bytes(4, "little")
    return header + deflate.compress(data) + deflate.flush() + tail


def packed(manifest: bytes, events: bytes) -> bytes:
    """A container of these two members, whatever they hold."""
    return gzipped(member(MANIFEST, manifest) + member(EVENTS, events) + bytes(1024))


def hashed(event: Event) -> str:
    """The content hash, made as the format's description says and without our own code."""
    content = {name: event[name] for name in ("specversion", "type", "datacontenttype", "data")}
    content |= {"subject": event["subject"]} if "subject" in event else {}
    return "sha256:" + hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def lines(events: Sequence[Event]) -> bytes:
    return b"".join(canonical(event) + b"\n" for event in events)


def sealed(manifest: Manifest, events: Sequence[Event], raw: bytes | None = None, **changes: Any) -> bytes:
    """Seal by hand: hashes, root, id, counts and digests made right again; then `changes` to the manifest.

    `raw` takes the place of the canonical lines.
    """
    for event in events:
        event["assaycontenthash"] = hashed(event)
    body = lines(events) if raw is None else raw
    root = "sha256:" + hashlib.sha256("".join(f"{e['assaycontenthash']}\n" for e in events).encode()).hexdigest()
    listed = {"path": EVENTS, "sha256": "sha256:" + hashlib.sha256(body).hexdigest(), "bytes": len(body)}
    manifest = {
        **manifest,
        "run_root": root,
        "bundle_id": root,
        "event_count": len(events),
        "files": {EVENTS: listed},
        **changes,
    }
    return packed(canonical(manifest), body)


def resealed(data: bytes, change: Callable[[Manifest, list[Event]], object]) -> bytes:
    """A good bundle with something changed, and everything that its format checks made right again."""
    manifest, events = unpack(data)
    change(manifest, events)
    return sealed(manifest, events)
