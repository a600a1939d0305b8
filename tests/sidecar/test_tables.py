"""Packs by name and by file, as settings and commands name them."""

import pytest

from evidence.packs import BUILTIN, builtin
from evidence.strict_yaml import BYTES_MAX
from sidecar.errors import ConfigError
from sidecar.settings import load
from sidecar.tables import load_packs

OWN = """name: own
version: "1"
kind: quality
description: A pack of one's own
x-assay: {requires_signals: [tool_calls]}
rules:
  - {id: A, title: t, severity: info, signals: [{id: tool_calls, min_state: captured}]}
"""


def test_settings_take_every_built_in_name_and_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own, folder = tmp_path / "own.yaml", tmp_path / "packs"
    own.write_text(OWN)
    folder.mkdir()
    (folder / "other").write_text(OWN.replace("name: own", "name: other"))
    config = tmp_path / "affidavit.yaml"
    config.write_text(f"evidence: {{packs: [{', '.join(BUILTIN)}, own.yaml, packs/other]}}\n")
    packs = load_packs(load(config).evidence.packs)
    assert [pack.name for pack in packs] == [*BUILTIN, "own", "other"]
    assert packs[: len(BUILTIN)] == tuple(map(builtin, BUILTIN))
    assert not any(pack.is_builtin for pack in packs[len(BUILTIN) :])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file or directory"),
        (OWN.replace("kind: quality", "kind: fun"), "own.yaml:3: expected one of"),
        ("#" * (BYTES_MAX + 1), f"own.yaml: expected at most {BYTES_MAX} bytes, got {BYTES_MAX + 1}"),
    ],
    ids=["absent", "invalid", "too_large"],
)
def test_a_pack_that_cannot_be_loaded_is_named(tmp_path, content, said):
    file = tmp_path / "own.yaml"
    if content:
        file.write_text(content)
    with pytest.raises(ConfigError, match=said):
        load_packs([str(file)])


def test_a_name_that_is_no_pack_says_which_there_are():
    with pytest.raises(ConfigError, match=r"'cicd': expected one of baseline, cicd-starter"):
        load_packs(["cicd"])


def test_two_packs_of_one_name_are_refused_before_any_run_is_sealed(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(OWN.replace("name: own", "name: baseline"))
    with pytest.raises(ConfigError, match=r"two are named 'baseline', the second is .*own\.yaml"):
        load_packs(["baseline", str(file)])
