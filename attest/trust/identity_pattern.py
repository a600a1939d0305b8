"""Patterns for identities: regular expressions over the whole text, none of which can take for ever.

Law: a pattern always means the whole text, never a part; and matching costs at most a power of the text's length, because what
is matched comes from a certificate that somebody else had made.
"""

import re

from attest.errors import PolicyError

PATTERN_CHARS_MAX = 512
"""Length of one pattern."""
REPEATS_MAX = 4
"""Parts of a pattern whose length varies: each multiplies what matching costs by the length of the text."""

_TOKEN = re.compile(
    r"""\\. | \[\^?\]?(?:\\.|[^\]\\])*\]                 # an escape; a class of characters
    | (?P<on_group>\))(?:[*+]|\{[\d,]+\})[?+]?         # a group more than once
    | (?P<varies>[*+?]|\{\d*,\d*\})[?+]?              # anything that may be longer or shorter
    | \((?P<special>\?[^:])? | .                      # a group that is more than a group; the rest
    """,
    re.DOTALL | re.VERBOSE,
)
_STRANGERS = (
    ("nobody@nowhere.invalid", "x.y@b-1.example"),
    ("https://nowhere.invalid/a/b", "https://q.example/z-1/.github/workflows/w.yml@refs/heads/m"),
)
"""Addresses, and URIs, that have nothing in common: a pattern that takes all of a kind takes anyone."""


def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, ready for `fullmatch`.

    Raises:
        PolicyError: it is empty or too long, no regular expression, repeats a group, looks around, refers back, sets flags, or
            has more than `REPEATS_MAX` parts of varying length.
    """
    if not 1 <= len(pattern) <= PATTERN_CHARS_MAX:
        raise PolicyError(f"expected a pattern of 1 to {PATTERN_CHARS_MAX} characters, got {len(pattern)}")
    try:
        ready = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise PolicyError(f"expected a regular expression, got {pattern[:80]!r}: {error}") from error
    varying = 0
    for token in _TOKEN.finditer(pattern):
        if token["special"] or re.fullmatch(r"\\[1-9]", token[0]):
            raise PolicyError(
                f"expected a pattern that neither looks around nor refers back nor sets flags, got {token[0]!r}"
            )
        if token["on_group"]:
            raise PolicyError(f"expected a pattern in which no group repeats, got {token[0]!r}: it could take for ever")
        varying += token["varies"] is not None
    if varying > REPEATS_MAX:
        raise PolicyError(f"expected at most {REPEATS_MAX} parts of varying length (* + ? {{m,n}}), got {varying}")
    return ready


def takes_anyone(pattern: str) -> bool:
    """Whether the pattern takes texts that have nothing in common, as `.*` and `.+@.+` do."""
    ready = compiled(pattern)
    return any(all(ready.fullmatch(text) for text in texts) for texts in _STRANGERS)
