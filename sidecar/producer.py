"""Who makes bundles and attestations, as both of them say."""

from __future__ import annotations

from importlib.metadata import version

__all__ = ["PRODUCER"]

PRODUCER = {"name": "affidavit", "version": version("affidavit")}
