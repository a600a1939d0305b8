"""Reading an auditor's policy: a broken one for each thing that is refused, and what a sound one comes to.

The first line of each file in `policies/` says what is expected.
"""

import hashlib
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attest.errors import PolicyError
from attest.policy.file import read_policy
from attest.policy.policy import PackThreshold, Policy, Thresholds
from attest.trust.identity_pattern import compiled
from attest.trust.trust import Accepted, Identity, Required
from evidence.errors import EvidenceError
from evidence.packs import builtin
from evidence.timestamp import from_rfc3339, is_time

POLICIES = Path(__file__).parent / "policies"
BROKEN = sorted(POLICIES.glob("*.yaml"))
EXAMPLE = Path(__file__).parents[2] / "config" / "policy.example.yaml"
_EXPECTED = re.compile(r"# expected at line (\d+): (.+)")
_HEAD = 'schema: affidavit.policy.v1\nname: p\nversion: "1"\n'
LOG = "sidecar.example.org/agents+433a7502+Adjz3knUhav0Dt1riZg4n7guOo/R8bR7pXWA2e9+UBmj"
WITNESS = "witness.example.org+c2bf09dd+BFZxBf5t+igMlFLcRN2OSKxAHY/s9PPUuRGUBUwg98yz"
_PEM = (POLICIES / "keys" / "a.pub").read_text()
_KEYS = "keys:\n  - pem: |\n" + "".join(f"      {line}\n" for line in _PEM.splitlines())


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_policy_with_a_defect_is_refused_at_its_line(path):
    line, words = _EXPECTED.fullmatch(path.read_text().partition("\n")[0]).groups()
    with pytest.raises(PolicyError) as refused:
        read_policy(path)
    assert str(refused.value).startswith(f"{path}:{line}: ")
    assert words in str(refused.value)


@pytest.fixture
def written(tmp_path):
    """Writes a policy beside the files that the broken ones name, and reads it."""

    def write(text: str) -> Policy:
        (tmp_path / "keys").mkdir(exist_ok=True)
        for file in ("keys/a.pub", "keys/b.pub", "root.json"):
            (tmp_path / file).write_bytes((POLICIES / file).read_bytes())
        path = tmp_path / "policy.yaml"
        path.write_text(text)
        return read_policy(path)

    return write


def test_everything_a_policy_can_say_is_read(written):
    root_sha256 = hashlib.sha256((POLICIES / "root.json").read_bytes()).hexdigest()
    text = f"""schema: affidavit.policy.v1
name: acme-runs
version: "2026.1"
expires: 2027-06-30T02:00:00+02:00
keys:
  - file: keys/a.pub
    valid_from: 2026-01-01T00:00:00Z
    valid_until: 2026-12-31t23:59:59.5z
    revoked_at: 2026-06-01 00:00:00-01:30
roots:
  - file: root.json
    sha256: {root_sha256}
identities:
  - identity: me@example.org
    issuer_pattern: https://(accounts|login)\\.example\\.org
logs: [{LOG}]
witnesses: [{WITNESS}]
require:
  timestamps: 2
  log_entry: true
  signers: 2
  sidecar_log: true
  witnesses: 1
  delay_seconds_max: 600
accept:
  payload_types: [application/vnd.in-toto+json]
  predicate_types: ["urn:affidavit:evidence-bundle:v1"]
  entry_kinds: [dsse 0.0.1]
packs:
  - name: baseline
    digest: sha256:{"1" * 64}
    completeness_min: 0.75
  - name: own
    completeness_min: 0
closure:
  min: 0.5
  confidence_min: high
mapping_loss:
  dropped_ratio_max: 0
  dropped_major_max: 0
  built_in_tables: true
capture_health:
  gaps: 0
  unclosed: 0
"""
    policy = written(text)
    assert (policy.name, policy.version) == ("acme-runs", "2026.1")
    assert policy.digest == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    assert policy.expires == "2027-06-30T00:00:00.000000000Z"
    (key,) = policy.trust.keys
    assert (key.valid_from, key.valid_until, key.revoked_at) == (
        "2026-01-01T00:00:00.000000000Z",
        "2026-12-31T23:59:59.500000000Z",
        "2026-06-01T01:30:00.000000000Z",
    )
    (root,) = policy.trust.roots
    assert (root.name, root.data, root.sha256) == ("root.json", (POLICIES / "root.json").read_bytes(), root_sha256)
    assert policy.trust.identities == (
        Identity(identity="me@example.org", issuer_pattern=r"https://(accounts|login)\.example\.org"),
    )
    assert policy.trust.logs == (LOG,)
    assert policy.trust.witnesses == (WITNESS,)
    assert policy.trust.required == Required(
        timestamps=2, signers=2, sidecar_log=True, witnesses=1, delay_seconds_max=600
    )
    assert policy.trust.accepted == Accepted(
        payload_types=frozenset({"application/vnd.in-toto+json"}),
        predicate_types=frozenset({"urn:affidavit:evidence-bundle:v1"}),
        entry_kinds=frozenset({"dsse 0.0.1"}),
    )
    assert policy.thresholds == Thresholds(
        packs=(
            PackThreshold(name="baseline", digest="sha256:" + "1" * 64, completeness_min=0.75),
            PackThreshold(name="own", completeness_min=0),
        ),
        closure_min=0.5,
        confidence_min="high",
        dropped_ratio_max=0,
        dropped_major_max=0,
        built_in_tables=True,
        capture_max={"gaps": 0, "unclosed": 0},
    )


def test_the_digest_is_over_the_bytes_of_the_file(written):
    plain, commented = written(_HEAD + _KEYS), written(_HEAD + _KEYS + "# a comment\n")
    assert plain.trust == commented.trust
    assert plain.digest != commented.digest


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (_HEAD + _KEYS, "it never expires"),
        (_HEAD + _KEYS, "it asks nothing of what a bundle holds"),
        (_HEAD + _KEYS + "mapping_loss: {dropped_major_max: 0}\n", "translation tables of its own"),
        (_HEAD + _KEYS + "packs: [{name: own, completeness_min: 1}]\n", "the pack own is not pinned"),
        (_HEAD + "keys:\n  - file: keys/a.pub\n", "the key in keys/a.pub is not pinned"),
        (_HEAD + _KEYS.replace("- pem", "- valid_from: 2026-01-01T00:00:00Z\n    pem"), "no timestamp is required"),
        (_HEAD + _KEYS + f"logs: [{LOG}]\n", "a bundle without a proof is let through"),
    ],
    ids=[
        "never-expires",
        "asks-nothing",
        "any-tables",
        "any-pack",
        "unpinned-key",
        "window-that-nothing-dates",
        "log-not-required",
    ],
)
def test_what_a_policy_leaves_open_is_warned_of_by_name(written, text, warning):
    assert any(warning in said for said in written(text).warnings)


def test_an_identity_whose_issuer_knows_everybody_is_warned_of(written):
    sha256 = hashlib.sha256((POLICIES / "root.json").read_bytes()).hexdigest()
    policy = written(
        f"{_HEAD}roots: [{{file: root.json, sha256: {sha256}}}]\n"
        'identities: [{identity_pattern: ".+", issuer: "https://login.example.org"}]\n'
    )
    assert "anyone whom the issuer https://login.example.org knows may sign" in policy.warnings


def test_a_policy_that_pins_dates_and_asks_is_not_warned_of(written):
    fingerprint = re.search(r"sha256:[0-9a-f]{64}", written(_HEAD + "keys: [{file: keys/a.pub}]\n").warnings[0])[0]
    policy = written(
        f"{_HEAD}expires: 2027-01-01T00:00:00Z\nkeys: [{{file: keys/a.pub, fingerprint: '{fingerprint}'}}]\n"
        "closure: {min: 0.5}\n"
    )
    assert policy.warnings == ()


def test_a_policy_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(PolicyError, match=r"none\.yaml: cannot be read: No such file"):
        read_policy(tmp_path / "none.yaml")


def test_a_policy_or_a_file_it_names_over_its_bound_is_refused(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_bytes(b"#" * (1024 * 1024 + 1))
    with pytest.raises(PolicyError, match="at most 1048576 bytes"):
        read_policy(path)
    (tmp_path / "key.pub").write_bytes(b"#" * (64 * 1024 + 1))
    path.write_text(_HEAD + "keys: [{file: key.pub}]\n")
    with pytest.raises(PolicyError, match=r"policy\.yaml:4: key\.pub: larger than 65536 bytes"):
        read_policy(path)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_as_a_policy_read_or_are_refused(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any-policy.yaml"
    path.write_bytes(data)
    with pytest.raises(PolicyError, match=re.escape(str(path))):
        read_policy(path)


# ------------------------------------------------------------------ the example


def _example(tmp_path: Path, text: str) -> Policy:
    path = tmp_path / EXAMPLE.name
    path.write_text(text)
    return read_policy(path)


def test_the_example_is_a_policy(tmp_path):
    policy = _example(tmp_path, EXAMPLE.read_text())
    assert policy.name == "example"
    assert policy.thresholds != Thresholds()
    assert [warning.partition(":")[0] for warning in policy.warnings] == ["the pack baseline is not pinned"]
    assert builtin("baseline").digest in EXAMPLE.read_text(), "the digest that can be switched on is the pack's"


def test_the_example_is_a_policy_with_everything_switched_on_that_it_leaves_out(tmp_path):
    """A setting that is left out starts with # and not with # and one space."""
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "sidecar.pub").write_bytes((POLICIES / "keys" / "b.pub").read_bytes())
    root = (POLICIES / "root.json").read_bytes()
    (tmp_path / "trusted_root.json").write_bytes(root)
    text = re.sub(r"^#(?=\S|  )", "", EXAMPLE.read_text(), flags=re.MULTILINE)
    policy = _example(tmp_path, text)
    assert len(policy.trust.keys) == 2
    assert policy.trust.roots
    assert policy.trust.identities
    assert policy.trust.logs
    assert policy.trust.witnesses
    assert policy.trust.required.timestamps == 1
    assert policy.trust.accepted != Accepted()


# ------------------------------------------------------------------ times and patterns


@given(st.datetimes(), st.integers(-1439, 1439), st.sampled_from("Tt "))
def test_a_time_in_any_form_of_rfc_3339_becomes_the_one_that_evidence_has(moment, minutes, between):
    """Law: the same instant, in the one form; what reads back is itself."""
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    text = f"{moment.isoformat(sep=between)}{sign}{hours:02d}:{rest:02d}"
    try:
        utc = moment - timedelta(minutes=minutes)
    except OverflowError:
        with pytest.raises(EvidenceError, match="expected a time that exists"):
            from_rfc3339(text)
        return
    normal = from_rfc3339(text)
    assert is_time(normal)
    assert normal == f"{utc.replace(microsecond=0).isoformat()}.{utc.microsecond:06d}000Z"
    assert from_rfc3339(normal) == normal


@pytest.mark.parametrize(
    "text", ["2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00.0123456789Z", "now", ""]
)
def test_a_time_that_would_have_to_be_guessed_is_refused(text):
    with pytest.raises(EvidenceError, match="expected a time"):
        from_rfc3339(text)


@given(st.text(max_size=60))
def test_a_pattern_is_taken_or_refused_and_never_breaks(text):
    try:
        assert compiled(text).pattern == text
    except PolicyError as error:
        assert "expected" in str(error)


@pytest.mark.parametrize("pattern", ["[^/]*[^@]*.*.*b", "a?[a-z]*.*[^x]*b"])
def test_a_pattern_that_is_taken_gives_up_on_a_long_text_soon(pattern):
    assert compiled(pattern).fullmatch("a" * 100) is None


def test_the_documentation_names_every_key_and_its_smallest_policy_is_one(tmp_path):
    from attest.policy.trusted import KEYS

    text = (EXAMPLE.parents[1] / "docs" / "policy.md").read_text()
    for name in (*KEYS, "packs", "closure", "mapping_loss", "capture_health", "expires"):
        assert f"`{name}" in text
    (tmp_path / "sidecar.pub").write_bytes((POLICIES / "keys" / "a.pub").read_bytes())
    smallest = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1]
    assert _example(tmp_path, smallest).thresholds.closure_min == 0.6


@pytest.mark.parametrize(
    ("second", "by_key", "met"),
    [("another instance", False, False), ("another instance", True, True), ("authorities of time alone", False, True)],
)
def test_timestamps_that_no_root_can_give_a_certificate_together_are_refused(written, tmp_path, second, by_key, met):
    whole = json.loads((POLICIES / "root.json").read_text())
    one, other = whole["timestampAuthorities"]
    further = {**whole, "timestampAuthorities": [other]}
    if second == "authorities of time alone":
        further = {"mediaType": whole["mediaType"], "timestampAuthorities": [other]}
    listed = ""
    for name, root in (("own.json", {**whole, "timestampAuthorities": [one]}), ("further.json", further)):
        data = json.dumps(root).encode()
        (tmp_path / name).write_bytes(data)
        listed += f"  - {{file: {name}, sha256: {hashlib.sha256(data).hexdigest()}}}\n"
    signers = _KEYS if by_key else "identities:\n  - {identity: me@example.org, issuer: https://accounts.example.org}\n"
    text = f"{_HEAD}{signers}roots:\n{listed}require: {{timestamps: 2}}\n"
    if met:
        assert written(text).trust.required.timestamps == 2
    else:
        with pytest.raises(PolicyError, match="2 timestamps of 1 timestamp authorities can never be had"):
            written(text)
