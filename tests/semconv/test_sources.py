"""Tables lead back to where they are written, whatever was laid over what."""

import pytest

from semconv import table
from semconv.errors import ProfileError
from semconv.profile.sources import sources
from semconv.translate import Translator
from semconv.view import SpanView

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
    # What is in use is extended; with the id of a built-in profile that is the one below.
    assert (mine.user, mine.base.file, mine.replaced) == (True, "b.yaml", None)
    assert (theirs.user, theirs.base.file, theirs.replaced.file) == (True, "openinference.yaml", "openinference.yaml")
    assert not named(found, "strands").user


def test_a_file_called_like_a_built_in_one_takes_the_place_of_none_but_its_id():
    mine = OVER.replace(b"extends: openinference\n", b"")
    ids = {source.id for source in sources({"strands.yaml": mine})}
    assert ids == {source.id for source in sources({})} | {"mine"}


def test_a_row_over_an_inherited_one_takes_its_key():
    over = OVER.replace(b"key: llm.cost.total, keep: true", b"key: llm.model_name, lost: user_defined")
    translation = Translator.load(user_profiles={"over.yaml": over}).span(
        SpanView(name="s", attributes={"openinference.span.kind": "LLM", "llm.model_name": "m"})
    )
    assert translation.profiles == ("mine",)
    assert ("llm.model_name", "user_defined") in [(loss.path, loss.reason) for loss in translation.loss]
    assert translation.attributes == {"gen_ai.operation.name": "chat"}


def test_what_is_laid_over_another_stands_in_for_it_only_where_it_matches():
    over = OVER.replace(b"{threshold: 2}", b"{threshold: 9, keys: {mine.*: 9}}")
    translator = Translator.load(user_profiles={"over.yaml": over})
    plain, own = (
        translator.span(
            SpanView(name="s", attributes={"openinference.span.kind": "LLM", "llm.model_name": "m", **more})
        )
        for more in ({}, {"mine.x": 1})
    )
    assert (plain.profiles, own.profiles) == (("openinference",), ("mine",))


def test_a_table_laid_over_one_that_is_laid_over_another_stands_in_for_both():
    first = OVER.replace(b"id: mine", b"id: first")
    second = b"id: second\nextends: first\nrows: [{key: llm.cost.total, lost: user_defined}]\n"
    for names in (("a.yaml", "b.yaml"), ("b.yaml", "a.yaml")):
        translator = Translator.load(user_profiles=dict(zip(names, (first, second), strict=True)))
        attributes = {"openinference.span.kind": "CHAIN", "llm.cost.total": 0.5}
        translation = translator.span(SpanView(name="s", attributes=attributes))
        assert translation.profiles == ("second",)
        assert translation.attributes == {"gen_ai.operation.name": "invoke_workflow"}
        assert ("llm.cost.total", "user_defined") in [(loss.path, loss.reason) for loss in translation.loss]


@pytest.mark.parametrize(
    ("files", "file", "line", "said"),
    [
        ({"x": b"id: strands\n"}, "x", 1, "write `override: true` to take its place, `extends: strands` to lay"),
        ({"x": b"id: strans\noverride: true\n"}, "x", 2, "no built-in profile has the id 'strans' (did you mean 'strands'?)"),
        ({"x": b"id: a\n", "y": b"id: a\n"}, "y", 1, "id 'a' is that of x too"),
        ({"x": b"id: a\nextends: openinferense\n"}, "x", 2, "which is no profile (did you mean 'openinference'?)"),
        ({"x": b"id: a\nextends: a\n"}, "x", 2, "extends 'a', which is no profile"),
        ({"x": b"id: a\nextends: b\n", "y": b"id: b\nextends: a\n"}, "x", 2, "goes round in a circle: a -> b -> a"),
        ({"x": b"id: b\nextends: c\n", "y": b"id: c\nextends: nothing\n"}, "x", 2, "y cannot be used: extends 'nothing'"),
        ({"x": b"id: a\noverride: perhaps\n"}, "x", 2, "expected true or false"),
        ({"x": b"id: [a]\n"}, "x", 1, "expected text, got list"),
        ({"x": b"extends: strands\n"}, "x", 1, "missing key 'id'"),
    ],
)  # fmt: skip
def test_what_a_file_says_of_its_place_among_the_others_is_refused_with_its_line(files, file, line, said):
    with pytest.raises(ProfileError, match=r".") as refused:
        sources(files)
    assert (refused.value.file, refused.value.line) == (file, line)
    assert said in refused.value.reason


def test_override_takes_the_place_of_a_built_in_profile():
    mine = (
        b'id: strands\nversion: "9"\noverride: true\ndetect: {keys: {mine.*: 1}}\nrows: [{key: mine.a, keep: true}]\n'
    )
    source = named(sources({"x.yaml": mine}), "strands")
    assert (source.file, source.replaced.file, source.base) == ("x.yaml", "strands.yaml", None)
    assert [row["key"] for row in source.content["rows"]] == ["mine.a"]


def test_extending_nothing_is_told_with_the_line():
    with pytest.raises(ProfileError, match="extends 'nothing'") as refused:
        sources({"over.yaml": OVER.replace(b"extends: openinference", b"extends: nothing")})
    assert (refused.value.file, refused.value.line) == ("over.yaml", 3)


@pytest.mark.parametrize(
    ("data", "line", "said"),
    [
        (b"a: " + b"[" * 500_000, 1, "at most 32 levels"),
        (b"a: " + b"[" * 90_000 + b"]" * 90_000, 1, "at most 32 levels"),
        (b"? " * 400_000, 1, "expected text as key"),
        (b"a: !!binary aGk=", 1, "tags are not allowed in a profile"),
        (b"a: 1\n[b]: 2", 2, "expected text as key"),
        (b"a: 1\n---\nb: 2", 2, "another document"),
        (b"id: a\nversion: " + b"9" * 5000, 0, "not YAML"),
    ],
    ids=["deep and open", "deep", "deep keys", "tag", "list as key", "two documents", "number without end"],
)
def test_what_would_be_slow_or_break_the_reader_is_refused_before_anything_is_built(data, line, said):
    with pytest.raises(ProfileError, match=r".") as refused:
        sources({"x.yaml": data})
    assert refused.value.line == line
    assert said in refused.value.reason


def test_what_has_no_digest_is_refused():
    data = OVER + b"implied: [{to: gen_ai.tool.name, value: 99999999999999999999, when: {operation: chat}}]\n"
    with pytest.raises(ProfileError, match="expected what JSON can say"):
        Translator.load(user_profiles={"x.yaml": data})


def test_what_was_merged_into_a_mapping_is_found_where_it_is_written():
    data = b"base: &base\n  a: 1\n  b: 2\nover:\n  <<: *base\n  b: 3\n"
    assert [table.line(data, ("over", word)) for word in ("a", "b", "c")] == [2, 6, 4]
