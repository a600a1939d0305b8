"""Several keys with windows of validity: which of them signs at a given time.

Law: a window is closed at both ends, as in `attest.trust.trust`; of the keys that are valid the newest signs, and when none is nobody does.
Times are RFC 3339 in UTC as evidence writes them, so that they compare as text.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from attest.errors import KeyFileError, SigningError
from attest.signers.signer import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedKey:
    """A key by name, and when it may sign."""

    uri: str
    """Names the key: a file, or a URI."""
    valid_from: str | None = None
    valid_until: str | None = None
    open: Callable[[], Signer] = field(repr=False, compare=False)
    """Makes the signer; called when the key is first needed."""

    def __post_init__(self) -> None:
        if self.valid_from and self.valid_until and self.valid_from > self.valid_until:
            raise KeyFileError(f"{self.uri}: valid from {self.valid_from} until {self.valid_until}, which is before it")

    def state(self, now: str) -> str:
        """`valid`, `not yet` or `expired`."""
        if self.valid_from is not None and now < self.valid_from:
            return "not yet"
        return "expired" if self.valid_until is not None and now > self.valid_until else "valid"


class Rotation:
    """A signer that is, at any time, the newest valid of some keys. Opens each key once, when it is its turn.

    Args:
        keys: the keys; of two that begin at the same time the later in this order is the newer.
        now: gives the time.

    Raises:
        KeyFileError: no key, or one key twice.
    """

    def __init__(self, keys: Sequence[DatedKey], *, now: Callable[[], str]) -> None:
        names = [key.uri for key in keys]
        if not names or len(set(names)) != len(names):
            raise KeyFileError(f"expected at least one key, and each once; got {', '.join(names) or 'none'}")
        self.keys = tuple(keys)
        self._now = now
        self._opened: dict[str, Signer] = {}

    def current(self) -> DatedKey:
        """The key that signs now.

        Raises:
            SigningError: none of them is valid now.
        """
        now = self._now()
        valid = [key for key in self.keys if key.state(now) == "valid"]
        if not valid:
            windows = "; ".join(f"{key.uri} is {_STATES[key.state(now)](key)}" for key in self.keys)
            raise SigningError(f"no key is valid now ({now}): {windows}")
        return max(reversed(valid), key=lambda key: key.valid_from or "")

    def sign(self, payload: bytes) -> bytes:
        """Sign with the current key; see `attest.signers.signer.Signer.sign`.

        Raises:
            SigningError: none is valid now, or whatever its signer raises.
        """
        return self._signer().sign(payload)

    def describe(self) -> str:
        """The current key."""
        return self._signer().describe()

    def _signer(self) -> Signer:
        key = self.current()
        if key.uri not in self._opened:
            self._opened[key.uri] = key.open()
        return self._opened[key.uri]


_STATES: Mapping[str, Callable[[DatedKey], str]] = {
    "not yet": lambda key: f"valid from {key.valid_from}",
    "expired": lambda key: f"valid until {key.valid_until}",
}
