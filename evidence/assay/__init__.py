"""Evidence bundles v1 of Assay, another tool: read strictly, written, and turned into ours and back. See docs/assay.md."""
