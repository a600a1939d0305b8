"""The file of an attestation: a Sigstore bundle, the statement in it, and what that says."""
