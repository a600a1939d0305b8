"""What verifying attested bundles costs beside the library that verifies certificates.

The bundles are small, seven events each, so that what is counted is the attestation. `conftest.py` prints the figures.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from attest.attest import attest_bundles
from attest.attestation.statement import statement
from attest.keys import generate
from attest.signers.key import KeySigner
from attest.trust.trust import Trust
from attest.verify import verify_file, verify_files
from evidence.run import attestation_file_name
from tests.attest import sigstore_world, world
from tests.sigstore.forge import forge
from tests.sigstore.loopback import IDENTITY

pytestmark = pytest.mark.bench

BUNDLES = 200


class Attested:
    """Small bundles with an attestation beside each, one statement over so many of them."""

    def __init__(self, folder: Path, sign, *, in_statement: int) -> None:
        self.facts = [world.seal_run(folder, world.run_events(f"run-{number}")) for number in range(BUNDLES)]
        self.paths = [facts.path for facts in self.facts]
        for first in range(0, BUNDLES, in_statement):
            part = self.facts[first : first + in_statement]
            data = sign(part)
            for facts in part:
                facts.path.with_name(attestation_file_name(facts.path.name)).write_bytes(data)


@pytest.fixture(scope="module")
def key():
    return generate()


@pytest.fixture(scope="module", params=[1, 64], ids=["each_by_itself", "64_in_a_statement"])
def keyed(request, key, tmp_path_factory):
    signer = KeySigner(key)
    folder = tmp_path_factory.mktemp("keyed")
    return Attested(
        folder, lambda facts: attest_bundles(facts, signer, producer=world.PRODUCER), in_statement=request.param
    )


@pytest.mark.benchmark(group="verify: small bundles attested with a key, µs a bundle")
def test_sha256_of_bundles_and_attestations(cost, keyed):
    def work():
        for path in keyed.paths:
            hashlib.sha256(path.read_bytes()).digest()
            hashlib.sha256(path.with_name(attestation_file_name(path.name)).read_bytes()).digest()

    cost(work, BUNDLES)


@pytest.mark.benchmark(group="verify: small bundles attested with a key, µs a bundle")
@pytest.mark.parametrize("recompute", [False, True], ids=["integrity", "and_reports"])
def test_verify_files(cost, keyed, key, recompute):
    trust = Trust.of(key.public)

    def work():
        summary = verify_files(keyed.paths, trust=trust, recompute=recompute)
        assert summary.exit_code == 0

    cost(work, BUNDLES)


# ---------------------------------------------------------------- certificates


@pytest.fixture(scope="module")
def sigstore():
    with sigstore_world.start() as sigstore:
        yield sigstore


@pytest.fixture(scope="module")
def certified(sigstore, tmp_path_factory):
    """One certificate, log entry and timestamp a bundle."""
    return Attested(
        tmp_path_factory.mktemp("certified"),
        lambda facts: forge(sigstore, statement(facts, world.PRODUCER)),
        in_statement=1,
    )


@pytest.mark.benchmark(group="verify: small bundles attested with a certificate, µs a bundle")
def test_the_attestations_alone_by_the_sigstore_library(cost, sigstore, certified):
    """Certificate chain, log entry, timestamp, signature, identity: nothing of the statement or the bundle."""
    from sigstore.models import Bundle, TrustedRoot
    from sigstore.verify import Verifier
    from sigstore.verify.policy import Identity
    from sigstore_models.trustroot.v1 import TrustedRoot as Model

    verifier = Verifier(trusted_root=TrustedRoot(Model.from_json(sigstore.trusted_root)))
    policy = Identity(identity=IDENTITY, issuer=sigstore.oidc.url)
    attestations = [path.with_name(attestation_file_name(path.name)) for path in certified.paths]

    def work():
        for attestation in attestations:
            verifier.verify_dsse(Bundle.from_json(attestation.read_bytes()), policy)

    cost(work, BUNDLES)


@pytest.mark.benchmark(group="verify: small bundles attested with a certificate, µs a bundle")
@pytest.mark.parametrize("recompute", [False, True], ids=["integrity", "and_reports"])
def test_verify_files_certified(cost, sigstore, certified, recompute):
    trust = sigstore_world.trust(sigstore)

    def work():
        summary = verify_files(certified.paths, trust=trust, recompute=recompute)
        assert summary.exit_code == 0

    cost(work, BUNDLES)


@pytest.mark.benchmark(group="verify: small bundles attested with a certificate, µs a bundle")
def test_verify_file_with_a_judge_of_its_own(cost, sigstore, certified):
    trust = sigstore_world.trust(sigstore)

    def work():
        assert verify_file(certified.paths[0], trust=trust).exit_code == 0

    cost(work, 1)
