"""In-toto statements over evidence bundles, their signatures, and their offline verification."""
