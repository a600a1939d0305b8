"""Where something was found or is lacking, as lines."""

from collections.abc import Iterator, Sequence


def places(paths: Sequence[str], *, indent: int, total: int | None = None) -> Iterator[str]:
    """A line for each path, then how many more there are.

    Args:
        paths: evidence paths; of many instances only the first are kept.
        indent: spaces before each line.
        total: all instances, when known.
    """
    for path in paths:
        yield f"{' ' * indent}{path}"
    if total is not None and paths and total > len(paths):
        yield f"{' ' * indent}and {total - len(paths)} more"
