"""A lint report as SARIF 2.1.0, for code scanning services and viewers.

| lint | SARIF |
|---|---|
| rule of a pack | `reportingDescriptor` with the id `pack@version:rule`; framework references are taxa of a taxonomy per framework |
| a rule that fails | result of the level of its severity |
| a rule that is undecided | result of level `note` and of property `outcome: undecided` |
| a rule that holds or does not apply | no result |
| evidence path | location: the bundle file, the event's line of `events.ndjson` as region, the path as logical location |
| a bundle that does not read | notification of level `error`, and no results |

Law: a function of the report alone; the same report gives the same bytes.
"""

from collections.abc import Mapping, Sequence

from evidence.canonical import JsonObject
from evidence.digest import sha256_hex
from evidence.lint.explain.rule import asks, remedies, standing
from evidence.lint.lint import BundleLint, Finding, LintedBundle, RefusedBundle
from evidence.lint.report import LintReport, about
from evidence.manifest import EVENTS
from evidence.packs import Pack, Rule
from evidence.sarif import artifact, log_bytes, message, one_run, physical
from evidence.signals import Registry, registry

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_UNDECIDED = "note"
_Taxa = Mapping[tuple[str, str], tuple[int, int]]
"""Taxonomy and taxon by index, for each framework and reference."""


def sarif(report: LintReport) -> JsonObject:
    """The report as one SARIF log with one run."""
    signals = registry()
    rules = [(pack, rule) for pack in report.options.packs for rule in pack.rules]
    index = {f"{pack.id}:{rule.id}": number for number, (pack, rule) in enumerate(rules)}
    taxonomies, taxa = _taxonomies([rule for _, rule in rules])
    driver = {
        "name": "affidavit",
        "version": report.version,
        "rules": [_descriptor(pack, rule, taxa, signals) for pack, rule in rules],
        "supportedTaxonomies": [{"name": each["name"], "index": number} for number, each in enumerate(taxonomies)],
    }
    run = {
        "tool": {"driver": driver},
        "taxonomies": taxonomies,
        "invocations": [_invocation(report)],
        "artifacts": [_artifact(bundle) for bundle in report.bundles],
        "results": [
            _result(number, bundle, finding, index[finding.result.id], signals)
            for number, bundle in enumerate(report.bundles)
            if isinstance(bundle, LintedBundle)
            for finding in bundle.findings
            if finding.decides and finding.result.outcome != "holds"
        ],
        "properties": {
            "packs": [pack.reference() for pack in report.options.packs],
            "signals": signals.reference(),
            "signatures": "not checked",
        },
    }
    return one_run(run)


def sarif_bytes(report: LintReport) -> bytes:
    """The log as a file holds it."""
    return log_bytes(sarif(report))


# ------------------------------------------------------------------ rules and what they refer to


def _descriptor(pack: Pack, rule: Rule, taxa: _Taxa, signals: Registry) -> JsonObject:
    descriptor: JsonObject = {
        "id": f"{pack.id}:{rule.id}",
        "name": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.rationale or rule.title},
        "help": {"text": "\n".join(_help(pack, rule, signals))},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {**about(rule), "tags": [pack.kind, pack.name]},
    }
    if rule.source_url and rule.source_url.startswith("https://"):
        descriptor["helpUri"] = rule.source_url
    if rule.framework and rule.ref:
        taxonomy, taxon = taxa[rule.framework, rule.ref]
        target = {"id": rule.ref, "index": taxon, "toolComponent": {"name": rule.framework, "index": taxonomy}}
        descriptor["relationships"] = [{"target": target, "kinds": ["relevant"]}]
    return descriptor


def _help(pack: Pack, rule: Rule, signals: Registry) -> list[str]:
    lines = [f"Looks at: {text}." for text in asks(rule, signals)]
    lines += [
        f"What would close it: {text}" for text in remedies(rule, dict.fromkeys(rule.signals, "missing"), signals)
    ]
    lines += [f"{label.capitalize()}: {text}" for label, text in standing(rule)]
    return [*lines, pack.disclaimer] if pack.disclaimer else lines


def _taxonomies(rules: Sequence[Rule]) -> tuple[list[JsonObject], _Taxa]:
    """A taxonomy for each framework, with a taxon for each reference that some rule makes."""
    titles: dict[str, dict[str, str | None]] = {}
    for rule in rules:
        if rule.framework and rule.ref:
            references = titles.setdefault(rule.framework, {})
            references[rule.ref] = references.get(rule.ref) or rule.ref_title
    taxa = {
        (framework, ref): (number, place)
        for number, (framework, references) in enumerate(titles.items())
        for place, ref in enumerate(references)
    }
    taxonomies: list[JsonObject] = [
        {
            "name": framework,
            "taxa": [
                {"id": ref, **({"shortDescription": {"text": title}} if title else {})}
                for ref, title in references.items()
            ],
        }
        for framework, references in titles.items()
    ]
    return taxonomies, taxa


# ------------------------------------------------------------------ bundles and what was found in them


def _artifact(bundle: BundleLint) -> JsonObject:
    if not isinstance(bundle, LintedBundle):
        return artifact(bundle.file)
    properties = {
        "identity": bundle.identity,
        "closure": bundle.scores.closure["closure"],
        "completeness": dict(bundle.scores.completeness),
        "captureHealth": bundle.capture_health,
    }
    return artifact(bundle.file, bundle.identity["container_digest"].removeprefix("sha256:")) | {
        "properties": properties
    }


def _invocation(report: LintReport) -> JsonObject:
    notifications = [
        {
            "level": "error",
            "message": message(f"not read: {bundle.stage}: {bundle.reason}"),
            "locations": [{"physicalLocation": physical(bundle.file, number)}],
        }
        for number, bundle in enumerate(report.bundles)
        if isinstance(bundle, RefusedBundle)
    ]
    return {
        "executionSuccessful": not notifications,
        "exitCode": report.exit_code,
        "toolExecutionNotifications": notifications,
    }


def _result(number: int, bundle: LintedBundle, finding: Finding, rule_index: int, signals: Registry) -> JsonObject:
    result, rule = finding.result, finding.result.rule
    undecided = result.outcome == "undecided"
    said = f"{'Undecided' if undecided else 'Not supported'}: {rule.title}: {result.reason}."
    return {
        "ruleId": result.id,
        "ruleIndex": rule_index,
        "level": _UNDECIDED if undecided else _LEVELS[rule.severity],
        "message": message(" ".join([said, *remedies(rule, result.signals, signals)])),
        "locations": [_location(number, bundle, path) for path in result.evidence_paths[:1]]
        or [_location(number, bundle)],
        "relatedLocations": [_location(number, bundle, path) for path in result.evidence_paths[1:]],
        "partialFingerprints": {"primaryLocationLineHash": sha256_hex(result.id.encode())},
        "properties": {
            "outcome": result.outcome,
            "instances": result.instances,
            "lacking": result.lacking,
            "signals": dict(result.signals),
        },
    }


def _location(number: int, bundle: LintedBundle, path: str | None = None) -> JsonObject:
    """The bundle, or in it the event that an evidence path names."""
    place = physical(bundle.file, number)
    if path is None:
        return {"physicalLocation": place}
    if (line := bundle.line(path)) is not None:
        place["region"] = {"startLine": line, "message": {"text": f"line {line} of {EVENTS} in the bundle"}}
    event = path.partition("#")[0]
    return {
        "physicalLocation": place,
        "logicalLocations": [{"name": event, "fullyQualifiedName": path, "kind": "object"}],
    }
