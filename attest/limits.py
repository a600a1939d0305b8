"""Every bound of this room, named with its unit. Checked before the thing bounded is parsed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestLimits:
    """Bounds on what is read beside an evidence bundle. The bundle's own are `evidence.limits.Limits`."""

    attestation_bytes_max: int = 16 * 1024 * 1024
    """Size of an attestation file; a statement over 1,000 bundles takes about 5 MiB."""

    opened_bytes_max: int = 4 * 1024 * 1024
    """Attestations that are kept as they were judged, for the next bundle; in memory they take some four times as much."""

    json_depth_max: int = 32
    """Nesting of the attestation and of its payload; ours need 8."""

    json_commas_max: int = 500_000
    """Commas in the attestation and in its payload, and as many opening brackets. Of a thousand bundles, each scored by seven packs and
    proven to be in a log, a statement has 115,000 commas."""

    bundles_per_statement_max: int = 1_000
    """Bundles one statement speaks of."""

    batches_bytes_max: int = 16 * 1024 * 1024
    """What trusted statements name, id and file name of each bundle once a statement: some 100 bytes each, so those of 160,000. Should all
    of them be absent, saying so takes up to seven times as much."""

    subjects_max: int = 16_000
    """Subjects of one statement: up to sixteen for each bundle."""

    signatures_max: int = 16
    """Signatures counted in an envelope before it is refused; one is the only number accepted."""

    signature_bytes_max: int = 8 * 1024
    """One decoded signature."""

    certificate_bytes_max: int = 64 * 1024
    """A certificate in DER; Fulcio's take 2 KiB."""

    log_entries_max: int = 16
    """Transparency log entries counted in a bundle before it is refused; one is the largest number accepted."""

    timestamps_max: int = 16
    """RFC 3161 timestamps of one attestation."""

    timestamp_bytes_max: int = 64 * 1024
    """One RFC 3161 response; with three certificates it takes 6 KiB."""

    attestations_per_bundle_max: int = 16
    """Attestations beside one bundle: `RUN.sigstore.json`, `RUN.2.sigstore.json`, and so on."""

    clock_skew_seconds_max: int = 300
    """How far the sidecar's clock and a proven time may contradict each other: beyond, one of them is wrong."""

    key_file_bytes_max: int = 64 * 1024
    """Size of a PEM file."""

    trusted_root_bytes_max: int = 4 * 1024 * 1024
    """Size of a Sigstore trusted root; the public one takes 8 KiB."""

    trust_config_bytes_max: int = 4 * 1024 * 1024
    """Size of a Sigstore client trust config; the public one takes 12 KiB."""

    tuf_root_bytes_max: int = 512_000
    """Size of the TUF root that trust begins with, as the `tuf` package bounds the later ones."""

    token_bytes_max: int = 64 * 1024
    """Size of a file with an OIDC token; one with many claims takes about 4 KiB."""

    witness_answer_bytes_max: int = 64 * 1024
    """What a witness answers; a cosignature takes 200 bytes."""

    files_per_call_max: int = 100_000
    """Bundles that one call of `verify_files` takes."""

    folder_entries_max: int = 1_000_000
    """Files below one folder, of whatever kind."""

    folder_depth_max: int = 64
    """How deep folders may be nested."""

    disclosed_bytes_max: int = 1024 * 1024 * 1024
    """Size of a file of disclosures: it is held in memory."""

    note_bytes_max: int = 256 * 1024
    """Size of a signed note, such as a checkpoint: 16 signatures of 5 kB each must fit."""

    note_signatures_max: int = 64
    """Signature lines of one note."""

    proof_hashes_max: int = 63
    """Hashes of one Merkle proof; a tree of 2^63 leaves needs no more."""

    reason_chars_max: int = 400
    """Longest reason of a check: hostile content is quoted, never poured out."""

    line_chars_max: int = 4_000
    """Longest of the two lines for an auditor."""


DEFAULT = AttestLimits()
