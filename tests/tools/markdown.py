"""Tables of Markdown, for the documents that are made."""

from collections.abc import Iterable, Iterator


def table(head: Iterable[str], rows: Iterable[list[str]]) -> Iterator[str]:
    """A table, without the columns in which no row has anything; an empty line after it."""
    heads, lines = list(head), list(rows)
    used = [at for at, _ in enumerate(heads) if any(row[at] for row in lines)]
    yield f"| {' | '.join(heads[at] for at in used)} |"
    yield f"|{'---|' * len(used)}"
    for row in lines:
        yield f"| {' | '.join(_cell(row[at]) for at in used)} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
