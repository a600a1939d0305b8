"""Soak: a scenario checked again and again, under faults. Recorded runs, or a command that sends to a sidecar in this process."""

from sidecar.sim.soak import Plan, run_soak
from sidecar.sim.target import Target

__all__ = ["Plan", "Target", "run_soak"]
