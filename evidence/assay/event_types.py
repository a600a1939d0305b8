"""The types of event that Assay writes, as far as this version knows them. A type that is not here is no error, and is named."""

PROFILE_STARTED = "assay.profile.started"
PROFILE_FINISHED = "assay.profile.finished"
TOOL_DECISION = "assay.tool.decision"
MANDATE = "assay.mandate.v1"
MANDATE_USED = "assay.mandate.used.v1"
MANDATE_REVOKED = "assay.mandate.revoked.v1"

KNOWN = frozenset(
    {
        PROFILE_STARTED,
        PROFILE_FINISHED,
        TOOL_DECISION,
        MANDATE,
        MANDATE_USED,
        MANDATE_REVOKED,
        "assay.blob.ref",
        "assay.coding_agent.evidence_pack.v0",
        "assay.denied_call_observation.v0",
        "assay.denied_call_observation.v1",
        "assay.enforcement_decision.v0",
        "assay.enforcement_health.v0",
        "assay.enforcement_health.v1",
        "assay.env.filtered",
        "assay.exec.observed",
        "assay.fs.access",
        "assay.manifest_establish.v0",
        "assay.mcp_manifest_observed.v0",
        "assay.net.connect",
        "assay.policy.suggested",
        "assay.process.exec",
        "assay.sandbox.degraded",
        "assay.session.finding",
        "assay.skill_supply_chain.v0",
        "assay.tool_decision_truth.v0",
    }
)
_FAMILIES = ("assay.adapter.", "assay.receipt.")


def is_known(name: str) -> bool:
    """Whether Assay's own code writes events of this type."""
    return name in KNOWN or name.startswith(_FAMILIES)
