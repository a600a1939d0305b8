"""Asking witnesses to cosign a checkpoint: each has seen the log before, and signs only what extends what it has seen.

Specification: https://c2sp.org/tlog-witness (`add-checkpoint`)
Laws: what a witness answers is bounded, and counts only as a cosignature by its known key over this very checkpoint; a witness that has
seen more than the log has now is never passed over: the log was rolled back, or runs twice.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from attest.errors import AttestError, InvalidError, WitnessError
from attest.limits import DEFAULT
from attest.post import Answer, post
from attest.tlog.checkpoint import Checkpoint, read_number
from attest.tlog.cosignature import cosigned_at
from attest.tlog.note import NoteSignature, VerifierKey, read_signatures
from attest.tlog.proof import prove_consistency, write_growth
from attest.tlog.tiles import Tiles

_TRIES = 3
"""One to learn what the witness has seen, one that counts, one for a size that moved meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Who cosigns, and where it is asked."""

    key: VerifierKey
    """Of the type `COSIGNATURE_V1`."""
    url: str
    """The submission prefix."""


def cosign_by(
    witnesses: Sequence[Witness], checkpoint: Checkpoint, folder: Path, *, count_min: int, timeout_seconds: float
) -> Checkpoint:
    """Ask every witness that has not cosigned the checkpoint yet, all at once.

    Args:
        witnesses: whom to ask.
        checkpoint: the newest one of the log.
        folder: the log, to prove that the checkpoint extends what a witness has seen.
        count_min: how many cosignatures there must be; with fewer than that it is an error.
        timeout_seconds: for all of them together.

    Returns:
        The checkpoint with the cosignatures under it.

    Raises:
        WitnessError: too few cosigned (each one's reason is in the message), or one has seen a larger log or another history.
    """
    have = checkpoint.cosigned_by(witness.key for witness in witnesses)
    missing = [witness for witness in witnesses if witness.key not in have]
    if not missing:
        return checkpoint
    deadline = time.monotonic() + timeout_seconds
    with ThreadPoolExecutor(max_workers=len(missing)) as pool:
        answers = list(pool.map(lambda witness: _ask(witness, checkpoint, folder, deadline), missing))
    cosignatures = [answer for answer in answers if isinstance(answer, NoteSignature)]
    forked = [answer for answer in answers if isinstance(answer, _OtherHistoryError)]
    if forked or len(have) + len(cosignatures) < count_min:
        why = "; ".join(str(answer) for answer in answers if isinstance(answer, Exception))
        raise WitnessError(f"{len(have) + len(cosignatures)} of {count_min} witnesses cosigned: {why}")
    return checkpoint.with_signatures(cosignatures)


class _OtherHistoryError(WitnessError):
    """A witness has seen what this log does not extend."""


def _ask(witness: Witness, checkpoint: Checkpoint, folder: Path, deadline: float) -> NoteSignature | Exception:
    """The cosignature, or why there is none: whatever happens is this witness's answer, and holds up no other."""
    try:
        return _cosign(witness, checkpoint, folder, deadline)
    except WitnessError as error:
        return error
    except Exception as error:  # noqa: BLE001 - the network, and a stranger's answer
        reason = str(error) if isinstance(error, AttestError) else f"{type(error).__name__}: {error}"
        return WitnessError(f"{witness.key.name}: {reason[:300]}")


def _cosign(witness: Witness, checkpoint: Checkpoint, folder: Path, deadline: float) -> NoteSignature:
    old, node = 0, Tiles(folder, checkpoint.size).node
    for _ in range(_TRIES):
        proof = prove_consistency(node, old, checkpoint.size)
        status, answer = _submitted(witness, write_growth(old, proof, checkpoint).encode(), deadline)
        if status == 200:
            return _cosignature(answer, witness, checkpoint)
        if status != 409:
            break
        old = read_number(
            answer.decode("ascii", "replace").removesuffix("\n"), f"{witness.key.name}: the size it has seen"
        )
        if old > checkpoint.size:
            raise _OtherHistoryError(
                f"{witness.key.name} has seen {old} leaves and the log has {checkpoint.size}: it was rolled back, or runs twice"
            )
    if status == 422:
        raise _OtherHistoryError(
            f"{witness.key.name} has seen {old} leaves that this log does not extend: it was rewritten, or runs twice"
        )
    raise WitnessError(f"{witness.key.name} answered {status}: {answer[:200].decode('utf-8', 'replace').strip()!r}")


def _cosignature(answer: bytes, witness: Witness, checkpoint: Checkpoint) -> NoteSignature:
    """The witness's own line among those it answered; others are passed over, as the specification says."""
    try:
        lines = read_signatures(answer.decode())
    except UnicodeDecodeError as error:
        raise InvalidError(f"the answer is not UTF-8: {error}") from error
    for line in lines:
        if witness.key.made(line):
            cosigned_at(line, witness.key, checkpoint.note.text)
            return line
    raise InvalidError(f"the answer holds no cosignature by the key {witness.key}")


def _submitted(witness: Witness, body: bytes, deadline: float) -> Answer:
    url = f"{witness.url.rstrip('/')}/add-checkpoint"
    limit = DEFAULT.witness_answer_bytes_max
    return post(url, body, kind="text/plain; charset=utf-8", deadline=deadline, bytes_max=limit)
