"""How the outside world writes names: two venues, former names, and identifiers of every kind."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
import numpy.typing as npt

from expectations.contracts.vocabulary import AssetClass
from sim.market import Market
from sim.names import MERGED_CODE, MERGED_NAME

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

MERIDIAN, OPENCOURT = "MERIDIAN", "OPENCOURT"
_RENAMED_PLACE, _MERGED_PLACE = 11, 4
_RENAMED_AT, _MERGED_AT = 0.5, 0.4


@dataclass(frozen=True, slots=True)
class Former:
    """A name that a dealer was logged under up to a day: its own former one, or that of a firm merged into it."""

    dealer: int
    code: str
    name: str
    last_day: date
    last_ms: int


def former_names(market: Market) -> tuple[Former, Former]:
    """Give the renaming and the merger of the period."""

    def until(share: float) -> tuple[date, int]:
        midnight = int(market.midnights[int(share * (len(market.midnights) - 1))])
        return datetime.fromtimestamp(midnight / 1000, tz=UTC).date(), midnight + 86_399_999

    renamed = min(_RENAMED_PLACE, len(market.dealers) - 1)
    own = market.dealers[renamed]
    first = own.name.split()[0]
    return (
        Former(renamed, f"{own.dealer_id[:4]}BROS", f"{first} Brothers Government Securities", *until(_RENAMED_AT)),
        Former(_MERGED_PLACE, MERGED_CODE, MERGED_NAME, *until(_MERGED_AT)),
    )


def venues(market: Market, rng: np.random.Generator) -> Flags:
    """Tell which RFQs went over OPENCOURT, where munis and structured products mostly trade; the others over MERIDIAN."""
    special = {AssetClass.MUNI, AssetClass.STRUCTURED}
    opencourt = np.array([bond.asset_class in special for bond in market.bonds])[market.demand.security]
    return np.asarray(rng.random(len(opencourt)) < np.where(opencourt, 0.6, 0.15), dtype=np.bool_)


def logged_names(market: Market, dealer: Ints, at: Ints, opencourt: Flags, rng: np.random.Generator) -> list[str]:
    """Write each dealer asked as its venue's log has it: MERIDIAN by code, OPENCOURT by full name, former names while they held."""
    codes = np.array([own.dealer_id for own in market.dealers], dtype=object)
    names = np.array([own.name for own in market.dealers], dtype=object)
    logged = np.where(opencourt, names[dealer], codes[dealer])
    renamed, merged = former_names(market)
    for former, share in ((renamed, 1.0), (merged, 0.4)):
        then = (dealer == former.dealer) & (at <= former.last_ms) & (rng.random(len(dealer)) < share)
        logged[then] = np.where(opencourt[then], former.name, former.code)
    return [str(name) for name in logged]


def alias_columns(market: Market) -> dict[str, list[str]]:
    """Give the alias table: every full name for good, the former names up to their last day."""
    renamed, merged = former_names(market)
    lasting = [(own.name, own.dealer_id, "", "") for own in market.dealers]
    past = [
        (alias, market.dealers[former.dealer].dealer_id, "", former.last_day.isoformat())
        for former in (renamed, merged)
        for alias in (former.code, former.name)
    ]
    rows = zip(*lasting, *past, strict=True)
    return dict(zip(("alias", "dealer_id", "valid_from", "valid_to"), (list(column) for column in rows), strict=True))


def by_cusip(market: Market) -> list[str]:
    """Give each bond's name on the tape: the CUSIP, or the ISIN where it has none."""
    return [bond.cusip or bond.isin for bond in market.bonds]
