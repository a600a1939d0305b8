"""docs/signals.md: every evidence signal, where it is expected and how to get it, and how the scores come about.

Made from the registry, the formulas and golden runs, so that what it says is what is computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from evidence import formulas
from evidence.limits import DEFAULT
from evidence.lint.explain.check import check_in_words
from evidence.signals import Registry, Signal, registry
from tests.evidence.golden_runs import RUNS, WORKED_EXAMPLE
from tests.evidence.test_golden import assess
from tests.tools import markdown

HEAD = """\
# Signals, completeness and closure

Made from `evidence/registry.yaml` by `make proto`; not to be edited. A *signal* is something that an auditor, or a replay, needs of a
run. For each there is a table of *expectations*: in which events it should be, and what must then be there. `affidavit evidence lint
BUNDLE --explain closure.score` says for a bundle what each signal came to, where, and what would close it.
"""

STATES = """\
## States

| state | says | completeness | closure |
|---|---|---|---|
| `captured` | every expected instance is there | counts | counts |
| `redacted` | what is not there is withheld, against a commitment (algorithm, digest, size) | counts | not until it is disclosed |
| `missing` | an expected instance is absent; one outweighs any number of others | does not count | does not count |
| `unknown` | nothing in the run says that it should be there | does not count | is left out |

No instance means unknown, never captured. In `reports/closure.json` the list `unknown` holds missing and unknown signals alike;
`by_signal` tells them apart, says how many instances lack what, and names the first eight events, each by its id and a JSON pointer.

## What counts as there

- Attributes are looked up as the translation leaves them: an older or foreign name counts under its name in the conventions.
- Null, a blank text and a placeholder count as absent: {placeholders}. A word that ends in `*` is a prefix. So does a structured value with
  {inside} anywhere in it.
- Messages count when all that they said is there. An empty list of messages, `null` or `{{}}` in their place, a message without parts, a
  text, image or tool answer without its content, a tool call without arguments (not even `{{}}`) count as absent: instrumentations leave such
  when content capture is off. An empty text in a part is content: tools and models answer with it. So are `{{}}` and `[]` as arguments,
  results and documents.
- What is there is not judged: a sender that writes any word where a model's name belongs has named a model. What a sender says is claimed.
- A body that is withheld against a commitment counts as redacted, be it a whole attribute or a piece of a message. A mark that
  commits to nothing counts as absent.
- What a span's log records say (same trace and span id) counts as said by the span, whichever came first.
- Spans of one operation inside each other are one operation: a framework's tool call around its MCP client's around the server's; an
  instrumentation's call of a model around the SDK's own. What one of them says the others need not, and a decision about the outer one is
  about all. Two beside each other are two. So a tool that calls itself once, with a span that has no call id, is taken for one call.
- Requests and spans of one call id are one call, whatever else they say: a model that gives two calls one id has asked for one.
- A span counts as what it says that it is: of one whose operation is misspelt nothing is expected, and one whose parent is said to be in
  another process is no root. `affidavit evidence show` tells what spans of a run there are, expected or not.
- Memory is bounded (`open_instances_max`, {open_instances}): what waits for its other half and does not fit counts as absent.

A call that a model asks for and that the framework answers itself, without running a tool (a handoff, a structured answer, arguments
that it refuses), has no tool span unless the framework records one. It is missing: nothing tells it from a call that happened unseen.
The tools that an agent has are not those that one call of a model was offered: definitions on the agent's span do not count for the call.
"""


def signals() -> str:
    """The whole document."""
    return "\n".join(_document(registry())).rstrip() + "\n"


def _document(known: Registry) -> Iterator[str]:
    yield HEAD
    yield f"Registry `affidavit-signals`, version {known.version}, {known.digest}. Both stand in every manifest."
    yield ""
    yield STATES.format(
        placeholders=_listed(sorted(known.placeholders.whole)),
        inside=_listed(list(known.placeholders.inside)),
        open_instances=f"{DEFAULT.open_instances_max:,}",
    )
    yield "## The sixteen signals"
    yield ""
    yield "A signal with a weight is replay-critical: a replay needs it. The weight is its share in the closure score. Under *Expected*,"
    yield "`tool_span` is a span that carries a call out, and `@exception_type` what the last exception event of a span names. All else are"
    yield "attributes, members of receipts ([docs/receipts.md](receipts.md)) and facts of the run."
    yield ""
    yield from markdown.table(
        ("Signal", "Is", "Weight"),
        ([f"[{each.id}](#{each.id})", each.title, str(each.weight or "")] for each in known.signals.values()),
    )
    for signal in known.signals.values():
        yield from _signal(signal, known)
    yield from _completeness()
    yield from _closure(known)
    yield from _confidence(known)


def _signal(signal: Signal, known: Registry) -> Iterator[str]:
    yield f"### {signal.id}"
    yield ""
    yield f"{signal.title}. " + (
        f"Replay-critical, weight {signal.weight}." if signal.replay_critical else "Not replay-critical."
    )
    yield ""
    yield "Expected:"
    yield ""
    yield from (f"- {check_in_words(check)}" for check in signal.expected)
    yield ""
    if signal.bodies:
        yield f"Bodies, which may be withheld: {_listed(list(signal.bodies))}."
        yield ""
    if words := known.uncontrolled.get(signal.id):
        yield f"When it is missing or redacted, a replay does not control {words}."
        yield ""
    yield f"To have it: {_lowered(signal.remedy)}"
    yield ""


def _completeness() -> Iterator[str]:
    yield "## Completeness"
    yield ""
    yield "Did we capture what a pack needs? For each pack, over the signals it requires (`x-assay.requires_signals`):"
    yield ""
    yield from _formula("completeness_ratio_v1")
    yield "An unknown signal is not complete: the pack asks for it, and nothing in the run speaks of it."
    yield ""


def _closure(known: Registry) -> Iterator[str]:
    yield "## Closure"
    yield ""
    yield "Could the run be reconstructed from its bundle? Over the replay-critical signals:"
    yield ""
    yield from _formula("weighted_ratio_v1")
    yield "### By hand"
    yield ""
    yield "A run of one call of a model that asks for a tool, the tool call without its result, and a resource without a commit or image:"
    yield ""
    report = assess(RUNS[WORKED_EXAMPLE]).closure
    states = {name: detail["status"] for name, detail in report["completeness"]["by_signal"].items()}
    weights = {name: signal.weight for name, signal in known.signals.items() if signal.replay_critical}
    yield from markdown.table(
        ("Signal", "State", "Weight", "Of it captured"),
        (
            [
                f"`{name}`",
                states[name],
                str(weight) if states[name] != "unknown" else "left out",
                str(weight if states[name] == "captured" else 0) if states[name] != "unknown" else "",
            ]
            for name, weight in weights.items()
        ),
    )
    expected = [weight for name, weight in weights.items() if states[name] != "unknown"]
    captured = [weight for name, weight in weights.items() if states[name] == "captured"]
    score = report["closure"]["score"]
    assert Fraction(sum(captured), sum(expected)) == Fraction(score).limit_denominator(64)
    sums = f"({' + '.join(map(str, captured))}) / ({' + '.join(map(str, expected))})"
    yield f"Score = {sums} = {sum(captured)} / {sum(expected)} = {score:.4f}."
    yield f"The report has the nearest double in its shortest spelling: `{score}`."
    yield ""


def _formula(name: str) -> Iterator[str]:
    spec = formulas.specs()[name]
    yield "```"
    yield f"{name}@{spec['semantic_version']} = {spec['expression']}"
    yield "```"
    yield ""
    yield "With nothing to divide by it is 0. Its test vectors are in `evidence/formulas.yaml`; `reports/formula-receipts.json` has a receipt"
    yield "of each evaluation, with digests of its inputs and of its output."
    yield ""


LEVELS: Mapping[str, str] = {
    "low": "Lowers the confidence to `low`: instances may be missing, or one may not be what happened.",
    "medium": "Lowers it to `medium`: every instance counts, and is not wholly known or not shown to be all.",
    "noted": "Lowers nothing, and should be zero all the same: another counter has it, or it hides nothing.",
}


def _confidence(known: Registry) -> Iterator[str]:
    yield "## Confidence"
    yield ""
    yield "How far the count of instances can be trusted. A recorder counts what reaches it; capture health says what did not. With nothing"
    yield "expected of any replay-critical signal the confidence is `low`; else it is the first of these levels with a counter above zero,"
    yield "else `high`. What to do about each: [docs/capture-health.md](capture-health.md)."
    yield ""
    for level, words in LEVELS.items():
        yield words
        yield ""
        yield from markdown.table(
            ("Counter", "Above zero"),
            ([f"`{name}`", counter.meaning] for name, counter in known.counters.items() if counter.level == level),
        )


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
