"""What a run was made of, as tables that can be compared: models, tools, prompts, decisions, environment, sums.

Law: a profile is bounded whatever the number of events, and holds nothing that differs between any two runs (ids, times,
durations, places in memory). Names are those after translation, so runs of different frameworks compare.

Scores and signals are taken as the bundle states them; nothing here checks signatures or recomputes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from evidence.bundle.reader import BundleFacts, EvidenceBundle
from evidence.canonical import JsonObject
from evidence.checks.item import Item, mapping, pairs, plain, read_item, sequence, text, texts, withheld_in
from evidence.digest import sha256_hex
from evidence.event import RECEIPT, RESOURCE, RUN_GAP, RUN_OPENED, SCOPE
from evidence.limits import DEFAULT, INTEGER_MAX, Limits
from evidence.reading.excerpt import DEFINITIONS, INPUT, INSTRUCTIONS, OUTPUT, Excerpt, excerpts
from evidence.reading.facets import FACETS
from evidence.reading.facts import NAMED, TEXT_MAX, TOKENS, error_of, scalar
from evidence.reading.head import head_of
from evidence.reading.offered_tools import offered_tools
from evidence.reading.outline import label

Value = int | float | str | bool | None
Table = dict[str, Value]
Source = Literal["span", "log"]

OTHERS = "(others)"
"""In place of names beyond `Limits.profile_names_max` of one table."""
WORDS_KEPT = 4096
"""Characters of a prompt or input that are kept to show where two differ."""

_MODEL_CALLS = frozenset({"chat", "generate_content", "text_completion", "embeddings"})
_SAMPLING = (
    "temperature", "top_p", "top_k", "seed", "max_tokens", "frequency_penalty", "presence_penalty", "stop_sequences", "choice.count",
    "reasoning.level", "reasoning.effort",
)  # fmt: skip
_ENVIRONMENT = (
    "service.name", "service.namespace", "service.version", "deployment.", "container.image.", "oci.", "vcs.", "telemetry.sdk.",
    "telemetry.distro.", "process.runtime.", "process.executable.build_id", "os.type", "os.version", "host.arch", "host.image.",
    "cloud.", "gen_ai.",
)  # fmt: skip
_DECIDED = ("decision", "tool_name", "rule", "policy_id", "policy_digest", "reason")
_APPROVED = ("decision", "approver", "tool_name")
_POLICY = ("version", "digest", "gated_tools", "approval_tools")
_NO_DIFFERENCE = frozenset({"spans", "logs", "metrics", "receipts", "lossy_items", "gaps", "time_regressions"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One run, ready to be compared."""

    bundle: JsonObject
    """What names it: run, part, bundle, times."""
    tables: Mapping[str, Table]
    """By facet: a value, mostly a count, by name."""
    words: Mapping[str, str]
    """The first characters of what a digest stands for."""
    withheld: Mapping[str, int]
    """By facet: bodies that could not be looked at because only a commitment is there."""


def read_profile(path: Path, limits: Limits = DEFAULT) -> Profile:
    """Read a bundle strictly, once.

    Raises:
        BundleError: the file is not a valid evidence bundle.
        OSError: it cannot be read.
    """
    profile = RunProfile(limits)
    with EvidenceBundle.open(path, limits) as bundle:
        for event, _ in bundle.events():
            profile.add(event)
        return profile.result(bundle.finish())


class RunProfile:
    """Looks at the events of a part in order."""

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self._limits = limits
        self._tables: dict[str, Table] = {facet: {} for facet in FACETS}
        self._by_source: dict[Source, dict[str, Table]] = {
            source: {facet: {} for facet in _COUNTED_ONCE} for source in ("span", "log")
        }
        self._several: dict[tuple[str, str], set[str]] = {}
        self._words: dict[str, str] = {}
        self._withheld: dict[str, int] = {}
        self._told: dict[tuple[str, str], None] = {}
        self._add: Mapping[str, Callable[[JsonObject], None]] = {
            RESOURCE: self._resource,
            SCOPE: self._scope,
            RECEIPT: self._receipt,
            RUN_OPENED: self._opened,
            RUN_GAP: lambda data: self._count("gaps", text(data["kind"]), data["count"]),
        }

    def add(self, event: JsonObject) -> None:
        """Look at the next event, which passed `evidence.event.check`."""
        if item := read_item(event):
            self._item(event, item)
        elif add := self._add.get(event["type"]):
            add(event["data"])

    def result(self, facts: BundleFacts) -> Profile:
        """The profile of the events so far, and of what the bundle says as a whole."""
        tables = {facet: dict(table) for facet, table in self._tables.items()}
        for facet in _COUNTED_ONCE:
            tables[facet] |= self._by_source["span"][facet] or self._by_source["log"][facet]
        for (facet, name), values in self._several.items():
            tables[facet][name] = ", ".join(sorted(values))
        head = head_of(facts)
        tables["signals"] = head["signals"]
        tables["scores"] = _scores(head)
        tables["packs"] = {pack["name"]: pack["version"] for pack in head["packs"]}
        tables["capture"] = {
            name: value for name, value in head["capture_health"].items() if name not in _NO_DIFFERENCE
        }
        tables["mapping"]["target"] = head["mapping"]["target"]
        tables["closing"]["reason"] = head["close_reason"]
        names = ("run_id", "part", "bundle_id", "opened_at", "closed_at", "producer", "event_count")
        return Profile(
            bundle={"file": facts.file, **{name: head[name] for name in names}},
            tables={facet: dict(sorted(table.items())) for facet, table in tables.items()},
            words=self._words,
            withheld=self._withheld,
        )

    # ---------------------------------------------------------------- tables

    def _count(self, facet: str, name: str, number: int = 1, source: Source | None = None) -> None:
        table = self._by_source[source][facet] if source else self._tables[facet]
        name = self._name(table, name)
        table[name] = min(int(table.get(name) or 0) + max(number, 0), INTEGER_MAX)

    def _put(self, facet: str, name: str, value: Value) -> None:
        table = self._tables[facet]
        table[self._name(table, name)] = value

    def _also(self, facet: str, name: str, value: str) -> None:
        """One of the values of a name; the table shows all of them in order."""
        key = (facet, name[:TEXT_MAX])
        if key in self._several or len(self._several) < self._limits.profile_names_max:
            values = self._several.setdefault(key, set())
            values.add(value if len(values) < self._limits.evidence_paths_max else OTHERS)

    def _name(self, table: Table, name: str) -> str:
        name = name[:TEXT_MAX]
        return name if name in table or len(table) < self._limits.profile_names_max else OTHERS

    def _is_new(self, kind: str, name: str) -> bool:
        """Whether this was not told before; what does not fit in memory counts as new."""
        if (kind, name) in self._told:
            return False
        if len(self._told) < self._limits.open_instances_max:
            self._told[kind, name] = None
        return True

    # ---------------------------------------------------------------- telemetry

    def _item(self, event: JsonObject, item: Item) -> None:
        operation = label(event, item)
        named = item.name or "without a name"
        self._count("counts", operation if item.kind == "span" else f"{item.kind} {named}")
        for profile in texts(item.mapped.get("profiles")):
            self._put("mapping", f"translated by {profile}", value=True)
        for reason, number in item.losses.items():
            self._count("mapping", f"lost: {reason}", number)
        if item.kind == "metric":
            return
        for key, _ in item.withheld():
            self._count("withheld", key)
        self._agent(item, operation)
        self._call(item, operation)
        self._bodies(item, operation)
        if error := error_of(item):
            what = item.text("gen_ai.tool.name") or item.text("gen_ai.request.model")
            self._count("errors", f"{' '.join(filter(None, (operation, what)))}: {error.get('type', 'no type said')}")

    def _agent(self, item: Item, operation: str) -> None:
        if item.kind == "span" and operation in {"invoke_agent", "create_agent"}:
            version = item.text("gen_ai.agent.version")
            self._count("agents", " ".join(filter(None, (item.text("gen_ai.agent.name") or "without a name", version))))

    def _call(self, item: Item, operation: str) -> None:
        source: Source = "span" if item.kind == "span" else "log"
        if operation in _MODEL_CALLS or (source == "log" and item.text(NAMED["requested_model"])):
            self._model(item, source)
        tool = item.text(NAMED["tool"])
        if tool and (source == "log" or operation in {"execute_tool", "tools/call"}):
            call_id = item.text(NAMED["tool_call_id"])
            if not call_id or self._is_new(source, call_id):
                self._count("tools_called", tool, source=source)

    def _model(self, item: Item, source: Source) -> None:
        provider, asked, answered = (
            item.text(NAMED[name]) for name in ("provider", "requested_model", "responding_model")
        )
        name = f"{provider or '?'} {asked or '?'}"
        self._count("models", f"{name} → {answered}" if answered and answered != asked else name, source=source)
        for kind, key in TOKENS.items():
            if number := item.count(key):
                self._count("tokens", kind, number, source)
        for reason in sequence(item.value(NAMED["finish_reasons"])):
            self._count("finish_reasons", str(reason), source=source)
        for parameter in _SAMPLING:
            if (value := item.value(f"gen_ai.request.{parameter}")) is not None:
                self._also("sampling", parameter, str(scalar(value)))
        if prompt := item.text("gen_ai.prompt.name"):
            self._also("prompts", f"template {prompt}", item.text("gen_ai.prompt.version") or "without a version")

    def _bodies(self, item: Item, operation: str) -> None:
        if not any(key in item.attributes for key in (INSTRUCTIONS, INPUT, DEFINITIONS, OUTPUT)):
            return
        for each in excerpts(item, words=None, most=None)[0]:
            if each.withheld:
                self._withhold(_FACETS_OF_BODY.get(each.key, ()))
            elif each.key == OUTPUT:
                self._requested(item, operation, each)
            elif each.key == INSTRUCTIONS or (each.key == INPUT and each.speaker in _INSTRUCTING):
                self._say("prompts", each)
            elif each.key == INPUT and each.speaker == "user" and each.part == "text":
                self._say("inputs", each)
        for tool in offered_tools(item.attributes.get(DEFINITIONS)):
            self._also("tools_offered", *tool)

    def _say(self, facet: str, each: Excerpt) -> None:
        """A text that is compared by its digest, and shown by its words; unless a piece of it is withheld."""
        if each.withheld_pieces:
            self._withhold([facet])
            return
        digest = "sha256:" + sha256_hex(each.words.encode(errors="surrogatepass"))[:16]
        if len(self._words) < self._limits.profile_names_max:
            self._words.setdefault(digest, each.words[:WORDS_KEPT])
        self._put(facet, digest, each.characters)

    def _withhold(self, facets: Sequence[str]) -> None:
        for facet in facets:
            self._withheld[facet] = self._withheld.get(facet, 0) + 1

    def _requested(self, item: Item, operation: str, each: Excerpt) -> None:
        """A call that a model asked for; what wraps a model call repeats its output."""
        name, bracket, _ = each.words.partition("(")
        if each.part == "tool_call" and bracket and (item.kind == "log" or operation in _MODEL_CALLS):
            self._count("tools_requested", name, source="log" if item.kind == "log" else "span")

    # ---------------------------------------------------------------- everything else

    def _resource(self, data: JsonObject) -> None:
        for key, value in pairs(mapping(data["resource"]).get("attributes")):
            if key.startswith(_ENVIRONMENT):
                self._also("environment", key, str(scalar(plain(value))))

    def _scope(self, data: JsonObject) -> None:
        scope = mapping(data["scope"])
        self._also("instrumentation", text(scope.get("name")) or "without a name", text(scope.get("version")) or "?")

    def _opened(self, data: JsonObject) -> None:
        if policy := mapping(mapping(data.get("context")).get("policy")):
            self._policy(policy)

    def _receipt(self, data: JsonObject) -> None:
        kind, body = text(data["kind"]), mapping(data["body"])
        if kind == "policy":
            self._policy(body)
        elif kind == "policy_decision":
            self._count("decisions", _told_in(body, _DECIDED))
        elif kind == "human_approval":
            self._count("approvals", _told_in(body, _APPROVED))
        else:
            self._count("receipts", kind)

    def _policy(self, body: JsonObject) -> None:
        name = text(body.get("id")) or text(body.get("policy_id")) or "without an id"
        self._also("policies", name, _told_in(body, _POLICY))


_COUNTED_ONCE = ("models", "tools_requested", "tools_called", "tokens", "finish_reasons")
"""What spans and log records of the same calls both tell: taken from spans, and from records where no span tells it."""
_FACETS_OF_BODY = {
    INSTRUCTIONS: ("prompts",),
    INPUT: ("prompts", "inputs"),
    OUTPUT: ("tools_requested",),
    DEFINITIONS: ("tools_offered",),
}
"""What cannot be told, or not all of it, when a body is withheld."""
_INSTRUCTING = frozenset({"system", "developer"})


def _scores(head: JsonObject) -> Table:
    scores: Table = {name: scalar(head["closure"][name]) for name in ("score", "confidence")}
    scores |= {f"completeness {pack['name']}": pack["completeness"] for pack in head["packs"]}
    return {name: score for name, score in scores.items() if score not in (None, "")}


def _told_in(body: JsonObject, names: tuple[str, ...]) -> str:
    """The members of a receipt's body that matter, on one line."""
    told = []
    for name in names:
        value = body.get(name)
        if value not in (None, "", []):
            told.append(f"{name}=withheld" if withheld_in(value) else f"{name}={_line(value)}")
    return " ".join(told) or "says nothing"


def _line(value: object) -> str:
    return ",".join(sorted(map(str, value))) if isinstance(value, list) else str(scalar(value))
