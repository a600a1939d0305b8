"""Writes the golden closure reports: `python -m tests.evidence.write_golden`. A change of them is a change for every user."""

import orjson

from tests.evidence.golden_runs import RUNS
from tests.evidence.test_golden import GOLDEN, assess


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for path in GOLDEN.iterdir():
        if path.name.removesuffix(".closure.json") not in RUNS:
            path.unlink()
    for name, run in RUNS.items():
        text = orjson.dumps(assess(run).closure, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
        (GOLDEN / f"{name}.closure.json").write_bytes(text + b"\n")


if __name__ == "__main__":
    main()
