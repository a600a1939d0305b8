"""A user's profile on its whole way: from the configured folder through sidecar or seal into the bundle, and verified without it."""

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile

import pytest
import urllib3

from attest.trust.trust import Trust
from attest.verify import verify_file
from evidence.bundle.reader import EvidenceBundle
from sidecar.mapping import MappingAgain
from tests.tools.process import PATIENCE_SECONDS, running

pytestmark = pytest.mark.integration

OURS = """\
id: ours
version: "7"
extends: openinference
detect: {threshold: 3, keys: {"acme.*": 3}}
namespaces: [acme.]
rows:
  - {key: acme.model, to: gen_ai.request.model}
  - {key: llm.cost.total, keep: true}
"""
REPLACED = """\
id: strands
version: "8"
override: true
detect: {keys: {strands.*: 1}}
namespaces: [strands.]
"""
SPANS = {
    "resourceSpans": [
        {
            "scopeSpans": [
                {
                    "scope": {"name": "acme"},
                    "spans": [
                        {
                            "traceId": "0a" * 16,
                            "spanId": "0b" * 8,
                            "name": "x",
                            "attributes": [
                                {"key": "openinference.span.kind", "value": {"stringValue": "LLM"}},
                                {"key": "acme.model", "value": {"stringValue": "m"}},
                                {"key": "llm.cost.total", "value": {"doubleValue": 0.5}},
                            ],
                        }
                    ],
                }
            ]
        }
    ]
}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "profiles"
    made.mkdir()
    (made / "b.yaml").write_text(OURS)
    (made / "a.yml").write_text(REPLACED)
    (made / "notes.txt").write_text("no profile")
    return made


@pytest.fixture
def environment():
    return {name: value for name, value in os.environ.items() if not name.startswith(("AFFIDAVIT_", "OTEL_"))}


def affidavit(*arguments, cwd, env):
    command = [sys.executable, "-m", "sidecar", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=PATIENCE_SECONDS)


def contents(bundle):
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(bundle.read_bytes()))) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive.getmembers()}


def facts(bundle):
    """The translation of the only span, and the profiles the manifest names."""
    with EvidenceBundle.open(bundle) as opened:
        found = [event["data"] for event, _ in opened.events() if event["type"] == "affidavit.otel.span.v1"]
        opened.finish()
        profiles = {profile["id"]: profile for profile in opened.manifest["mapping"]["profiles"]}
    return found[0], profiles


def holds_the_users_profiles(bundle):
    span, profiles = facts(bundle)
    assert span["mapped"]["profiles"] == ["ours"]
    mapped = {item["key"]: item["value"] for item in span["mapped"]["attributes"]}
    assert mapped["gen_ai.request.model"] == {"stringValue": "m"}
    assert span.get("loss", {}).get("no_concept") is None
    assert (profiles["ours"]["version"], profiles["strands"]["version"]) == ("7", "8")
    members = contents(bundle)
    assert members["profiles/b.yaml"].decode() == OURS
    assert members["profiles/a.yml"].decode() == REPLACED
    assert sorted(name for name in members if name.startswith("profiles/")) == ["profiles/a.yml", "profiles/b.yaml"]


def test_seal_carries_the_users_profiles_and_verify_needs_no_folder(tmp_path, folder, environment):
    (tmp_path / "c.yaml").write_text("semconv: {profiles_dir: profiles}\n")
    (tmp_path / "in.traces.json").write_text(json.dumps(SPANS))
    sealed = affidavit("seal", "in.traces.json", "--out", "out", "--config", "c.yaml", cwd=tmp_path, env=environment)
    assert sealed.returncode == 0, sealed.stderr
    (bundle,) = (tmp_path / "out").glob("*.tar.gz")
    for file in folder.iterdir():
        file.unlink()
    holds_the_users_profiles(bundle)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    said = json.loads(affidavit("verify", bundle, "--json", cwd=elsewhere, env=environment).stdout)
    assert {check["id"]: check["outcome"] for check in said["checks"]}["mapping"] == "pass"


def test_the_running_sidecar_translates_with_the_users_profiles(tmp_path, folder):
    with running(tmp_path / "state", SEMCONV__PROFILES_DIR=str(folder)) as sidecar:
        answer = urllib3.request("POST", f"http://{sidecar.http}/v1/traces", json=SPANS)
        assert answer.status == 200
        assert sidecar.stop() == 0
        (bundle,) = sidecar.bundles
        holds_the_users_profiles(bundle)
        result = verify_file(bundle, trust=Trust.load([sidecar.public_key]), mapping=MappingAgain())
    assert result.verdict == "verified"


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("b.yaml", OURS.replace("keep: true", "keep: perhaps"), "8: expected true or false"),
        ("a.yml", REPLACED.replace("override: true\n", ""), "1: id 'strands' is a built-in profile's: write `override: true`"),
        ("b.yaml", "a: [", "2: did not find expected node content"),
    ],
    ids=["a word that takes no such value", "a built-in profile's id", "no YAML"],
)  # fmt: skip
def test_a_profile_that_cannot_be_used_stops_the_start_with_its_place_and_a_way_out(
    folder, environment, file, text, said
):
    (folder / file).write_text(text)
    quiet = "receiver: {grpc: {endpoint: '127.0.0.1:0'}, http: {endpoint: '127.0.0.1:0'}}\n"
    (folder.parent / "c.yaml").write_text(quiet + "semconv: {profiles_dir: profiles}\n")
    done = affidavit("run", "--config", "c.yaml", cwd=folder.parent, env=environment)
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert f"semconv.profiles_dir: profiles/{file}:{said}" in last
    assert f"`affidavit semconv lint profiles/{file}`" in last
    assert "Traceback" not in done.stderr
