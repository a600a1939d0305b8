"""Keys with windows: which signs when, and that nobody does outside all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attest.errors import KeyFileError, SigningError
from attest.signers.rotation import DatedKey, Rotation

YEAR = "20{:02d}-01-01T00:00:00.000000000Z"


class Named:
    """Signs with its name."""

    def __init__(self, name: str, opened: list[str]) -> None:
        self.name = name
        opened.append(name)

    def sign(self, payload: bytes) -> bytes:
        return self.name.encode()

    def describe(self) -> str:
        return self.name


def rotation(now: str, *windows: tuple[str | None, str | None], opened: list[str] | None = None) -> Rotation:
    calls = [] if opened is None else opened
    keys = [
        DatedKey(uri=f"k{at}", valid_from=start, valid_until=end, open=lambda at=at: Named(f"k{at}", calls))
        for at, (start, end) in enumerate(windows)
    ]
    return Rotation(keys, now=lambda: now)


@pytest.mark.parametrize(("now", "signs"), [(20, b"k0"), (25, b"k0"), (26, b"k1"), (27, b"k1"), (28, b"k1")])
def test_of_the_valid_keys_the_newest_signs(now, signs):
    rotated = rotation(YEAR.format(now), (YEAR.format(20), YEAR.format(27)), (YEAR.format(26), None))
    assert rotated.sign(b"") == signs


def test_a_window_is_closed_at_both_ends():
    first, last = YEAR.format(20), YEAR.format(21)
    assert rotation(first, (first, last)).sign(b"") == b"k0"
    assert rotation(last, (first, last)).sign(b"") == b"k0"


def test_a_key_without_a_beginning_is_the_oldest_and_of_equals_the_later_signs():
    assert rotation(YEAR.format(26), (None, None), (YEAR.format(25), None), (None, None)).sign(b"") == b"k1"
    assert rotation(YEAR.format(26), (None, None), (None, None)).sign(b"") == b"k1"


def test_when_no_key_is_valid_nobody_signs_and_every_window_is_said():
    rotated = rotation(YEAR.format(26), (None, YEAR.format(25)), (YEAR.format(27), None))
    with pytest.raises(SigningError, match=r"k0 is valid until 2025-.*k1 is valid from 2027-"):
        rotated.sign(b"")
    with pytest.raises(SigningError):
        rotated.describe()


def test_a_key_is_opened_once_and_only_when_it_is_its_turn():
    opened: list[str] = []
    rotated = rotation(YEAR.format(26), (None, YEAR.format(25)), (None, None), opened=opened)
    rotated.sign(b"")
    rotated.sign(b"")
    assert opened == ["k1"]


def test_a_window_that_ends_before_it_begins_and_a_key_given_twice_are_refused():
    with pytest.raises(KeyFileError, match="before it"):
        rotation("", (YEAR.format(26), YEAR.format(25)))
    twice = DatedKey(uri="k", open=lambda: Named("k", []))
    with pytest.raises(KeyFileError, match="each once"):
        Rotation([twice, twice], now=lambda: "")
    with pytest.raises(KeyFileError, match="at least one"):
        Rotation([], now=lambda: "")


years = st.integers(10, 40).map(YEAR.format)
windows = st.tuples(st.none() | years, st.none() | years).filter(lambda w: not (w[0] and w[1]) or w[0] <= w[1])


@given(now=years, given_windows=st.lists(windows, min_size=1, max_size=6))
def test_whoever_signs_is_valid_and_no_valid_key_is_newer(now, given_windows):
    def valid(window):
        return (window[0] or "") <= now <= (window[1] or "~")

    some = [window for window in given_windows if valid(window)]
    rotated = rotation(now, *given_windows)
    if not some:
        with pytest.raises(SigningError):
            rotated.current()
        return
    chosen = rotated.current()
    assert valid((chosen.valid_from, chosen.valid_until))
    assert all((window[0] or "") <= (chosen.valid_from or "") for window in some)
