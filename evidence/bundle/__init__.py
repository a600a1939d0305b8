"""Evidence bundles (`evidence-bundle-v1`): written by `seal`, read by `EvidenceBundle`, checked again by `Recomputation`."""

from evidence.bundle.reader import BundleFacts, EvidenceBundle
from evidence.bundle.recomputation import Recomputation
from evidence.bundle.sealing import seal

__all__ = ["BundleFacts", "EvidenceBundle", "Recomputation", "seal"]
