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
from sidecar.signing import KeylessSpec, KeySpec, SigningSpec
from sidecar.spool import Pace

if TYPE_CHECKING:
    from sidecar.settings import Settings
    from sidecar.settings.model import Attest

__all__ = ["WorkerSpec", "signing_spec", "worker_spec"]


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
    signing: SigningSpec
    pace: Pace
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
        signing=signing_spec(settings.attest),
        pace=_pace(settings.attest),
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


def signing_spec(attest: Attest) -> SigningSpec:
    """Who signs, by the settings."""
    keys = (
        [KeySpec(uri=str(attest.key_file))] if attest.key_file else [KeySpec(**key.model_dump()) for key in attest.keys]
    )
    return SigningSpec(
        keys=tuple(keys),
        keyless=KeylessSpec(**attest.keyless.model_dump()) if attest.method == "keyless" else None,
        timestamp_url=attest.timestamp_url,
        require_timestamp=attest.require_timestamp,
        deadline_seconds=attest.deadline_seconds,
    )


def _pace(attest: Attest) -> Pace:
    return Pace(
        batch_bundles_max=attest.batch_bundles_max,
        batch_wait_seconds=attest.batch_wait_seconds,
        retry_initial_seconds=attest.retry_initial_seconds,
        retry_max_seconds=attest.retry_max_seconds,
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
