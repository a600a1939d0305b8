"""What is checked of an attestation: signature, trust, time, statement, log."""
