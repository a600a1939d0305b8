"""Lint tells all that is wrong with a profile, at its place, and names no row that could ever take anything."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semconv import table
from semconv.errors import ProfileError
from semconv.lint.check import Linter
from semconv.lint.conditions import alternatives, follows, impossible
from semconv.lint.finding import CODES, ERROR
from semconv.lint.reading import DEFECTS_MAX
from semconv.messages.shapes import Shapes
from semconv.profile.profile import Surroundings, When
from semconv.profile.reader import from_table
from semconv.profile.sources import Sources
from semconv.translate import Translator
from semconv.view import SpanView
from tests.tools.examples import times

TOP = 'id: mine\nversion: "1"\n'
MARKED = TOP + "detect: {keys: {mine.*: 1}}\n"
ROWS = MARKED + "rows:\n"

FLAWED = {
    "a key twice, and what follows is looked at all the same": ROWS
    + "  - {key: mine.a, keep: true}\n  - {key: mine.b, to: gen_ai.tool.nane}  # <- unknown-concept\n"
    "version: '2'  # <- key-twice\n",
    "aliases": ROWS + "  - &x {key: mine.a, keep: true}\n  - *x  # <- alias\n  - *x  # <- alias\n",
    "a tag": ROWS + "  - {key: !!str mine.a, keep: true}  # <- tag\n",
    "a list as key": ROWS + "  - {[mine.a]: 1}  # <- key-no-text\n",
    "no yaml": TOP + "detect: {keys: {mine.*: 1}  \nrows: 1  # <- not-yaml\n",
    "two documents": MARKED + "---  # <- not-yaml\nid: a\n",
    "too deep": TOP + "detect: " + "[" * 40 + "  # <- too-deep\n",
    "words missing": "rows: []  # <- missing-word missing-word missing-word undetectable\n",
    "shadows": MARKED.replace("id: mine", "id: strands  # <- shadows-builtin"),
    "overrides nothing": MARKED + "override: true  # <- overrides-nothing\n",
    "unknown base": MARKED + "extends: openinferenc  # <- unknown-base\n",
    "extends itself": MARKED + "extends: mine  # <- unknown-base\n",
    "many defects, of a row each": MARKED.replace("mine.*: 1}}", "mine.*: one}}  # <- wrong-value")
    + "lair: vendor  # <- unknown-word\n"
    "rows:\n"
    "  - {kee: mine.a, keep: true}  # <- unknown-word\n"
    "  - {key: mine.a, keep: true}\n"
    "  - {key: mine.b, keep: perhaps}  # <- wrong-value\n"
    "  - {key: mine.c, lost: somehow}  # <- unknown-value\n"
    "  - {key: mine.d, to: gen_ai.agent.name, op: upside_down}  # <- unknown-operation\n"
    "  - {key: mine.e, to: gen_ai.agent.name, op: {enum: words}}  # <- unknown-enum\n"
    "  - {key: mine.f}  # <- wrong-value\n"
    "  - mine.g  # <- wrong-value\n"
    "events: [{event: x}]  # <- wrong-value\n",
    "several defects of one row": ROWS
    + "  - key: mine.a\n"
    "    to: gen_ai.nothing  # <- unknown-concept\n"
    "    when: {presnet: [x]}  # <- unknown-word\n"
    "    lost: somehow  # <- unknown-value\n"
    "  - key: mine.b\n"
    "    split:\n"
    "      a: {to: gen_ai.nothing}  # <- unknown-concept\n"
    "      b: {lost: somehow}  # <- unknown-value\n"
    "      c: {keep: true}\n",
    "what looks into a broken enum has nothing wrong": MARKED
    + "enums: {words: [a]}  # <- wrong-value\nrows: [{key: mine.a, to: gen_ai.agent.name, op: {enum: words}}]\n",
    "words that are no text, reasons there are not, holes the key has not": MARKED
    + "rows:\n"
    "  - {key: mine.a, lost: no_concept, same_as: [x]}  # <- wrong-value\n"
    "  - {key: mine.b, to: gen_ai.input.messages, role: 7}  # <- wrong-value\n"
    "  - {key: mine.c, to: gen_ai.provider.name, op: {enum: provider, miss: somehow}}  # <- unknown-value\n"
    "  - {key: mine.d, to: gen_ai.provider.name, op: {refuse: {enum: frameworks, reason: somehow}}}  # <- unknown-value\n"
    "events:\n"
    "  - {event: a, to: gen_ai.input.messages, body: [x]}  # <- wrong-value\n"
    "  - {event: b, to: gen_ai.input.messages, rename: {x: [y]}}  # <- wrong-value\n"
    "folds:\n"
    "  - {to: gen_ai.input.messages, role: [x], keys: {'mine.f.{i}.a': '{i}.a'}}  # <- wrong-value\n"
    "  - to: gen_ai.input.messages\n"
    "    keys:\n"
    "      'mine.g.{i}.b': '{i}.{i}.b'  # <- wrong-value\n"
    "      'mine.g.*.c': '{i}.c'  # <- wrong-value\n"
    "      'mine.g.{i}.**': '{k}.**'\n"
    "      'mine.g.{i}.d.{k}': '{i}.d'\n"
    "metrics:\n"
    "  - {name: mine.m, to: gen_ai.client.operation.duratoin}  # <- unknown-concept\n"
    "  - {name: mine.n, to: gen_ai.invoke_agent.duration}\n",
    "malformed keys": ROWS
    + "  - {key: mine.a*, keep: true}  # <- malformed-key\n"
    "  - {key: 'mine.{ab}.c', keep: true}  # <- malformed-key\n"
    "  - {key: ['mine.{i}.*', mine.b.**], keep: true}\n",
    "conditions never met": ROWS
    + "  - {key: mine.a, keep: true, when: {present: [x.y], absent: ['x.*']}}  # <- never-holds\n"
    "  - {key: mine.b, keep: true, when: {absent: [mine.b]}}  # <- never-holds\n"
    "  - {key: mine.c, keep: true, when: {any: [x, y], absent: [y, x]}}  # <- never-holds\n"
    "  - {key: mine.d, keep: true, when: {value: {x: []}}}  # <- never-holds\n"
    "  - {key: mine.e, keep: true, when: {value: {x: [a]}, absent: [x]}}  # <- never-holds\n"
    "  - {key: mine.f, keep: true, when: {any: [x, y], absent: [y]}}\n"
    "implied:\n"
    "  - {to: gen_ai.tool.name, value: a, when: {present: [x], absent: [x]}}  # <- never-holds\n",
    "two rows for one source": ROWS
    + "  - {key: mine.a, to: gen_ai.tool.name}\n"
    "  - {key: [mine.b, mine.a], lost: no_concept}  # <- row-twice\n"
    "  - {key: mine.c, to: gen_ai.tool.name, op: lower}\n"
    "  - {key: mine.c, to: gen_ai.agent.name, op: lower}  # <- row-twice\n"
    "  - {key: mine.c, keep: true}\n"
    "  - {key: mine.d, split: {a: {keep: true}}, when: {present: [x]}}\n"
    "  - {key: mine.d, split: {b: {keep: true}}, when: {present: [x]}}  # <- row-twice\n"
    "  - {key: mine.e, to: gen_ai.usage.input_tokens}\n"
    "  - {key: mine.e, lost: unparseable}\n",
    "rows that nothing gets to": ROWS
    + "  - {key: mine.a.**, keep: true, when: {operation: [chat, execute_tool]}}\n"
    "  - {key: mine.a.b, lost: no_concept, when: {operation: chat}}  # <- unreachable-row\n"
    "  - {key: mine.a.*, lost: no_concept, when: {operation: [chat], present: [x]}}  # <- unreachable-row\n"
    "  - {key: mine.a.c, lost: no_concept, when: {operation: [chat, embeddings]}}\n"
    "  - {key: mine.b, lost: no_concept, when: {value: {x: [p]}}}\n"
    "  - {key: mine.b, lost: no_concept, when: {value: {x: [q]}}}\n"
    "  - {key: mine.b, keep: true, when: {value: {x: [q, p]}}}  # <- unreachable-row\n"
    "  - {key: 'mine.c.{i}.d', keep: true}\n"
    "  - {key: mine.c.7.d, lost: no_concept}  # <- unreachable-row\n"
    "  - {key: mine.c.x.d, lost: no_concept}\n"
    "  - {key: mine.d, derived: true, when: {present: ['x.*']}}\n"
    "  - {key: mine.d, lost: no_concept, when: {present: [x.y]}}  # <- unreachable-row\n"
    "  - {key: mine.e, sum_of: [gen_ai.usage.input_tokens], when: {absent: [x.y]}}\n"
    "  - {key: mine.e, lost: no_concept, when: {absent: ['x.*']}}  # <- unreachable-row\n"
    "  - {key: mine.f, keep: true, when: {any: [x, y]}}\n"
    "  - {key: mine.f, lost: no_concept, when: {present: [y]}}  # <- unreachable-row\n"
    "  - {key: mine.g, keep: true, when: {scope: ['mine.*']}}\n"
    "  - {key: mine.g, lost: no_concept, when: {scope: mine.x}}  # <- unreachable-row\n"
    "  - {key: mine.fold.0.role, lost: no_concept}  # <- unreachable-row\n"
    "folds:\n"
    "  - {to: gen_ai.input.messages, keys: {'mine.fold.{i}.role': '{i}.role'}}\n",
    "elsewhere": MARKED
    + "names:\n"
    "  - {pattern: 'run {gen_ai.tool.name}'}\n"
    "  - {pattern: 'run {gen_ai.tool.name}', when: {present: [x]}}  # <- unreachable-row\n"
    "  - {pattern: 'run {gen_ai.agent.name}'}\n"
    "kinds:\n"
    "  - {kind: client, when: {present: [x]}}\n"
    "  - {kind: server, when: {present: [x, y]}}  # <- unreachable-row\n"
    "implied:\n"
    "  - {to: gen_ai.tool.name, value: a, when: {present: [x]}}\n"
    "  - {to: gen_ai.tool.name, value: b, when: {present: [x]}}  # <- row-twice\n"
    "events:\n"
    "  - {event: 'mine.*', lost: no_concept}\n"
    "  - {event: [other, mine.a], lost: no_concept}  # <- row-twice\n"
    "logs:\n"
    "  - {event: [a, b], lost: no_concept}\n"
    "  - {event: b, lost: user_defined}  # <- row-twice\n"
    "metrics:\n"
    "  - {name: mine.m, lost: no_concept, points: {a: [x, y]}}\n"
    "  - {name: mine.m, lost: no_concept, points: {a: [x], b: [z]}}  # <- row-twice\n"
    "  - {name: mine.m, lost: no_concept}\n",
    "events": MARKED
    + "events:\n"
    "  - {event: [x, y], lost: no_concept, when: {present: [a], absent: [a]}}  # <- never-holds\n"
    "  - event: z\n"
    "    attributes:\n"
    "      a: {to: gen_ai.tool.name, op: {before: /}}  # <- irreversible-without-reason\n"
    "logs:\n"
    "  - {event: x, lost: no_concept, when: {operation: [caht]}}  # <- unknown-operation-name\n",
    "what is cut off without a reason": ROWS
    + "  - {key: mine.a, to: gen_ai.tool.name, op: {before: /}}  # <- irreversible-without-reason\n"
    "  - {key: mine.b, to: gen_ai.tool.name, op: {before: /}, loses: vendor_internal}\n"
    "  - {key: mine.c, to: gen_ai.tool.name, op: {after: /}, lost: no_concept}\n"
    "  - {key: mine.d, to: gen_ai.tool.name, op: [lower, str]}\n"
    "  - {key: mine.e, split: {x: {to: gen_ai.tool.name, op: {after: /}}}}  # <- irreversible-without-reason\n"
    "  - {key: mine.f, keep: true, also: {to: gen_ai.tool.name, op: {after: /}}}\n"
    "  - {key: mine.g, to: gen_ai.tool.name, op: {member: a}}  # <- irreversible-without-reason\n"
    "  - {key: mine.h, to: gen_ai.tool.name, op: [{only: [a]}, {member: a}]}\n"
    "  - {key: mine.i, to: gen_ai.tool.name, op: [{only: [a, b]}, {member: a}]}  # <- irreversible-without-reason\n",
    "values that are not the concept's": MARKED
    + "enums:\n"
    "  what:\n"
    "    a: chat\n"
    "    b: invoke_agnet  # <- not-well-known\n"
    "    c: of_my_own  # <- not-well-known\n"
    "  failed: {x: whatever}\n"
    "  spare: {x: y}  # <- unused-enum\n"
    "rows:\n"
    "  - {key: mine.a, to: gen_ai.operation.name, op: {enum: what}}\n"
    "  - {key: mine.b, to: error.type, op: {enum: failed}}\n"
    "  - {key: mine.c, to: gen_ai.usage.input_tokens, op: {const: many}, lost: no_concept}  # <- wrong-type\n"
    "  - {key: mine.d, keep: true, when: {operation: of_my_own}}\n"
    "  - {key: mine.e, keep: true, when: {operation: caht}}  # <- unknown-operation-name\n"
    "  - {key: mine.f, to: gen_ai.provider.name, op: {enum: provider}}\n"
    "implied:\n"
    "  - {to: gen_ai.usage.input_tokens, value: some, when: {present: [x]}}  # <- wrong-type\n",
    "never detected": TOP + "detect: {threshold: 5, keys: {mine.a: 2}, values: {x=1: 2, x=2: 2}}  # <- undetectable\n",
    "detected by what excludes each other is not enough": TOP
    + "detect: {threshold: 3, scopes: {a: 2, b: 2}}  # <- undetectable\n",
    "a scope and its beginning are there together": TOP + "detect: {threshold: 3, scopes: {a.b: 2, a.*: 1}}\n",
    "a threshold that everything reaches": TOP + "detect: {threshold: 0, keys: {mine.a: 2}}  # <- detects-everything\n",
    "a mark that everything bears": TOP + "detect: {scopes: {'*': 1}}  # <- detects-everything\n",
    "a mark that others bear": TOP + "detect: {keys: {gen_ai.system: 1}}  # <- detects-by-shared-keys\n",
    "marks that others bear": TOP
    + "detect: {threshold: 2, keys: {http.route: 1, gen_ai.system: 1}}  # <- detects-by-shared-keys\n",
    "a mark that others bear, and one of its own": TOP
    + "detect: {threshold: 2, keys: {gen_ai.system: 1, mine.*: 1}}\n",
    "a mark with a star inside": TOP + "detect: {keys: {'mine.*.x': 1, mine.y: 1}}  # <- mark-never-matches\n",
    "a mark with a brace": TOP + "detect: {keys: {'mine.{ab}': 1}}\n",
    "a mark with something after all that follows": MARKED.replace("mine.*", "'mine.**.{i}'").replace("}}", "}}  # <- wrong-value"),
    "a mark with a star and a hole": TOP + "detect: {keys: {'mine.{i}.*': 1}}\n",
    "namespaces": MARKED
    + "namespaces:\n"
    "  - mine.\n"
    "  - gen_ai.  # <- swallows-registry\n"
    "  - gen  # <- swallows-registry\n"
    "  - gen_ai.mine.\n",
}  # fmt: skip

CLEAN = ROWS + (
    "  - {key: mine.a, to: gen_ai.tool.name, when: {operation: execute_tool}}\n"
    "  - {key: mine.a, to: gen_ai.agent.name, when: {operation: invoke_agent}}\n"
    "  - {key: mine.a, lost: no_concept}\n"
    "  - {key: mine.b, to: gen_ai.input.messages}\n"
    "  - {key: mine.b, lost: unstructured}\n"
    "  - {key: mine.c, same_as: mine.b, to: gen_ai.conversation.id}\n"
    "  - {key: mine.c, lost: internal_id}\n"
)


@pytest.fixture(scope="module")
def linter():
    return Linter("gen-ai-dev")


def expected(text):
    """(line, code) for every code named behind an arrow."""
    return sorted(
        (number, code)
        for number, line in enumerate(text.splitlines(), 1)
        if "# <- " in line
        for code in line.partition("# <- ")[2].split()
    )


@pytest.mark.parametrize("text", FLAWED.values(), ids=list(FLAWED))
def test_what_is_wrong_with_a_profile_is_told_at_its_line_and_nothing_else_is(linter, text):
    found = linter.files({"mine.yaml": text.encode()})
    assert sorted((finding.line, finding.code) for finding in found) == expected(text), found


def test_there_is_a_flawed_profile_for_every_code():
    named = {code for text in FLAWED.values() for _, code in expected(text)}
    alone = {"too-large", "too-many-defects", "id-twice", "base-unusable", "extends-cycle"}  # below
    assert named | alone == set(CODES)
    assert not named & alone


def test_a_profile_with_nothing_wrong_has_no_findings(linter):
    assert linter.files({"mine.yaml": CLEAN.encode()}) == []


def test_columns_lead_to_the_word(linter):
    text = ROWS + "  - {key: [mine.a, mine.b], to: gen_ai.tool.name}\n  - {key: [mine.c, mine.b], to: gen_ai.nothing}\n"
    text = text.replace("gen_ai.nothing", "gen_ai.agent.name")
    (finding,) = linter.files({"x": text.encode()})
    line = text.splitlines()[finding.line - 1]
    assert line[finding.column - 1 :].startswith("mine.b], to: gen_ai.agent.name")
    assert "line 5" in finding.message


def test_a_misspelt_concept_is_told_with_the_one_that_was_meant(linter):
    (finding,) = linter.files({"x": (ROWS + "  - {key: mine.a, to: gen_ai.tool.nmae}\n").encode()})
    assert "did you mean 'gen_ai.tool.name'?" in finding.message


def test_files_are_looked_at_together(linter):
    files = {
        "a": MARKED.replace("mine", "first") + "extends: second\n",
        "b": MARKED.replace("mine", "second") + "extends: first\n",
        "c": MARKED.replace("mine", "third") + "extends: broken\n",
        "d": MARKED.replace("mine", "broken") + "extends: nothing\n",
        "e": MARKED,
        "f": MARKED.replace("id: mine", "id: over") + "extends: mine\nrows: [{key: mine.a, keep: true}]\n",
        "g": MARKED,
    }
    found = linter.files({name: text.encode() for name, text in files.items()})
    assert [(finding.file, finding.line, finding.code) for finding in found] == [
        ("a", 4, "extends-cycle"),
        ("b", 4, "extends-cycle"),
        ("c", 4, "base-unusable"),
        ("d", 4, "unknown-base"),
        ("g", 1, "id-twice"),
    ]


def test_of_a_table_laid_over_another_only_its_own_rows_are_judged(linter):
    text = "id: mine\nextends: openinference\nrows:\n  - {key: llm.model_name, lost: user_defined}\n"
    assert linter.files({"x": text.encode()}) == []
    text += "  - {key: llm.input_messages.0.message.role, lost: user_defined}\n"
    (finding,) = linter.files({"x": text.encode()})
    assert (finding.line, finding.code) == (5, "unreachable-row")
    assert "openinference.yaml:" in finding.message


def test_a_file_that_is_too_large_is_not_read(linter):
    (finding,) = linter.files({"x": b"#" * (table.TABLE_BYTES_MAX + 1)})
    assert (finding.code, finding.line) == ("too-large", 0)


def test_of_very_many_defects_the_first_are_told(linter):
    rows = "".join(f"  - {{key: mine.k{at}, keep: perhaps}}\n" for at in range(DEFECTS_MAX + 50))
    codes = [finding.code for finding in linter.files({"x": (ROWS + rows).encode()})]
    assert codes.count("wrong-value") == DEFECTS_MAX
    assert codes.count("too-many-defects") == 1


# ------------------------------------------------------------------ the tables that come with it

DELIBERATE = {("langsmith.yaml", "not-well-known")}
"""A rendered prompt is no call of a model; the registry has no operation for it, and its set is open."""


def test_the_built_in_profiles_have_nothing_wrong(linter):
    found = [finding for source in linter.builtin.values() for finding in linter.source(source)]
    assert {(finding.file, finding.code) for finding in found} == DELIBERATE, found


def test_the_built_in_profiles_have_no_error_for_the_older_target():
    older = Linter("core-1.41.1")
    found = [finding for source in older.builtin.values() for finding in older.source(source)]
    assert [finding for finding in found if finding.severity == ERROR] == []


# ------------------------------------------------------------------ laws


def refused(linter, data):
    """The line at which a profile is refused, 0 for the file as a whole; None when it is not refused."""
    try:
        source = Sources({"x": data}, {"x": table.parse(data, "x", foreign=True)}, linter.builtin).source("x")
        from_table(source.content, linter.target, linter.shared)
    except ProfileError as error:
        return error.line
    except table.Defect as defect:
        return table.line(data, defect.path)
    return None


@pytest.mark.parametrize("text", [*FLAWED.values(), CLEAN], ids=[*FLAWED, "clean"])
def test_what_the_reader_refuses_has_an_error_at_the_same_line(linter, text):
    line = refused(linter, text.encode())
    errors = {finding.line for finding in linter.files({"x": text.encode()}) if finding.severity == ERROR}
    assert line is None or line in errors


_SOURCE = (FLAWED["rows that nothing gets to"] + FLAWED["elsewhere"].replace(MARKED, "")).encode()
_WORDS = re.findall(rb"[\w.*]+|[{}\[\]:,\n]", _SOURCE)


@given(st.randoms(use_true_random=False))
@settings(max_examples=times(0.6))
def test_a_profile_without_errors_is_read_however_it_was_spoiled(linter, chance):
    data = _spoiled(chance)
    errors = [finding for finding in linter.files({"x": data}) if finding.severity == ERROR]
    assert errors or refused(linter, data) is None


def _spoiled(chance: random.Random) -> bytes:
    data = _SOURCE
    for _ in range(chance.randint(1, 4)):
        word = chance.choice(_WORDS)
        at = chance.choice([found.start() for found in re.finditer(re.escape(word), data)] or [0])
        data = data[:at] + chance.choice([b"", chance.choice(_WORDS)]) + data[at + len(word) :]
    return data


@given(st.binary(max_size=200))
def test_lint_takes_any_bytes(linter, data):
    assert all(finding.code in CODES for finding in linter.files({"x": data}))


SHAPES = table.read(table.builtin("tables", "messages.yaml"), "messages.yaml", Shapes.from_table)
KEYS = ["mine.a", "mine.b", "mine.c.0", "mine.c.x", "x", "x.y"]
PATTERNS = [*KEYS[:4], "mine.*", "mine.**", "mine.c.*", "mine.c.{i}"]
VALUES = ["p", "q"]


def _some(items, most=2):
    return st.lists(st.sampled_from(items), max_size=most, unique=True)


CONDITIONS = st.fixed_dictionaries(
    {},
    optional={
        "operation": _some(["chat", "execute_tool"]),
        "value": st.dictionaries(st.sampled_from(["x", "mine.a"]), _some(VALUES), max_size=1),
        "present": _some([*KEYS, "x.*", "mine.*"], 1),
        "any": _some([*KEYS, "x.*"]),
        "absent": _some([*KEYS, "x.*"], 1),
        "scope": _some(["s", "s.*", "s.t"]),
    },
)
FATES = st.sampled_from(
    [
        {"keep": True},
        {"lost": "no_concept"},
        {"derived": True},
        {"to": "gen_ai.tool.name"},
        {"to": "gen_ai.agent.name", "op": "upper"},
        {"to": "gen_ai.tool.name", "op": "upper"},
        {"to": "gen_ai.usage.input_tokens"},
        {"to": "gen_ai.usage.output_tokens"},
        {"sum_of": ["gen_ai.usage.input_tokens"]},
        {"same_as": "x", "lost": "user_defined"},
        {"same_as": "x", "to": "gen_ai.tool.description"},
        {"split": {"a": {"keep": True}}},
        {"to": "gen_ai.input.messages"},
    ]
)
ROW = st.builds(
    lambda key, fate, when: {"key": key, **fate, **({"when": when} if when else {})},
    st.sampled_from(PATTERNS) | st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2),
    FATES,
    CONDITIONS | st.just({}),
)
ITEM = st.builds(
    lambda attributes, scope: SpanView(name="n", scope_name=scope, attributes=attributes),
    st.dictionaries(
        st.sampled_from([*KEYS, "gen_ai.operation.name"]),
        st.sampled_from([*VALUES, "chat", "execute_tool", 3, True, '{"a": 1}', '[{"role": "user", "content": "x"}]']),
    ),
    st.sampled_from(["s", "s.t", "t"]),
)


@given(st.lists(ROW, min_size=2, max_size=6), st.lists(ITEM, min_size=1, max_size=12))
@settings(max_examples=times(1.5))
def test_a_row_that_is_named_takes_nothing_of_any_item(linter, rows, items):
    content = {"id": "mine", "version": "1", "detect": {"scopes": {"*": 1}}, "rows": rows}
    whole, data = _translator(linter, content), _yaml(content)
    named = [
        finding
        for finding in linter.files({"x": data})
        if finding.code in ("row-twice", "unreachable-row", "never-holds")
    ]
    lines = data.decode().splitlines()
    gone = {lines[finding.line - 1] for finding in named if finding.code == "never-holds"}
    keys = {
        (finding.line, re.findall(r"'([^']*)'", finding.message.partition(": ")[0])[0])
        for finding in named
        if finding.code != "never-holds"
    }
    left = []
    for at, row in enumerate(rows):
        line = at + 5
        listed = row["key"] if isinstance(row["key"], list) else [row["key"]]
        dead = [key for number, key in keys if number == line]
        listed = [key for place, key in enumerate(listed) if not (key in dead and (listed.count(key) == 1 or place))]
        if listed and lines[line - 1] not in gone:
            left.append({**row, "key": listed})
    without = _translator(linter, {**content, "rows": left})
    for item in items:
        assert told(whole.span(item)) == told(without.span(item))


def told(translation):
    """What became of an item. Of what no row takes the reason is the last miss's: a row that takes nothing may name it."""
    said = translation.to_json()
    return said.get("mapped"), sorted(path for paths in said.get("loss", {}).values() for path in paths)


def _yaml(content):
    import orjson

    head = b'id: mine\nversion: "1"\ndetect: {scopes: {"*": 1}}\nrows:\n'
    return head + b"".join(b"  - " + orjson.dumps(row) + b"\n" for row in content["rows"])


def _translator(linter, content):
    return Translator(linter.target, [from_table(content, linter.target, linter.shared)], SHAPES)


WHENS = st.builds(
    lambda given: When(
        operation=tuple(given.get("operation", ())),
        values=tuple((key, tuple(values)) for key, values in given.get("value", {}).items()),
        present=tuple(given.get("present", ())),
        any=tuple(given.get("any", ())),
        absent=tuple(given.get("absent", ())),
        scope=tuple(given.get("scope", ())),
    ),
    CONDITIONS,
)
AROUND = st.builds(
    lambda values, operation, scope: Surroundings(
        scope=scope,
        keys=frozenset(values),
        values={key: value for key, value in values.items() if key in ("x", "mine.a")},
        operation=operation,
    ),
    st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES)),
    st.sampled_from(["chat", "execute_tool", None]),
    st.sampled_from(["s", "s.t", "t"]),
)


@given(WHENS, WHENS, AROUND)
def test_a_condition_that_follows_from_another_holds_with_it(weak, strong, around):
    if follows(weak, strong) and strong.holds(around):
        assert weak.holds(around)


@given(WHENS, AROUND)
def test_a_condition_that_is_impossible_never_holds(when, around):
    assert not (impossible(when) and when.holds(around))


@given(WHENS, AROUND)
def test_one_of_the_alternatives_holds_exactly_when_the_condition_does(when, around):
    assert when.holds(around) == any(each.holds(around) for each in alternatives(when))
