"""Turns evidence bundles into those of another tool and back, and says what became of everything."""

from sidecar.converting.to_assay import to_assay
from sidecar.converting.to_native import to_native

__all__ = ["to_assay", "to_native"]
