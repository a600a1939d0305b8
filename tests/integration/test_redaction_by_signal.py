"""Under a policy that withholds every body, no message of any recording is left in what is recorded, in whatever convention it came."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import orjson

from evidence.checks.presence import commitments
from evidence.redaction.policy import default_policy, read_policy
from evidence.signals import registry
from semconv import otlp_json
from sidecar.mapping import MappingAgain
from sidecar.offline import Inputs
from sidecar.recorder.lifecycle import Lifecycle
from sidecar.recorder.recorder import Recorder
from sidecar.recorder.redacting import Redacting
from sidecar.recorder.store import RunStore
from sidecar.redaction import Redactor
from sidecar.tables import load_translator
from sidecar.translation import FrameTranslator
from tests.tools.recordings import of_each_producer

SIGNALS = {signal.id: signal.bodies for signal in registry().signals.values() if signal.bodies}
BODIES = {body for bodies in SIGNALS.values() for body in bodies}
NEVER = Lifecycle(quiet_seconds=1e9, idle_seconds=1e9, age_seconds_max=1e9, bytes_max=1 << 62)
TEXT_CHARS_MIN = 12
WORDS = {"role", "type", "id", "name", "finish_reason", "modality", "mime_type"}
"""Members of a message that are no text of it."""


@cache
def translator():
    return load_translator("gen-ai-dev", {})


@cache
def mapping():
    """One for all: it keeps the tables that it has read."""
    return MappingAgain()


@cache
def policy(*signals: str):
    return read_policy(f"id: p\nversion: '1'\nsignals: [{', '.join(signals)}]\n".encode(), "p", tuple(SIGNALS))


def recorded(folder: Path, file: Path, of) -> list[dict]:
    """The events of a recording under a policy."""
    store = RunStore(folder / f"{of.digest[7:17]}-{file.stem}.sqlite", durable=False)
    translate = FrameTranslator(translator())
    failures: list[str] = []
    recorder = Recorder(
        store=store,
        lifecycle=NEVER,
        translate=translate,
        run_key=("trace_id",),
        source="urn:test:x",
        unrecorded=lambda _, reason: failures.append(reason),
        redacting=Redacting(Redactor(of, translator())),
        new_key=lambda _run, _part: b"k" * 32,
    )
    for frame in Inputs([file]).frames():
        recorder.record([frame])
    recorder.close_all("end_of_input", 0)
    assert failures == []
    rows = store.in_state("closed")
    events = [orjson.loads(line) for row in rows for lines in store.lines(row) for line in lines.splitlines()]
    store.close()
    return events


def messages(value: object, name: str = ""):
    """Every text of a body, and of JSON inside it; roles, types, ids and names are none."""
    if isinstance(value, str):
        try:
            inner = orjson.loads(value) if value.lstrip()[:1] in {"{", "["} else None
        except orjson.JSONDecodeError:
            inner = None
        if inner is not None:
            yield from messages(inner, name)
        elif name not in WORDS:
            yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from messages(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from messages(item, name)


def strings(value: object, depth: int = 0):
    """Every text of an event, keys too, and of JSON inside it."""
    if isinstance(value, str):
        yield value
        if depth < 12 and value.lstrip()[:1] in {"{", "[", '"'}:
            try:
                yield from strings(orjson.loads(value), depth + 1)
            except orjson.JSONDecodeError:
                return
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from strings(item, depth)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item, depth)


def attributes(event: dict) -> dict[str, dict]:
    """What an item says after its translation."""
    data = event["data"]
    item = next((data[name] for name in ("span", "log", "metric") if name in data), {})
    said = item.get("attributes", []) + data.get("mapped", {}).get("attributes", [])
    return {pair["key"]: pair.get("value") or {} for pair in said}


def said_in_bodies(events: list[dict]) -> set[str]:
    bodies = (value for event in events for key, value in attributes(event).items() if key in BODIES)
    return {text for value in bodies for text in messages(otlp_json.plain(value)) if len(text) >= TEXT_CHARS_MIN}


def names_and_ids(events: list[dict]) -> set[str]:
    """Values of keys that say who, which and where: an answer may be one word, and that word the name of an agent."""
    kept = ("name", "id", "model", "mime_type")
    return {
        value["stringValue"]
        for event in events
        for key, value in attributes(event).items()
        if key not in BODIES and key.rpartition(".")[2] in kept and isinstance(value.get("stringValue"), str)
    }


@of_each_producer()
def test_no_message_of_a_recording_is_left_when_every_body_is_withheld(files, tmp_path):
    again = mapping()
    assert again.begin({"mapping": translator().describe()}, {}) is None
    for file in files:
        before = recorded(tmp_path, file, default_policy())
        after = recorded(tmp_path, file, policy(*SIGNALS))
        everything = "\0".join(text for event in after for text in strings(event))
        left = {text for text in said_in_bodies(before) if text in everything}
        assert left <= names_and_ids(before), file
        for event in after:
            assert again.event(event) is None, file
        for event in after:
            for key, value in attributes(event).items():
                if key in BODIES:
                    texts = [text for text in messages(otlp_json.plain(value)) if text]
                    assert all(list(commitments(text)) for text in texts), f"{file}: {key}"
