"""`affidavit verify` where there is no network at all, and under a hook that sees every socket and every file that is opened.

The command is the real one, in a process of its own, with its workers. What it prints must be the same bytes as anywhere else.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from attest.attestation.statement import statement
from attest.keys import generate
from tests.attest import sigstore_world as sw
from tests.attest import world
from tests.sigstore.forge import forge

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
WATCHED = """
import sys

NETWORK = ("socket.", "http.", "urllib.", "ftplib.", "smtplib.")
CHANGES = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.utime", "os.chmod", "tempfile.",
           "shutil.", "sqlite3.")
PROBES = {"socket.__new__", "socket.bind", "socket.gethostname"}  # what urllib3 does when sigstore imports it, without connecting
ALLOWED = PROBES if sys.argv[1] == "certificate" else set()
WRITES = 0o3 | 0o100 | 0o1000  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC

def watch(event, arguments):
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES and arguments[0] != "/dev/null":
        raise SystemExit(f"opened for writing: {arguments}")
    if event.startswith(NETWORK) and event not in ALLOWED or event.startswith(CHANGES):
        raise SystemExit(f"{event}: {arguments}")

sys.addaudithook(watch)
sys.argv[1:] = sys.argv[2:]
from sidecar.__main__ import main
main()
"""

POLICY = """schema: affidavit.policy.v1
name: offline
version: "1"
expires: 2027-01-01T00:00:00Z
keys:
  - file: key.pub
capture_health:
  gaps: 0
"""


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    """A folder with what an auditor gets, and beside it what they trust."""
    made = tmp_path_factory.mktemp("audit")
    bundles = made / "bundles"
    bundles.mkdir()
    key = generate()
    (made / "key.pub").write_bytes(key.public.to_pem())
    before = None
    for number in range(4):
        link = {"bundle_id": before.bundle_id, "manifest_sha256": before.manifest_sha256} if before else None
        before = world.seal_run(
            bundles, world.run_events(f"run-{number}"), previous_bundle=link, closed_at=world.at(30 + number)
        )
        world.attest(key, before)
    (bundles / "events.ndjson").unlink()
    (made / "policy.yaml").write_text(POLICY)
    (made / "certified").mkdir()
    with sw.start() as sigstore:
        facts = world.seal_run(made / "certified", world.run_events("run-c"))
        (made / "certified" / "run-c.sigstore.json").write_bytes(forge(sigstore, statement([facts], world.PRODUCER)))
        (made / "root.json").write_bytes(sigstore.trusted_root)
        (made / "issuer").write_text(sigstore.oidc.url)
    return made


def arguments(evidence, way):
    """What is typed, by what is verified."""
    one, key = evidence / "bundles" / "run-1.evidence.tar.gz", ("--key", evidence / "key.pub")
    root = ("--trusted-root", evidence / "root.json")
    who = ("--identity", sw.IDENTITY, "--issuer", (evidence / "issuer").read_text())
    return {
        "key": (one, *key),
        "folder": (evidence / "bundles", *key, "--processes", "2"),
        "policy": (evidence / "bundles", "--policy", evidence / "policy.yaml", "--at", "2026-12-01T00:00:00Z"),
        "certificate": (evidence / "certified" / "run-c.evidence.tar.gz", *root, *who),
    }[way]


WAYS = ["key", "folder", "policy", "certificate"]


def run(evidence, way, *, before=(), cwd=None):
    """The command under the hook; what it printed."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": "/nonexistent",
    }
    done = subprocess.run(
        [
            *before,
            sys.executable,
            "-c",
            WATCHED,
            way,
            "verify",
            *map(str, arguments(evidence, way)),
            "--json",
            "--strict",
        ],
        env=environment,
        cwd=cwd or evidence,
        capture_output=True,
        timeout=110,
    )
    assert (done.stderr, done.returncode) == (b"", 0), done.stdout
    return done.stdout


def everything(folder):
    """Every file below a folder: its name, bytes, mode and times."""
    return {
        path: (
            path.read_bytes() if path.is_file() else None,
            path.stat().st_mode,
            path.stat().st_mtime_ns,
            path.stat().st_ctime_ns,
        )
        for path in (folder, *sorted(folder.rglob("*")))
    }


@pytest.fixture(scope="module")
def said(evidence):
    """What is printed in each way, with the network that there is; nothing else may have changed."""
    before = everything(evidence)
    printed = {way: run(evidence, way) for way in WAYS}
    assert everything(evidence) == before
    return printed


@pytest.mark.parametrize("way", WAYS)
def test_it_verifies_connects_to_nothing_writes_nothing_and_changes_nothing(said, way):
    assert json.loads(said[way])["verdict"] == "verified"


@pytest.mark.parametrize("way", WAYS)
def test_without_any_network_interface_the_verdict_is_the_same_bytes(evidence, said, way):
    assert run(evidence, way, before=isolation()) == said[way]


def test_a_folder_that_nobody_may_write_to_is_verified_from_within(evidence, tmp_path):
    copy = shutil.copytree(evidence, tmp_path / "audit")
    for folder in (copy / "bundles", copy):
        folder.chmod(0o555)
    try:
        assert json.loads(run(copy, "folder", cwd=copy / "bundles"))["verdict"] == "verified"
    finally:
        for folder in (copy, copy / "bundles"):
            folder.chmod(0o755)


def test_the_hook_sees_a_connection_and_a_file_being_written(evidence, tmp_path):
    """Or nothing above would show anything."""
    connect = "import socket; socket.create_connection(('127.0.0.1', 9))"
    write = f"open({str(tmp_path / 'new')!r}, 'w')"
    for code, said in ((connect, b"socket."), (write, b"opened for writing")):
        script = WATCHED.replace("from sidecar.__main__ import main\nmain()", code)
        done = subprocess.run([sys.executable, "-c", script, "key"], capture_output=True, timeout=60)
        assert (done.returncode, said in done.stderr) == (1, True), done.stderr


def isolation():
    """How a process is started without any network interface."""
    for command in (["unshare", "-rn"], ["unshare", "-n"]):
        if shutil.which(command[0]) and subprocess.run([*command, "true"], capture_output=True).returncode == 0:
            return command
    pytest.skip("this system lets nobody make a network namespace (unshare -rn, unshare -n)")
