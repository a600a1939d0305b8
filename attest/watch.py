"""Recomputing checks: they look at the events as these go by, and hold what the bundle says to what they find.

Law: a watch never stops the reading. What goes wrong in it becomes its own answer, and the other checks go on.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from attest.errors import InvalidError
from attest.judge import attempt, caught
from attest.verdict import Check, CheckId
from evidence.bundle import BundleFacts, EvidenceBundle, Recomputation
from evidence.limits import Limits
from evidence.manifest import CLOSURE, FORMULA_RECEIPTS, MAPPING_LOSS, PROFILES

Batch = Sequence[tuple[dict[str, Any], bytes]]
"""Consecutive events, each with its canonical line."""

Difference = tuple[int, str]
"""The sequence number of an event, and how it differs from the recomputed one."""


class Recomputing(Protocol):
    """What a watch runs. `begin` starts over, so one object may serve several bundles, one after another."""

    def begin(self, bundle: EvidenceBundle) -> str | None:
        """Start with a bundle whose manifest and attached files were accepted; why it cannot be done, or None."""
        ...

    def events(self, batch: Batch) -> Difference | None:
        """Look at the next events and their canonical lines; the first that differs from the recomputed one, or None."""
        ...

    def finish(self, facts: BundleFacts) -> str:
        """Hold the reports to what was recomputed; the reason of the pass, or `InvalidError`."""
        ...


class Watch:
    """One recomputing check, guarded."""

    def __init__(self, check_id: CheckId, recomputing: Recomputing) -> None:
        self._id = check_id
        self._recomputing = recomputing
        self._answer: Check | None = None

    @property
    def active(self) -> bool:
        """Whether there is anything left to find out."""
        return self._answer is None

    def begin(self, bundle: EvidenceBundle) -> None:
        """Start; see `Recomputing.begin`."""
        try:
            reason = self._recomputing.begin(bundle)
        except Exception as error:  # noqa: BLE001 - the boundary that the law is about
            self._answer = caught(self._id, error)
            return
        self._answer = None if reason is None else Check(id=self._id, outcome="skip", reason=reason)

    def events(self, batch: Batch) -> None:
        """Look at some events; the first difference decides."""
        if self._answer is not None:
            return
        try:
            difference = self._recomputing.events(batch)
        except Exception as error:  # noqa: BLE001 - the boundary that the law is about
            self._answer = caught(self._id, error)
            return
        if difference is not None:
            seq, reason = difference
            self._answer = Check(id=self._id, outcome="fail", reason=f"event {seq}: {reason}")

    def check(self, facts: BundleFacts) -> Check:
        """The answer, once the whole file was accepted."""
        if self._answer is not None:
            return self._answer
        return attempt(self._id, lambda: (None, self._recomputing.finish(facts)))[1]


class ReportsWatch:
    """The check `reports`: capture health, closure report and formula receipts, made again from the events alone."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._recomputation: Recomputation

    def begin(self, bundle: EvidenceBundle) -> str | None:
        """Prepare the scores. Packs, registry or formulas that are not at hand raise, which leaves it undecided."""
        self._recomputation = Recomputation(bundle.manifest, bundle.attached, self._limits)
        return None

    def events(self, batch: Batch) -> Difference | None:
        """Look at some events; nothing is compared before the last."""
        self._recomputation.add_all(batch)
        return None

    def finish(self, facts: BundleFacts) -> str:
        """Compare what the bundle says about itself."""
        differences = self._recomputation.differences(facts)
        if differences:
            raise InvalidError(f"not what the events give: {', '.join(differences)}")
        return f"capture health, {CLOSURE} and {FORMULA_RECEIPTS} recomputed, byte for byte the same"


class MappingRecomputer(Protocol):
    """Translates the telemetry of a bundle again. Given by the caller, because this room knows no translation.

    One object may serve several bundles, one after another: `begin` starts over.
    """

    def begin(self, manifest: Mapping[str, Any], profiles: Mapping[str, bytes]) -> str | None:
        """Start a bundle, given its manifest and the profiles it carries by file name.

        Returns:
            Why this bundle's translation cannot be recomputed here (other tables, another target), or None.
        """
        ...

    def events(self, batch: Sequence[Mapping[str, Any]]) -> Difference | None:
        """Look at the next events. Returns the first whose recorded translation differs from the recomputed one, or None."""
        ...

    def report(self) -> bytes:
        """The recomputed `reports/mapping-loss.json`."""
        ...


class MappingWatch:
    """The check `mapping`: every translation and the loss report, made again by the caller's translator."""

    def __init__(self, recomputer: MappingRecomputer) -> None:
        self._recomputer = recomputer

    def begin(self, bundle: EvidenceBundle) -> str | None:
        """Hand over the manifest and the profiles that the bundle carries."""
        profiles = {
            name.removeprefix(PROFILES): data for name, data in bundle.attached.items() if name.startswith(PROFILES)
        }
        return self._recomputer.begin(bundle.manifest, profiles)

    def events(self, batch: Batch) -> Difference | None:
        """Compare translations."""
        return self._recomputer.events([event for event, _ in batch])

    def finish(self, facts: BundleFacts) -> str:
        """Compare the loss report."""
        if self._recomputer.report() != facts.reports[MAPPING_LOSS]:
            raise InvalidError(f"{MAPPING_LOSS} is not what the events give")
        return f"every translation and {MAPPING_LOSS} recomputed, byte for byte the same"
