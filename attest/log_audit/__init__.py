"""Auditing a sidecar's log: whether a set of bundles is all that it logged, and whether older checkpoints are its prefixes."""

from attest.log_audit.auditor import LogAuditor
from attest.log_audit.findings import Finding, LogAudit
from attest.log_audit.holdings import Held, hold
from attest.log_audit.matching import Older

__all__ = ["Finding", "Held", "LogAudit", "LogAuditor", "Older", "hold"]
