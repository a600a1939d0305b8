"""Who may lie about an evidence bundle, what each check proves against them, and what nothing proves. A table.

docs/threat-model.md is made from it, the second line of a verdict speaks by it, and every test that it names exists (a test sees to it).
Law: a row is shown only when all of its grounds were proven for the bundle at hand; otherwise it is open, unless what it speaks of does not
occur there. What a liar can do in spite of everything is said each time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from attest.verdict import Check, CheckId, Facts

Ground: TypeAlias = (
    CheckId | Literal["intact", "key", "certificate", "counted", "second-clock", "second-signer", "witnessed"]
)
"""A check that passed, or one of: container, content, statement and signature hold; signed with a key, or a certificate; the
agent's own counts were there to compare with; two who are trusted told the time; two who are trusted signed; a trusted witness
cosigned the log's checkpoint."""

INTACT: tuple[CheckId, ...] = (
    "container", "manifest", "files", "events", "statement", "envelope", "signature", "trust",
)  # fmt: skip
"""The checks behind the ground `intact`: each passed, or passed with a warning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defence:
    """One thing that may be proven against a liar."""

    grounds: tuple[Ground, ...]
    """What must have been proven of the bundle, all of it."""
    shown: str
    """What then is proven, as a clause after "shown"."""
    open: str
    """What is not, otherwise, as a clause after "not shown"."""
    how: str
    """Why that follows, for an engineer."""
    tests: tuple[str, ...]
    """`file::test` under tests/: what shows it."""
    where: tuple[Ground, ...] = ()
    """What must be so for the row to speak of anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Liar:
    """Somebody who may lie, and what can be held against it."""

    id: str
    who: str
    may: str
    """What it may try."""
    never: str
    """What no check shows, as a clause after "nothing here shows"; empty when all is said in the rows."""
    left: str
    """What remains, and what to do about it outside of a bundle."""
    defences: tuple[Defence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one bundle stands against one liar."""

    liar: str
    shown: tuple[str, ...]
    open: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """The three fields."""
        return {"liar": self.liar, "shown": list(self.shown), "open": list(self.open)}


def standings(checks: Sequence[Check], facts: Facts) -> tuple[Standing, ...]:
    """How a bundle stands against each liar, by the checks that were made."""
    proven = frozenset(_grounds(checks, facts))
    return tuple(
        Standing(
            liar=liar.id,
            shown=tuple(row.shown for row in liar.defences if row.shown and proven.issuperset(row.grounds)),
            open=tuple(
                row.open
                for row in liar.defences
                if row.open and proven.issuperset(row.where) and not proven.issuperset(row.grounds)
            ),
        )
        for liar in LIARS
    )


def nevers() -> tuple[str, ...]:
    """What nothing shows, whatever passed."""
    return tuple(liar.never for liar in LIARS if liar.never)


def _grounds(checks: Sequence[Check], facts: Facts) -> Iterator[Ground]:
    outcomes = {check.id: check.outcome for check in checks}
    yield from (name for name, outcome in outcomes.items() if outcome == "pass")
    if all(outcomes.get(name) in ("pass", "warn") for name in INTACT) and facts.signer is not None:
        yield "intact"
        yield "certificate" if facts.signer.key is None else "key"
    health = facts.manifest["capture_health"] if facts.manifest is not None else {}
    if outcomes.get("reports") == "pass" and health.get("sender_uncounted") is False:
        yield "counted"
    if len({proven.by for proven in facts.times}) > 1:
        yield "second-clock"
    if len(facts.signers) > 1:
        yield "second-signer"
    if outcomes.get("log") == "pass" and facts.log_witnesses:
        yield "witnessed"


_ATTACKS = "attest/test_attacks.py"
_AUDIT = "attest/test_log_audit.py"
_POLICY = "attest/test_requirements.py"

LIARS: tuple[Liar, ...] = (
    Liar(
        id="agent",
        who="The agent, or the instrumentation inside it",
        may="leave out calls, name other models or arguments than were used, send what never happened, or stop sending",
        never="what never reached the sidecar, or whether what the agent said of itself is true",
        left=(
            "Evidence begins where telemetry arrives. An agent that is to be caught lying needs a second source: "
            "receipts of the tools and gateways that it calls, sent by them and not by it, and a network in which it "
            "reaches nothing else."
        ),
        defences=(
            Defence(
                grounds=("events", "reports"),
                shown="nothing in what arrived casts doubt on the run being whole",
                open="that the run is whole",
                how=(
                    "Capture health is recomputed from the events: parents that are missing, numbers that were "
                    "skipped, an end that did not come. A hole that leaves no trace in what did arrive is not among "
                    "them."
                ),
                tests=(
                    f"{_ATTACKS}::test_signed_capture_health_that_hides_a_dropped_ending_fails",
                    "attest/test_doubts.py::test_a_run_that_may_not_be_whole_is_warned_of",
                ),
            ),
        ),
    ),
    Liar(
        id="pipeline",
        who="Whatever stands between the agent and the sidecar, and the translation",
        may="drop, sample, rewrite or reorder telemetry before it arrives; translate it so that something is gone",
        never="what was changed on the way to the sidecar",
        left=(
            "Send straight to the sidecar, on the same machine. What a collector in between does, the sidecar sees as "
            "what the agent did."
        ),
        defences=(
            Defence(
                grounds=("reports", "counted"),
                shown="the agent's own counts were held against what arrived",
                open="how much was lost before the sidecar, since the agent gave no counts",
                how=(
                    "The span processor in the agent counts spans that started, ended and were dropped, and says so "
                    "with the close of the run."
                ),
                tests=(
                    "sidecar/test_span_processor.py::test_what_the_exporter_does_not_acknowledge_is_dropped",
                    "evidence/test_capture.py::test_a_sender_that_counts_something_else_has_not_counted_its_spans",
                    f"{_ATTACKS}::test_capture_health_rewritten_to_look_clean_is_recomputed",
                ),
            ),
            Defence(
                grounds=("mapping",),
                shown="the translation and what it lost, done again, came out the same",
                open="that the translation lost only what it says",
                how=(
                    "Spans are kept as they were received, with the difference beside them. The same tables give the "
                    "same difference, or the check fails; where the tables are not at hand, it is skipped. Tables that the bundle "
                    "carries are its maker's: a policy can refuse them (`built_in_tables`)."
                ),
                tests=(
                    f"{_POLICY}::test_tables_that_the_bundle_brought_are_not_the_built_in_ones",
                    "attest/test_verify.py::test_a_recorded_translation_that_comes_out_differently_fails_at_its_event",
                    "attest/test_verify.py::test_a_loss_report_that_comes_out_differently_fails",
                ),
            ),
        ),
    ),
    Liar(
        id="operator",
        who="The operator of the sidecar, who also has its key",
        may=(
            "record less, invent a whole run and sign it, seal a run twice and keep the better one, date it back, "
            "state better scores, be scored by an easier pack, or delete a bundle"
        ),
        never="that its operator was honest",
        left=(
            "Whoever runs the sidecar can run it over invented telemetry. What limits that is time and company: a "
            "timestamp soon after the run (`delay_seconds_max`), a log whose checkpoints others keep or cosign, and a "
            "second signer who saw the run as well."
        ),
        defences=(
            Defence(
                grounds=("reports",),
                shown="every score follows from the events",
                open="that the scores follow from the events",
                how=(
                    "Closure, completeness, receipts and capture health are functions of the events and are compared "
                    "byte for byte."
                ),
                tests=(
                    f"{_ATTACKS}::test_a_signed_report_that_the_events_do_not_give_fails_all_the_same",
                    f"{_ATTACKS}::test_a_report_that_the_events_do_not_give_fails_even_without_any_attestation",
                ),
            ),
            Defence(
                grounds=("policy",),
                shown="it amounts to what the policy asks for",
                open="",
                how=(
                    "Only figures that were computed again count, and a figure that is not known is never enough. A bundle may carry a "
                    "pack of its own under any name: what a policy pins by digest cannot be replaced so, and `affidavit policy check` "
                    "names what it does not pin."
                ),
                tests=(
                    f"{_POLICY}::test_a_figure_that_was_not_computed_again_never_matters",
                    f"{_POLICY}::test_a_stricter_policy_never_accepts_what_a_laxer_one_refuses",
                    f"{_POLICY}::test_an_operator_who_brings_an_easy_pack_under_a_known_name_passes_only_where_nothing_is_pinned",
                ),
            ),
            Defence(
                grounds=("disclosed",),
                where=("disclosed",),
                shown="what was disclosed is what was withheld in its place",
                open="",
                how="A salted commitment stands in the place of each withheld piece, under the Merkle root; another text has another.",
                tests=("attest/test_disclosed.py::test_pieces_that_are_not_of_the_bundle_fail",),
            ),
            Defence(
                grounds=("time",),
                shown="it was signed by the time that is named, not made up later",
                open="when it was made: nobody vouches for the times in it",
                how=(
                    "A timestamp or a log entry is over the signature, so that what is signed is older. It may be any "
                    "amount older."
                ),
                tests=(
                    "attest/test_certificates.py::test_what_sigstore_made_is_verified_with_all_that_it_proves",
                    "attest/test_certificates.py::test_a_timestamp_stripped_off_shows_where_one_is_required",
                    "attest/test_certificates.py::test_an_attestation_made_too_late_fails_where_a_delay_is_set",
                ),
            ),
            Defence(
                grounds=("log",),
                shown="its sidecar's log has it, and a history without it would contradict the checkpoint that it carries",
                open="whether another version of it was sealed, or bundles beside it were removed",
                how=(
                    "The manifest's digest is a leaf of an append-only tree. A later checkpoint that does not contain "
                    "it is provably another history (`affidavit log verify`), for whoever kept an earlier one."
                ),
                tests=(
                    "attest/test_log_check.py::test_the_proof_of_another_bundle_fails_whatever_is_trusted",
                    f"{_AUDIT}::test_a_rewritten_bundle_in_a_rewritten_log_does_not_extend_the_kept_checkpoint",
                    f"{_AUDIT}::test_a_bundle_rewritten_and_sealed_again_is_a_stranger_and_its_leaf_is_missing",
                ),
            ),
        ),
    ),
    Liar(
        id="store",
        who="Whoever stores or carries the files",
        may="change, swap, truncate, re-pack or withhold bundles and attestations",
        never="",
        left=(
            "A store can always withhold. Keep the newest bundle's id, or a checkpoint of the sidecar's log, where the "
            "store cannot reach: with either, what is missing shows."
        ),
        defences=(
            Defence(
                grounds=("intact",),
                shown="nobody changed it after it was signed",
                open="that nobody changed it since",
                how=(
                    "The container's digest and those of every member are signed; the container is read without any "
                    "slack; an attestation of ours has one spelling, and of another tool's there is a warning. One bit changed "
                    "in either is never verified without one."
                ),
                tests=(
                    f"{_ATTACKS}::test_a_flipped_bit_of_any_byte_of_a_bundle_is_never_verified",
                    f"{_ATTACKS}::test_a_flipped_bit_anywhere_in_an_attestation_is_never_verified",
                    "tamper/test_bundle.py::test_a_manifest_changed_and_given_its_right_id_is_not_what_was_signed",
                    "tamper/test_bundle.py::test_a_run_sealed_anew_without_a_part_is_not_what_was_signed",
                    "tamper/test_attestation.py::test_an_attestation_with_any_field_changed_is_refused_or_flagged",
                    f"{_ATTACKS}::test_a_bundle_cut_or_spliced_anywhere_is_never_verified",
                    f"{_ATTACKS}::test_a_bundle_replaced_by_another_that_the_same_key_signed_is_caught",
                ),
            ),
            Defence(
                grounds=("chain",),
                shown="",
                open="",
                how=(
                    "Each bundle names the one before it, a statement every bundle of its batch, and the sidecar's log all of "
                    "them. Verified together, or as a folder, what is missing, forked, rolled back or doubled among them is named; "
                    "a bundle alone only says what should be there."
                ),
                tests=(
                    "attest/test_chain.py::test_removing_any_bundle_but_the_newest_from_a_complete_chain_shows",
                    "attest/test_chain.py::test_what_is_broken_is_named_in_words_of_its_own",
                    "attest/test_absent.py::test_whatever_part_of_a_batch_is_kept_exactly_the_absent_bundles_are_named",
                    f"{_AUDIT}::test_a_deleted_bundle_is_named_by_its_leaf_and_digest",
                    "attest/test_folder.py::test_an_attestation_without_its_bundle_is_an_orphan_and_other_files_are_counted",
                ),
            ),
        ),
    ),
    Liar(
        id="thief",
        who="A thief of the signer's key, or of its login",
        may="sign anything in the signer's name, now or dated back",
        never="that nobody else could sign in the signer's name",
        left=(
            "Nothing tells a thief's signature from the owner's. Short-lived certificates make the theft short, a "
            "public log makes it seen, `revoked_at` in a policy ends it, and a second signer makes it two thefts."
        ),
        defences=(
            Defence(
                grounds=("certificate", "time"),
                shown="its key lived for minutes, and using it left an entry in a transparency log",
                open="",
                how=(
                    "A certificate is bound to an identity, valid for minutes, and what it signs counts only with a "
                    "proven time inside them and an entry in a log of the trusted root."
                ),
                tests=(
                    "attest/test_certificates.py::test_a_certificate_counts_only_for_those_who_are_named",
                    "attest/test_certificates.py::test_what_is_forged_wrong_is_named",
                    "attest/test_certificates.py::test_windows_are_judged_at_every_proven_time",
                ),
            ),
            Defence(
                grounds=("key", "time"),
                where=("key",),
                shown="the key was used by the time that is named, so that revoking it later leaves this standing",
                open="when the key was used: whoever has it can sign this at any time",
                how=(
                    "Windows and revocation of a key are judged at a proven time; without one, a key that has either "
                    "decides nothing."
                ),
                tests=(
                    "attest/test_threats.py::test_a_key_revoked_later_leaves_what_was_proven_before_and_nothing_else",
                    "attest/test_policy_whole.py::test_a_key_counts_inside_its_window_at_a_proven_time",
                ),
            ),
            Defence(
                grounds=("cosigned", "second-signer"),
                shown="another trusted signer stands behind the same bytes, so that one stolen key would not do",
                open="that more than one stolen key would be needed",
                how=(
                    "Each further attestation is judged by itself, and distinct signers are counted (`signers` in a "
                    "policy)."
                ),
                tests=(
                    "attest/test_certificates.py::test_two_good_attestations_count_two_signers",
                    "attest/test_policy_whole.py::test_the_same_signer_twice_is_not_called_another",
                    "attest/test_certificates.py::test_one_person_under_two_certificates_is_one_signer",
                    "attest/test_certificates.py::test_a_bad_second_attestation_never_fails_a_bundle_and_is_never_passed_over",
                ),
            ),
        ),
    ),
    Liar(
        id="log",
        who="A transparency log, a timestamp authority, or the sidecar's own log",
        may="tell a wrong time, show different trees to different people, or drop an entry",
        never="",
        left=(
            "Trust in a log or an authority is given in the root and the policy, with a window. Ask for `timestamps` "
            "of more than one authority, and for `witnesses` of the sidecar's log; compare checkpoints with other "
            "people's."
        ),
        defences=(
            Defence(
                grounds=("time", "second-clock"),
                where=("time",),
                shown="two who are trusted told the time",
                open="that the one who told the time told it right",
                how=(
                    "Timestamps are counted by distinct authorities, and every proven time has to lie in every window "
                    "that it is used for. The authorities and logs of one root say nothing about a certificate of "
                    "another."
                ),
                tests=(
                    "attest/test_certificates.py::test_two_timestamps_of_one_authority_are_one",
                    "attest/test_certificates.py::test_what_is_trusted_counts_from_its_start_to_its_end_and_not_beyond",
                    "attest/test_certificates.py::test_a_timestamp_of_a_stranger_counts_for_nothing_and_is_said",
                    "attest/test_certificates.py::test_an_authority_of_one_root_does_not_date_what_another_root_issued",
                ),
            ),
            Defence(
                grounds=("log", "witnessed"),
                where=("log",),
                shown="a witness saw the same history of the sidecar's log",
                open="that the sidecar's log shows everybody the same history",
                how="A witness cosigns a checkpoint only when it extends the one that it cosigned before.",
                tests=(
                    "attest/test_log_check.py::test_witnesses_are_counted_by_their_keys",
                    "attest/tlog/test_witness.py::test_a_forked_log_is_refused_by_name_even_where_no_witness_is_required",
                    f"{_AUDIT}::test_two_logs_of_one_key_are_a_fork_when_both_checkpoints_are_at_hand",
                    f"{_AUDIT}::test_a_log_cut_short_was_rolled_back",
                    "attest/tlog/test_log.py::test_an_old_checkpoint_put_back_is_continued_only_a_kept_checkpoint_or_a_witness_knows",
                ),
            ),
        ),
    ),
    Liar(
        id="machine",
        who="The auditor's own machine",
        may="have another tool, trusted root, policy, key or clock than the auditor thinks",
        never="that this machine, its tool, roots and policy are what they are taken for",
        left=(
            "Verify on a machine that the evidence never touched, from a release whose digest you checked. The same "
            "files give the same `--json` on any machine, so that two machines can be compared."
        ),
        defences=(
            Defence(
                grounds=("policy",),
                shown="it is judged by the policy whose digest is named",
                open="",
                how=(
                    "The policy's digest is over its bytes and stands in the result; roots are pinned by digest in it, "
                    "and keys can be."
                ),
                tests=(
                    "attest/test_policy_file.py::test_the_digest_is_over_the_bytes_of_the_file",
                    f"{_POLICY}::test_a_policy_decides_until_the_moment_it_expires",
                    "attest/test_verify.py::test_the_result_is_the_same_bytes_each_time",
                    "attest/test_verify.py::test_verifying_works_in_a_network_namespace_without_any_network",
                ),
            ),
        ),
    ),
    Liar(
        id="file",
        who="Whoever made the files, against the one who reads them",
        may="exhaust memory or time, steer a terminal, crash the verifier, or make it say what is not so",
        never="",
        left=(
            "A file that finds a hole in the interpreter or in a library is beyond this table: verify strangers' files "
            "in a container."
        ),
        defences=(
            Defence(
                grounds=("container",),
                shown="",
                open="",
                how=(
                    "Every bound is checked before what it bounds is read; any exception is a verdict; what a file "
                    "says is printed without control characters."
                ),
                tests=(
                    f"{_ATTACKS}::test_any_bytes_as_a_bundle_get_a_verdict",
                    f"{_ATTACKS}::test_any_bytes_as_an_attestation_get_a_verdict",
                    f"{_ATTACKS}::test_what_a_file_says_of_itself_cannot_steer_a_terminal_or_fake_a_verdict_line",
                    f"{_ATTACKS}::test_an_invalid_file_is_not_quoted_as_if_it_were_true",
                ),
            ),
        ),
    ),
)
"""Every liar, with what is held against it."""
