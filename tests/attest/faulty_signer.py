"""A signer that does what a library at its worst could do."""

import os
import signal
import sys
import time

from attest.errors import KeyFileError, SignerUnavailableError, SigningError

__all__ = ["FaultySigner"]


class FaultySigner:
    """Runs `line` for each payload; the result is its `signed`, or the payload."""

    def __init__(self, line: str) -> None:
        if line == "made of nothing":
            raise KeyFileError("there is no key")
        self._line = line

    def sign(self, payload: bytes) -> bytes:
        known = {
            "payload": payload, "os": os, "signal": signal, "sys": sys, "time": time, "SigningError": SigningError,
            "SignerUnavailableError": SignerUnavailableError,
        }  # fmt: skip
        exec(self._line, known)
        return known.get("signed", payload)

    def describe(self) -> str:
        return f"process {os.getpid()}"
