"""The translators of the built-in tables, each loaded once a process, when a test first asks for it. They keep only plans."""

from functools import cache

from semconv.translate import DEFAULT_TARGET, Translator


def loaded(target: str = DEFAULT_TARGET) -> Translator:
    """The translator of a target, shared with every test of this process."""
    return _loaded(target)


_loaded = cache(Translator.load)
