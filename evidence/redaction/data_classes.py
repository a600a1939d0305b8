"""Finds personal data in text by its form: addresses, numbers with a check digit, and the like.

Law: what is found is a function of the text alone. A form is no proof: a number may pass its check digit by chance, so these are off
until a policy names them. Names, birthdays and street addresses have no form and are not found.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple


class Found(NamedTuple):
    """Where a class stands in a text."""

    name: str
    start: int
    end: int


def found(text: str, classes: Sequence[str]) -> Iterator[Found]:
    """The places of these classes in a text, class by class; they may overlap."""
    for name in classes:
        pattern, is_one = CLASSES[name]
        for match in pattern.finditer(text):
            if is_one(match[0]):
                yield Found(name, *match.span())


# ------------------------------------------------------------------ checks


def _any(_text: str) -> bool:
    return True


def _is_card(text: str) -> bool:
    """By the check digit of ISO/IEC 7812-1, annex B (Luhn)."""
    digits = [int(char) for char in text if char.isdigit()]
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = (digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_iban(text: str) -> bool:
    """By the check digits of ISO 13616-1: mod 97 of ISO/IEC 7064."""
    compact = "".join(text.split()).upper()
    if not 15 <= len(compact) <= 34:
        return False
    return int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1


def _is_phone(text: str) -> bool:
    """As many digits as a number of ITU-T E.164 has."""
    return 7 <= sum(map(str.isdigit, text)) <= 15


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


CLASSES: Mapping[str, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    "email": (
        re.compile(r"(?<![\w.+-])[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z][\w-]{1,62}"),
        _any,
    ),
    "credit_card": (
        re.compile(r"(?:(?<![\w.-])|(?<=\\[nrt]))[2-6][0-9](?:[ -]?[0-9]){11,17}(?![\w-]|\.[0-9])", re.ASCII),
        _is_card,
    ),
    "iban": (
        re.compile(
            r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))[A-Za-z]{2}[0-9]{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,3})?(?![A-Za-z0-9])"
        ),
        _is_iban,
    ),
    "phone": (
        re.compile(
            r"(?:(?<![\w.+-])|(?<=\\[nrt]))(?:\+[0-9]{1,3}[ .()/-]{0,2}|\(0?[0-9]{2,5}\)[ .-]{0,2}|0[0-9]{2,4}[ ./-])"
            r"[0-9](?:[ .()/-]{0,2}[0-9]){5,13}(?![\w-])",
            re.ASCII,
        ),
        _is_phone,
    ),
    "ip_address": (
        re.compile(
            r"(?:(?<![\w.:-])|(?<=\\[nrt]))(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|(?=[0-9A-Fa-f:.]{2,45}(?![\w:]))[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\.[0-9]{1,3}){0,3})(?![\w:-])",
            re.ASCII,
        ),
        _is_address,
    ),
    "us_ssn": (
        re.compile(
            r"(?:(?<![\w-])|(?<=\\[nrt]))(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![\w-])", re.ASCII
        ),
        _any,
    ),
    "mac_address": (
        re.compile(
            r"(?:(?<![\w:-])|(?<=\\[nrt]))[0-9A-Fa-f]{2}(?:([:-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}(?![\w:-])",
            re.ASCII,
        ),
        _any,
    ),
}
"""Each class: what it looks like, and what must hold besides."""
