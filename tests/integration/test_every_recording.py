"""Recorded files go the whole way offline: sealed, balanced, sealed again to the same bytes, verified."""

from __future__ import annotations

import json

import pytest

from attest.signers.key import KeySigner
from attest.trust.trust import Trust
from attest.verify import verify_file
from evidence.bundle.reader import EvidenceBundle
from sidecar.mapping import MappingAgain
from sidecar.offline import Inputs, seal_files
from tests.tools.recordings import CORPUS, PRODUCERS, of_each_producer, recordings


def test_the_recordings_are_here():
    assert len(PRODUCERS) >= 48
    found = [file for producer in PRODUCERS for file in recordings(producer, 1)]
    assert len(found) >= 679
    assert sorted(found) == sorted(CORPUS.glob("*/*.pb"))


@pytest.fixture(scope="module")
def mapping():
    """One for all: it reads the tables once."""
    return MappingAgain()


@of_each_producer()
def test_a_recording_seals_and_verifies(files, tmp_path, key, tables, mapping):
    trust = Trust.load([key.with_name("k.pem.pub")])
    signer = KeySigner.from_file(key)
    for file in files:
        first, again = tmp_path / file.stem, tmp_path / f"{file.stem}-again"
        inputs = Inputs([file])
        sealed = list(seal_files(inputs, first, signer=signer, **tables))
        assert inputs.refused == [], file
        assert sealed, file
        list(seal_files(Inputs([file]), again, signer=None, **tables))
        for each in sealed:
            bundle = first / each.file
            assert bundle.read_bytes() == (again / each.file).read_bytes(), file
            result = verify_file(bundle, trust=trust, mapping=mapping)
            assert result.verdict == "verified", (file, [check for check in result.checks if check.outcome != "pass"])
            assert each.mapping["balanced"] is True
            buckets = ("kept", "renamed", "converted", "folded", "derived_only", "dropped")
            assert sum(each.mapping[bucket] for bucket in buckets) == each.mapping["atoms_in"], file


def test_a_bundle_holds_every_span_log_and_metric_as_it_was_received(tmp_path, tables):
    """Nothing is lost between the file and the bundle: OTLP/JSON of each item is in an event, byte for byte of its canonical form."""
    from evidence.canonical import canonical
    from sidecar.otlp import to_json
    from sidecar.otlp.signal import OtlpSignal

    for file in sorted(CORPUS.glob("gemini-cli@*/*.pb")):
        signal = next(signal for signal in OtlpSignal if signal.hint in file.name)
        request = signal.request.FromString(file.read_bytes())
        sent = sorted(canonical(to_json.message(item)) for _, _, items in signal.groups(request) for item in items)
        recorded = []
        for sealed in seal_files(Inputs([file]), tmp_path / file.stem, signer=None, **tables):
            with EvidenceBundle.open(tmp_path / file.stem / sealed.file) as bundle:
                for event, _ in bundle.events():
                    recorded += [
                        canonical(event["data"][name]) for name in ("span", "log", "metric") if name in event["data"]
                    ]
                bundle.finish()
        assert sorted(recorded) == sent, file


def test_sealing_prints_one_json_line_a_bundle(tmp_path):
    from click.testing import CliRunner

    from sidecar.cli.seal import seal

    file = CORPUS / "mcp@2.3.0" / "http_error.traces.otlp.pb"
    result = CliRunner().invoke(seal, [str(file), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert {line["file"] for line in lines} == {path.name for path in (tmp_path / "out").glob("*.evidence.tar.gz")}
    assert {"run_id", "bundle_id", "mapping", "completeness", "closure"} <= set(lines[0])
