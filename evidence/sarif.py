"""What every SARIF 2.1.0 log of ours has in common: one run, places in files, and its bytes.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html
Law: the same content gives the same bytes.
"""

import orjson

from evidence.canonical import JsonObject

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_UNRESERVED = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/"
)  # RFC 3986, and the separator


def one_run(run: JsonObject) -> JsonObject:
    """A log of one run."""
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [{**run, "columnKind": "unicodeCodePoints"}]}


def log_bytes(log: JsonObject) -> bytes:
    """A log as a file holds it: its members sorted, and no indentation, because services bound its size."""
    return orjson.dumps(log, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def artifact(file: str, container_sha256: str | None = None) -> JsonObject:
    """A file that was looked at."""
    found: JsonObject = {"location": {"uri": uri(file)}, "roles": ["analysisTarget"]}
    return found | ({"hashes": {"sha-256": container_sha256}} if container_sha256 else {})


def physical(file: str, index: int) -> JsonObject:
    """A file as a place; `index` is its position among the artifacts of the run."""
    return {"artifactLocation": {"uri": uri(file), "index": index}}


def message(text: str) -> JsonObject:
    """A message in plain text (section 3.11). What a file says is quoted in it, and must not become a link: `[text](address)`."""
    return {"text": text.replace("](", "] (")}


def uri(file: str) -> str:
    """A file name as a relative reference (RFC 3986): a colon in it would look like a scheme."""
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in file.encode())
