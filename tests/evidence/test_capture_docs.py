"""docs/capture-health.md says of every counter what the table says, and what to do."""

import re
from pathlib import Path

from evidence.signals import registry

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "capture-health.md").read_text()
ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| (.*) \|$", re.MULTILINE)


def test_every_counter_is_explained_under_its_level_as_the_table_has_it():
    sections = {
        heading.split(":")[0].lower(): body
        for heading, body in re.findall(r"^## (.+)$\n((?:(?!^## ).*\n?)*)", TEXT, re.MULTILINE)
    }
    explained = {
        name: (level, meaning)
        for level in ("low", "medium", "noted", "plain")
        for name, meaning, _ in ROW.findall(sections[level])
    }
    assert explained == {name: (counter.level, counter.meaning) for name, counter in registry().counters.items()}
    assert list(explained) == list(registry().counters)


def test_what_should_be_zero_comes_with_what_to_do():
    advice = {name: do for name, _, do in ROW.findall(TEXT)}
    assert all(advice[name].strip() for name, counter in registry().counters.items() if counter.level != "plain")
