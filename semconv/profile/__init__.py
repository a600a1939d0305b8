"""Profiles: how one source convention leads to the target's, as tables; reading them strictly, and what is written in them."""
