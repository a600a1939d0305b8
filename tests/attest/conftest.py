"""Keys and facts for the tests of this room."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from attest.keys import PrivateKey, generate
from attest.signers.key import KeySigner
from evidence.bundle import BundleFacts

PRODUCER = {"name": "affidavit", "version": "0.0.0"}


def digest(number: int) -> str:
    return f"{number:064x}"


@pytest.fixture(scope="session")
def producer() -> dict[str, str]:
    return PRODUCER


@pytest.fixture(scope="session")
def make_facts() -> Callable[..., BundleFacts]:
    """Facts of a bundle that exists nowhere, by number and with any field changed."""
    return _make_facts


def _make_facts(number: int = 1, **changes: Any) -> BundleFacts:
    bundle_id = digest(number * 16)
    manifest = {
        "bundle_id": bundle_id,
        "run_id": f"run-{number}",
        "part": 1,
        "event_count": 3,
        "merkle": {"alg": "rfc9162-sha256", "tree_size": 3, "root": digest(number * 16 + 1)},
        "mapping": {
            "target": {"id": "t", "version": "1", "digest": "sha256:" + digest(2)},
            "profiles": [{"id": "p", "version": "1", "digest": "sha256:" + digest(3)}],
        },
        "x-assay": {
            "packs_applied": [
                {"name": "baseline", "version": "1.0.0", "digest": "sha256:" + digest(4), "kind": "quality"}
            ],
        },
    }
    names = [
        "manifest.json",
        "events.ndjson",
        "packs/own.yaml",
        "reports/closure.json",
        "reports/formula-receipts.json",
    ]
    return BundleFacts(
        **{
            "path": Path(f"run-{number}.evidence.tar.gz"),
            "container_sha256": digest(number * 16 + 3),
            "container_bytes": 1,
            "manifest": manifest,
            "manifest_sha256": digest(number * 16 + 4),
            "members": {name: digest(number * 16 + 4 + at) for at, name in enumerate(names)},
            "reports": {"reports/formula-receipts.json": b'{"receipts":[]}'},
            "source": "urn:test",
            "first_time": "",
            "last_time": "",
            **changes,
        }
    )


@pytest.fixture(scope="session")
def key() -> PrivateKey:
    return generate()


@pytest.fixture(scope="session")
def other_key() -> PrivateKey:
    return generate()


@pytest.fixture(scope="session")
def signer(key: PrivateKey) -> KeySigner:
    return KeySigner(key)
