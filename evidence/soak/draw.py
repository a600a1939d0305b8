"""Random numbers that are a function of what they are for: the same on every machine, in every order.

Law: a number depends on seed, iteration and name alone, by SHA-256. No generator has a state, so what one fault draws
does not depend on what another did, nor on how events are stored or threads run.
"""

import hashlib

_BITS = 64


class Draw:
    """The numbers of one iteration, each asked for by a name."""

    __slots__ = ("_prefix",)

    def __init__(self, seed: int, iteration: int, part: str = "") -> None:
        """`part` sets apart what draws for different purposes by the same names."""
        self._prefix = hashlib.sha256(f"affidavit-draw-v1\n{seed}\n{iteration}\n{part}\n".encode())

    def happens(self, chance: float, name: str) -> bool:
        """Whether something of that chance, 0 to 1, happens; never for 0, always for 1."""
        return self._number(name) < int(chance * (1 << _BITS))

    def below(self, end: int, name: str) -> int:
        """One of the integers from 0 up to, not including, `end`."""
        return self._number(name) * end >> _BITS

    def between(self, least: float, most: float, name: str) -> float:
        """A number from `least` up to, not including, `most`."""
        return least + (most - least) * ((self._number(name) >> 11) / (1 << 53))

    def octets(self, name: str) -> bytes:
        """32 bytes."""
        state = self._prefix.copy()
        state.update(name.encode(errors="surrogatepass"))
        return state.digest()

    def _number(self, name: str) -> int:
        return int.from_bytes(self.octets(name)[: _BITS // 8], "big")
