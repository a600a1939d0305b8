"""`make fuzz`: each target under atheris for a share of the time, in a process of its own with bounded memory.

    python -m tests.fuzz.run [--seconds N] [TARGET...]

What breaks the invariant is kept in var/fuzz/TARGET/; `python -m tests.fuzz.run --once TARGET FILE` runs that one input again.
What was found belongs into the tests of its reader, named by the defect.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_KEPT = _ROOT / "var" / "fuzz"
_INPUT_SECONDS_MAX = 10
_MEMORY_MIB_MAX = 1024
_INPUT_BYTES_MAX = 65_536


def main() -> int:
    """Exit code: 0 when no target broke its invariant."""
    options = _options()
    if options.once:
        from tests.fuzz.targets import TARGETS

        TARGETS[options.once[0]](Path(options.once[1]).read_bytes())
        return 0
    if options.child:
        _fuzz(options.child, options.seconds)
        return 0
    from tests.fuzz.targets import TARGETS

    names = options.targets or list(TARGETS)
    if unknown := sorted(set(names) - set(TARGETS)):
        sys.exit(f"no such target: {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    share = max(1, options.seconds // len(names))
    failed = [name for name in names if not _run(name, share)]
    print(f"{len(names)} targets, {share} s each: {'all hold' if not failed else 'broken: ' + ', '.join(failed)}")
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run")
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=300, help="for all targets together")
    parser.add_argument("--once", nargs=2, metavar=("TARGET", "FILE"))
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args()


def _run(name: str, seconds: int) -> bool:
    child = [sys.executable, "-m", "tests.fuzz.run", "--child", name, "--seconds", str(seconds)]
    done = subprocess.run(child, cwd=_ROOT, capture_output=True, text=True, errors="replace")
    last = [line for line in done.stderr.splitlines() if "DONE" in line][-1:]
    print(f"{name:20} {'holds ' if done.returncode == 0 else 'BROKEN'}  {last[0] if last else ''}", flush=True)
    if done.returncode:
        print("\n".join(done.stderr.splitlines()[-40:]))
    return done.returncode == 0


def _fuzz(name: str, seconds: int) -> None:
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed; `make fuzz` does that")
    with atheris.instrument_imports(include=["attest", "evidence"]):
        from tests.fuzz.targets import TARGETS
    target, kept = TARGETS[name], _KEPT / name
    corpus = kept / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        f"-timeout={_INPUT_SECONDS_MAX}",
        f"-rss_limit_mb={_MEMORY_MIB_MAX}",
        f"-max_len={_INPUT_BYTES_MAX}",
        f"-artifact_prefix={kept}/",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
