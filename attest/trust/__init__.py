"""Whom and what a verifier trusts: keys, roots, identities."""
