"""Tables read strictly: both parsers of PyYAML, with libyaml and without, say the same."""

from pathlib import Path

import pytest
import yaml

from evidence import strict_yaml
from evidence.errors import PackError

BROKEN = Path(__file__).parent / "broken"
TABLES = sorted([*Path(strict_yaml.__file__).parent.glob("**/*.yaml"), *BROKEN.glob("*.yaml")])
LOADERS = [loader for name in ("CSafeLoader", "SafeLoader") if (loader := getattr(yaml, name, None))]
DEFECTS = {
    "an_open_list": (b"a: [", "not YAML"),
    "a_map_in_a_line": (b"x: y\na: b: c", "x:2: not YAML"),
    "a_map_behind_a_list": (b"- a\nb: c", "x:2: not YAML"),
    "a_tab": (b"a:\n\tb: c", "x:2: not YAML"),
    "an_alias": (b"a: &x 1\nb: *x", "x:2: not YAML: aliases are not taken"),
    "an_alias_of_nothing": (b"a: 1\nb: *x", "x:2: not YAML: aliases are not taken"),
    "many_lists_inside_each_other": (b"a: " + b"[" * 100_000, "x:1: not YAML: nested deeper than 32"),
    "many_maps_inside_each_other": (b"{a: " * 50_000, "x:1: not YAML: nested deeper than 32"),
    "many_lists_by_indentation": (b"".join(b" " * n + b"-\n" for n in range(600)), "not YAML: nested deeper than 32"),
    "an_open_text": (b"a: 'x", "x:1: not YAML"),
    "a_character_that_is_none": (b"a: \x00", "not YAML"),
    "two_documents": (b"--- a\n--- b", "x:2: not YAML"),
    "nothing": (b"", "x:1: an empty document"),
    "a_number_by_tag": (b"a: !!int x", "x:1: expected plain text"),
    "a_key_that_is_a_list": (b"? [a]\n: b", "x:1: expected a key that is text"),
    "an_infinite_number": (b"a: 1.0e+999", "x:1: expected a finite number"),
    "an_integer_that_json_loses": (b"a: 9007199254740992", "x:1: expected a finite number"),
}


def read(data):
    try:
        return strict_yaml.load(data, "x")
    except PackError as error:
        return str(error)


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_table_reads_the_same_with_each_parser(path, monkeypatch):
    found = []
    for loader in LOADERS:
        monkeypatch.setattr(strict_yaml, "_LOADER", loader)
        found.append(read(path.read_bytes()))
    assert found == [found[0]] * len(found)


@pytest.mark.parametrize("loader", LOADERS, ids=lambda loader: loader.__name__)
@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_refused_at_its_line_by_each_parser(defect, loader, monkeypatch):
    data, words = DEFECTS[defect]
    monkeypatch.setattr(strict_yaml, "_LOADER", loader)
    found = read(data)
    assert isinstance(found, str)
    assert words in found
