"""Recomputes what a bundle says about itself from its own events, and says what differs.

Law: a bundle that `seal` wrote differs in nothing, with the same installation. One that was made with another registry,
other formulas or packs that are not at hand is not judged: `PackUnavailableError`, undecided.
"""

from collections.abc import Mapping, Sequence

from evidence import formulas
from evidence import manifest as layout
from evidence.bundle.reader import BundleFacts
from evidence.canonical import JsonObject, canonical
from evidence.errors import PackUnavailableError
from evidence.formulas import Context
from evidence.limits import DEFAULT, Limits
from evidence.packs import applied
from evidence.scores import Assessment, Scores
from evidence.signals import registry


class Recomputation:
    """Looks at the events of one bundle on their way, then compares.

    Raises:
        PackError: a pack that the bundle carries is not valid.
        PackUnavailableError: this installation cannot recompute the bundle, and why.
    """

    def __init__(self, manifest: JsonObject, attached: Mapping[str, bytes], limits: Limits = DEFAULT) -> None:
        ours = {"signals": registry().reference(), "formulas": formulas.references()}
        for name, reference in ours.items():
            if manifest["scoring"][name] != reference:
                raise PackUnavailableError(f"scored with other {name}: {manifest['scoring'][name]}, here {reference}")
        self._packs = applied(manifest, attached)
        self._assessment = Assessment(self._packs, limits=limits)

    def add_all(self, batch: Sequence[tuple[JsonObject, bytes]]) -> None:
        """Look at the next events, each with its canonical line.

        Raises:
            EventError: the telemetry in one is not OTLP/JSON.
        """
        self._assessment.add_all(batch)

    def scores(self, facts: BundleFacts) -> Scores:
        """The reports, computed again; call it after the last event."""
        return self._assessment.scores(context_of(facts))

    def differences(self, facts: BundleFacts) -> list[str]:
        """The names of what the bundle says otherwise than its events do; empty when all is as recomputed."""
        scores = self.scores(facts)
        mappings = [mapping for pack in self._packs for mapping in pack.mappings()]
        pairs = (
            (f"{layout.MANIFEST}#/capture_health", facts.manifest["capture_health"], scores.capture_health),
            (f"{layout.MANIFEST}#/x-assay/mappings", facts.manifest["x-assay"]["mappings"], mappings),
            (layout.CLOSURE, facts.reports[layout.CLOSURE], scores.closure_bytes()),
            (layout.FORMULA_RECEIPTS, facts.reports[layout.FORMULA_RECEIPTS], scores.receipts_bytes()),
        )
        return [name for name, said, computed in pairs if _bytes(said) != _bytes(computed)]


def _bytes(part: object) -> bytes:
    """As it stands in the bundle: to Python `true` is 1."""
    return part if isinstance(part, bytes) else canonical(part)


def context_of(facts: BundleFacts) -> Context:
    """What receipts over a bundle say besides their calculations."""
    return Context(
        run_id=facts.manifest["run_id"],
        computed_at=facts.manifest["closed_at"],
        manifest_digest="sha256:" + facts.manifest_sha256,
        events_digest="sha256:" + facts.members[layout.EVENTS],
    )
