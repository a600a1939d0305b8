"""What packs find in a bundle: the report, its SARIF form, and explanations."""
