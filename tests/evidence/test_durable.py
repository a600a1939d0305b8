"""A file is there whole or not at all, whatever happens while it is written."""

import os

import pytest

from evidence.durable import replacing


def test_a_file_has_its_name_only_when_all_of_it_is_written(tmp_path):
    path = tmp_path / "f"
    with replacing(path) as file:
        file.write(b"a")
        assert not path.exists()
        file.write(b"b")
    assert path.read_bytes() == b"ab"
    assert list(tmp_path.iterdir()) == [path]


def interrupted(path, error):
    """Writes half of a file; the name it had until then."""
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        (made,) = set(path.parent.iterdir()) - {path}
        raise error(made)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_raises_leaves_what_was_there_and_nothing_beside_it(tmp_path, error):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    with pytest.raises(error):
        interrupted(path, error)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_crash_left_is_written_over_whoever_may_read_it(tmp_path):
    path = tmp_path / "f"
    with pytest.raises(ValueError) as caught:
        interrupted(path, ValueError)
    left = caught.value.args[0]
    left.write_bytes(b"longer than what is written now")
    left.chmod(0o666)
    with replacing(path, mode=0o600) as file:
        file.write(b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_content_is_on_disk_before_the_name_and_the_name_before_anyone_is_told(tmp_path, monkeypatch):
    path, seen = tmp_path / "f", []
    real = os.fsync

    def fsync(descriptor):
        seen.append((os.path.isdir(f"/proc/self/fd/{descriptor}"), path.exists()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with replacing(path) as file:
        file.write(b"a")
    assert seen == [(False, False), (True, True)]
