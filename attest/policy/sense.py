"""Whether the trust that a policy gives makes sense as a whole: nothing twice, nothing that can never be met, and what is weak by name.

Law: a policy that nobody can meet, and one that trusts nobody, is refused where it is written; what somebody may want is a warning.
"""

from collections.abc import Mapping, Sequence

from attest.trust.identity_pattern import takes_anyone
from attest.trust.roots import Root, dating
from attest.trust.trust import Identity, Required, Trust
from evidence.strict_yaml import Node


def refuse_nonsense(root: Node, members: Mapping[str, Node], trust: Trust, roots: Sequence[Root]) -> None:
    """Refuse what stands twice, what trusts nobody, and what is asked for and can never be met.

    Args:
        root: the whole file, for what is wrong with all of it.
        members: its members.
        trust: what they came to.
        roots: its trusted roots, read.

    Raises:
        PackError: with file and line.
    """
    _refuse_twice(members, trust)
    _refuse_impossible(root, members, trust)
    _refuse_absent(members, trust, roots)


def any_identity(identity: Identity) -> bool:
    """Whether its pattern takes whatever a certificate says of its owner."""
    return identity.identity_pattern is not None and takes_anyone(identity.identity_pattern)


def any_issuer(identity: Identity) -> bool:
    """Whether its pattern takes whoever issued a certificate."""
    return identity.issuer_pattern is not None and takes_anyone(identity.issuer_pattern)


def _refuse_twice(members: Mapping[str, Node], trust: Trust) -> None:
    named: Mapping[str, Sequence[object]] = {
        "keys": [key.public.fingerprint for key in trust.keys],
        "roots": [root.sha256 for root in trust.roots],
        "identities": trust.identities,
        "logs": trust.logs,
        "witnesses": trust.witnesses,
    }
    for name, values in named.items():
        for at, value in enumerate(values):
            if value in values[:at]:
                members[name].items()[at].fail(f"the same of {name} stands twice; expected each once")


def _refuse_impossible(root: Node, members: Mapping[str, Node], trust: Trust) -> None:
    """What this policy asks for and nothing can ever meet."""
    required = trust.required
    if not trust.keys and not trust.identities:
        root.fail("it trusts nobody: expected 'keys', or 'identities' with 'roots'")
    if trust.identities and not trust.roots:
        members["identities"].fail("no certificate can be checked without 'roots'; expected at least one")
    if required.timestamps and not trust.roots:
        members["require"].fail("no timestamp can be checked without 'roots'; expected at least one")
    if required.delay_seconds_max is not None and not trust.roots:
        members["require"].fail("no time of signing can be proven without 'roots'; expected at least one")
    if not trust.identities and required.signers > len(trust.keys):
        members["require"].fail(f"{required.signers} signers of {len(trust.keys)} trusted keys can never sign")
    if (required.sidecar_log or required.witnesses) and not trust.logs:
        members["require"].fail("no proof of a sidecar's log can be checked without 'logs'; expected at least one")
    if required.witnesses > len(trust.witnesses):
        members["require"].fail(f"{required.witnesses} of {len(trust.witnesses)} trusted witnesses can never cosign")
    if trust.witnesses and not trust.logs:
        members["witnesses"].fail("witnesses cosign the checkpoints of a sidecar's log; expected 'logs' as well")


def _refuse_absent(members: Mapping[str, Node], trust: Trust, roots: Sequence[Root]) -> None:
    """What is asked of authorities that no root has."""
    if trust.identities and not any(root.authorities for root in roots):
        members["identities"].fail("no root has a certificate authority; expected one that issues for them")
    most = _most_timestamps(trust, roots)
    if trust.required.timestamps > most:
        asked = f"{trust.required.timestamps} timestamps of {most} timestamp authorities"
        members["require"].fail(f"{asked} can never be had; expected a root that has as many")


def _most_timestamps(trust: Trust, roots: Sequence[Root]) -> int:
    """Of how many authorities one signature can be dated: a key's by those of all roots, a certificate's by those of its own."""
    together = [roots] if trust.keys else [dating(root, roots) for root in roots if root.authorities]
    return max(len({one.chain[-1] for root in some for one in root.timestamp_authorities}) for some in together)


def weaknesses(trust: Trust) -> list[str]:
    """What somebody may want, and everybody who relies on the policy should know."""
    warnings = []
    if len(trust.roots) > 1 and any(identity.root_sha256 is None for identity in trust.identities):
        warnings.append("of several roots any may issue for an identity that names none: say 'root' with each identity")
    for identity in trust.identities:
        if any_identity(identity):
            warnings.append(f"anyone whom the issuer {identity.issuer or identity.issuer_pattern} knows may sign")
        if any_issuer(identity):
            name = identity.identity or identity.identity_pattern
            warnings.append(f"any issuer that a root lets in may say that somebody is {name}")
    if trust.roots and not trust.identities and not _asks_for_time(trust.required):
        warnings.append("roots without identities: no certificate is trusted, and no time is asked of them either")
    if trust.logs and not trust.required.sidecar_log:
        warnings.append("logs without 'sidecar_log: true': a bundle without a proof is let through")
    if trust.witnesses and not trust.required.witnesses:
        warnings.append("witnesses without 'require: witnesses': a checkpoint that none cosigned is let through")
    dated = [key for key in trust.keys if key.valid_from or key.valid_until or key.revoked_at]
    if dated and not trust.required.timestamps:
        warnings.append(
            "keys have times and no timestamp is required: a signature by one of them that nothing dates is undecided"
        )
    return warnings


def _asks_for_time(required: Required) -> bool:
    return bool(required.timestamps) or required.delay_seconds_max is not None
