"""Formulas, and the receipt that goes with every value that one gives.

The records are FormulaSpec and FormulaEvaluationReceipt of the reliance review (sections 3.3 and C-01): any score or
derived level names its formula and version, the digests of its inputs and of its output, what was left out, and that the
number is finite. Specs with test vectors are data (`formulas.yaml`).

Law: a formula is a function of its inputs alone; the receipt is a function of inputs, output and context alone.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from evidence.canonical import JsonObject, canonical
from evidence.digest import sha256_hex, tagged
from evidence.errors import FormulaError
from evidence.strict_yaml import load

RECEIPTS_VERSION = "formula-receipts-v1"
"""`schema_version` of `reports/formula-receipts.json`."""

Value = float | int | str
_Result = tuple[Value, Sequence[str]]
"""The output, and the names of the inputs that were left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a receipt says besides the calculation."""

    run_id: str
    computed_at: str
    """The closing time of the run, never the wall clock."""
    manifest_digest: str
    """Tagged SHA-256 of `manifest.json`."""
    events_digest: str
    """Tagged SHA-256 of `events.ndjson`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A value and the receipt for it."""

    output: Value
    receipt: JsonObject


@cache
def specs() -> Mapping[str, JsonObject]:
    """Every FormulaSpec by its id."""
    node = load(files("evidence").joinpath("formulas.yaml").read_bytes(), "formulas.yaml")
    return {spec["formula_id"]: spec for spec in node.plain()}


def references() -> list[JsonObject]:
    """Ids and versions of all formulas, as a manifest says them."""
    return [{"id": name, "version": spec["semantic_version"]} for name, spec in specs().items()]


def compute(formula_id: str, inputs: Mapping[str, Any]) -> _Result:
    """The output of a formula and the names of the inputs it left out.

    Raises:
        FormulaError: there is no such formula, an input that it needs is not there, or the number is not finite.
    """
    if formula_id not in _FUNCTIONS:
        raise FormulaError(f"formula {formula_id!r}: expected one of {', '.join(_FUNCTIONS)}")
    for needed in specs()[formula_id]["inputs"]:
        if needed["required"] and needed["name"] not in inputs:
            raise FormulaError(f"{formula_id}: expected the input {needed['name']!r}")
    output, omitted = _FUNCTIONS[formula_id](inputs)
    if isinstance(output, float) and not math.isfinite(output):
        raise FormulaError(f"{formula_id}: expected a finite number, got {output}")
    return output, omitted


def evaluate(formula_id: str, inputs: Mapping[str, Any], output_ref: str, context: Context) -> Evaluation:
    """Compute a formula and write the receipt.

    Args:
        formula_id: which formula.
        inputs: its inputs, JSON values.
        output_ref: where the value stands, as `member#/json/pointer`.
        context: what else the receipt says.

    Raises:
        FormulaError: as `compute`.
    """
    output, omitted = compute(formula_id, inputs)
    spec = specs()[formula_id]
    receipt: JsonObject = {
        "formula_id": formula_id,
        "formula_semantic_version": spec["semantic_version"],
        "producer_ref": f"urn:affidavit:formula:{formula_id}:{spec['semantic_version']}",
        "run_id": context.run_id,
        "input_refs": [
            {"uri": "manifest.json", "digest": context.manifest_digest},
            {"uri": "events.ndjson", "digest": context.events_digest},
        ],
        "input_manifest_hash": context.manifest_digest,
        "input_value_hash": tagged(canonical(dict(inputs))),
        "output_ref": {"uri": output_ref},
        "output_value_hash": tagged(canonical(output)),
        "omitted_input_names": list(omitted),
        "missing_input_policy_applied": spec["missing_input_policy"],
        "finite_number_check": "passed",
        "validation_codes": [],
        "computed_at": context.computed_at,
        "schema_version": "1.0",
    }
    if "zero_denominator_policy" in spec:
        receipt["zero_denominator_policy_applied"] = spec["zero_denominator_policy"]
    receipt["receipt_id"] = "formula-" + sha256_hex(canonical(receipt))[:40]
    return Evaluation(output=output, receipt=receipt)


def weighted_ratio(inputs: Mapping[str, Any]) -> _Result:
    """Weight of the captured signals over the weight of the expected ones; 0 when nothing was expected."""
    signals = inputs["signals"]
    captured = sum(signal["weight"] for signal in signals.values() if signal["status"] == "captured")
    expected = sum(signal["weight"] for signal in signals.values() if signal["status"] != "unknown")
    omitted = sorted(name for name, signal in signals.items() if signal["status"] == "unknown")
    return _ratio(captured, expected), omitted


def completeness_ratio(inputs: Mapping[str, Any]) -> _Result:
    """Share of the required signals that are captured, or withheld against a commitment."""
    states = list(inputs["required"].values())
    return _ratio(sum(state in {"captured", "redacted"} for state in states), len(states)), ()


def confidence_table(inputs: Mapping[str, Any]) -> _Result:
    """The first level one of whose counters is above zero; low when nothing was expected, else high."""
    if not inputs["expected"]:
        return "low", ()
    levels = (level for level in ("low", "medium") if any(inputs["counters"][name] for name in inputs["table"][level]))
    return next(levels, "high"), ()


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


_FUNCTIONS: Mapping[str, Callable[[Mapping[str, Any]], _Result]] = {
    "weighted_ratio_v1": weighted_ratio,
    "completeness_ratio_v1": completeness_ratio,
    "confidence_table_v1": confidence_table,
}
