"""What judging an attestation costs to import: a key nothing, a timestamp its own library, a certificate Sigstore's."""

import subprocess
import sys
from pathlib import Path

import pytest

from attest.attestation.statement import statement
from attest.keys import generate
from tests.attest import sigstore_world as sw
from tests.attest import world
from tests.sigstore.forge import forge

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
from pathlib import Path
from attest.checks.attestation import AttestationJudge, Attested
from attest.keys import load_public
from attest.trust.roots import trusted_root
from attest.trust.trust import Trust, TrustedKey
folder = Path(sys.argv[1])
root = trusted_root((folder / "root.json").read_bytes(), "root.json")
trust = Trust(keys=(TrustedKey(public=load_public(folder / "key.pub")),), roots=(root,) if "root" in sys.argv else ())
judge = AttestationJudge(trust)
reading = judge.judge([folder / sys.argv[2]], Attested(file_name="x", container_sha256=None, facts=None))
print([check.outcome for check in reading.checks if check.id == "signature"])
print(*{name.partition(".")[0] for name in sys.modules} & {"sigstore", "rfc3161_client", "pydantic", "socket", "ssl", "requests"})
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lazy")
    payload = statement([world.seal_run(folder)], world.PRODUCER)
    key = generate()
    with sw.start() as sigstore:
        (folder / "root.json").write_bytes(sigstore.trusted_root)
        (folder / "key.pub").write_bytes(key.public.to_pem())
        (folder / "key").write_bytes(sw.keyed(key, payload))
        (folder / "stamped").write_bytes(sw.keyed(key, payload, sigstore.tsas["tsa"].stamp))
        (folder / "certificate").write_bytes(forge(sigstore, payload))
    return folder


@pytest.mark.parametrize(
    ("arguments", "absent", "present"),
    [
        (("key", "root"), {"sigstore", "rfc3161_client", "pydantic", "socket", "ssl", "requests"}, set()),
        (("stamped",), {"sigstore", "rfc3161_client", "pydantic", "socket", "ssl", "requests"}, set()),
        (("stamped", "root"), {"sigstore", "pydantic", "ssl", "requests"}, {"rfc3161_client"}),
        (("certificate",), {"sigstore", "pydantic", "ssl", "requests"}, set()),
        (("certificate", "root"), set(), {"sigstore", "rfc3161_client"}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_nothing_is_loaded_that_the_attestation_does_not_need(folder, arguments, absent, present):
    done = subprocess.run([sys.executable, "-c", SCRIPT, folder, *arguments], cwd=ROOT, capture_output=True, text=True)
    outcome, modules = done.stdout.splitlines()
    assert (outcome, done.stderr) == ("['pass']", "")
    assert absent & set(modules.split()) == set()
    assert present <= set(modules.split())
