"""A command as a target: run once an iteration, sending to a sidecar in this process.

Law: what an iteration is judged by is what the sidecar recorded and sealed of it. A command that fails, hangs or sends nothing has
no verdict; its runs are sealed and given up all the same, so that none reaches the next iteration.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from evidence.limits import DEFAULT, Limits
from evidence.soak.faults import Fault
from sidecar.sim.bundles import in_words, read_run
from sidecar.sim.local import LocalSidecar
from sidecar.sim.process import Ended, run_command
from sidecar.sim.target import RecordedRun, Trouble

__all__ = ["Commands", "process_environment"]

_SEAL_SECONDS = 30.0
_REPLACED = "OTEL_EXPORTER_OTLP_"
"""Variables of the caller that would send telemetry elsewhere."""


class Commands:
    """The runs that a command makes. Carries out `Target`.

    Args:
        argv: The command and its arguments; no shell is used.
        sidecar: Where it sends to; started.
        seed: Told to the command, as the iteration is.
        protocol: What OTLP is to be sent by: `grpc` or `http/protobuf`.
        timeout_seconds: What one run may take.
        environment: What the command inherits.
        keep: A folder for bundles and outputs, each named after its iteration; None keeps none.
        limits: Bounds on reading the bundles.
    """

    is_recorded = False

    def __init__(
        self,
        argv: Sequence[str],
        sidecar: LocalSidecar,
        *,
        seed: int,
        protocol: str,
        timeout_seconds: float,
        environment: Mapping[str, str],
        keep: Path | None = None,
        limits: Limits = DEFAULT,
    ) -> None:
        self._argv = tuple(argv)
        self._sidecar = sidecar
        self._seed = seed
        self._protocol = protocol
        self._timeout_seconds = timeout_seconds
        self._environment = {name: value for name, value in environment.items() if not name.startswith(_REPLACED)}
        self._keep = keep
        self._limits = limits
        self.failed: Ended | None = None
        """How the first run of the command ended that did not end well."""

    def runs(self, iteration: int, receiver: Sequence[Fault], seconds: float) -> Sequence[RecordedRun]:
        """Runs the command, then closes and seals what it sent; see `Target`."""
        self._sidecar.begin(iteration, receiver)
        ended: Ended | None = None
        try:
            ended = run_command(self._argv, self._variables(iteration), min(self._timeout_seconds, seconds))
        finally:
            bundles = self._sidecar.collect(_SEAL_SECONDS)
            self._put_by(iteration, bundles, ended)
        self._judge(ended, is_budget=seconds < self._timeout_seconds)
        if not bundles:
            raise Trouble("no_run", "the command ended well and sent nothing")
        with in_words():
            parts = [read_run(path, self._limits)[0] for path in bundles]
        # A later part holds what came after the run was closed: it is no run, unless another iteration made the first part.
        first = {run.run_id: run for run in sorted(parts, key=lambda run: run.part, reverse=True)}
        return list(first.values())

    def clear(self) -> None:
        """Deletes the bundles of the iteration."""
        self._sidecar.forget()

    def _judge(self, ended: Ended, *, is_budget: bool) -> None:
        if not ended.timed_out and not ended.code:
            return
        self.failed = self.failed or ended
        if ended.timed_out and is_budget:
            raise Trouble("time_budget_exceeded", "the time budget was used up while the command ran")
        if ended.timed_out:
            raise Trouble("subprocess_timeout", f"the command did not end in {self._timeout_seconds:g} s")
        how = f"exit code {ended.code}" if ended.code > 0 else f"signal {-ended.code}"
        raise Trouble("subprocess_failed", f"the command ended with {how}")

    def _variables(self, iteration: int) -> dict[str, str]:
        run_id = f"soak-{self._seed}-{iteration}"
        addresses = self._sidecar.addresses
        said = self._environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
        attributes = [each for each in (said, f"affidavit.run.id={quote(run_id)}") if each]
        return {  # not AFFIDAVIT_…: those are settings, and a command may call affidavit itself
            **self._environment,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{addresses['grpc' if self._protocol == 'grpc' else 'http']}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": self._protocol,
            "OTEL_RESOURCE_ATTRIBUTES": ",".join(attributes),
            "SOAK_SIDECAR": addresses["grpc"],
            "SOAK_RUN_ID": run_id,
            "SOAK_ITERATION": str(iteration),
            "SOAK_SEED": str(self._seed),
        }

    def _put_by(self, iteration: int, bundles: Sequence[Path], ended: Ended | None) -> None:
        if self._keep is None:
            return
        self._keep.mkdir(parents=True, exist_ok=True)
        for path in bundles:
            shutil.copyfile(path, self._keep / f"{iteration:06d}-{path.name}")
        if ended is not None:
            (self._keep / f"{iteration:06d}-output.txt").write_bytes(ended.output)


def process_environment() -> dict[str, str]:
    """What a command inherits from this process."""
    return dict(os.environ)  # noqa: TID251 - passed on as it is; nothing is read from it
