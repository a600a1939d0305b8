"""How many examples a property is tried on: some in `make test`, which holds the law; many in `make soak`, which hunts.

`make test` tries the same ones every time; `make soak` draws new ones at each run. None fails because the machine was busy.
"""

from hypothesis import HealthCheck, settings

_UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

settings.register_profile("affidavit", _UNTIMED, max_examples=40, derandomize=True)
settings.register_profile("thorough", _UNTIMED, max_examples=400, derandomize=False, print_blob=True)


def usual() -> None:
    """Those of `make test`, unless `--hypothesis-profile` names others."""
    settings.load_profile("affidavit")


def times(factor: float) -> int:
    """The examples of a property that needs more than others, or is dearer: as a multiple of what is usual."""
    return max(1, round(settings.default.max_examples * factor))
