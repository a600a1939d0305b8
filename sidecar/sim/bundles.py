"""Bundles as a target: one, or a folder of them, whose runs take turns.

Law: a bundle is read strictly, all of it, and decoded once as long as the decoded ones fit a bound; a larger one is read
again for each iteration, as a stream. What does not read is an infrastructure error each time its turn comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from evidence.bundle import EvidenceBundle
from evidence.errors import BundleError, EventError, UnknownFormatError
from evidence.limits import DEFAULT, MIB, Limits
from evidence.manifest import EVENTS
from evidence.run import BUNDLE_SUFFIX
from evidence.soak.faults import Fault
from sidecar.errors import ConfigError
from sidecar.sim.target import Events, RecordedRun, Trouble

__all__ = ["Bundles", "read_run"]

DECODED_BYTES_MAX = 16 * MIB
"""Event lines of the bundles that stay decoded, all together; decoded they take some ten times that."""


class Bundles:
    """The runs of one scenario, as bundles. Carries out `Target`."""

    is_recorded = True

    def __init__(self, path: Path, limits: Limits = DEFAULT, *, decoded_bytes_max: int = DECODED_BYTES_MAX) -> None:
        """Finds them.

        Raises:
            ConfigError: There is no bundle at `path`.
        """
        self._limits = limits
        self._left = decoded_bytes_max
        self._decoded: dict[Path, RecordedRun] = {}
        self.amendments = 0
        """Bundles that were left out: they hold what came late for a run, and not a run."""
        self.paths = self._find(path)
        self.newest_closed_at: str | None = None
        """The newest closing time of the bundles that were read."""

    def runs(self, iteration: int, receiver: Sequence[Fault], seconds: float) -> Sequence[RecordedRun]:
        """The run whose turn it is; see `Target`."""
        del receiver, seconds
        path = self.paths[(iteration - 1) % len(self.paths)]
        with in_words():
            run = self._decoded.get(path) or self._read(path)
        self.newest_closed_at = max(self.newest_closed_at or "", run.closed_at)
        return [run]

    def clear(self) -> None:
        """Nothing: bundles stay where they are."""

    def _read(self, path: Path) -> RecordedRun:
        run, size = read_run(path, self._limits)
        if size > self._left:
            return run
        decoded = list(run.events())
        self._left -= size
        self._decoded[path] = replace(run, events=lambda: iter(decoded))
        return self._decoded[path]

    def _find(self, path: Path) -> list[Path]:
        if path.is_file():
            return [path]
        if not path.is_dir():
            raise ConfigError(f"--target {path}: no such bundle or folder of bundles")
        found = [each for each in sorted(path.glob(f"*{BUNDLE_SUFFIX}")) if not self._is_amendment(each)]
        if not found:
            raise ConfigError(f"--target {path}: no *{BUNDLE_SUFFIX} of a first part in this folder")
        return found

    def _is_amendment(self, path: Path) -> bool:
        try:
            with EvidenceBundle.open(path, self._limits) as bundle:
                is_one = int(bundle.manifest["part"]) > 1
        except (BundleError, OSError):
            return False  # said when its turn comes
        self.amendments += is_one
        return is_one


def read_run(path: Path, limits: Limits) -> tuple[RecordedRun, int]:
    """A run by its manifest, to be read as a stream, and the bytes of its events.

    Raises:
        BundleError: The bundle is not valid as far as its manifest.
        OSError: It cannot be read.
    """
    with EvidenceBundle.open(path, limits) as bundle:
        manifest = bundle.manifest

    def events() -> Events:
        with EvidenceBundle.open(path, limits) as opened:
            if opened.manifest != manifest:
                raise BundleError("container", "the file changed while it was read")
            yield from opened.events()
            opened.finish()

    size = next(entry["bytes"] for entry in manifest["files"] if entry["path"] == EVENTS)
    run = RecordedRun(
        run_id=manifest["run_id"],
        part=manifest["part"],
        opened_at=manifest["opened_at"],
        closed_at=manifest["closed_at"],
        event_count=manifest["event_count"],
        events=events,
    )
    return run, size


@contextmanager
def in_words() -> Iterator[None]:
    """Whatever a bundle is refused for, as an infrastructure error.

    Raises:
        Trouble: What was wrong, by its kind.
    """
    try:
        yield
    except UnknownFormatError as error:
        raise Trouble("unknown_format", str(error)) from error
    except (BundleError, EventError) as error:
        raise Trouble("bundle_invalid", str(error)) from error
    except OSError as error:
        raise Trouble("io_error", error.strerror or str(error)) from error
