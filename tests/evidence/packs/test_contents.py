"""What every built-in pack says of its rules: a remedy each, where a reference is from, and no word of compliance."""

import re

import pytest

from evidence.bundle import EvidenceBundle
from evidence.packs import BUILTIN, Pack, Rule, builtin, load
from evidence.signals import registry
from tests.evidence import make
from tests.evidence.packs.exemplary import EXEMPLARY, events

OWN = b"""name: own
version: "1"
kind: quality
description: A pack of one's own
x-assay: {requires_signals: [tool_calls]}
rules:
  - {id: A, title: t, severity: info, framework: House rules, ref: "3", signals: [{id: tool_calls, min_state: captured}]}
"""
RULES = [pytest.param(pack, rule, id=f"{pack.name}:{rule.id}") for pack in map(builtin, BUILTIN) for rule in pack.rules]


@pytest.mark.parametrize(("pack", "rule"), RULES)
def test_every_rule_says_what_would_close_it_and_never_that_anybody_complies(pack: Pack, rule: Rule):
    assert rule.remedy
    said = " ".join(filter(None, (rule.title, rule.remedy, rule.rationale, pack.description)))
    assert not re.search(r"compl(y|ies|ian)|certif|conform", said, re.IGNORECASE)


@pytest.mark.parametrize(("pack", "rule"), [param for param in RULES if param.values[1].framework])
def test_every_reference_has_a_title_a_source_and_says_how_far_it_is_known(pack: Pack, rule: Rule):
    assert rule.ref_title
    assert rule.basis in {"secondary", "proposal"}
    assert rule.to_be_checked or rule.basis == "proposal"
    assert rule.source_url.startswith("https://")
    assert rule.checked_on == "2026-11-21"


def test_rules_of_the_ai_act_apply_from_the_days_that_the_omnibus_set():
    days = {tuple(sorted(rule.applies_from.items())) for rule in builtin("eu-ai-act-high-risk").rules}
    assert days == {(("annex-i", "2028-08-02"), ("annex-iii", "2027-12-02")), (("annex-iii", "2027-12-02"),)}
    annex3_1a = [rule for rule in builtin("eu-ai-act-high-risk").rules if rule.ref.startswith("12(3)")]
    assert {rule.profile for rule in annex3_1a} == {"annex3-1a"}
    assert {rule.profile for rule in builtin("eu-ai-act-high-risk").rules if rule not in annex3_1a} == {None}


@pytest.mark.parametrize("name", BUILTIN)
def test_a_pack_of_a_framework_has_a_disclaimer_that_says_what_a_rule_that_holds_says(name):
    pack = builtin(name)
    if pack.kind == "quality":
        assert not any(rule.framework for rule in pack.rules)
    else:
        assert pack.disclaimer.startswith("A rule that holds says that the evidence supports")
        assert ", never that" in pack.disclaimer


def test_every_signal_is_wanted_by_a_rule_of_some_pack():
    wanted = {signal for name in BUILTIN for rule in builtin(name).rules for signal in rule.signals}
    assert set(registry().signals) - wanted == set()


def test_a_manifest_names_the_packs_applied_and_what_their_rules_map_to(tmp_path):
    own = load(OWN, "own.yaml")
    packs = [*map(builtin, BUILTIN), own]
    path = make.sealed(tmp_path, events(EXEMPLARY), packs=packs).path
    with EvidenceBundle.open(path) as bundle:
        said, attached = bundle.manifest["x-assay"], set(bundle.attached)
    assert [(each["name"], each["version"], each["digest"], each["kind"]) for each in said["packs_applied"]] == [
        (pack.name, pack.version, pack.digest, pack.kind) for pack in packs
    ]
    assert said["mappings"] == [
        {"rule": f"{pack.id}:{rule.id}", "framework": rule.framework, "ref": rule.ref}
        for pack in packs
        for rule in pack.rules
        if rule.framework
    ]
    assert attached == {"packs/own.yaml"}
