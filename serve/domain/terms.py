"""The parts of the models that are fitted: what each is called, its unit, and in words."""

from enum import StrEnum


class Term(StrEnum):
    """A part of a ``scorecard`` or ``expected_utility`` score."""

    CLASS_MEAN = "class_mean"
    RESPONSE = "response"
    PRICE = "quoted_price"
    SECTOR_PRICE = "sector_price"
    AXE = "axe"
    LEAK = "leak"


TERM_UNITS: dict[Term, str] = {
    Term.CLASS_MEAN: "bps",
    Term.RESPONSE: "quoted / asked",
    Term.PRICE: "half-spreads",
    Term.SECTOR_PRICE: "half-spreads",
    Term.AXE: "probability",
    Term.LEAK: "half-spreads",
}
