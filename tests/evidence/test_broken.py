"""A broken pack for each thing that is refused, named by its defect: with file and line, and in words.

The first line of each file says what is expected.
"""

import re
from pathlib import Path

import pytest

from evidence.errors import PackError
from evidence.packs import read_pack

BROKEN = sorted((Path(__file__).parent / "broken").glob("*.yaml"))
_EXPECTED = re.compile(r"# expected at line (\d+): (.+)")


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_pack_with_a_defect_is_refused_at_its_line(path):
    data = path.read_bytes()
    line, words = _EXPECTED.fullmatch(data.decode().partition("\n")[0]).groups()
    with pytest.raises(PackError) as refused:
        read_pack(data, path.name)
    assert str(refused.value).startswith(f"{path.name}:{line}: ")
    assert words in str(refused.value)
