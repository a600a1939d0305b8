"""What docs/keyless.md and docs/trust-roots.md tell people to write is understood."""

import re
from pathlib import Path

import click
import pytest
import yaml

from attest.policy.file import read_policy
from sidecar.cli.main import affidavit
from sidecar.settings import load

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = ("keyless.md", "trust-roots.md")


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(), re.DOTALL | re.MULTILINE)


def commands():
    text = "\n".join(block for page in PAGES for block in (*blocks(page, ""), *blocks(page, "yaml")))
    return sorted(set(re.findall(r"affidavit [a-z][^\n#]*", text)))


@pytest.mark.parametrize("command", commands())
def test_every_command_has_the_verbs_and_options_it_is_shown_with(command):
    words = command.split()[1:]
    found = affidavit
    while isinstance(found, click.Group):
        found = found.get_command(click.Context(found), words.pop(0))
    assert found is not None
    known = {option for parameter in found.params for option in parameter.opts}

    assert {word.strip("[]") for word in words if word.strip("[]").startswith("--")} <= known


def test_the_settings_are_understood(tmp_path):
    (tmp_path / "affidavit.yaml").write_text(blocks("keyless.md", "yaml")[0])
    attest = load(tmp_path / "affidavit.yaml", environment={}).attest

    assert attest.method == "keyless"
    assert str(attest.keyless.token_file) == "/var/run/secrets/sigstore/token"


def test_a_root_is_pinned_in_a_policy_as_shown(sigstore, tmp_path):
    import hashlib

    (block,) = blocks("trust-roots.md", "yaml")
    (tmp_path / "trusted_root.json").write_bytes(sigstore.trusted_root)
    shown = yaml.safe_load(block)["roots"][0]["sha256"]
    found = hashlib.sha256(sigstore.trusted_root).hexdigest()
    policy = "schema: affidavit.policy.v1\nname: p\nversion: 1.0.0\nidentities: [{identity: a, issuer: b}]\n"
    (tmp_path / "policy.yaml").write_text(policy + block.replace(shown, found))

    assert read_policy(tmp_path / "policy.yaml").trust.roots[0].sha256 == found
