"""Who signs, by the settings: what is refused by name, and what of it signs in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from attest.keys import generate, save
from attest.signers import key_uri
from attest.signers.bounded import BoundedSigner
from attest.signers.key import KeySigner
from attest.signers.rotation import Rotation
from attest.signers.services import PUBLIC_WARNING
from sidecar.errors import ConfigError
from sidecar.settings import load
from sidecar.signing import KeylessSpec, KeySpec, Signing, SigningSpec
from sidecar.spool import Pace
from sidecar.worker_spec import worker_spec


def settings(tmp_path: Path, attest: str):
    (tmp_path / "c.yaml").write_text(f"attest: {{{attest}}}")
    return load(tmp_path / "c.yaml", {})


@pytest.mark.parametrize(
    ("attest", "named"),
    [
        ("key_file: a, keys: [{uri: b}]", "attest.key_file and attest.keys"),
        ("method: keyless", "attest.keyless.trust_config_file"),
        ("method: keyless, key_file: a, keyless: {trust_config_file: b}", "attest.key_file"),
        ("method: keyless, timestamp_url: 'http://t/', keyless: {trust_config_file: b}", "attest.timestamp_url"),
        ("keyless: {tlog_version: 2}", "attest.keyless: "),
        ("keys: [{uri: a}, {uri: b}, {uri: a}]", "attest.keys.2.uri"),
        ("keys: [{uri: a, valid_from: 2027-01-01T00:00:00Z, valid_until: 2026-01-01T00:00:00Z}]", "attest.keys.0"),
        ("keys: [{uri: a, valid_from: 2027-01-01}]", "attest.keys.0.valid_from"),
        ("keys: [{uri: a, valid_fron: x}]", "'valid_from'"),
        ("keys: [{}]", "attest.keys.0.uri"),
        ("keys: [{uri: 'hsm:2'}]", "attest.keys.0.pin_file"),
        ("keys: [{uri: 'hv:a/1', pin_file: p}]", "attest.keys.0.pin_file"),
        ("keys: [{uri: a, public_key_file: p}]", "attest.keys.0.public_key_file"),
        ("timestamp_url: 'ftp://t/'", "attest.timestamp_url"),
        ("timestamp_url: 'http://name:password@t/'", "attest.timestamp_url"),
        ("retry_initial_seconds: 9, retry_max_seconds: 8", "attest.retry_initial_seconds"),
        ("batch_bundles_max: 0", "attest.batch_bundles_max"),
        ("batch_bundles_max: 1001", "attest.batch_bundles_max"),
        ("keyless: {tlog_version: 3}", "attest.keyless.tlog_version"),
    ],
)
def test_settings_that_cannot_be_together_are_refused_by_name(tmp_path, attest, named):
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, attest)
    assert named in str(caught.value)


def test_a_password_in_an_address_is_refused_and_not_repeated(tmp_path):
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, "timestamp_url: 'http://name:hunter2@t/'")
    assert "hunter2" not in str(caught.value)


def test_a_window_may_be_written_in_any_zone_and_has_one_text(tmp_path):
    (key,) = settings(tmp_path, "keys: [{uri: a, valid_from: 2026-01-01T02:00:00+02:00}]").attest.keys
    assert key.valid_from == "2026-01-01T00:00:00.000000000Z"


def test_key_file_is_one_key_at_any_time(tmp_path):
    spec = worker_spec(settings(tmp_path, "key_file: a.pem, batch_bundles_max: 7, batch_wait_seconds: 2"))
    assert spec.signing.keys == (KeySpec(uri="a.pem"),)
    assert spec.pace == Pace(batch_bundles_max=7, batch_wait_seconds=2.0)


def test_our_own_key_is_made_once_and_a_configured_one_never(tmp_path):
    own = Signing(SigningSpec(), tmp_path / "own.pem")
    assert own.ensure() == tmp_path / "own.pem"
    made = (tmp_path / "own.pem").read_bytes()
    assert own.ensure() is None
    assert (tmp_path / "own.pem").read_bytes() == made
    with pytest.raises(ConfigError, match=r"gone\.pem is not there"):
        Signing(SigningSpec(keys=(KeySpec(uri=str(tmp_path / "gone.pem")),)), tmp_path / "own.pem").ensure()
    with pytest.raises(ConfigError, match=r"trust_config_file: .*gone\.json is not there"):
        Signing(SigningSpec(keyless=KeylessSpec(trust_config_file=tmp_path / "gone.json"))).ensure()


def test_a_key_that_needs_a_package_which_is_missing_is_refused_at_start(monkeypatch):
    monkeypatch.setattr(key_uri, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"attest\.keys: hv:agents/1: .* need hvac"):
        Signing(SigningSpec(keys=(KeySpec(uri="hv:agents/1"),))).ensure()
    with pytest.raises(ConfigError, match="expected hv:NAME/VERSION"):
        Signing(SigningSpec(keys=(KeySpec(uri="hv:agents"),))).ensure()


def test_only_a_key_in_a_file_without_an_authority_signs_in_this_process(tmp_path):
    save(generate(), tmp_path / "k.pem")
    (tmp_path / "config.json").write_text("{}")
    file, vault = KeySpec(uri=str(tmp_path / "k.pem")), KeySpec(uri="hv:agents/1")
    keyless = KeylessSpec(trust_config_file=tmp_path / "config.json")
    kinds = {
        KeySigner: SigningSpec(keys=(file,)),
        Rotation: SigningSpec(keys=(file, vault)),
    }
    for kind, spec in kinds.items():
        assert isinstance(Signing(spec).signer, kind)
    for spec in (
        SigningSpec(keys=(vault,)),
        SigningSpec(keys=(file,), timestamp_url="http://127.0.0.1:1/"),
        SigningSpec(keyless=keyless),
    ):
        assert isinstance(Signing(spec).signer, BoundedSigner)


def test_of_keys_with_windows_the_one_that_is_valid_now_is_opened_alone(tmp_path):
    save(generate(), tmp_path / "k.pem")
    keys = (
        KeySpec(uri="hv:never/1", valid_from="2999-01-01T00:00:00.000000000Z"),
        KeySpec(uri=str(tmp_path / "k.pem"), valid_from="2020-01-01T00:00:00.000000000Z"),
    )
    assert Signing(SigningSpec(keys=keys)).signer.sign(b"{}")


def keyless(tmp_path: Path, config: bytes, *, public: bool = False) -> Signing:
    (tmp_path / "config.json").write_bytes(config)
    return Signing(SigningSpec(keyless=KeylessSpec(trust_config_file=tmp_path / "config.json", public_instance=public)))


def test_the_public_instance_is_refused_at_start_unless_asked_for_and_then_it_is_said_what_it_publishes(
    sigstore, tmp_path
):
    config = sigstore.trust_config().replace(sigstore.url.encode(), b"https://fulcio.sigstore.dev")
    with pytest.raises(ConfigError, match="config.json: is of the public instance") as caught:
        keyless(tmp_path, config).ensure()
    assert PUBLIC_WARNING in str(caught.value)
    asked_for = keyless(tmp_path, config, public=True)
    asked_for.ensure()
    assert asked_for.warning == PUBLIC_WARNING


def test_an_instance_of_ones_own_is_nothing_to_warn_of(sigstore, tmp_path):
    own = keyless(tmp_path, sigstore.trust_config(), public=True)
    own.ensure()
    assert own.warning is None


def test_a_trust_config_that_is_none_is_refused_at_start(tmp_path):
    with pytest.raises(ConfigError, match="config.json: the client trust config is not JSON"):
        keyless(tmp_path, b"{").ensure()
