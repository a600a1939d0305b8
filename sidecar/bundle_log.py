"""The sidecar's own log: every sealed bundle's manifest digest is a leaf of an append-only Merkle tree under signed checkpoints.

Whoever holds an older checkpoint can see later that a bundle was deleted, rewritten or left out (docs/log.md).
Laws: a log is begun once, together with its key; a log without its key, or a key without its log, is an error and not a new log,
because a second one under the same key would be a fork. The leaf of a bundle is the 32 bytes of the SHA-256 of its manifest.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sidecar.errors import ConfigError, SidecarError

if TYPE_CHECKING:
    from attest.attestation.statement import LogEvidence
    from attest.tlog.checkpoint import Checkpoint
    from attest.tlog.log import Log
    from attest.tlog.witness import Witness
    from evidence.bundle import BundleFacts

__all__ = ["BundleLog", "LogSpec"]

_KNOWN_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSpec:
    """How the log is kept."""

    origin: str | None = None
    """The log's name for everybody; None makes one from the sidecar's name and the key."""
    witnesses: tuple[tuple[str, str], ...] = ()
    """Verifier key and URL of each witness that is asked to cosign."""
    witnesses_min: int = 0
    """How many must have cosigned before a bundle is signed."""
    timeout_seconds: float = 10.0
    """For all of them together."""


class BundleLog:
    """The log in a folder and its key. Cryptography is loaded when the log is first used.

    One thread may append while another asks for evidence.

    Args:
        folder: Where the log lies.
        key_path: Its private key (Ed25519, PEM); the verifier key lies beside it as `.vkey`.
        name: The sidecar's.
        spec: How it is kept.
    """

    def __init__(self, folder: Path, key_path: Path, *, name: str, spec: LogSpec) -> None:
        self._folder = folder
        self._key_path = key_path
        self._name = name
        self._spec = spec
        self._lock = threading.RLock()
        self._opened: Log | None = None
        self._known: OrderedDict[bytes, int] = OrderedDict()

    @property
    def vkey_path(self) -> Path:
        """Where the verifier key lies, to be given to auditors."""
        return self._key_path.with_suffix(".vkey")

    @property
    def vkey(self) -> str:
        """The verifier key, as C2SP signed notes write it."""
        return self.vkey_path.read_text().strip()

    def ensure(self) -> bool:
        """Begin the log if there is none; says whether it was begun.

        Raises:
            ConfigError: the key is there without the log or the other way round, the settings name another origin than the log has, or
                a witness's key cannot be used.
        """
        if self._spec.witnesses:
            self._witnesses()
        has_key, has_log = self._key_path.exists(), (self._folder / "checkpoint").exists()
        if has_key and has_log:
            self._hold_to_origin()
            return False
        if has_key:
            raise ConfigError(
                f"{self._folder}: the log of the key {self._key_path} is gone; put it back, "
                f"or move the key away to begin another log"
            )
        self._begin(again=has_log)
        return True

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._log.size

    def holds(self, index: int, digest: bytes) -> bool:
        """Whether leaf `index` is that digest."""
        from attest.tlog.reader import LogReader  # noqa: PLC0415 - cryptography, when it is used

        checkpoint = self._log.checkpoint
        found = index < checkpoint.size and LogReader(self._folder, checkpoint).entry(index) == digest
        if found:
            self._remember(digest, index)
        return found

    def append(self, digests: Sequence[bytes]) -> int:
        """Add the digests of manifests, all or none; on disk, under one checkpoint, when this returns the index of the first."""
        with self._lock:
            first = self._log.append(digests)
        for index, digest in enumerate(digests, first):
            self._remember(digest, index)
        return first

    def enter(self, digest: bytes) -> int:
        """Which leaf the digest is; it is added when it is none. Looks through the whole log."""
        with self._lock:
            found = self.find(digest)
            return self.append([digest]) if found is None else found

    def find(self, digest: bytes) -> int | None:
        """Which leaf that digest is, None when it is none; looked for from the end."""
        from attest.tlog.reader import LogReader  # noqa: PLC0415 - as above

        with self._lock:
            found = self._known.get(digest)
        return LogReader(self._folder, self._log.checkpoint).find(digest) if found is None else found

    def evidence(self, bundles: Sequence[BundleFacts]) -> LogEvidence:
        """A checkpoint, cosigned by as many witnesses as are asked for, and the proof that each of these bundles is under it.

        Goes over the network when there are witnesses, and waits for `timeout_seconds` at most.

        Raises:
            SidecarError: a bundle is not in the log (yet).
            WitnessError: too few witnesses cosigned.
            InvalidError: the log's tiles do not lead to its checkpoint.
        """
        from attest.attestation.statement import LogEvidence  # noqa: PLC0415 - as above
        from attest.tlog.reader import LogReader  # noqa: PLC0415 - as above

        checkpoint = self._cosigned()
        reader = LogReader(self._folder, checkpoint)
        proofs = {}
        for facts in bundles:
            index = self.find(bytes.fromhex(facts.manifest_sha256))
            if index is None or index >= checkpoint.size:
                raise SidecarError(f"the bundle {facts.file} is not in the log of {checkpoint.size} leaves")
            proofs[facts.bundle_id] = reader.prove(index)
        return LogEvidence(checkpoint=checkpoint, proofs=proofs)

    def close(self) -> None:
        """Let another process write to the log; it is opened again when it is used."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
            self._opened = None

    # ---------------------------------------------------------------- inside

    @property
    def _log(self) -> Log:
        from attest.keys import load_private  # noqa: PLC0415 - as above
        from attest.tlog.log import Log  # noqa: PLC0415 - as above

        with self._lock:
            if self._opened is None:
                self._opened = Log(self._folder, load_private(self._key_path).native)  # type: ignore[arg-type]  # made by us: Ed25519
            return self._opened

    def _begin(self, *, again: bool) -> None:
        from attest.keys import generate, save  # noqa: PLC0415 - as above
        from attest.tlog.disk import replace  # noqa: PLC0415 - as above
        from attest.tlog.log import Log  # noqa: PLC0415 - as above
        from attest.tlog.note import verifier_key  # noqa: PLC0415 - as above
        from attest.tlog.reader import CHECKPOINT, read_checkpoint_file  # noqa: PLC0415 - as above

        if again and read_checkpoint_file(self._folder).size:
            raise ConfigError(
                f"{self._key_path}: the key of the log {self._folder} is gone; put it back, "
                f"or move the log away to begin another"
            )
        (self._folder / CHECKPOINT).unlink(missing_ok=True)  # stopped half way, and nothing was in it
        key = generate("ed25519")
        origin = self._spec.origin or f"affidavit/{self._name}/{key.public.fingerprint[:16]}"
        Log.create(self._folder, key.native, origin)  # type: ignore[arg-type]  # as above
        self._key_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace(self.vkey_path, f"{verifier_key(origin, key.native)}\n".encode())  # type: ignore[arg-type]  # as above
        save(key, self._key_path)  # last: with it the log is begun

    def _hold_to_origin(self) -> None:
        with (self._folder / "checkpoint").open() as file:
            origin = file.readline().rstrip("\n")
        if self._spec.origin not in (None, origin):
            raise ConfigError(
                f"attest.sidecar_log.origin is {self._spec.origin!r}, and the log in {self._folder} is {origin!r}: "
                f"a log keeps its origin"
            )

    def _cosigned(self) -> Checkpoint:
        with self._lock:
            checkpoint = self._log.checkpoint
        if not self._spec.witnesses:
            return checkpoint
        from attest.tlog.witness import cosign_by  # noqa: PLC0415 - TLS and HTTP, for witnesses only

        cosigned = cosign_by(
            self._witnesses(),
            checkpoint,
            self._folder,
            count_min=self._spec.witnesses_min,
            timeout_seconds=self._spec.timeout_seconds,
        )
        with self._lock:
            if self._log.checkpoint == checkpoint != cosigned:  # unless it has grown since
                self._log.store(cosigned)
        return cosigned

    def _witnesses(self) -> list[Witness]:
        from attest.errors import AttestError  # noqa: PLC0415 - as above
        from attest.tlog.note import COSIGNATURE_V1, VerifierKey  # noqa: PLC0415 - as above
        from attest.tlog.witness import Witness  # noqa: PLC0415 - as above

        found = []
        for number, (vkey, url) in enumerate(self._spec.witnesses):
            try:
                key = VerifierKey.parse(vkey)
            except AttestError as error:
                raise ConfigError(f"attest.sidecar_log.witnesses[{number}].vkey: {error}") from error
            if key.kind != COSIGNATURE_V1:
                raise ConfigError(f"attest.sidecar_log.witnesses[{number}].vkey: a key for notes, expected type 04")
            found.append(Witness(key=key, url=url))
        return found

    def _remember(self, digest: bytes, index: int) -> None:
        with self._lock:
            self._known[digest] = index
            while len(self._known) > _KNOWN_MAX:
                self._known.popitem(last=False)
