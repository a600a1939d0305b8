"""docs/conventions.md says of every convention what its table says, and is what the tables make of it."""

import re
from pathlib import Path

import pytest

from semconv.profile import words
from semconv.profile.sources import sources
from tests.tools import conventions

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = conventions.conventions()
SECTIONS = {part.split("\n", 1)[0]: part for part in re.split(r"^## ", DOCUMENT, flags=re.MULTILINE)[1:]}
TABLES = {source.id: source for source in sources({})}


def rows(source):
    return [
        (word, row)
        for word, listed in source.content.items()
        if isinstance(listed, list)
        for row in listed
        if isinstance(row, dict)
    ]


def concepts(row):
    yield from [row["to"]] if "to" in row else []
    for _, member in words.members(row):
        yield from concepts(member)


def test_the_document_is_what_the_tables_make_of_it():
    assert (ROOT / "docs/conventions.md").read_text() == DOCUMENT, "run `python -m tests.tools.generated --write`"


@pytest.mark.parametrize("id_", sorted(TABLES))
def test_every_name_of_a_table_and_every_concept_it_leads_to_is_in_its_section(id_):
    source, section = TABLES[id_], SECTIONS[id_]
    assert f"Version {source.content['version']}, " in section
    for word, row in rows(source):
        names = row.get(words.NAMES.get(word, ""), [])
        for name in [names] if isinstance(names, str) else names:
            assert f"`{name}`" in section.replace("\\|", "|"), (id_, name)
        assert all(f"`{concept}`" in section for concept in concepts(row))
        if "lost" in row:
            assert f"`{row['lost']}`" in section


def test_every_table_has_as_many_cells_in_each_row():
    wide = 0
    for line in DOCUMENT.splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert cells in (0, wide) or wide == 0, line
        wide = cells


def test_every_link_leads_somewhere():
    headings = {re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-") for heading in SECTIONS}
    for link in re.findall(r"\]\(([^)]+)\)", DOCUMENT):
        assert link.removeprefix("#") in headings if link.startswith("#") else (ROOT / "docs" / link).exists(), link


def test_a_list_and_a_word_nobody_knows_yet_are_shown_as_they_are_written():
    made = "\n".join(conventions._list("sparkles", [{"event": "x", "sparkle": {"a": 1}}], {}))
    assert made.startswith("### Sparkles\n")
    assert '`sparkle: {"a":1}`' in made


def test_it_says_nothing_of_where_it_was_made():
    assert str(ROOT) not in DOCUMENT
    assert conventions.conventions() == DOCUMENT
