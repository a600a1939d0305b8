"""`manifest.json` of an evidence bundle: everything about a part that its event lines do not say, under one digest.

Law: `bundle_id` is the SHA-256 of the canonical manifest without it, so no claim in a manifest can change while the id
stays. A member that this version does not know is refused: nothing unread may look attested.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from evidence.canonical import JsonObject, canonical, parse_object
from evidence.container import ustar
from evidence.digest import is_sha256_hex, is_tagged, sha256_hex
from evidence.errors import BundleError, CanonicalError, UnknownFormatError
from evidence.event import RUN_ID
from evidence.limits import Limits
from evidence.run import CLOSE_REASONS
from evidence.timestamp import is_time

SCHEMA_VERSION = "evidence-bundle-v1"
MERKLE_ALG = "rfc9162-sha256"

MANIFEST = "manifest.json"
EVENTS = "events.ndjson"
PACKS = "packs/"
PROFILES = "profiles/"
CLOSURE = "reports/closure.json"
MAPPING_LOSS = "reports/mapping-loss.json"
FORMULA_RECEIPTS = "reports/formula-receipts.json"
DRIFT = "reports/drift.json"

DERIVED = (CLOSURE, FORMULA_RECEIPTS)
"""Members that name the manifest's digest, so the manifest cannot name theirs; they are recomputed and attested."""


def seal_manifest(content: JsonObject) -> bytes:
    """The bytes of the manifest with its `bundle_id`; `content` is everything else."""
    return canonical({**content, "bundle_id": bundle_id(content)})


def bundle_id(manifest: JsonObject) -> str:
    """The id of a bundle: SHA-256, in hexadecimal, of its canonical manifest without `bundle_id`."""
    return sha256_hex(canonical({name: value for name, value in manifest.items() if name != "bundle_id"}))


def member_order(manifest: JsonObject) -> list[str]:
    """Every member of the bundle in the order of its container."""
    listed = [entry["path"] for entry in manifest["files"]]
    names = [MANIFEST, EVENTS, *sorted(name for name in listed if name.startswith((PACKS, PROFILES)))]
    reports = (CLOSURE, MAPPING_LOSS, FORMULA_RECEIPTS, DRIFT)
    return names + [name for name in reports if name in DERIVED or name in listed]


def read_manifest(data: bytes, limits: Limits) -> JsonObject:
    """Decode and check a manifest by itself.

    Raises:
        UnknownFormatError: it says that it is of another version.
        BundleError: it is not canonical JSON, a member is missing, unknown or not what it must be, or the id is wrong.
    """
    try:
        manifest = parse_object(data, depth_max=limits.json_depth_max)
    except CanonicalError as error:
        raise BundleError("manifest", str(error)) from error
    version = manifest.get("schema_version")
    if version != SCHEMA_VERSION:
        raise UnknownFormatError("manifest", f"schema_version: expected {SCHEMA_VERSION}, got {str(version)[:100]!r}")
    try:
        _MANIFEST[0](manifest)
    except BundleError as error:
        raise BundleError("manifest", f"manifest{error.reason}") from error
    _check_sums(manifest, limits)
    # canonical without the member is the text without it: only `amends`, which is checked by now, may stand before
    without = data.replace(b'"bundle_id":"%b",' % manifest["bundle_id"].encode(), b"", 1)
    if manifest["bundle_id"] != sha256_hex(without):
        raise BundleError("manifest", f"bundle_id: expected {bundle_id(manifest)}, got {manifest['bundle_id']}")
    return manifest


# ------------------------------------------------------------------ shapes

_Rule = tuple[Callable[[Any], bool], str]
"""A test and the words for what it takes. A test of an object may raise with the place inside it."""


def _object(required: Mapping[str, _Rule], optional: Mapping[str, _Rule]) -> _Rule:
    known = {**required, **optional}

    def test(value: object) -> bool:
        if not isinstance(value, dict):
            return False
        for name, rule in required.items():
            if name not in value:
                raise BundleError("manifest", f"/{name}: expected {rule[1]}, got nothing")
        for name, item in value.items():
            if name not in known:
                raise BundleError("manifest", f": unknown member {name[:200]!r}")
            _hold(name, item, known[name])
        return True

    return test, "an object"


def _list(item: _Rule) -> _Rule:
    def test(value: object) -> bool:
        if not isinstance(value, list):
            return False
        for position, entry in enumerate(value):
            _hold(position, entry, item)
        return True

    return test, "an array"


def _repeated(rule: _Rule) -> _Rule:
    """The same rule, for what one installation writes into every manifest: what equals the last that was accepted is accepted.

    For texts alone, which equal nothing else: to Python 1 is true.
    """
    accepted: list[Any] = []

    def test(value: object) -> bool:
        if accepted and value == accepted[0]:
            return True
        if not rule[0](value):
            return False
        accepted[:] = [orjson.loads(orjson.dumps(value))]  # a copy, which nobody changes
        return True

    return test, rule[1]


def _hold(where: str | int, value: object, rule: _Rule) -> None:
    """Raise when a value is not as its rule says, with the place, which those around it go before."""
    test, expected = rule
    try:
        if test(value):
            return
    except BundleError as error:
        raise BundleError("manifest", f"/{where}{error.reason}") from error
    raise BundleError("manifest", f"/{where}: expected {expected}, got {str(value)[:200]!r}")


_TEXT: _Rule = (lambda v: isinstance(v, str) and 0 < len(v) <= 2048, "a non-empty string")
_COUNT: _Rule = (lambda v: type(v) is int and v >= 0, "an integer of 0 or more")
_POSITIVE: _Rule = (lambda v: type(v) is int and v >= 1, "an integer of 1 or more")
_HEX: _Rule = (is_sha256_hex, "64 lower-case hexadecimal characters")
_TAGGED: _Rule = (is_tagged, "sha256:<64 hex>")
_TIME: _Rule = (is_time, "RFC 3339 in UTC with nine fractional digits and Z")
_RUN_ID: _Rule = (lambda v: isinstance(v, str) and RUN_ID.fullmatch(v) is not None, RUN_ID.pattern)
_PATH: _Rule = (lambda v: isinstance(v, str) and ustar.NAME.fullmatch(v) is not None, "a plain relative path")


def _one_of(*values: str) -> _Rule:
    return (lambda v: v in values, f"one of {', '.join(values)}")


_HEALTH: _Rule = (
    lambda v: isinstance(v, dict) and all(type(count) in {int, bool} and count >= 0 for count in v.values()),
    "an object of counts and booleans",
)
_LIMITS: _Rule = (
    lambda v: isinstance(v, dict) and all(type(bound) is int and bound > 0 for bound in v.values()),
    "an object of positive integers",
)
_TABLE = _object({"id": _TEXT, "version": _TEXT, "digest": _TAGGED}, {})
_PACK = _object({"name": _TEXT, "version": _TEXT, "digest": _TAGGED, "kind": _TEXT}, {"source_url": _TEXT})
_MEMBERS: Mapping[str, _Rule] = {
    "schema_version": _one_of(SCHEMA_VERSION),
    "bundle_id": _HEX,
    "run_id": _RUN_ID,
    "part": _POSITIVE,
    "producer": _object({"name": _TEXT, "version": _TEXT}, {}),
    "opened_at": _TIME,
    "closed_at": _TIME,
    "close_reason": _one_of(*CLOSE_REASONS),
    "event_count": _POSITIVE,
    "first_seq": _COUNT,
    "last_seq": _COUNT,
    "merkle": _object({"alg": _one_of(MERKLE_ALG), "tree_size": _POSITIVE, "root": _HEX}, {}),
    "files": _list(_object({"path": _PATH, "sha256": _HEX, "bytes": _COUNT}, {})),
    "mapping": _repeated(_object({"target": _TABLE, "profiles": _list(_TABLE)}, {})),
    "scoring": _repeated(
        _object(
            {
                "signals": _object({"version": _TEXT, "digest": _TAGGED}, {}),
                "formulas": _list(_object({"id": _TEXT, "version": _TEXT}, {})),
            },
            {},
        )
    ),
    "capture_health": _HEALTH,
    "limits": _LIMITS,
    "x-assay": _repeated(
        _object(
            {
                "packs_applied": _list(_PACK),
                "mappings": _list(_object({"rule": _TEXT, "framework": _TEXT, "ref": _TEXT}, {})),
            },
            {},
        )
    ),
}
_OPTIONAL: Mapping[str, _Rule] = {
    "amends": _HEX,
    "previous_bundle": _object({"bundle_id": _HEX, "manifest_sha256": _HEX}, {}),
    "redaction": _object({"policy_digest": _TAGGED}, {}),
}
_MANIFEST = _object(_MEMBERS, _OPTIONAL)


def _check_sums(manifest: JsonObject, limits: Limits) -> None:
    """What must hold between the members of a manifest."""
    count, first, last = manifest["event_count"], manifest["first_seq"], manifest["last_seq"]
    if count > limits.events_max:
        raise BundleError("manifest", f"event_count: expected at most {limits.events_max}, got {count}")
    if last - first + 1 != count:
        raise BundleError("manifest", f"last_seq: expected {first + count - 1} for {count} events, got {last}")
    if manifest["merkle"]["tree_size"] != count:
        raise BundleError("manifest", f"merkle/tree_size: expected {count}, got {manifest['merkle']['tree_size']}")
    if manifest["part"] == 1 and first != 0:
        raise BundleError("manifest", f"first_seq: expected 0 in part 1, got {first}")
    _check_files(manifest["files"])


def _check_files(files: Sequence[JsonObject]) -> None:
    paths = [entry["path"] for entry in files]
    if len(set(paths)) != len(paths):
        raise BundleError("manifest", "files: a path is listed twice")
    for path in paths:
        if path not in {EVENTS, MAPPING_LOSS, DRIFT} and not path.startswith((PACKS, PROFILES)):
            raise BundleError("manifest", f"files: {path!r} has no place in a bundle")
    for path in (EVENTS, MAPPING_LOSS):
        if path not in paths:
            raise BundleError("manifest", f"files: expected {path}, got nothing")
    expected = [path for path in member_order({"files": files}) if path not in {MANIFEST, *DERIVED}]
    if paths != expected:
        raise BundleError("manifest", f"files: expected the order of the members, {expected}")
