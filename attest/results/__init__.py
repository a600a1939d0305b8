"""The result of a verification as evidence itself."""
