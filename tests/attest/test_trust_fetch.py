"""A trusted root comes from a TUF repository only if its metadata follow from the initial root, and in time."""

import os
from datetime import UTC, datetime

import pytest
from securesystemslib.signer import CryptoSigner

from attest.errors import FetchError
from attest.trust_fetch import PUBLIC_URL, Repository, fetch, public_repository
from tests.sigstore.loopback import Fault
from tests.sigstore.tuf_repository import TufRepository

NAME = "trusted_root.json"


@pytest.fixture
def tuf(sigstore):
    return TufRepository(sigstore.server, {NAME: sigstore.trusted_root, "other.json": b"{}"})


def fetched(tuf, *names, root=None, **options):
    repository = Repository(url=tuf.url, initial_root=root or tuf.initial_root)
    return fetch(repository, names or [NAME], **options)


def refused(tuf, **options):
    with pytest.raises(FetchError) as caught:
        fetched(tuf, **options)
    assert tuf.url in str(caught.value)
    return str(caught.value)


def test_targets_come_as_they_were_published(tuf, sigstore):
    found = fetched(tuf, NAME, "other.json")

    assert found.targets == {NAME: sigstore.trusted_root, "other.json": b"{}"}
    assert found.root_version == 1
    assert found.expires == tuf.expires.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_trust_follows_the_roots_from_the_initial_one_on(tuf):
    tuf.rotate(CryptoSigner.generate_ecdsa())
    tuf.rotate(CryptoSigner.generate_ed25519())

    assert fetched(tuf).root_version == 3


def test_nothing_is_kept_between_two_fetches(tuf, sigstore, tmp_path, monkeypatch):
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "TMPDIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    fetched(tuf)
    first = list(sigstore.requests)
    sigstore.requests.clear()
    fetched(tuf)

    assert sigstore.requests == first
    assert os.listdir(tmp_path) == []


def test_a_root_that_the_one_before_did_not_sign_is_refused(tuf):
    tuf.signers["root"] = CryptoSigner.generate_ecdsa()
    tuf.rotate()

    assert "do not follow from the initial root" in refused(tuf)


def test_another_initial_root_is_refused(tuf, sigstore):
    other = TufRepository(sigstore.server, {}).initial_root
    tuf._server.routes["GET", "/tuf/*"] = ("tuf", tuf._get)

    assert "do not follow from the initial root" in refused(tuf, root=other)


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_metadata_signed_with_another_key_are_refused(tuf, role):
    tuf.signers[role] = CryptoSigner.generate_ecdsa()
    tuf.publish()

    assert "UnsignedMetadataError" in refused(tuf)


def test_metadata_that_have_expired_are_refused(tuf):
    tuf.expires = datetime(2020, 1, 1, tzinfo=UTC)
    tuf.publish()

    assert "ExpiredMetadataError" in refused(tuf)


def test_a_target_that_was_exchanged_is_refused(tuf):
    path = next(path for path in tuf.files if path.endswith(NAME))
    tuf.files[path] = tuf.files[path][:-1] + b" "

    assert "LengthOrHashMismatchError" in refused(tuf)


def test_a_target_that_there_is_none_of_is_named(tuf):
    with pytest.raises(FetchError, match=r"no target missing\.json"):
        fetched(tuf, "missing.json")


@pytest.mark.parametrize("root", [b"x", b"{}", b"[]", b"\xff", b"1" * 600_000])
def test_an_initial_root_that_is_none_is_refused(tuf, root):
    refused(tuf, root=root)


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(status=404), Fault(cut="before"), Fault(body=b"<html>")])
def test_a_repository_that_fails_is_a_named_error(tuf, sigstore, fault):
    sigstore.faults.set("tuf", fault)

    refused(tuf)


def test_a_repository_that_hangs_is_left_at_the_deadline(tuf, sigstore):
    sigstore.faults.set("tuf", Fault(hang=True))

    assert "no answer in 0.5 s" in refused(tuf, deadline_seconds=0.5)


def test_the_public_instances_initial_root_comes_with_the_package():
    repository = public_repository()

    assert repository.url == PUBLIC_URL
    assert b'"root"' in repository.initial_root
