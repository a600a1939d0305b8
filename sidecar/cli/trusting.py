"""The options that say whom to trust, and what follows from them: nothing is trusted that is not given here."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from evidence.regular import open_regular
from sidecar.cli.printable import printable
from sidecar.cli.verifier_keys import verifier_keys

if TYPE_CHECKING:
    from attest.trust.trust import Identity, Trust, TrustedRoot

__all__ = ["trust_options"]


class _Given(NamedTuple):
    """The options as they came."""

    keys: tuple[Path, ...]
    trusted_roots: tuple[Path, ...]
    identity: str | None
    identity_pattern: str | None
    issuer: str | None
    issuer_pattern: str | None
    require_timestamp: bool
    log_keys: tuple[str, ...]
    witnesses: tuple[str, ...]


_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_OPTIONS = (
    click.option("--key", "keys", metavar="PUB", multiple=True, type=click.Path(path_type=Path),
                 help="A public key that you trust (PEM). May be given again."),
    click.option("--trusted-root", "trusted_roots", metavar="FILE", multiple=True, type=_FILE,
                 help="A Sigstore trusted root that you trust (JSON), for certificates and timestamps. May be given again."),
    click.option("--identity", metavar="TEXT", help="Who must have signed with a certificate: exactly this subject."),
    click.option("--identity-pattern", metavar="REGEX", help="As --identity; the whole subject must match."),
    click.option("--issuer", metavar="URL", help="Who must have known the signer: exactly this issuer."),
    click.option("--issuer-pattern", metavar="REGEX", help="As --issuer; the whole issuer must match."),
    click.option("--require-timestamp", is_flag=True,
                 help="Without an RFC 3161 time of a trusted authority a bundle does not verify."),
    click.option("--log-key", "log_keys", metavar="VKEY", multiple=True,
                 help="Key of a sidecar's log that you trust (NAME+HASH+KEY): the bundle must be in it. May be given again."),
    click.option("--witness", "witnesses", metavar="VKEY", multiple=True,
                 help="Key of a witness that must have cosigned the log's checkpoint. May be given again."),
)  # fmt: skip


def trust_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """The options about trust, which reach the verb as one argument `trust`: a `Trust`, or None when none was given."""

    @functools.wraps(verb)
    def with_trust(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever the verb takes and gives
        given = _Given(**{name: options.pop(name) for name in _Given._fields})
        return verb(*arguments, trust=_trust(given), **options)

    for option in reversed(_OPTIONS):
        with_trust = option(with_trust)
    return with_trust


def _trust(given: _Given) -> Trust | None:
    """What the options amount to.

    Raises:
        UsageError: a file is not what it should be, or options make no sense together.
    """
    from attest.errors import AttestError
    from attest.tlog.note import COSIGNATURE_V1, ED25519
    from attest.trust.trust import Required, Trust

    _refuse_pairs(given)
    if not (given.keys or given.trusted_roots):
        return None
    try:
        keys = Trust.load(given.keys).keys if given.keys else ()
    except (AttestError, OSError) as error:
        raise click.UsageError(printable(f"--key: {error}")) from error
    identities = _identities(given)
    return Trust(
        keys=keys,
        roots=tuple(_root(path) for path in given.trusted_roots),
        identities=identities,
        logs=tuple(map(str, verifier_keys("--log-key", given.log_keys, ED25519))),
        witnesses=tuple(map(str, verifier_keys("--witness", given.witnesses, COSIGNATURE_V1))),
        required=Required(
            timestamps=int(given.require_timestamp),
            sidecar_log=bool(given.log_keys),
            witnesses=len(given.witnesses),
        ),
    )


def _refuse_pairs(given: _Given) -> None:
    """Say what is wrong with options that make no sense together, the first of them."""
    who = given.identity or given.identity_pattern
    by_whom = given.issuer or given.issuer_pattern
    for wrong, reason in (
        (given.identity and given.identity_pattern, "--identity and --identity-pattern say the same thing twice."),
        (given.issuer and given.issuer_pattern, "--issuer and --issuer-pattern say the same thing twice."),
        (who and not by_whom, "--identity says nothing without --issuer: anybody may issue a certificate for a name."),
        (by_whom and not who, "--issuer trusts everybody that it knows; add --identity or --identity-pattern."),
        (who and not given.trusted_roots, "--identity is about certificates, which need a --trusted-root."),
        (given.trusted_roots and not who and not given.keys,
         "--trusted-root says who may issue, not who may sign: add --identity and --issuer, or --key."),
        (given.require_timestamp and not given.trusted_roots,
         "--require-timestamp needs the --trusted-root of the authority that dates."),
        (given.log_keys and not (given.keys or given.trusted_roots),
         "--log-key says where a bundle is listed, not who may sign: add --key, or --trusted-root."),
        (given.witnesses and not given.log_keys, "--witness is about a log: add its --log-key."),
    ):  # fmt: skip
        if wrong:
            raise click.UsageError(reason)


def _root(path: Path) -> TrustedRoot:
    from attest.errors import AttestError
    from attest.limits import DEFAULT
    from attest.trust.roots import read_root, trusted_root

    try:
        with open_regular(path) as file:
            root = trusted_root(file.read(DEFAULT.trusted_root_bytes_max + 1), path.name)
        read_root(root)
    except OSError as error:
        raise click.UsageError(printable(f"--trusted-root: {path}: {error.strerror or error}")) from error
    except AttestError as error:
        raise click.UsageError(printable(f"--trusted-root: {error}")) from error
    return root


def _identities(given: _Given) -> tuple[Identity, ...]:
    from attest.errors import AttestError
    from attest.policy.sense import any_identity, any_issuer
    from attest.trust.identity_pattern import compiled
    from attest.trust.trust import Identity

    for option, pattern in (("--identity-pattern", given.identity_pattern), ("--issuer-pattern", given.issuer_pattern)):
        try:
            if pattern is not None:
                compiled(pattern)
        except AttestError as error:
            raise click.UsageError(f"{option}: {error}") from error
    if not (given.identity or given.identity_pattern):
        return ()
    identity = Identity(
        identity=given.identity,
        identity_pattern=given.identity_pattern,
        issuer=given.issuer,
        issuer_pattern=given.issuer_pattern,
    )
    if any_identity(identity) and any_issuer(identity):
        raise click.UsageError(
            "--identity-pattern and --issuer-pattern take anything: anyone who can get a certificate."
        )
    return (identity,)
