"""Says in words how what lint found came about: closure, completeness, a rule. One module each; `explain` chooses."""

from evidence.lint.explain.target import Target, explain, parse_target

__all__ = ["Target", "explain", "parse_target"]
