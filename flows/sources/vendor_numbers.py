"""A vendor's numbers as SQL: decimal and grouping signs stand where they may, or the cell is a fault. Pure."""

import re

from flows.sources.pulled import quoted

_NOT_BETWEEN_THOUSANDS = frozenset("0123456789+-eE")


def plain(text: str, decimal: str, grouping: str) -> str:
    """Give the SQL of a number with a point and no grouping; NULL where a sign stands where it may not.

    "1,5" is not 15 because a comma stands between thousands, and "1.500" is not 1.5 where the comma is the decimal sign.
    """
    if decimal == "." and not grouping:
        return text
    whole = rf"\d{{1,3}}({re.escape(grouping)}\d{{3}})+|\d*" if grouping else r"\d*"
    pattern = rf"[+-]?({whole})({re.escape(decimal)}\d*)?([eE][+-]?\d+)?"
    bare = f"replace({text}, {quoted(grouping)}, '')" if grouping else text
    bare = f"replace({bare}, ',', '.')" if decimal == "," else bare
    return f"case when regexp_full_match({text}, {quoted(pattern)}) then {bare} end"


def told(decimal: str, grouping: str) -> str:
    """Say how such numbers are written."""
    return f"decimal sign {decimal!r}" + (f" and {grouping!r} between thousands" if grouping else "")


def sign_fault(decimal: str, grouping: str) -> str | None:
    """Say what is wrong with a mapping's signs; ``None`` where they can be told apart."""
    if grouping == decimal:
        return f"decimal and grouping are both {decimal!r}: 1{decimal}500 could be read in two ways; say which sign is which"
    if len(grouping) > 1 or grouping in _NOT_BETWEEN_THOUSANDS:
        return f"grouping {grouping!r} must be one sign that is no part of a number, such as ',' or ' '"
    return None
