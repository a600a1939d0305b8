"""Verifying Assay's evidence bundles."""
