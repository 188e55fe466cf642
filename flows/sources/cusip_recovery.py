"""CUSIPs that a spreadsheet has damaged, taken from the ISIN where that is safe. Pure."""

import re
from decimal import Decimal, InvalidOperation

from stdnum import cusip, isin

_MONTHS = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"
_AS_DATE = re.compile(rf"(\d*)[-/ ]?({_MONTHS})[-/ ]?(\d*)", re.IGNORECASE)
_AS_NUMBER = re.compile(r"\d(?:\.\d+)?E\+?\d+", re.IGNORECASE)


def recovered_cusip(cell: str | None, isin_cell: str | None) -> str | None:
    """Give the CUSIP that a cell stands for: itself where it is whole, else the one in the ISIN; ``None`` where that is not safe.

    Safe means: a US or CA ISIN (the only ones that carry a CUSIP), its check digit and the CUSIP's own both hold, and what is
    left of the cell agrees with it. A whole CUSIP that contradicts the ISIN is returned as it is: landing and staging judge it.
    """
    text = (cell or "").strip()
    if text and cusip.is_valid(text):
        return cusip.compact(text)
    number = (isin_cell or "").strip().upper()
    if number[:2] not in {"US", "CA"} or not isin.is_valid(number):
        return None
    inside = number[2:11]
    if not cusip.is_valid(inside):
        return None
    return inside if not text or _agrees(text, inside) else None


def _agrees(damaged: str, whole: str) -> bool:
    """Whether a spreadsheet could have made ``damaged`` out of ``whole``."""
    if _AS_NUMBER.fullmatch(damaged):
        return _same_number(damaged, whole)
    if date := _AS_DATE.fullmatch(damaged):
        # Month names keep their place; the year may have been widened, the check digit cut off.
        return whole.upper().startswith((date[1] + date[2]).upper())
    return len(damaged) < len(whole) and damaged.upper().zfill(len(whole)) == whole


def _same_number(damaged: str, whole: str) -> bool:
    """Whether ``whole`` read as a number (as in 345000E66) shows as ``damaged`` with the digits that are left of it."""
    if not re.fullmatch(r"\d+E\d+", whole, re.IGNORECASE):
        return False
    try:
        shown, value = Decimal(damaged), Decimal(whole)
    except InvalidOperation:
        return False
    places = len(shown.as_tuple().digits) - 1
    return f"{value:.{places}E}" == f"{shown:.{places}E}"
