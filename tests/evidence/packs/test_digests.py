"""Built-in packs are pinned: what pipelines and bundles name by `name@version` never changes under that name."""

import json
from pathlib import Path

import pytest

from evidence.packs import BUILTIN, builtin

PINNED = Path(__file__).with_name("digests.json")
"""Digest of every version there ever was, by `name@version`. Rows are added, never changed."""


@pytest.mark.parametrize("name", BUILTIN)
def test_a_changed_pack_has_a_changed_version(name):
    pack, pinned = builtin(name), json.loads(PINNED.read_text())
    assert pinned.get(pack.id) == pack.digest, (
        f"{pack.id} is not as pinned: raise its version, and add the row of `affidavit packs digest {name}` to {PINNED.name}"
    )
