"""Makes event lines, sealed bundles and broken bundles for the tests of this room."""

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from evidence import event as types
from evidence import manifest as layout
from evidence.bundle import BundleFacts, seal
from evidence.canonical import canonical
from evidence.container.archive import ContainerReader, write_container
from evidence.digest import sha256_hex, tagged
from evidence.event import EvidenceEvent
from evidence.merkle import MerkleTree
from evidence.packs import Pack, builtin
from evidence.run import RunMeta
from evidence.timestamp import from_unix_nano

RUN_ID = "run-1"
SOURCE = "urn:affidavit:test"
START = 1_700_000_000_000_000_000
TRACE = "5b8efff798038103d269b633813fc60c"
DIGEST = "sha256:" + "ab" * 32
SCOPE = DIGEST

Item = tuple[str, dict[str, Any]]
"""Type and data of one event."""

CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-x",
    "gen_ai.response.model": "gpt-x-1",
    "gen_ai.request.temperature": 0.5,
    "gen_ai.system_instructions": '[{"type":"text","content":"be brief"}]',
    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]',
    "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"ho"}]}]',
}
TOOL = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "search",
    "gen_ai.tool.call.id": "call-1",
    "gen_ai.tool.call.arguments": "{}",
    "gen_ai.tool.call.result": '"found"',
}


def any_value(value: Any) -> dict[str, Any]:
    """An OTLP/JSON AnyValue; a dict is taken as one already."""
    if isinstance(value, dict):
        return value
    if value is None:
        return {}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}


def pairs(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": any_value(value)} for key, value in attributes.items()]


def span(number: int, attributes: Mapping[str, Any] = {}, *, failed: bool = False, **fields: Any) -> Item:
    body = {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        "name": "a span",
        "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(START + 1),
        "attributes": pairs(attributes),
        **fields,
    }
    if failed:
        body["status"] = {"code": 2}
    return types.SPAN, {"resource": DIGEST, "scope": SCOPE, "span": body}


def log(number: int, attributes: Mapping[str, Any], **fields: Any) -> Item:
    body = {"traceId": TRACE, "spanId": f"{number:016x}", "attributes": pairs(attributes), **fields}
    return types.LOG, {"resource": DIGEST, "scope": SCOPE, "log": body}


def resource(attributes: Mapping[str, Any]) -> Item:
    content = {"attributes": pairs(attributes)}
    return types.RESOURCE, {"digest": tagged(canonical({"resource": content})), "resource": content}


def receipt(kind: str, body: Mapping[str, Any], **fields: Any) -> Item:
    return types.RECEIPT, {"kind": kind, "idempotency_key": "k", "body": dict(body), **fields}


def gap(kind: str, count: int = 1) -> Item:
    return types.RUN_GAP, {"kind": kind, "count": count, "detail": "a test"}


def opened() -> Item:
    return types.RUN_OPENED, {"run_id": RUN_ID, "part": 1, "reason": "span"}


def closed(items: Sequence[Item], **fields: Any) -> Item:
    """The closing event after some items, with the counts that are true."""
    count = {name: sum(kind == type_ for kind, _ in items) for type_, name in _COUNTED.items()}
    return types.RUN_CLOSED, {"reason": "explicit", "events": len(items) + 1, **count, **fields}


_COUNTED = {types.SPAN: "spans", types.LOG: "logs", types.METRIC: "metrics", types.RECEIPT: "receipts"}


def whole(*items: Item, **fields: Any) -> list[Item]:
    """Items between an opening and a true closing event."""
    inside = [opened(), *items]
    return [*inside, closed(inside, **fields)]


def lines(items: Iterable[Item], *, first_seq: int = 0) -> list[bytes]:
    return [
        EvidenceEvent(
            run_id=RUN_ID, seq=seq, type=type_, time=from_unix_nano(START + seq), data=data, source=SOURCE
        ).line()
        for seq, (type_, data) in enumerate(items, first_seq)
    ]


def decoded(items: Iterable[Item], *, first_seq: int = 0) -> list[tuple[dict[str, Any], bytes]]:
    return [(orjson.loads(line), line) for line in lines(items, first_seq=first_seq)]


def meta(**changes: Any) -> RunMeta:
    facts: dict[str, Any] = {
        "run_id": RUN_ID,
        "opened_at": from_unix_nano(START),
        "closed_at": from_unix_nano(START + 100),
        "close_reason": "explicit",
        "source": SOURCE,
        "producer": {"name": "affidavit", "version": "0.1.0"},
        "mapping": {"target": {"id": "gen-ai-dev", "version": "1", "digest": DIGEST}, "profiles": []},
    }
    return RunMeta(**(facts | changes))


def sealed(
    folder: Path,
    items: Sequence[Item] | None = None,
    *,
    packs: Sequence[Pack] | None = None,
    profiles: Mapping[str, bytes] = {},
    mapping_loss: bytes = b'{"schema":"mapping-loss-v1"}',
    name: str = "run-1.evidence.tar.gz",
    **changes: Any,
) -> BundleFacts:
    """A bundle of some items, sealed for real."""
    events = folder / "events"
    items = whole(resource({"service.name": "agent"}), span(1, CHAT)) if items is None else items
    events.write_bytes(b"".join(line + b"\n" for line in lines(items)))
    return seal(
        events=events,
        run=meta(**changes),
        packs=[builtin("baseline")] if packs is None else packs,
        profiles=profiles,
        mapping_loss=mapping_loss,
        out=folder / name,
    )


# ------------------------------------------------------------------ taking bundles apart

Members = dict[str, bytes]


def unpack(path: Path) -> Members:
    with path.open("rb") as file:
        return {member.name: member.read() for member in ContainerReader(file).members()}


def pack(members: Iterable[tuple[str, bytes]], path: Path) -> Path:
    out = io.BytesIO()
    write_container(out, [(name, len(content), content) for name, content in members])
    path.write_bytes(out.getvalue())
    return path


def repin(members: Members) -> Members:
    """What an attacker does who seals again after a change: every digest and count made true to the content there is."""
    manifest = orjson.loads(members[layout.MANIFEST])
    event_lines = members[layout.EVENTS].split(b"\n")[:-1]
    tree = MerkleTree()
    for line in event_lines:
        tree.append(line)
    manifest["event_count"] = manifest["merkle"]["tree_size"] = len(event_lines)
    manifest["last_seq"] = manifest["first_seq"] + len(event_lines) - 1
    manifest["merkle"]["root"] = tree.root().hex()
    for entry in manifest["files"]:
        if entry["path"] in members:
            content = members[entry["path"]]
            entry["sha256"], entry["bytes"] = sha256_hex(content), len(content)
    return with_manifest(members, manifest)


def with_manifest(members: Members, manifest: dict[str, Any]) -> Members:
    """The members with another manifest, whose id is made true."""
    manifest["bundle_id"] = layout.bundle_id(manifest)
    return {**members, layout.MANIFEST: canonical(manifest)}


def setting(*path_and_value: Any) -> Callable[[dict[str, Any]], None]:
    """A change of a manifest: the member at a path, given step by step, becomes the last of these."""
    *path, last, value = path_and_value

    def change(manifest: dict[str, Any]) -> None:
        place = manifest
        for step in path:
            place = place[step]
        place[last] = value

    return change


def changed(members: Members, change: Callable[[dict[str, Any]], object]) -> Members:
    """The members with the manifest changed in place by a function, and its id made true."""
    manifest = orjson.loads(members[layout.MANIFEST])
    change(manifest)
    return with_manifest(members, manifest)


def with_lines(members: Members, change: Callable[[list[bytes]], object]) -> Members:
    """The members with the event lines changed in place by a function, and everything made true to them."""
    event_lines = members[layout.EVENTS].split(b"\n")[:-1]
    change(event_lines)
    return repin({**members, layout.EVENTS: b"".join(line + b"\n" for line in event_lines)})
