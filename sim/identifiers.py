"""Identifiers with true check digits, drawn from a generator so that a seed gives the same ones."""

import numpy as np
from stdnum import cusip, figi, isin, lei

_LETTERS = "BCDFGHJKLMNPQRSTVWXYZ"
_DIGITS = "0123456789"


def _draw(rng: np.random.Generator, alphabet: str, length: int) -> str:
    return "".join(alphabet[index] for index in rng.integers(0, len(alphabet), length))


def issuer_base(rng: np.random.Generator) -> str:
    """Give the six characters that all CUSIPs of an issuer share."""
    return _draw(rng, _DIGITS, 5) + _draw(rng, _DIGITS + _LETTERS, 1)


def cusip_of(base: str, issue: int) -> str:
    """Give the CUSIP of an issuer's n-th issue."""
    letters = _LETTERS
    number = base + letters[issue // len(letters) % len(letters)] + letters[issue % len(letters)]
    return number + str(cusip.calc_check_digit(number))


def isin_of(country: str, national: str) -> str:
    """Give the ISIN of a nine-character national number."""
    number = country + national
    return number + str(isin.calc_check_digit(number))


def figi_of(rng: np.random.Generator) -> str:
    """Give a FIGI."""
    number = "BBG" + _draw(rng, _LETTERS + _DIGITS, 8)
    return number + str(figi.calc_check_digit(number))


def lei_of(rng: np.random.Generator) -> str:
    """Give a legal entity identifier."""
    stem = _draw(rng, _DIGITS, 4) + "00" + _draw(rng, _LETTERS + _DIGITS, 12)
    remainder = int("".join(str(int(character, 36)) for character in stem + "00")) % 97
    number = f"{stem}{98 - remainder:02d}"
    lei.validate(number)
    return number
