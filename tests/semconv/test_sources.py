"""Tables lead back to where they are written, whatever was laid over what."""

import pytest

from semconv import table
from semconv.errors import ProfileError
from semconv.sources import sources
from semconv.translate import Translator

OVER = b"""\
id: mine
version: "1"
extends: openinference
detect: {threshold: 2}
rows:
  - {key: llm.cost.total, keep: true}
enums:
  span_kind: {CHAIN: invoke_workflow}
"""


def named(found, id_):
    return next(source for source in found if source.id == id_)


def written_at(source, path):
    by, line = source.place(path)
    return by.file, by.data.decode().splitlines()[line - 1]


def test_every_row_of_the_built_in_tables_is_written_where_it_is_said_to_be():
    for source in sources({}):
        for at, row in enumerate(source.content.get("rows", [])):
            first = row["key"] if isinstance(row["key"], str) else row["key"][0]
            file, text = written_at(source, ("rows", at, "key"))
            assert file == source.file
            assert first in text, (file, text)


def test_what_was_laid_over_another_is_found_in_the_file_that_wrote_it():
    mine = named(sources({"over.yaml": OVER}), "mine")
    own = next(at for at, row in enumerate(mine.content["rows"]) if row.get("keep"))
    below = next(at for at, row in enumerate(mine.content["rows"]) if row["key"] == "llm.provider")
    assert own == 0
    assert written_at(mine, ("rows", own)) == ("over.yaml", "  - {key: llm.cost.total, keep: true}")
    assert written_at(mine, ("rows", below))[0] == "openinference.yaml"
    assert "key: llm.provider" in written_at(mine, ("rows", below))[1]
    assert written_at(mine, ("enums", "span_kind", "CHAIN"))[0] == "over.yaml"
    assert written_at(mine, ("enums", "span_kind", "LLM"))[0] == "openinference.yaml"
    assert written_at(mine, ("detect", "threshold"))[0] == "over.yaml"
    assert written_at(mine, ("detect", "keys", "llm.model_name"))[0] == "openinference.yaml"


def test_a_way_that_is_not_there_ends_where_it_leaves_the_table():
    mine = named(sources({"over.yaml": OVER}), "mine")
    assert written_at(mine, ("rows", 0, "op")) == ("over.yaml", "  - {key: llm.cost.total, keep: true}")
    assert written_at(mine, ("nothing", "here")) == ("over.yaml", "id: mine")


def test_a_table_knows_what_it_extends_and_what_it_takes_the_place_of():
    found = sources({"a.yaml": OVER, "b.yaml": OVER.replace(b"id: mine", b"id: openinference")})
    mine, theirs = named(found, "mine"), named(found, "openinference")
    assert (mine.user, mine.base.file, mine.replaced) == (True, "openinference.yaml", None)
    assert (theirs.user, theirs.base.file, theirs.replaced.file) == (True, "openinference.yaml", "openinference.yaml")
    assert not named(found, "strands").user


def test_a_file_called_like_a_built_in_one_takes_the_place_of_none_but_its_id():
    mine = OVER.replace(b"extends: openinference\n", b"")
    ids = {source.id for source in sources({"strands.yaml": mine})}
    assert ids == {source.id for source in sources({})} | {"mine"}


def test_a_defect_of_two_tables_together_is_told_with_the_line_that_has_it():
    # What an earlier row always takes is an inherited row: the line is that of the table below.
    over = OVER.replace(b"key: llm.cost.total", b"key: llm.model_name")
    with pytest.raises(ProfileError, match="never gets here") as refused:
        Translator.load(user_profiles={"over.yaml": over})
    assert refused.value.file == "openinference.yaml"
    lines = table.builtin("profiles", "openinference.yaml").decode().splitlines()
    assert "llm.model_name" in lines[refused.value.line - 1]


def test_extending_nothing_is_told_with_the_line():
    with pytest.raises(ProfileError, match="extends 'nothing'") as refused:
        sources({"over.yaml": OVER.replace(b"extends: openinference", b"extends: nothing")})
    assert (refused.value.file, refused.value.line) == ("over.yaml", 3)
