"""A real sidecar that signs as an identity: over a log that hangs, kill -9, and an authority that fails, to a bundle that verifies."""

from __future__ import annotations

import psutil
import pytest

from attest.trust.roots import trusted_root
from attest.trust.trust import Identity, Required, Trust
from attest.verify import verify_file
from tests.integration.test_attesting import attestations, said, sealing, send
from tests.sigstore.loopback import IDENTITY, Fault
from tests.tools.process import running, wait_until

pytestmark = pytest.mark.integration


def signing_processes(sidecar) -> list[psutil.Process]:
    return [
        process for process in sidecar.tree() if any("attest.signers.bounded" in word for word in process.cmdline())
    ]


def test_what_was_being_signed_when_everything_was_killed_is_signed_by_the_next_process(tmp_path, sigstore):
    (tmp_path / "config.json").write_bytes(sigstore.trust_config())
    (tmp_path / "token").write_text(sigstore.token())
    settings = {
        "ATTEST__METHOD": "keyless",
        "ATTEST__KEYLESS__TRUST_CONFIG_FILE": str(tmp_path / "config.json"),
        "ATTEST__KEYLESS__TOKEN_FILE": str(tmp_path / "token"),
        "ATTEST__RETRY_MAX_SECONDS": "1",
    }

    sigstore.faults.set("rekor", Fault(hang=True))
    with running(tmp_path / "state", ATTEST__DEADLINE_SECONDS="5", **settings) as sidecar:
        send(sidecar, 1)
        with sealing(sidecar, 1):
            wait_until(lambda: ("POST", "/api/v1/log/entries") in sigstore.requests, "an entry for the log")
        (signing,) = signing_processes(sidecar)
        sidecar.kill()
        wait_until(lambda: not signing.is_running(), "the end of the process that signs, by itself")
        assert attestations(sidecar) == []

    sigstore.faults.clear()
    sigstore.faults.set("fulcio", Fault(status=503, times=1))
    with running(tmp_path / "state", **settings) as sidecar:
        wait_until(lambda: attestations(sidecar), "an attestation")
        (signing,) = signing_processes(sidecar)
        assert "status 503" in str(said(sidecar, "not attested yet; tried again"))
        assert sidecar.stop() == 0
        wait_until(lambda: not signing.is_running(), "the end of the process that signs, with the sidecar")

    trust = Trust(
        roots=(trusted_root(sigstore.trusted_root, "root.json"),),
        identities=(Identity(identity=IDENTITY, issuer=sigstore.oidc.url),),
        required=Required(timestamps=1),
    )
    assert [verify_file(bundle, trust=trust).verdict for bundle in sidecar.bundles] == ["verified"]
