"""Ways to sign a payload, each giving the bytes of a Sigstore bundle."""
