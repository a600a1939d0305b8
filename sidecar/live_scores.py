"""How a part that is not sealed yet would score now, for `GetRun`."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from evidence.formulas import Context
from evidence.scores import Assessment
from evidence.timestamp import from_unix_nano
from sidecar.pb.affidavit.evidence.v1 import evidence_pb2 as pb
from sidecar.recorder.sealer import gaps_of
from sidecar.recorder.store import RunRow, RunStore
from sidecar.tables import load_packs

__all__ = ["add_scores"]

_EVENTS_MAX = 5_000
"""Events that are scored for one question: about a tenth of a second."""


def add_scores(run: pb.Run, row: RunRow, store: RunStore, packs: Sequence[str]) -> None:
    """Scores and gaps as they would come out now; nothing for a part that is sealed or has too many events.

    Raises:
        ConfigError: A pack cannot be loaded any more.
    """
    if row.state not in {"open", "closed"} or row.event_count > _EVENTS_MAX:
        return
    assessment = Assessment(load_packs(packs))
    for lines in store.lines(row):
        for line in lines.splitlines():
            assessment.add(orjson.loads(line), line)
    none = "sha256:" + "0" * 64  # there is no manifest yet to name
    at = from_unix_nano(row.last_unix_nano)
    scores = assessment.scores(Context(run_id=row.run_id, computed_at=at, manifest_digest=none, events_digest=none))
    closure = scores.closure["closure"]
    run.completeness = min(scores.completeness.values(), default=0.0)
    run.closure, run.closure_confidence = closure["score"], closure["confidence"]
    details = scores.closure["completeness"]["by_signal"]
    run.signals.extend(
        pb.SignalStatus(signal=name, status=detail["status"], reason=detail.get("reason", ""))
        for name, detail in details.items()
    )
    run.gaps.extend(
        f"{name}: {count}" for name, count in gaps_of(assessment.capture_health()).items() if name != "unclosed"
    )
