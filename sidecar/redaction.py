"""Applies a policy of redaction to telemetry, and translates again what something was withheld of.

Joins `evidence`, which knows what is withheld, and `semconv`, which knows what the telemetry says. Law: the translation that an event
records is that of the item as the event has it, so that `verify` comes to the same; an item of which nothing is withheld is
translated once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import orjson

from evidence.redaction import detectors
from evidence.redaction.commitment import Commitment, Withheld
from evidence.redaction.policy import Policy
from evidence.redaction.redaction import Redaction
from semconv import otlp_json
from semconv.translate import Translator
from sidecar.bodies import Bodies
from sidecar.translation import TranslatedItem

__all__ = ["Redacted", "Redactor", "as_bytes"]

Commit: TypeAlias = Callable[[Withheld], Commitment]
_VIEWS: Mapping[str, tuple[Callable[..., Any], str]] = {
    "span": (otlp_json.span_view, "span"),
    "log": (otlp_json.log_view, "log"),
    "metric": (otlp_json.metric_view, "metric"),
}
"""Kind of item: how it is viewed in OTLP/JSON, and the translator's verb for it."""
_TRANSLATED = ("mapped", "loss")
_BLANK = Commitment(alg="none", digest="0" * 64, size_bytes=0)


@dataclass(frozen=True, slots=True)
class Redacted:
    """The data of an event as it may be recorded, and the item as it is then."""

    data: dict[str, Any]
    item: TranslatedItem | None = None


class Redactor:
    """One policy at work."""

    def __init__(self, policy: Policy, translator: Translator) -> None:
        self.policy = policy
        self._translator = translator
        self._bodies = Bodies(translator, policy)

    def may_hold(self, data: bytes) -> bool:
        """Whether anything may be withheld of the texts in these bytes; False is certain."""
        return not self.policy.is_secrets_only or detectors.suspect(data)

    def shared(self, name: str, data: dict[str, Any], commit: Commit) -> dict[str, Any]:
        """The data of a resource or scope without its digest."""
        redaction = Redaction(self.policy, commit, self._bodies.around(name, data[name]))
        made: dict[str, Any] = {name: redaction.telemetry(data[name], f"/{name}")}
        if "schemaUrl" in data:
            made["schemaUrl"] = redaction.text(data["schemaUrl"], "/schemaUrl")
        return made

    def masked(self, name: str, data: dict[str, Any]) -> dict[str, Any]:
        """The same with nothing in place of what is withheld that tells one body from another."""
        return self.shared(name, data, lambda piece: replace(_BLANK, reason=piece.reason))

    def telemetry(
        self,
        kind: str,
        data: dict[str, Any],
        item: TranslatedItem,
        commit: Commit,
        around: tuple[Mapping[str, Any], Mapping[str, Any]] | None,
    ) -> Redacted:
        """A span, log record or metric.

        Args:
            kind: which of them.
            data: the event's data; resource and scope are told by digests already.
            item: what it was made from.
            commit: commits to what is withheld.
            around: resource and scope as they are recorded, when something is withheld of them.
        """
        redaction = Redaction(self.policy, commit, self._bodies.also(kind, data[kind], item))
        made = redaction.telemetry(data[kind], f"/{kind}")
        changed = dict(data)
        if "unknown_fields" in data:
            changed["unknown_fields"] = redaction.opaque(data["unknown_fields"], "/unknown_fields")
        if made is data[kind] and around is None:
            return Redacted(changed, item)
        view_of, verb = _VIEWS[kind]
        surroundings = (
            otlp_json.surroundings(*around)
            if around is not None
            else {name: getattr(item.view, name) for name in otlp_json.Surroundings.__annotations__}
        )
        view = view_of(made, surroundings)
        translation = getattr(self._translator, verb)(view)
        changed = {name: value for name, value in changed.items() if name not in _TRANSLATED}
        changed |= {kind: made, **translation.to_json()}
        return Redacted(changed, replace(item, view=view, translation=translation))

    def plain(self, data: dict[str, Any], commit: Commit) -> dict[str, Any]:
        """The data of a receipt, or what was said when a run was opened or closed."""
        redaction = Redaction(self.policy, commit)
        texts = {name: redaction.text(data[name], f"/{name}") for name in ("kind", "idempotency_key") if name in data}
        inside = {
            name: redaction.plain(data[name], f"/{name}") for name in ("body", "context", "outcome") if name in data
        }
        return data | texts | inside

    def text(self, text: str, commit: Commit, pointer: str) -> str:
        """A sentence of ours, which may quote what was sent."""
        return Redaction(self.policy, commit).text(text, pointer)


def as_bytes(data: object) -> bytes:
    """JSON data as bytes that `may_hold` is asked about."""
    return orjson.dumps(data, default=str)
