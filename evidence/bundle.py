"""Evidence bundles (`evidence-bundle-v1`): written by `seal`, read by `EvidenceBundle`, checked again by `Recomputation`."""

from evidence.reader import BundleFacts, EvidenceBundle
from evidence.recomputation import Recomputation
from evidence.sealing import seal

__all__ = ["BundleFacts", "EvidenceBundle", "Recomputation", "seal"]
