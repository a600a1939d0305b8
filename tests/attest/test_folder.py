"""What lies in a folder: bundles, attestations without one, and the rest counted; links are not followed."""

import os

import pytest

from attest.errors import FolderError
from attest.limits import AttestLimits
from attest.many.folder import find, find_attestations


def make(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(folder, paths):
    return [path.relative_to(folder).as_posix() for path in paths]


def test_bundles_are_found_below_in_order_of_path(tmp_path):
    make(tmp_path, "b.evidence.tar.gz", "a/z.evidence.tar.gz", "a/b/c.evidence.tar.gz", "a.evidence.tar.gz")
    assert names(tmp_path, find(tmp_path).bundles) == [
        "a/b/c.evidence.tar.gz",
        "a/z.evidence.tar.gz",
        "a.evidence.tar.gz",
        "b.evidence.tar.gz",
    ]


def test_an_attestation_without_its_bundle_is_an_orphan_and_other_files_are_counted(tmp_path):
    make(tmp_path, "a.evidence.tar.gz", "a.sigstore.json", "a.2.sigstore.json", "a.16.sigstore.json")
    make(tmp_path, "b.sigstore.json", "a.17.sigstore.json", "in/a.sigstore.json", "notes.txt", "in/x.tar.gz")
    found = find(tmp_path)
    assert names(tmp_path, found.orphans) == ["a.17.sigstore.json", "b.sigstore.json", "in/a.sigstore.json"]
    assert (len(found.bundles), found.others, found.links) == (1, 2, 0)


def test_links_to_files_and_folders_are_counted_and_not_followed(tmp_path):
    make(tmp_path, "real/a.evidence.tar.gz")
    (tmp_path / "b.evidence.tar.gz").symlink_to("real/a.evidence.tar.gz")
    (tmp_path / "round").symlink_to(tmp_path)
    found = find(tmp_path)
    assert (names(tmp_path, found.bundles), found.links) == (["real/a.evidence.tar.gz"], 2)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.evidence.tar.gz")
    assert find(tmp_path).bundles == ()


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (AttestLimits(folder_entries_max=2), "more than 2 files"),
        (AttestLimits(folder_depth_max=1), "nested more than 1 deep"),
    ],
)
def test_a_folder_over_a_bound_is_refused_rather_than_looked_at_in_part(tmp_path, limits, said):
    make(tmp_path, "a/b/c/1", "a/b/c/2", "a/b/c/3")
    with pytest.raises(FolderError, match=said):
        find(tmp_path, limits)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FolderError, match="gone: cannot be read"):
        find(tmp_path / "gone")


def test_further_attestations_come_after_the_first_and_in_order_of_number(tmp_path):
    make(
        tmp_path,
        "a.evidence.tar.gz",
        "a.10.sigstore.json",
        "a.3.sigstore.json",
        "a.sigstore.json",
        "a.17.sigstore.json",
    )
    found = find_attestations(tmp_path / "a.evidence.tar.gz")
    assert names(tmp_path, found) == ["a.sigstore.json", "a.3.sigstore.json", "a.10.sigstore.json"]


def test_an_attestation_belongs_to_the_bundle_of_its_whole_name(tmp_path):
    make(tmp_path, "a.evidence.tar.gz", "a.2.evidence.tar.gz", "a.2.sigstore.json")
    assert find_attestations(tmp_path / "a.evidence.tar.gz") == ()
    assert names(tmp_path, find_attestations(tmp_path / "a.2.evidence.tar.gz")) == ["a.2.sigstore.json"]
    assert find(tmp_path).orphans == ()


def test_a_file_that_is_not_named_like_a_bundle_has_no_attestation(tmp_path):
    make(tmp_path, "a.txt", "a.sigstore.json")
    assert find_attestations(tmp_path / "a.txt") == ()
