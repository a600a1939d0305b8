"""Transparency logs as C2SP describes them: signed notes, checkpoints, tiles, proofs, witnesses (https://c2sp.org)."""
