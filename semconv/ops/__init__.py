"""The closed set of operations a profile may use on a value.

A table composes them in the order written: `op: [{before: "."}, lower, {enum: provider}]`. `compiled` reads such an entry, `run`
carries it out.
"""

from semconv.ops.cast import fit, to_int
from semconv.ops.operation import NO_LABEL, NOT_THIS, UNPARSEABLE, Enums, Miss, Op, Scope
from semconv.ops.step import OPS, Step, compiled, run

__all__ = [
    "NOT_THIS",
    "NO_LABEL",
    "OPS",
    "UNPARSEABLE",
    "Enums",
    "Miss",
    "Op",
    "Scope",
    "Step",
    "compiled",
    "fit",
    "run",
    "to_int",
]
