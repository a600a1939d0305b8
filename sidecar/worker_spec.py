"""What a worker is told when it starts: plain data, so that it need not load the settings' machinery, nor the receiver the tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sidecar.bundle_log import LogSpec
from sidecar.exporter.backend import Backend, signals_named
from sidecar.log import Level
from sidecar.otlp.signal import OtlpSignal
from sidecar.recorder.lifecycle import Lifecycle

if TYPE_CHECKING:
    from sidecar.settings import Settings

__all__ = ["WorkerSpec", "worker_spec"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSpec:
    """What a worker needs to know."""

    state_dir: Path
    name: str
    run_key: tuple[str, ...]
    lifecycle: Lifecycle
    target: str
    profiles_dir: Path | None
    keep_unmapped: bool
    packs: tuple[str, ...]
    policy_file: Path | None
    disclosures_dir: Path | None
    encrypt_to: Path | None
    key_file: Path | None
    sidecar_log: LogSpec | None
    backends: tuple[Backend, ...]
    log_level: Level
    log_form: Literal["text", "json"]


def worker_spec(settings: Settings) -> WorkerSpec:
    """What the worker needs of the settings. The tables that they name are loaded by the worker, which says what it cannot use.

    Raises:
        ConfigError: A backend cannot be used.
    """
    run = settings.run
    return WorkerSpec(
        state_dir=settings.state_dir,
        name=settings.name,
        run_key=run.key,
        lifecycle=Lifecycle(
            quiet_seconds=run.quiet_seconds,
            idle_seconds=run.idle_seconds,
            age_seconds_max=run.age_seconds_max,
            bytes_max=run.bytes_max,
        ),
        target=settings.semconv.target,
        profiles_dir=settings.semconv.profiles_dir,
        keep_unmapped=settings.semconv.keep_unmapped,
        packs=tuple(settings.evidence.packs),
        **settings.redaction.model_dump(),
        key_file=settings.attest.key_file,
        sidecar_log=_log_spec(settings),
        backends=tuple(
            Backend(
                name=name,
                signals=signals_named(backend.signals, backend=name),
                signal_endpoints={OtlpSignal[signal.upper()]: url for signal, url in backend.signal_endpoints.items()},
                **backend.model_dump(exclude={"signals", "signal_endpoints", "tls"}),
                **backend.tls.model_dump(),
            )
            for name, backend in settings.exporters.items()
        ),
        log_level=settings.log.level,
        log_form=settings.log.format,
    )


def _log_spec(settings: Settings) -> LogSpec | None:
    log = settings.attest.sidecar_log
    if not log.enabled:
        return None
    return LogSpec(
        origin=log.origin,
        witnesses=tuple((witness.vkey, witness.url) for witness in log.witnesses),
        witnesses_min=log.witnesses_min,
        timeout_seconds=log.timeout_seconds,
    )
