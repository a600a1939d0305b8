"""The facets by which runs are compared.

Law: a name is never taken back or given another meaning; documents of years ago use it.
"""

from collections.abc import Mapping

FACETS: Mapping[str, str] = {
    "signals": "the state of each evidence signal",
    "scores": "closure, its confidence, and completeness by pack",
    "packs": "packs that the run was scored by",
    "capture": "capture health: what was not captured",
    "gaps": "gaps in the record, by kind",
    "agents": "spans of each agent",
    "models": "calls of each model: provider, model asked for, model that answered",
    "sampling": "parameters of model calls",
    "prompts": "system instructions by digest, and prompt templates",
    "inputs": "what users said, by digest",
    "tools_offered": "definitions of the tools that models were offered, by digest",
    "tools_requested": "calls that models asked for",
    "tools_called": "calls that were carried out",
    "finish_reasons": "how model calls ended",
    "errors": "what failed, and with which error",
    "policies": "policies in force",
    "decisions": "policy decisions",
    "approvals": "human approvals",
    "receipts": "other receipts, by kind",
    "tokens": "sums over all model calls",
    "counts": "spans by operation, log records and metrics by name",
    "environment": "service, image, code and SDK that the resources name",
    "instrumentation": "libraries that made the telemetry",
    "mapping": "tables of translation, and what they lost by reason",
    "withheld": "bodies of which only a commitment is there",
    "closing": "why the part was closed, and its outcome",
}
"""What is compared, in order, and what each table holds."""
