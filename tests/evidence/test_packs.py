"""Packs: strict reading, one broken pack for every rule of it, and digests."""

import pickle

import pytest

from evidence.checks.check import ExistsForAll
from evidence.errors import PackError
from evidence.packs import BUILTIN, builtin, load
from evidence.strict_yaml import BYTES_MAX

GOOD = b"""name: mine
version: "1"
kind: compliance
description: A pack
disclaimer: Not advice
source_url: https://example.org/pack
x-assay:
  requires_signals: [model_identity, tool_calls]
rules:
  - id: R-1
    title: Models are named
    severity: error
    framework: Some Act
    ref: "12(1)"
    applies_from: 2027-12-02
    signals: [{id: model_identity, min_state: captured}]
  - id: R-2
    title: Tool spans have results
    severity: warning
    check:
      type: exists_for_all
      when: {event: span, operation: [execute_tool]}
      all_of: [gen_ai.tool.call.result]
"""


def test_a_pack_is_read_whole():
    pack = load(GOOD, "mine.yaml")
    assert (pack.id, pack.kind, pack.requires_signals) == ("mine@1", "compliance", ("model_identity", "tool_calls"))
    assert pack.rules[0].signals == {"model_identity": "captured"}
    assert isinstance(pack.rules[1].check, ExistsForAll)
    assert pack.rules[0].about == {"framework": "Some Act", "ref": "12(1)", "applies_from": "2027-12-02"}
    assert pack.mappings() == [{"rule": "mine@1:R-1", "framework": "Some Act", "ref": "12(1)"}]
    assert pack.reference()["source_url"] == "https://example.org/pack"


def test_a_pack_crosses_a_process_boundary():
    assert pickle.loads(pickle.dumps(load(GOOD))) == load(GOOD)


def test_the_digest_is_over_what_a_pack_says_not_over_how_it_is_written():
    assert load(b"# comment\n" + GOOD).digest == load(GOOD).digest
    assert load(GOOD.replace(b"severity: warning", b"severity: info")).digest != load(GOOD).digest


@pytest.mark.parametrize("name", BUILTIN)
def test_a_built_in_pack_is_valid_and_known_by_its_digest(name):
    assert builtin(name).name == name
    assert load(name) == builtin(name)
    assert builtin(name).is_builtin


def test_a_pack_that_borrows_a_built_in_name_is_not_built_in():
    assert not load(builtin("baseline").source.replace(b"severity: info", b"severity: error")).is_builtin


def test_a_name_that_is_not_built_in_says_what_is():
    with pytest.raises(PackError, match="expected one of baseline"):
        load("basline")


BROKEN = {
    "unknown_key": (b"description:", b"descripton:", r"p\.yaml:(1|4): (unknown|expected the) key"),
    "unknown_key_in_a_rule": (b"    framework: Some Act", b"    frame: Some Act", r"p\.yaml:13: unknown key 'frame'"),
    "unknown_key_in_a_check": (
        b"all_of: [gen_ai.tool.call.result]",
        b"every_of: [gen_ai.tool.call.result]",
        r"p\.yaml:23: unknown key 'every_of'",
    ),
    "unknown_key_in_a_condition": (
        b"operation: [execute_tool]",
        b"operations: [execute_tool]",
        r"p\.yaml:22: unknown key",
    ),
    "unknown_signal": (b"[model_identity, tool_calls]", b"[model_identity, tool_cals]", r"p\.yaml:8: unknown signal"),
    "unknown_signal_in_a_rule": (b"id: model_identity", b"id: model", r"p\.yaml:16: unknown signal"),
    "signal_twice": (
        b"[model_identity, tool_calls]",
        b"[tool_calls, tool_calls]",
        r"p\.yaml:8: expected a list of distinct",
    ),
    "no_signals": (b"[model_identity, tool_calls]", b"[]", r"p\.yaml:8: expected a list"),
    "rule_twice": (b"id: R-2", b"id: R-1", r"p\.yaml:17: the rule 'R-1' stands twice"),
    "no_rules": (GOOD[GOOD.index(b"rules:") :], b"rules: []\n", r"p\.yaml:9: expected at least one rule"),
    "severity_unheard_of": (b"severity: error", b"severity: fatal", r"p\.yaml:12: expected one of error"),
    "kind_unheard_of": (b"kind: compliance", b"kind: fun", r"p\.yaml:3: expected one of compliance"),
    "check_unheard_of": (b"type: exists_for_all", b"type: vibes", r"p\.yaml:21: expected one of exists_for_all"),
    "check_without_type": (b"      type: exists_for_all\n", b"", r"p\.yaml:21: expected the key 'type'"),
    "compliance_without_disclaimer": (b"disclaimer: Not advice\n", b"", "needs a disclaimer"),
    "framework_without_reference": (b'    ref: "12(1)"\n', b"", r"p\.yaml:10: framework and ref"),
    "state_that_cannot_fail": (b"min_state: captured", b"min_state: unknown", r"p\.yaml:16: cannot fail"),
    "nothing_demanded": (b"      all_of: [gen_ai.tool.call.result]\n", b"", "cannot fail"),
    "only_the_condition_demanded": (
        b"all_of: [gen_ai.tool.call.result]",
        b"all_of: [gen_ai.operation.name]",
        "cannot fail",
    ),
    "path_outside_the_events": (
        b"all_of: [gen_ai.tool.call.result]",
        b"all_of: [Span.Name]",
        "not there in events of kind span",
    ),
    "name_with_capitals": (b"name: mine", b"name: Mine", r"p\.yaml:1: expected lower-case"),
    "version_as_number": (b'version: "1"', b"version: 1", r"p\.yaml:2: expected text, got an integer"),
    "empty_title": (b"title: Models are named", b'title: ""', "empty string"),
    "key_twice": (b"kind: compliance", b"kind: compliance\nkind: quality", r"p\.yaml:4: the key 'kind' stands twice"),
    "alias": (b"description: A pack", b"description: &a A pack\nauthor: *a", r"p\.yaml:5: not YAML: aliases"),
    "tag": (b"description: A pack", b"description: !!python/object:os.system A", "expected plain text"),
    "yes_for_true": (b"description: A pack", b"description: yes", r"p\.yaml:4: expected plain text"),
    "not_yaml": (b"rules:", b"rules: [", "not YAML"),
    "two_documents": (b"name: mine", b"---\nname: mine\n---\nname: mine", "not YAML"),
    "empty": (GOOD, b"", "empty document"),
    "not_utf8": (b"A pack", b"\xff", "not UTF-8"),
    "deeply_nested": (b"A pack", b"[" * 5000, "not YAML"),
    "too_large": (b"A pack", b"a" * BYTES_MAX, "expected at most"),
    "a_list": (GOOD, b"- a\n", "expected an object, got a list"),
    "non_text_key": (b"kind: compliance", b"1: compliance", r"p\.yaml:3: expected a key that is text"),
}


@pytest.mark.parametrize("defect", BROKEN)
def test_a_pack_with_a_defect_is_refused_with_file_and_line(defect):
    old, new, words = BROKEN[defect]
    assert old in GOOD
    with pytest.raises(PackError, match=words):
        load(GOOD.replace(old, new, 1), "p.yaml")
