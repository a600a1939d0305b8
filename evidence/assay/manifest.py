"""`manifest.json` of an Assay bundle, read by itself.

Law: strict where its own reader is lenient. It is canonical, says nothing but what the format names, and its list of
algorithms is the one there is: a claim that nobody checks is refused, not passed on.
"""

from collections.abc import Callable, Mapping
from typing import Any

from evidence.assay.container import EVENTS
from evidence.assay.limits import AssayLimits
from evidence.canonical import JsonObject, canonical, parse_object
from evidence.digest import is_tagged
from evidence.errors import BundleError, CanonicalError, UnknownFormatError

SCHEMA_VERSION = 1
ALGORITHMS: Mapping[str, str] = {
    "canon": "jcs-rfc8785",
    "hash": "sha256",
    "root": 'sha256(concat(content_hash + "\\n"))',
}
"""How digests are made: one constant text in every manifest."""

_Rule = tuple[Callable[[Any], bool], str]
_TEXT: _Rule = (lambda v: isinstance(v, str) and v != "", "a non-empty string")
_COUNT: _Rule = (lambda v: type(v) is int and v >= 0, "an integer of 0 or more")
_TAGGED: _Rule = (is_tagged, "sha256:<64 hex>")
_OBJECT: _Rule = (lambda v: isinstance(v, dict), "an object")

_MANIFEST: Mapping[str, _Rule] = {
    "algorithms": _OBJECT,
    "bundle_id": _TAGGED,
    "event_count": _COUNT,
    "files": _OBJECT,
    "producer": _OBJECT,
    "run_id": (lambda v: isinstance(v, str) and v != "" and ":" not in v, "a non-empty string without a colon"),
    "run_root": _TAGGED,
    "schema_version": (lambda v: type(v) is int and v == SCHEMA_VERSION, "1"),
}
_PRODUCER: Mapping[str, _Rule] = {"name": _TEXT, "version": _TEXT}
_FILE: Mapping[str, _Rule] = {"path": (lambda v: v == EVENTS, EVENTS), "sha256": _TAGGED, "bytes": _COUNT}


def read_manifest(data: bytes, limits: AssayLimits) -> JsonObject:
    """Decode and check a manifest by itself. `bundle_id` is held to the run root once that is known.

    Raises:
        UnknownFormatError: it says that it is of another version.
        BundleError: not canonical JSON, or a member is missing, unknown, null or not what it must be.
    """
    try:
        manifest = parse_object(data, depth_max=limits.json_depth_max)
    except CanonicalError as error:
        raise BundleError("manifest", str(error)) from error
    version = manifest.get("schema_version")
    if type(version) is int and version != SCHEMA_VERSION:
        raise UnknownFormatError("manifest", f"Assay's schema_version: expected {SCHEMA_VERSION}, got {version}")
    _check("manifest", manifest, _MANIFEST, {})
    _check("producer", manifest["producer"], _PRODUCER, {"git": _TEXT})
    if manifest["algorithms"] != ALGORITHMS:
        raise BundleError(
            "manifest", f"algorithms: expected {dict(ALGORITHMS)}, got {str(manifest['algorithms'])[:200]}"
        )
    if list(manifest["files"]) != [EVENTS]:
        raise BundleError("manifest", f"files: expected {EVENTS} alone, got {str(list(manifest['files']))[:200]}")
    _check(f"files.{EVENTS}", manifest["files"][EVENTS], _FILE, {})
    if not 1 <= manifest["event_count"] <= limits.events_max:
        raise BundleError("manifest", f"event_count: expected 1 to {limits.events_max}, got {manifest['event_count']}")
    return manifest


def make_manifest(
    *, run_id: str, producer: Mapping[str, str], event_count: int, run_root: str, events_sha256: str, events_bytes: int
) -> bytes:
    """The bytes of the manifest of these events. `run_root` is tagged, `events_sha256` bare hexadecimal."""
    return canonical(
        {
            "algorithms": dict(ALGORITHMS),
            "bundle_id": run_root,
            "event_count": event_count,
            "files": {EVENTS: {"path": EVENTS, "sha256": f"sha256:{events_sha256}", "bytes": events_bytes}},
            "producer": dict(producer),
            "run_id": run_id,
            "run_root": run_root,
            "schema_version": SCHEMA_VERSION,
        }
    )


def _check(where: str, value: object, required: Mapping[str, _Rule], optional: Mapping[str, _Rule]) -> None:
    if not isinstance(value, dict):
        raise BundleError("manifest", f"{where}: expected an object, got {str(value)[:100]!r}")
    for name in required:
        if name not in value:
            raise BundleError("manifest", f"{where}: expected {name}, got nothing")
    for name, item in value.items():
        rule = required.get(name) or optional.get(name)
        if rule is None:
            raise BundleError("manifest", f"{where}: unknown member {name[:100]!r}, which nothing binds")
        if not rule[0](item):
            raise BundleError("manifest", f"{where}.{name}: expected {rule[1]}, got {str(item)[:100]!r}")
