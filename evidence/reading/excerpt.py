"""The first words of what was said: messages, arguments, results, documents; or that they were withheld.

Bodies are those of the GenAI conventions: a list of messages with parts, a list of parts, or any value.
https://github.com/open-telemetry/semantic-conventions-genai

Law: an excerpt is bounded whatever it is made of, says how much there was, and never shows what only a commitment
stands for.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import orjson

from evidence.canonical import JsonObject
from evidence.checks.item import Item, mapping, plain, readable, sequence, text, withheld_in
from evidence.digest import sha256_hex
from evidence.redaction.commitment import KEY, Commitment

Form = Literal["messages", "parts", "names", "value"]

INPUT, OUTPUT = "gen_ai.input.messages", "gen_ai.output.messages"
INSTRUCTIONS = "gen_ai.system_instructions"
DEFINITIONS = "gen_ai.tool.definitions"

BODIES: Mapping[str, tuple[Form, str]] = {
    INSTRUCTIONS: ("parts", "system"),
    DEFINITIONS: ("names", "offered"),
    INPUT: ("messages", ""),
    "gen_ai.retrieval.query.text": ("value", "query"),
    "gen_ai.tool.call.arguments": ("value", "arguments"),
    "gen_ai.tool.call.result": ("value", "result"),
    "gen_ai.retrieval.documents": ("value", "documents"),
    "gen_ai.memory.records": ("value", "records"),
    OUTPUT: ("messages", ""),
    "input.value": ("value", "input"),
    "output.value": ("value", "output"),
}
"""Attributes that hold content, in the order in which they are told: what form it has, and who or what speaks."""

_UNTRANSLATED = frozenset({"input.value", "output.value"})  # told only where nothing else is

WORDS = 240
"""Characters of an excerpt, unless all are asked for."""
EXCERPTS_MAX = 64
"""Excerpts of one body; of more input messages the last ones are taken, which are the new ones."""

_MEMBERS = ("key", "speaker", "part", "words", "characters", "withheld_pieces", "digest", "repeated")
_LABELS = ("type", "role", "name", "id")
_MODEL_ROLES = frozenset({"assistant", "model"})
_CONTENT = ("content", "text", "response", "result", "arguments", "uri", "file_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """Part of one body."""

    key: str
    """The attribute it is of; `body` for the body of a log record."""
    speaker: str
    """Role of the message, or what the body is: `arguments`, `result`, `offered`."""
    part: str = "text"
    """Type of the message's part."""
    words: str = ""
    """The first characters, on one line; all of them when they were asked for."""
    characters: int = 0
    """How many there were."""
    digest: str = ""
    """First 16 hexadecimal characters of the SHA-256 of speaker, part and whole content."""
    withheld: Commitment | None = None
    """What stands for all of it."""
    withheld_pieces: int = 0
    """Pieces of it of which only a commitment is there; the words say which."""
    history: bool = False
    """Whether it is an input from before the model's last turn, which it was told again."""
    repeated: bool = False
    """Whether the same stands further up in the timeline, so that it need not be told again."""

    def to_json(self) -> JsonObject:
        """The excerpt as `timeline-v1` has it."""
        if self.withheld:
            return {
                "key": self.key,
                "speaker": self.speaker,
                "withheld": {**self.withheld.to_json(), "reason": self.withheld.reason},
            }
        return {name: getattr(self, name) for name in _MEMBERS}


def excerpts(item: Item, words: int | None = WORDS, most: int | None = EXCERPTS_MAX) -> tuple[tuple[Excerpt, ...], int]:
    """The excerpts of an item's bodies, and how many were left out.

    Args:
        item: any telemetry.
        words: characters to keep of each; None for all, with line breaks as they are.
        most: excerpts of one body; None for all.
    """
    found: list[Excerpt] = []
    left_out = 0
    for key, (form, speaker) in BODIES.items():
        value = item.attributes.get(key)
        if value is None or (found and key in _UNTRANSLATED):
            continue
        made = _excerpts(key, form, speaker, value, words)
        left = max(0, len(made) - most) if most is not None else 0
        left_out += left
        found += _with_history(made)[left:] if key == INPUT else made[: len(made) - left]
    if item.kind == "log" and not found and (body := item.received.get("body")):
        found += _excerpts("body", "value", "", body, words)
    return tuple(found), left_out


def _with_history(made: list[Excerpt]) -> list[Excerpt]:
    """Inputs, with what stands before the last turn of a model marked."""
    turns = [position for position, each in enumerate(made) if each.speaker in _MODEL_ROLES]
    last = turns[-1] + 1 if turns and turns[-1] + 1 < len(made) else 0
    return [replace(each, history=True) for each in made[:last]] + made[last:]


def one_line(value: str, length: int) -> str:
    """The text with every run of white space made one space, no longer than `length`."""
    return " ".join(value[: 4 * length].split())[:length]


def _excerpts(key: str, form: Form, speaker: str, value: JsonObject, words: int | None) -> list[Excerpt]:
    if commitment := withheld_in(value):
        return [Excerpt(key=key, speaker=speaker or key.rpartition(".")[2], withheld=commitment)]
    read = decoded(value)
    said = list(_said(form, speaker, read))
    if not said and read not in (None, "", [], {}):
        said = [(speaker or key.rpartition(".")[2], "text", _written(read))]
    return [_excerpt(key, *each, words) for each in said]


def decoded(value: JsonObject) -> Any:  # noqa: ANN401 - whatever an attribute can hold
    """The plain value of an attribute; a text that is a JSON array or object is taken for what it says."""
    found = plain(value)
    if isinstance(found, str) and found[:1] in "[{" and found:
        try:
            return orjson.loads(found)
        except orjson.JSONDecodeError:
            return found
    return found


def _said(form: Form, speaker: str, value: object) -> Iterator[tuple[str, str, str]]:
    """Speaker, type and content of each part."""
    if form == "messages":
        for message in filter(None, map(mapping, sequence(value))):
            role = text(message.get("role")) or "message"
            parts = sequence(message.get("parts"))
            yield from (_part(role, part) for part in parts)
            if not parts and (content := message.get("content")):
                yield role, "text", _written(content)
    elif form == "parts":
        yield from (_part(speaker, part) for part in sequence(value))
    elif form == "names":
        names = [
            text(mapping(tool).get("name")) or text(mapping(mapping(tool).get("function")).get("name"))
            for tool in sequence(value)
        ]
        if any(names):
            yield speaker, "tools", ", ".join(name or "?" for name in names)
    elif value not in (None, ""):
        yield speaker, "text", _written(value)


def _part(role: str, part: object) -> tuple[str, str, str]:
    members = mapping(part)
    kind = text(members.get("type")) or "text"
    if kind.endswith("tool_call"):
        arguments = members.get("arguments")
        given = "" if arguments in (None, "", {}) else _written(arguments)
        return role, kind, f"{text(members.get('name')) or '?'}({given})"
    if kind in {"blob", "file"} or "data" in members:
        about = [text(members.get(name)) for name in ("modality", "mime_type", "file_id")]
        size = len(text(members.get("data")) or text(members.get("content")))
        return role, kind, " ".join(filter(None, (*about, f"({size} characters)" if size else "")))
    for name in _CONTENT:
        if (content := members.get(name)) not in (None, ""):
            return role, kind, _written(content)
    return role, kind, _written({name: value for name, value in members.items() if name not in _LABELS} or part)


def _written(value: object) -> str:
    """A value as text: text as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value).decode()
    except (TypeError, ValueError, RecursionError):
        return "(nested too deeply to be written)"


def _excerpt(key: str, speaker: str, part: str, content: str, words: int | None) -> Excerpt:
    if commitment := withheld_in(content):
        return Excerpt(key=key, speaker=speaker[:64], part=part[:64], withheld=commitment)
    pieces = content.count(KEY) if KEY in content else 0
    content = readable(content) if pieces else content
    whole = f"{speaker}\n{part}\n{content}"
    return Excerpt(
        key=key,
        speaker=speaker[:64],
        part=part[:64],
        words=content if words is None else one_line(content, words),
        characters=len(content),
        withheld_pieces=pieces,
        digest=sha256_hex(whole.encode(errors="surrogatepass"))[:16],
    )
