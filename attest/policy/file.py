"""An auditor's policy as a file: YAML, read strictly, `affidavit.policy.v1`.

Laws: an unknown key is an error at every level, and every error names file and line; a policy that trusts nobody, and a threshold
that nothing can miss, are errors; the policy's digest is over the bytes of its file.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from attest.errors import PolicyError
from attest.limits import DEFAULT, AttestLimits
from attest.policy.policy import CONFIDENCES, PackThreshold, Policy, Thresholds
from attest.policy.trusted import KEYS, moment, read_trust
from evidence.digest import is_sha256_hex
from evidence.errors import PackError
from evidence.regular import open_regular
from evidence.signals import registry
from evidence.strict_yaml import BYTES_MAX, Node, load

SCHEMA = "affidavit.policy.v1"
"""The one schema read."""

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_THRESHOLDS = ("packs", "closure", "mapping_loss", "capture_health")
_FLAGS = frozenset({"unopened", "unclosed", "sender_uncounted"})


def read_policy(path: Path, *, limits: AttestLimits = DEFAULT) -> Policy:
    """Read the policy at `path`, and the keys and roots it names, whose paths are relative to it.

    Does not check: whether it has expired (there is no clock here), and what is in a trusted root beyond its digest.

    Raises:
        PolicyError: with file and line: unreadable, not of this schema, a key unknown or missing, a file that is not the one
            it was written for, nobody trusted, or something asked for that nothing can meet, or that nothing can miss.
    """
    try:
        with open_regular(path) as file:
            data = file.read(BYTES_MAX + 1)
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read: {error.strerror or error}") from error
    try:
        return _policy(data, path, limits)
    except PackError as error:  # the YAML reader's own class: the message is whole
        raise PolicyError(str(error)) from error


def _policy(data: bytes, path: Path, limits: AttestLimits) -> Policy:
    root = load(data, str(path))
    schema = root.entries().get("schema")
    if schema is None or schema.value != SCHEMA:
        (schema or root).fail(f"expected 'schema: {SCHEMA}'")
    members = root.mapping(["schema", "name", "version"], ["expires", *KEYS, *_THRESHOLDS])
    trust, warnings = read_trust(root, members, path.parent, limits)
    thresholds = _thresholds(members)
    return Policy(
        name=_plain(members["name"]),
        version=_plain(members["version"]),
        digest=f"sha256:{hashlib.sha256(data).hexdigest()}",
        expires=moment(members["expires"]) if "expires" in members else None,
        trust=trust,
        thresholds=thresholds,
        warnings=(*warnings, *_missing(members, thresholds)),
    )


def _plain(node: Node) -> str:
    text = node.text()
    if _NAME.fullmatch(text) is None:
        node.fail(f"expected letters, digits, '.', '_' and '-', at most 100, got {text[:80]!r}")
    return text


def _missing(members: Mapping[str, Node], thresholds: Thresholds) -> list[str]:
    warnings = [] if "expires" in members else ["it never expires: what is trusted today is trusted for ever"]
    if thresholds == Thresholds():
        warnings.append("it asks nothing of what a bundle holds: any whole bundle of a trusted signer is enough")
    if "mapping_loss" in members and "built_in_tables" not in members["mapping_loss"].entries():
        warnings.append(
            "a bundle may carry translation tables of its own, by which less is lost: say 'built_in_tables' true or false"
        )
    for pack in thresholds.packs:
        if pack.digest is None:
            known = f"'affidavit packs digest {pack.name}' prints the one known here"
            warnings.append(
                f"the pack {pack.name} is not pinned: whoever seals can bring another of that name; {known}"
            )
    return warnings


# ------------------------------------------------------------------ thresholds


def _thresholds(members: Mapping[str, Node]) -> Thresholds:
    for name in _THRESHOLDS:
        if name in members and not members[name].value:
            members[name].fail(f"an empty {name!r} asks for nothing; expected a threshold, or no {name!r} at all")
    closure = members["closure"].mapping([], ["min", "confidence_min"]) if "closure" in members else {}
    loss = (
        members["mapping_loss"].mapping([], ["dropped_ratio_max", "dropped_major_max", "built_in_tables"])
        if "mapping_loss" in members
        else {}
    )
    return Thresholds(
        packs=_packs(members["packs"]) if "packs" in members else (),
        closure_min=_above_none(closure["min"]) if "min" in closure else None,
        confidence_min=_confidence(closure["confidence_min"]) if "confidence_min" in closure else None,
        dropped_ratio_max=_below_all(loss["dropped_ratio_max"]) if "dropped_ratio_max" in loss else None,
        dropped_major_max=loss["dropped_major_max"].count() if "dropped_major_max" in loss else None,
        built_in_tables=loss["built_in_tables"].boolean() if "built_in_tables" in loss else False,
        capture_max=_capture(members["capture_health"]) if "capture_health" in members else {},
    )


def _packs(node: Node) -> tuple[PackThreshold, ...]:
    found: list[PackThreshold] = []
    for item in node.items():
        pack = item.mapping(["name", "completeness_min"], ["digest"])
        name = _plain(pack["name"])
        if name in {other.name for other in found}:
            item.fail(f"the pack {name!r} stands twice; expected one threshold for each")
        digest = _tagged(pack["digest"]) if "digest" in pack else None
        found.append(PackThreshold(name=name, digest=digest, completeness_min=_share(pack["completeness_min"])))
    return tuple(found)


def _tagged(node: Node) -> str:
    text = node.text()
    if not text.startswith("sha256:") or not is_sha256_hex(text.removeprefix("sha256:")):
        node.fail(
            f"expected sha256: and 64 lower-case hexadecimal digits, as 'affidavit packs digest' says it, got {text[:90]!r}"
        )
    return text


def _share(node: Node) -> float:
    share = node.number()
    if not 0 <= share <= 1:
        node.fail(f"expected a share from 0 to 1, got {share:g}")
    return share


def _above_none(node: Node) -> float:
    share = _share(node)
    if share == 0:
        node.fail("a minimum of 0 is missed by nothing; expected more than 0, or none at all")
    return share


def _below_all(node: Node) -> float:
    share = _share(node)
    if share == 1:
        node.fail("a maximum of 1 is missed by nothing; expected less than 1, or none at all")
    return share


def _confidence(node: Node) -> str:
    word = node.one_of(CONFIDENCES)
    if word == CONFIDENCES[0]:
        node.fail(f"a minimum of {word!r} is missed by nothing; expected {' or '.join(CONFIDENCES[1:])}")
    return word


def _capture(node: Node) -> dict[str, int]:
    known = registry().counters
    maxima: dict[str, int] = {}
    for name, member in node.entries().items():
        if name not in known:
            member.fail(f"capture health has no counter {name[:80]!r}; known: {', '.join(sorted(known))}")
        maxima[name] = member.count()
        if name in _FLAGS and maxima[name] > 0:
            member.fail(
                f"{name} is yes or no and counts as 1: a maximum of {maxima[name]} is missed by nothing; expected 0"
            )
    return maxima
