"""The tools that a model was offered, told apart by what is said of them.

Law: equal definitions have equal words, in whatever order or wrapping a framework writes them.
"""

from collections.abc import Iterator
from typing import Any

from evidence.canonical import JsonObject, canonical
from evidence.checks.item import mapping, sequence, text
from evidence.digest import sha256_hex
from evidence.errors import CanonicalError
from evidence.reading.excerpt import decoded


def offered_tools(value: JsonObject | None) -> Iterator[tuple[str, str]]:
    """Name of each tool in the OTLP/JSON value of `gen_ai.tool.definitions`, and what is said of it, as digests in words."""
    for entry in sequence(decoded(value)) if value else ():
        tool = mapping(entry)
        tool = tool | mapping(tool.get("function"))
        if name := text(tool.get("name")):
            schema = next((tool[key] for key in ("parameters", "input_schema", "inputSchema") if key in tool), None)
            said = (("description", tool.get("description")), ("parameters", _parsed(schema)))
            yield name, " ".join(f"{what} {_digest(each)}" for what, each in said if each) or "only its name"


def _parsed(value: Any) -> Any:  # noqa: ANN401 - JSON
    return decoded({"stringValue": value}) if isinstance(value, str) else value


def _digest(value: object) -> str:
    try:
        return sha256_hex(canonical(value))[:16]
    except CanonicalError:
        return sha256_hex(repr(value).encode(errors="surrogatepass"))[:16]
