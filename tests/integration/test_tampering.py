"""One bundle as `affidavit seal --key` makes it, and every way to change it a little: the verdict is never `verified` again.

The law of attest.verify, held end to end: the files as they are on disk, the whole of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from attest.keys import generate, save
from attest.trust.trust import Trust
from attest.verification import Verification
from attest.verify import verify_file
from evidence.run import attestation_file_name
from sidecar.cli.seal import seal
from sidecar.mapping import MappingAgain
from tests.tools.otlp import CORPUS

pytestmark = pytest.mark.integration

RECORDING = CORPUS / "otel-js-openai@0.21.0" / "err429.traces.otlp.pb"
"""The smallest one."""
WHOLE = ("attestation", "bundle")


@dataclass(frozen=True)
class Evidence:
    bundle: Path
    attestation: Path
    trust: Trust
    mapping: MappingAgain
    originals: dict[str, bytes]

    def verify(self, *, recompute: bool = True) -> Verification:
        return verify_file(self.bundle, trust=self.trust, mapping=self.mapping, recompute=recompute, strict=True)

    def verified_with(self, which: str, data: bytes) -> bool:
        """Whether the evidence would still verify, without a warning, if one of its files held these bytes.

        White space around an attestation is another tool's spelling, which is warned of.
        The reports of a bundle whose attestation alone is another are not computed again each time.
        """
        getattr(self, which).write_bytes(data)
        return self.verify(recompute=which == "bundle").exit_code == 0


@pytest.fixture(scope="module")
def sealed(tmp_path_factory) -> Evidence:
    folder = tmp_path_factory.mktemp("sealed")
    save(generate(), folder / "k.pem")
    result = CliRunner().invoke(seal, [str(RECORDING), "--out", str(folder / "out"), "--key", str(folder / "k.pem")])
    assert result.exit_code == 0, result.output
    (bundle,) = (folder / "out").glob("*.evidence.tar.gz")
    attestation = bundle.with_name(attestation_file_name(bundle.name))
    originals = {"attestation": attestation.read_bytes(), "bundle": bundle.read_bytes()}
    return Evidence(bundle, attestation, Trust.load([folder / "k.pem.pub"]), MappingAgain(), originals)


@pytest.fixture
def evidence(sealed):
    """The evidence as it was sealed, before and after each test."""
    yield sealed
    for which, data in sealed.originals.items():
        getattr(sealed, which).write_bytes(data)
    assert [sealed.verify(recompute=recompute).verdict for recompute in (True, False)] == ["verified", "verified"]


def flips(evidence: Evidence, which: str, bits_of) -> list[int]:
    """The places of bits whose flip goes unnoticed, of those that `bits_of` chooses in each byte."""
    data = bytearray(evidence.originals[which])
    unnoticed = []
    for byte in range(len(data)):
        for bit in bits_of(byte):
            data[byte] ^= 1 << bit
            if evidence.verified_with(which, bytes(data)):
                unnoticed.append(8 * byte + bit)
            data[byte] ^= 1 << bit
    return unnoticed


@pytest.mark.parametrize("which", WHOLE)
def test_a_flipped_bit_is_noticed(evidence, which):
    """One bit of every 32nd byte, another one each time; every byte is for tests/attest/test_attacks.py, every bit for `make soak`."""
    assert flips(evidence, which, lambda byte: () if byte % 32 else (byte // 32 * 5 % 8,)) == []


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("which", WHOLE)
def test_any_bit_flipped_is_noticed(evidence, which):
    assert flips(evidence, which, lambda _: range(8)) == []


@pytest.mark.parametrize("which", WHOLE)
def test_a_file_cut_anywhere_is_noticed(evidence, which):
    data = evidence.originals[which]
    cuts = {*range(0, len(data), 71), *range(max(0, len(data) - 24), len(data))}
    assert [cut for cut in sorted(cuts) if evidence.verified_with(which, data[:cut])] == []


@pytest.mark.parametrize("which", WHOLE)
@pytest.mark.parametrize("more", [b"\x00", b"\n", b" ", b"{}", b"\x1f\x8b", b"\x00" * 512, b"\x00" * 10_240, "itself"])
@pytest.mark.parametrize("where", ["before", "behind"])
def test_a_file_made_longer_is_noticed(evidence, which, more, where):
    data = evidence.originals[which]
    extra = data if more == "itself" else more
    assert not evidence.verified_with(which, extra + data if where == "before" else data + extra)


@pytest.mark.parametrize("which", WHOLE)
def test_bytes_taken_out_put_in_or_doubled_are_noticed(evidence, which):
    data = evidence.originals[which]
    changed = []
    for at in range(0, len(data), 127):
        changed += [
            data[:at] + data[at + 1 :],
            data[:at] + b"\x00" + data[at:],
            data[:at] + data[at : at + 8] + data[at:],
        ]
    assert [number for number, each in enumerate(changed) if evidence.verified_with(which, each)] == []


def test_files_that_change_places_are_noticed(evidence):
    evidence.bundle.write_bytes(evidence.originals["attestation"])
    assert not evidence.verified_with("attestation", evidence.originals["bundle"])


def test_without_its_attestation_a_bundle_is_not_verified(evidence):
    evidence.attestation.unlink()
    assert evidence.verify().exit_code == 4
