"""`affidavit log`: the sidecar's append-only log of what it sealed: shown, proven from, and verified offline."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from evidence.regular import open_regular
from sidecar.cli.colours import outcome_word, verdict_word
from sidecar.cli.lazy import lazy_group
from sidecar.cli.printable import printable
from sidecar.cli.verifier_keys import verifier_keys

if TYPE_CHECKING:
    from attest.log_audit import LogAudit, Older
    from attest.tlog.checkpoint import Checkpoint

_SHOWN_MAX = 20
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_log_option = click.option("--log", "folder", metavar="DIR", type=_FOLDER, help="The log's folder.")
_json_option = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")


log = lazy_group(
    "log",
    """The append-only log of sealed bundles.

    Every bundle that a sidecar seals is a leaf of its log. Keep a checkpoint from time to time: later it shows whether a bundle was
    deleted, rewritten or left out. docs/log.md says how.
    """,
    {
        "show": ("sidecar.cli.log:show", "Show a log's checkpoint and key."),
        "prove": ("sidecar.cli.log:prove", "Prove that a bundle is in a log, or that a log has only grown."),
        "verify": (
            "sidecar.cli.log:verify",
            "Verify that bundles are all that was logged, and that a log has only grown.",
        ),
    },
)


@click.command()
@_log_option
@_json_option
def show(folder: Path | None, *, as_json: bool) -> None:
    """Show a log's checkpoint: origin, size, root, who signed. Without --log: the log of the sidecar configured here, with its key.

    What is shown is what the folder says; nothing is verified.
    """
    from attest.tlog.reader import read_checkpoint_file

    vkey = None
    if folder is None:
        folder, vkey = _configured()
    checkpoint = read_checkpoint_file(folder)
    facts = {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "key": vkey,
        "signatures": [{"name": one.name, "key_id": one.key_id.hex()} for one in checkpoint.note.signatures],
    }
    if as_json:
        _print_json({"schema_version": "log-checkpoint-v1", **facts, "checkpoint": str(checkpoint)})
        return
    for name in ("origin", "size", "root", "key"):
        if facts[name] is not None:
            click.echo(f"{name:10} {printable(str(facts[name]))}")
    for one in checkpoint.note.signatures:
        click.echo(f"{'signed by':10} {printable(one.name)} {one.key_id.hex()}")


@click.command()
@click.argument("bundle", required=False, type=_FILE)
@_log_option
@click.option("--since", metavar="CHECKPOINT", type=_FILE, help="Prove that this older checkpoint is a prefix.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it there instead of printing it.")
def prove(bundle: Path | None, *, folder: Path | None, since: Path | None, out: Path | None) -> None:
    """Print the proof that BUNDLE is in the log (c2sp.org/tlog-proof), or that the log extends an older checkpoint.

    Kept beside its bundle as NAME.tlog-proof, a proof is found by `affidavit log verify`. One for --since is what a checkpoint file is,
    with the proof before it, and is given as --checkpoint. Nothing else is needed to verify either.
    """
    from attest.log_audit import hold
    from attest.tlog.checkpoint import read_checkpoint
    from attest.tlog.proof import write_growth, write_proof
    from attest.tlog.reader import LogReader
    from sidecar.errors import SidecarError

    if (bundle is None) == (since is None):
        raise click.UsageError("Give either BUNDLE or --since CHECKPOINT.")
    reader = LogReader(folder or _configured()[0])
    if since is not None:
        old = read_checkpoint(_read(since))
        text = write_growth(old.size, reader.prove_since(old), reader.checkpoint)
    else:
        (held,) = hold([Path(str(bundle))])
        if held.digest is None:
            raise SidecarError(f"{bundle}: {held.refused}")
        index = reader.find(held.digest)
        if index is None:
            raise SidecarError(f"{bundle} is not in the log: manifest sha256 {held.digest.hex()}")
        text = write_proof(reader.prove(index), reader.checkpoint)
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text)


@click.command()
@click.argument("paths", metavar="[BUNDLE|FOLDER]...", nargs=-1, type=click.Path(path_type=Path, exists=True))
@_log_option
@click.option(
    "--checkpoint", metavar="FILE", type=_FILE, help="A checkpoint instead of a log: bundles bring their own proofs."
)
@click.option(
    "--log-key", "log_keys", metavar="VKEY", multiple=True, help="Key of the log that you trust (NAME+HASH+KEY)."
)
@click.option(
    "--since",
    metavar="CHECKPOINT",
    multiple=True,
    type=_FILE,
    help="A checkpoint (or proof) that was kept: the log must extend it. May be given again.",
)
@click.option(
    "--witness",
    "witnesses",
    metavar="VKEY",
    multiple=True,
    help="A witness that must have cosigned. May be given again.",
)
@_json_option
def verify(
    paths: tuple[Path, ...],
    *,
    folder: Path | None,
    checkpoint: Path | None,
    log_keys: tuple[str, ...],
    since: tuple[Path, ...],
    witnesses: tuple[str, ...],
    as_json: bool,
) -> None:
    r"""Verify a sidecar's log, offline: that these bundles are all it has, each once, and that it extends every older checkpoint.

    With --log every leaf is read. With --checkpoint alone, each bundle's attestation (or NAME.tlog-proof) says which leaf it is.
    The checkpoints in attestations count as older ones. Without BUNDLE or FOLDER only the log itself is looked at.
    Whether a bundle is sound and who signed it is for `affidavit verify`.

    \b
    Exit code: 0 the set is complete, and the log has only grown
               1 something is missing, strange, damaged, or the log was rolled back, forked or rewritten
               2 wrong usage
               4 could not decide: no trusted key, or nothing to show it by
    """  # fmt: skip
    from attest.log_audit import LogAuditor, hold
    from attest.tlog.note import COSIGNATURE_V1, ED25519
    from attest.tlog.reader import LogReader

    if (folder is None) == (checkpoint is None):
        raise click.UsageError("Give either --log DIR or --checkpoint FILE.")
    keys = verifier_keys("--log-key", log_keys, ED25519)
    cosigners = verifier_keys("--witness", witnesses, COSIGNATURE_V1)
    reader: LogReader | None = None
    consistency: dict[int, tuple[bytes, ...]] = {}
    if folder is not None:
        reader = LogReader(folder)
        head = reader.checkpoint
    else:
        head, consistency = _head(Path(str(checkpoint)))
    auditor = LogAuditor(
        keys=keys, witnesses=cosigners, older=[_older(path) for path in since], consistency=consistency
    )
    audit = auditor.audit(head, reader, hold(paths) if paths else None)
    _print(audit, as_json=as_json)
    sys.exit(audit.exit_code)


def _head(path: Path) -> tuple[Checkpoint, dict[int, tuple[bytes, ...]]]:
    """A checkpoint, or one behind a proof that it extends another."""
    from attest.tlog.checkpoint import read_checkpoint
    from attest.tlog.proof import GROWTH, read_growth

    data = _read(path)
    if not data.startswith(GROWTH):
        return read_checkpoint(data), {}
    old, hashes, checkpoint = read_growth(data)
    return checkpoint, {old: hashes}


def _older(path: Path) -> Older:
    """A checkpoint that was kept, by itself or in a proof."""
    from attest.log_audit import Older
    from attest.tlog.proof import PROOF_TYPE, read_proof
    from attest.verification import text

    data = _read(path)
    checkpoint = read_proof(data)[1] if data.startswith(PROOF_TYPE.encode()) else _head(path)[0]
    return Older(file=text(path), checkpoint=checkpoint)


def _read(path: Path) -> bytes:
    from attest.limits import DEFAULT

    try:
        with open_regular(path) as file:
            return file.read(DEFAULT.note_bytes_max + 1)
    except OSError as error:
        raise click.UsageError(printable(f"{path}: {error.strerror or error}")) from error


def _configured() -> tuple[Path, str | None]:
    """The log of the sidecar configured here, and its key."""
    from sidecar.bundle_log import BundleLog, LogSpec
    from sidecar.settings import load
    from sidecar.state import StateDir

    settings = load()
    state = StateDir(settings.state_dir)
    kept = BundleLog(state.log, state.log_key, name=settings.name, spec=LogSpec())
    return state.log, kept.vkey if kept.vkey_path.exists() else None


def _print(audit: LogAudit, *, as_json: bool) -> None:
    if as_json:
        _print_json(audit.to_json())
        return
    head = audit.checkpoint
    click.echo(
        f"{printable(head.origin)}: {head.size} {'leaf' if head.size == 1 else 'leaves'}, root {head.root.hex()}"
    )
    if audit.key:
        click.echo(f"signed by {audit.key}")
    for witness in audit.witnesses:
        click.echo(f"cosigned by {witness}")
    if audit.leaves is not None:
        click.echo(f"{audit.leaves} of {head.size} leaves have their bundle at hand")
    if audit.older:
        older = (
            "1 older checkpoint is a prefix" if audit.older == 1 else f"{audit.older} older checkpoints are prefixes"
        )
        click.echo(f"{older} of it")
    for finding in audit.findings[:_SHOWN_MAX]:
        click.echo(f"  {outcome_word(finding.outcome)}  {finding.kind:11}  {finding.reason}")
    if len(audit.findings) > _SHOWN_MAX:
        click.echo(f"  and {len(audit.findings) - _SHOWN_MAX} more (--json has all)")
    click.echo(f"Verdict: {verdict_word(audit.verdict)}")


def _print_json(value: object) -> None:
    click.echo(orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2))
