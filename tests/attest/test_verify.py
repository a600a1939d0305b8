"""Verifying sealed and attested bundles: what holds, what is skipped, what is said."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from attest.errors import AttestError, KeyFileError
from attest.keys import generate
from attest.many.folder import find_attestations
from attest.policy.policy import Policy
from attest.trust.trust import Trust
from attest.verify import verify_file, verify_files
from evidence.limits import Limits
from tests.attest import world

ROOT = Path(__file__).parents[2]
EITHER = pytest.mark.parametrize(
    "verify", [verify_file, lambda path, **terms: verify_files([path], **terms)], ids=["one", "several"]
)


@pytest.fixture(scope="module")
def case(tmp_path_factory, key):
    facts = world.seal_run(tmp_path_factory.mktemp("good"))
    return world.Case(facts=facts, attestation=world.attest(key, facts), key=key)


@pytest.fixture(scope="module")
def trust(key):
    return Trust.of(key.public)


def outcomes(result):
    return {check.id: check.outcome for check in result.checks}


def test_an_untouched_bundle_with_its_attestation_and_key_verifies(case, trust):
    result = verify_file(case.path, trust=trust)
    assert (result.verdict, result.exit_code) == ("verified", 0)
    assert outcomes(result) == {
        **dict.fromkeys(["container", "manifest", "files", "events", "chain", "reports"], "pass"),
        **dict.fromkeys(["statement", "envelope", "signature", "trust"], "pass"),
        **dict.fromkeys(["mapping", "disclosed", "time", "log", "cosigned", "policy"], "skip"),
    }


def test_the_two_lines_say_who_signed_and_what_is_not_shown(case, trust, key):
    result = verify_file(case.path, trust=trust)
    assert result.integrity == "Integrity: intact. Run run-1, part 1, 7 events, is byte for byte what was signed."
    for part in (
        f"Signed with the key sha256:{key.public.fingerprint};",
        "Time of signing: not established: a signature by a key alone carries no time;",
        "the sender gave no counts of its own",
        "Closure ",
        "Translation: not recomputed (no translator was given); by its own report 1 of 12 atoms lost, 0 of them major and 1 minor.",
        "Policy: none was given.",
        "never reached the sidecar",
    ):
        assert part in result.assurance


@EITHER
def test_a_term_that_is_misspelled_never_counts_for_nothing(case, trust, verify):
    with pytest.raises(TypeError, match="unexpected keyword argument 'stritc', expected any of trust, policy, "):
        verify(case.path, trust=trust, stritc=True)


@EITHER
def test_trust_beside_a_policy_is_the_callers_mistake(case, trust, verify):
    with pytest.raises(AttestError, match="expected no other trust beside it"):
        verify(case.path, trust=trust, policy=Policy(name="p", version="1", digest="sha256:" + "0" * 64, trust=trust))


def test_without_a_key_the_bundle_agrees_with_itself_and_nothing_is_verified(case):
    result = verify_file(case.path)
    assert result.exit_code == 4
    assert outcomes(result)["trust"] == "undecided"
    assert "does not contradict itself, which anyone can arrange" in result.integrity
    assert "verified" not in result.integrity + result.assurance
    assert "Nobody is shown to stand behind it" in result.assurance


def test_without_an_attestation_integrity_alone_is_said_and_nothing_is_verified(case, trust, tmp_path):
    alone = tmp_path / case.path.name
    alone.write_bytes(case.path.read_bytes())
    result = verify_file(alone, trust=trust)
    assert (result.exit_code, result.attestation) == (4, None)
    assert outcomes(result)["envelope"] == "undecided"
    assert "there is no attestation beside the file" in result.integrity


def test_the_attestation_beside_the_file_is_found_by_name(case, tmp_path):
    assert find_attestations(case.path) == (case.attestation,)
    assert find_attestations(tmp_path / "anything.txt") == ()
    assert find_attestations(tmp_path / "run.evidence.tar.gz") == ()


def test_an_attestation_elsewhere_is_taken_when_it_is_named(case, trust, tmp_path):
    elsewhere = tmp_path / "a.json"
    elsewhere.write_bytes(case.attestation.read_bytes())
    assert verify_file(case.path, attestation=elsewhere, trust=trust).exit_code == 0


def test_a_renamed_bundle_still_verifies_and_its_first_name_is_said(case, trust, tmp_path):
    renamed = tmp_path / "other.evidence.tar.gz"
    renamed.write_bytes(case.path.read_bytes())
    result = verify_file(renamed, attestation=case.attestation, trust=trust)
    assert result.exit_code == 0
    assert f"the file was called {case.path.name!r} then" in result.check("statement").reason


def test_any_of_several_trusted_keys_will_do(case, key, other_key):
    assert verify_file(case.path, trust=Trust.of(other_key.public, key.public)).exit_code == 0


def test_an_ed25519_signature_verifies(tmp_path):
    key = generate("ed25519")
    facts = world.seal_run(tmp_path)
    world.attest(key, facts)
    assert verify_file(facts.path, trust=Trust.of(key.public)).exit_code == 0


def test_one_statement_over_two_bundles_verifies_for_each(tmp_path, key, trust):
    one, two = (world.seal_run(tmp_path, world.run_events(name)) for name in ("run-1", "run-2"))
    world.attest(key, one, two)
    results = verify_files([one.path, two.path], trust=trust).results
    assert [result.exit_code for result in results] == [0, 0]
    assert "in one statement with 1 other bundle" in results[0].assurance


def test_integrity_alone_leaves_the_reports_out_and_says_so(case, trust):
    result = verify_file(case.path, trust=trust, recompute=False)
    assert result.exit_code == 0
    assert result.check("reports").outcome == "skip"
    assert "not recomputed (the caller asked for integrity alone)" in result.assurance


def test_verifying_changes_no_file(case, trust):
    before = {path: path.read_bytes() for path in case.path.parent.iterdir()}
    verify_file(case.path, trust=trust)
    assert {path: path.read_bytes() for path in case.path.parent.iterdir()} == before


def test_the_result_is_the_same_bytes_each_time(case, trust):
    from evidence.canonical import canonical

    first, second = (canonical(verify_file(case.path, trust=trust).to_json()) for _ in range(2))
    assert first == second


def test_the_result_as_json_holds_what_another_program_needs(case, trust, key):
    result = verify_file(case.path, trust=trust).to_json()
    assert result["schema_version"] == "verification-v1"
    assert result["facts"]["signed_by"] == key.public.fingerprint
    assert result["facts"]["bundle_id"] == case.facts.bundle_id
    assert result["facts"]["run_id"] == "run-1"
    assert 0 <= result["facts"]["closure_score"] <= 1
    assert json.loads(json.dumps(result)) == result


def test_a_run_without_its_closing_event_is_warned_about_and_fails_only_under_strict(tmp_path, key, trust):
    facts = world.seal_run(tmp_path, world.run_events()[:-1])
    world.attest(key, facts)
    assert verify_file(facts.path, trust=trust).exit_code == 0
    strict = verify_file(facts.path, trust=trust, strict=True)
    assert (strict.exit_code, strict.check("events").outcome) == (3, "warn")
    assert "unclosed" in strict.check("events").reason


# ---------------------------------------------------------------- the chain


def test_three_parts_in_a_row_confirm_each_other(tmp_path, key, trust):
    bundles, before = [], None
    for part in (1, 2, 3):
        link = {"bundle_id": before.bundle_id, "manifest_sha256": before.manifest_sha256} if before else None
        events = world.run_events(first_seq=7 * (part - 1))
        before = world.seal_run(tmp_path, events, part=part, previous_bundle=link)
        world.attest(key, before)
        bundles.append(before)
    summary = verify_files([facts.path for facts in bundles], trust=trust)
    assert summary.exit_code == 0
    assert [result.check("chain").reason for result in summary.results[1:]] == [
        f"it follows the bundle {facts.bundle_id}, which is at hand" for facts in bundles[:-1]
    ]
    alone = verify_file(bundles[2].path, trust=trust)
    assert (alone.exit_code, alone.check("chain").reason) == (
        0,
        f"the bundle before it, {bundles[1].bundle_id}, is not at hand",
    )


def test_a_fork_of_the_chain_is_invalid_for_both(tmp_path, key, trust):
    first = world.seal_run(tmp_path)
    link = {"bundle_id": first.bundle_id, "manifest_sha256": first.manifest_sha256}
    branches = [world.seal_run(tmp_path, world.run_events(name), previous_bundle=link) for name in ("run-a", "run-b")]
    for facts in (first, *branches):
        world.attest(key, facts)
    summary = verify_files([facts.path for facts in (first, *branches)], trust=trust)
    assert [result.exit_code for result in summary.results] == [0, 1, 1]
    assert "the chain forks" in summary.results[1].integrity


def test_nothing_to_verify_is_the_callers_mistake():
    with pytest.raises(AttestError, match="0 files to verify"):
        verify_files([])


# ---------------------------------------------------------------- the mapping, through a translator given by the caller


class Translator:
    """A recomputer that expects every span to be recorded without any translation."""

    def __init__(self, reason=None, report=world.MAPPING_LOSS):
        self.reason, self._report, self.begun, self.seen = reason, report, [], []

    def begin(self, manifest, profiles):
        self.begun.append((manifest["run_id"], dict(profiles)))
        return self.reason

    def events(self, batch):
        self.seen += [event["seq"] for event in batch]
        other = [event["seq"] for event in batch if "mapped" in event["data"]]
        return (other[0], "a translation that the tables do not give") if other else None

    def report(self):
        return self._report


def test_a_mapping_that_comes_out_the_same_passes(case, trust):
    translator = Translator()
    result = verify_file(case.path, trust=trust, mapping=translator)
    assert (result.exit_code, result.check("mapping").outcome) == (0, "pass")
    assert translator.seen == list(range(7))
    assert "Translation: recomputed, 1 of 12 atoms lost, 0 of them major and 1 minor." in result.assurance


def test_profiles_that_the_bundle_carries_reach_the_translator_by_file_name(tmp_path, key, trust):
    facts = world.seal_run(tmp_path, profiles={"own.yaml": b"id: own\n"})
    world.attest(key, facts)
    translator = Translator()
    assert verify_file(facts.path, trust=trust, mapping=translator).exit_code == 0
    assert translator.begun == [("run-1", {"own.yaml": b"id: own\n"})]


def test_a_mapping_with_tables_not_at_hand_is_skipped_and_said(case, trust):
    result = verify_file(case.path, trust=trust, mapping=Translator(reason="the tables differ"))
    assert (result.exit_code, result.check("mapping").outcome) == (0, "skip")
    assert "Translation: not recomputed (the tables differ)" in result.assurance


def test_a_loss_report_that_comes_out_differently_fails(case, trust):
    result = verify_file(case.path, trust=trust, mapping=Translator(report=b"{}"))
    assert (result.exit_code, result.check("mapping").outcome) == (1, "fail")


def test_a_recorded_translation_that_comes_out_differently_fails_at_its_event(tmp_path, key, trust):
    events = world.run_events()
    events[3].data["mapped"] = {"name": "invented"}
    facts = world.seal_run(tmp_path, events)
    world.attest(key, facts)
    check = verify_file(facts.path, trust=trust, mapping=Translator()).check("mapping")
    assert (check.outcome, check.reason) == ("fail", "event 3: a translation that the tables do not give")


def test_a_translator_that_breaks_is_an_answer_and_the_other_checks_go_on(case, trust):
    class Breaking(Translator):
        def events(self, batch):
            raise KeyError("oops")

    result = verify_file(case.path, trust=trust, mapping=Breaking())
    assert result.check("mapping").reason == "KeyError: 'oops'"
    assert [check.id for check in result.of("fail")] == ["mapping"]


# ---------------------------------------------------------------- hostile and unusual input


def test_a_missing_bundle_is_undecided_not_a_traceback(tmp_path, trust):
    result = verify_file(tmp_path / "none.evidence.tar.gz", trust=trust)
    assert (result.exit_code, result.check("container").outcome) == (4, "undecided")
    assert result.check("container").reason == "cannot be read: No such file or directory"


def test_a_folder_in_place_of_a_bundle_is_undecided(tmp_path, trust):
    assert verify_file(tmp_path, trust=trust).exit_code == 4


def test_a_folder_in_place_of_an_attestation_is_undecided(case, tmp_path, trust):
    assert verify_file(case.path, attestation=tmp_path, trust=trust).exit_code == 4


def test_an_attestation_over_the_bound_is_refused_before_it_is_parsed(case, trust, tmp_path):
    from attest.limits import AttestLimits

    huge = tmp_path / "huge.json"
    huge.write_bytes(b"[" * 100_000)
    result = verify_file(case.path, attestation=huge, trust=trust, attest_limits=AttestLimits(attestation_bytes_max=99))
    assert "has 100 bytes, expected at most 99" in result.check("envelope").reason
    assert result.exit_code == 1


def test_a_bundle_over_the_bound_is_refused(case, trust):
    result = verify_file(case.path, trust=trust, limits=Limits(bundle_bytes_max=1000))
    assert (result.exit_code, result.check("container").outcome) == (1, "fail")


def test_trust_files_are_the_callers_and_raise(tmp_path):
    with pytest.raises(KeyFileError):
        Trust.load([tmp_path / "none.pub"])


# ---------------------------------------------------------------- what verifying costs to import, and where it reaches


SCRIPT = """
import sys
from pathlib import Path
from attest.policy.policy import Policy
from attest.trust.trust import Trust
from attest.verify import verify_file
result = verify_file(Path(sys.argv[1]), trust=Trust.load([Path(sys.argv[2])]))
print(result.exit_code, *sorted({name.partition(".")[0] for name in sys.modules}))
"""
ABSENT = {"grpc", "sigstore", "opentelemetry", "uvicorn", "google", "in_toto_attestation", "securesystemslib",
          "requests", "urllib3", "tuf", "pydantic", "asyncio", "ssl", "socket"}  # fmt: skip


def run_alone(case, tmp_path, *prefix):
    public = tmp_path / "key.pub"
    public.write_bytes(case.key.public.to_pem())
    return subprocess.run(
        [*prefix, sys.executable, "-c", SCRIPT, str(case.path), str(public)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_verifying_with_a_key_imports_no_network_no_sigstore_and_no_grpc(case, tmp_path):
    done = run_alone(case, tmp_path)
    code, *modules = done.stdout.split()
    assert (code, done.stderr) == ("0", "")
    assert ABSENT & set(modules) == set()


def test_verifying_works_in_a_network_namespace_without_any_network(case, tmp_path):
    probe = subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False)
    if probe.returncode != 0:
        pytest.skip(f"no network namespace to be had here: {probe.stderr.decode().strip()}")
    done = run_alone(case, tmp_path, "unshare", "-rn")
    assert done.stdout.split()[:1] == ["0"]


@pytest.mark.parametrize(("own", "says"), [(True, "by the same signer"), (False, "1 further good, by ")])
def test_a_second_attestation_says_whether_anybody_else_vouches(tmp_path, key, other_key, own, says):
    facts = world.seal_run(tmp_path)
    second = world.attest(key if own else other_key, facts).rename(tmp_path / "run-1.2.sigstore.json")
    world.attest(key, facts)
    result = verify_file(facts.path, trust=Trust.of(key.public, other_key.public))
    assert (result.exit_code, result.check("cosigned").outcome) == (0, "pass")
    assert says in result.check("cosigned").reason
    assert len(result.facts.signers) == (1 if own else 2)
    assert second.is_file()
