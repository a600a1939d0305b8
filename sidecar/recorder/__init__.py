"""Joins translation and evidence: reads the journal, writes runs, closes, seals and signs them."""
