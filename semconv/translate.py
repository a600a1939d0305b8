"""The translator: telemetry of any known convention in, what changes and what is lost out.

`Translator.load` reads the tables once; `span`, `log` and `metric` are then pure functions of their views: the same view
and tables give the same translation, whatever came before. Laws, held as properties over recorded telemetry: total,
balanced, idempotent (translating what was translated changes and loses nothing more), independent of attribute order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from semconv import identity, table
from semconv.messages.shapes import Shapes
from semconv.metric import merged
from semconv.plan.plan import NOTHING, Plan, Shape, reversal
from semconv.plan.planner import Planner
from semconv.plan.record import names_of
from semconv.plan.run import WON, Run
from semconv.profile.profile import Profile
from semconv.profile.reader import profiles as read_profiles
from semconv.profile.shared import shared
from semconv.target import FINISH_REASONS, SpanType, Target, load
from semconv.translation import LOSSLESS, NEEDS_PROVENANCE, Loss, Tables, Tally, Translation
from semconv.value import Texts, size
from semconv.view import Attributes, LogView, MetricView, SpanView

__all__ = ["Loss", "Tally", "Translation", "Translator"]

DEFAULT_TARGET: Final = "gen-ai-dev"
UNCHANGED_MAX: Final = 32
"""Translations kept with one plan of items of which nothing changes."""
_NO_EVENTS: Final[frozenset[str]] = frozenset()


class Translator:
    """Translates to one target with a set of profiles. Safe to share between threads; it keeps only plans."""

    def __init__(self, target: Target, profiles: list[Profile], shapes: Shapes) -> None:
        self.target = target
        self.profiles = tuple(sorted(profiles, key=lambda profile: profile.id))
        self.message_shapes = shapes
        self._finish_key = target.key_of(FINISH_REASONS)
        self._spans = Planner(profiles, target, signal="span")
        self._logs = Planner(profiles, target, signal="log")
        self._points = Planner(profiles, target, signal="point")
        self._unknown: dict[int, Translation] = {}
        """By the number of atoms, of items no profile knows; their plan is shared with other translators."""
        self._tables = Tables(
            target={"id": target.id, "version": target.version, "digest": target.digest},
            profiles={profile.id: {"version": profile.version, "digest": profile.digest} for profile in self.profiles},
            accounting={profile.id: profile.accounting for profile in self.profiles},
        )

    @classmethod
    def load(cls, target: str = DEFAULT_TARGET, *, user_profiles: Mapping[str, bytes] | None = None) -> Translator:
        """The translator for a target, with the built-in profiles and the user's.

        Args:
            target: the id of a target file.
            user_profiles: file name to YAML. `override` takes the place of a built-in profile, `extends` lays one over
                another.

        Raises:
            ProfileError: a table is not as it should be; with file and line.
        """
        tables = {name: table.parse(table.builtin("tables", name), name) for name in table.builtin_names("tables")}
        shapes = table.read(table.builtin("tables", "messages.yaml"), "messages.yaml", Shapes.from_table)
        registry = load(target, tables)
        return cls(registry, read_profiles(registry, shared(tables, registry), user_profiles or {}), shapes)

    def describe(self) -> dict[str, Any]:
        """Which tables this is: ids, versions and digests, for a manifest."""
        return {
            "target": dict(self._tables.target),
            "profiles": [{"id": id_, **facts} for id_, facts in self._tables.profiles.items()],
        }

    # ------------------------------------------------------------------ the three signals

    def span(self, view: SpanView) -> Translation:
        """What changes on a span, and what is lost of it. Never raises on content."""
        attributes = view.attributes
        events = view.events
        names = frozenset([event.name for event in events]) if events else _NO_EVENTS
        plan = self._plan(self._spans, view.scope_name, attributes, names, view.resource)
        around = 2 + len(view.resource) + len(view.scope_attributes) + _said(view)
        around += sum([1 + len(link["attributes"]) for link in view.links]) if view.links else 0
        in_events = sum([1 + len(event.attributes) for event in events]) if events else 0
        atoms = around + 2 + in_events + len(attributes) + view.duplicate_keys
        if plan is NOTHING and not view.duplicate_keys:
            return self._untouched(plan, atoms)
        texts: Texts = {}
        if plan.checks is not None and self._is_right(view, plan, texts):
            return self._untouched(plan, atoms)
        run = self._run(plan, attributes, structured=False, texts=texts)
        if plan.events is None:
            run.kept += in_events
        else:
            plan.events.apply(run, events)
        from_name = self._names(run, plan, view.name)
        self._late(run, plan)
        name, kind = self._identity(run, plan, view, from_name=from_name)
        run.kept += around
        return self._translation(run, plan, atoms, view.duplicate_keys, name=name, kind=kind)

    def log(self, view: LogView) -> Translation:
        """What changes on a log record, and what is lost of it. Never raises on content."""
        names = names_of(view.event_name, view.attributes)
        plan = self._plan(self._logs, view.scope_name, view.attributes, names, view.resource)
        around = 2 + len(view.resource) + len(view.scope_attributes)
        around += bool(view.severity_number) + bool(view.severity_text) + bool(view.flags)
        body = 1 if view.body is not None else 0
        atoms = around + body + bool(view.event_name) + len(view.attributes) + view.duplicate_keys
        if plan is NOTHING and not view.duplicate_keys:
            return self._untouched(plan, atoms)
        run = self._run(plan, view.attributes, structured=True, record=view)
        self._late(run, plan)
        run.kept += around if plan.is_message else around + body + bool(view.event_name)
        return self._translation(run, plan, atoms, view.duplicate_keys)

    def metric(self, view: MetricView) -> Translation:
        """What changes on a metric and its points, and what is lost of them. Never raises on content."""
        made = []
        for attributes in view.points:
            plan = self._plan(self._points, view.scope_name, attributes, frozenset([view.name]), view.resource)
            run = self._run(plan, attributes, structured=False)
            self._late(run, plan)
            made.append((plan, run))
        return merged(view, made, self.target, self._tables)

    # ------------------------------------------------------------------ what is current

    def _is_right(self, view: SpanView, plan: Plan, texts: Texts) -> bool:
        """Whether nothing about a span has to change. Leaves what it parsed in `texts`."""
        attributes = view.attributes
        if view.duplicate_keys or (view.status_code == identity.STATUS_ERROR and identity.ERROR_TYPE not in attributes):
            return False
        for stage in plan.checks or ():
            if not stage.right(attributes[stage.key], self.message_shapes, texts, structured=False):
                return False
        types = identity.span_types(self.target, attributes.get)
        if not types:
            return True
        kind, name = view.kind, view.name
        if identity.kind_of(kind, types, says_nothing=plan.kind_says_nothing, known=plan.kind) != kind:
            return False
        wanted = identity.name_of(kind, types, attributes.get)
        return not wanted or name == wanted or name.startswith(wanted + " ")

    def _untouched(self, plan: Plan, atoms: int) -> Translation:
        """The translation of an item of which nothing changes but what is derivable and goes; one for all that are alike."""
        alike = self._unknown if plan is NOTHING else plan.unchanged
        known = alike.get(atoms)
        if known is None:
            if len(alike) >= UNCHANGED_MAX:
                alike.clear()
            lost, derived = len(plan.loss), plan.derived
            known = alike[atoms] = Translation(
                Tally(atoms, atoms - lost - derived, derived_only=derived, dropped=lost),
                plan.profiles,
                removed=plan.removed,
                loss=plan.loss,
                unknown=plan.unknown,
                source_side=plan.source_side,
                margins=plan.margins,
                reversal=NEEDS_PROVENANCE if plan.lossy else LOSSLESS,
                tables=self._tables,
            )
        return known

    # ------------------------------------------------------------------ parts

    def _plan(
        self, planner: Planner, scope: str, attributes: Attributes, events: frozenset[str], resource: Attributes
    ) -> Plan:
        shape: Shape = planner.shape(scope, tuple(attributes), tuple(map(type, attributes.values())), events)
        values = tuple([words.get(attributes[key]) for key, words in shape.switches])  # type: ignore[arg-type]  # switches are text by their type
        marks: tuple[str | None, ...] = ()
        if planner.resource_marks:
            found = [(resource.get(key), words) for key, words in planner.resource_marks]
            marks = tuple([value if isinstance(value, str) and value in words else None for value, words in found])
        plan = shape.plans.get(values + marks)
        return plan if plan is not None else planner.plan(shape, values, marks)

    def _run(
        self,
        plan: Plan,
        attributes: Attributes,
        *,
        structured: bool,
        record: LogView | None = None,
        texts: Texts | None = None,
    ) -> Run:
        """A run with everything done that needs no look at the rest of the item."""
        run = Run(attributes, self.message_shapes, self._finish_key, structured=structured, record=record, texts=texts)
        out = run.out
        for source, key in plan.moves:
            out[key] = attributes[source]
        if plan.constants:
            out.update(plan.constants)
            run.converted = plan.converted
        run.renamed = len(plan.moves)
        run.kept = plan.kept if plan is not NOTHING else len(attributes)
        run.derived = plan.derived
        run.lossy = plan.lossy
        run.dropped = len(plan.loss)
        if plan.source_side:
            run.source_side.update(plan.source_side)
        for stage in plan.stages:
            stage.do(run)
        return run

    @staticmethod
    def _late(run: Run, plan: Plan) -> None:
        for stage in plan.late:
            stage.do(run)

    @staticmethod
    def _names(run: Run, plan: Plan, name: str) -> bool:
        """Claims a span's name makes; True when a table knows the name."""
        for row, key in plan.names:
            found = row.match(name)
            if found is None:
                continue
            standing = run.now(key) if key else found
            if standing is None:
                run.offer(key, found)
                run.synthesized.append((key, "name"))
            if standing is None or standing == found:
                for said, value in row.says:
                    if run.offer(said, value) is WON:
                        run.synthesized.append((said, "name"))
                return bool(row.to) or not row.says  # several names may say the same
        return False

    def _identity(self, run: Run, plan: Plan, view: SpanView, *, from_name: bool) -> tuple[str | None, int | None]:
        """Name and kind where they change, and the error's type where it is missing."""
        types = identity.span_types(self.target, run.now)
        if not types:
            run.kept += 2
            return None, None
        if view.status_code == identity.STATUS_ERROR and run.now(identity.ERROR_TYPE) is None:
            found = identity.error_type(view.events)
            if found:
                run.out[identity.ERROR_TYPE] = found
                run.synthesized.append((identity.ERROR_TYPE, "exception.type"))
        kind = identity.kind_of(view.kind, types, says_nothing=plan.kind_says_nothing, known=plan.kind)
        if kind == view.kind:
            run.kept += 1
        elif plan.kind_says_nothing or not view.kind:
            run.converted += 1
            run.lossy = run.lossy or view.kind != identity.LEFT_KIND
        else:
            run.drop("@kind", "kind_changed", 1, 1)
            run.irreversible = True
        return self._name(run, plan, view, kind, types, from_name=from_name), kind if kind != view.kind else None

    @staticmethod
    def _name(
        run: Run, plan: Plan, view: SpanView, kind: int, types: tuple[SpanType, ...], *, from_name: bool
    ) -> str | None:
        """The name where it changes."""
        name, old = identity.name_of(kind, types, run.now), view.name
        if not name or name == old or old.startswith(name + " "):  # a refinement may say more
            run.kept += 1
            return None
        if from_name or identity.says_as_much(old, name, run.attributes, run.out):
            run.converted += 1
            run.lossy = run.lossy or old != identity.source_name(name, plan.names, run.now)
        else:
            run.drop("@name", "name_changed", 1, size(old))
            run.irreversible = True
        return name

    def _translation(
        self,
        run: Run,
        plan: Plan,
        atoms: int,
        duplicates: int,
        *,
        name: str | None = None,
        kind: int | None = None,
    ) -> Translation:
        if duplicates:
            run.drop("@duplicates", "superseded", duplicates, 0)
        out = run.out
        removed = plan.removed
        if run.removed or removed:
            removed = tuple(sorted([key for key in (*removed, *run.removed) if key not in out]))
        if duplicates and (out or removed):
            run.irreversible = True
        loss = tuple(sorted([*plan.loss, *run.loss], key=_by_path)) if run.loss else plan.loss
        tally = Tally(atoms + run.extra, run.kept, run.renamed, run.converted, run.folded, run.derived, run.dropped)
        return Translation(
            tally,
            plan.profiles,
            name,
            kind,
            out,
            removed,
            tuple(sorted(run.events_removed)) if run.events_removed else (),
            (),
            loss,
            tuple(run.notes),
            tuple(run.conflicts),
            tuple(run.synthesized),
            plan.unknown,
            tuple(sorted(run.source_side.items())) if run.source_side else (),
            plan.margins,
            reversal(run, plan),
            self._tables,
            run.event_name,
            run.body_removed,
        )


def _said(view: SpanView) -> int:
    """Atoms of a span that are there only when they are not what they are by default."""
    count = bool(view.status_code) + bool(view.status_message) + bool(view.trace_state) + bool(view.flags)
    if view.dropped_attributes_count or view.dropped_events_count or view.dropped_links_count:
        count += bool(view.dropped_attributes_count) + bool(view.dropped_events_count) + bool(view.dropped_links_count)
    return count


def _by_path(loss: Loss) -> tuple[str, str]:
    return loss.path, loss.reason
