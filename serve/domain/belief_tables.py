"""What is believed of dealers: from the fitted tables of a snapshot, or of a warehouse, into arrays."""

from collections import defaultdict
from collections.abc import Mapping

import msgspec
import numpy as np

from expectations.contracts.vocabulary import Side
from serve.domain.beliefs import Beliefs, ClassTerms, Figure, Floats, covering_beliefs
from serve.domain.tables import Columns, Tables, floats


def beliefs_of(tables: Tables, dealer_ids: tuple[str, ...]) -> Mapping[str, Beliefs]:
    """Give each class's beliefs with a row for every dealer on record."""
    terms = {row["scorecard_class"]: msgspec.convert(row, ClassTerms) for row in tables.rows("fit_class_terms")}
    own, axes = _by_class(tables, "fit_dealer_beliefs"), _by_class(tables, "fit_axe_beliefs")
    sectors = _by_class(tables, "fit_sector_prices")
    return {
        name: covering_beliefs(_beliefs(terms[name], own[name], axes.get(name), sectors.get(name)), dealer_ids)
        for name in sorted(terms)
        if name in own
    }


def _beliefs(terms: ClassTerms, own: Columns, axes: Columns | None, sectors: Columns | None) -> Beliefs:
    def figure(name: str) -> Figure:
        return _figure(own, name)

    dealer_ids = tuple(str(name) for name in own["dealer_id"])
    probability, advertised = _axes(axes, dealer_ids, terms.axe_base)
    return Beliefs(
        terms=terms,
        dealer_ids=dealer_ids,
        response=figure("response"),
        price=figure("price_hs"),
        price_sd=floats(own["price_sd_hs"]),
        leak=figure("leak_hs"),
        axe_gain=figure("axe_gain_hs"),
        card_response=figure("card_response"),
        card_price=figure("card_price_hs"),
        card_leak=figure("card_leak"),
        axes=probability,
        advertised=advertised,
        sector_prices=_by_sector(sectors, "price_hs", figure("price_hs"), dealer_ids),
        sector_card_prices=_by_sector(sectors, "card_price_hs", figure("card_price_hs"), dealer_ids),
    )


def _figure(cells: Columns, name: str) -> Figure:
    return Figure(*(floats(cells[f"{name}{suffix}"]) for suffix in ("", "_n", "_low", "_high")))


def _by_sector(rows: Columns | None, name: str, whole: Figure, dealer_ids: tuple[str, ...]) -> dict[str, Figure]:
    """Lay out a figure by sector; who did not quote in one has there what it has in the class, and no observations."""
    if rows is None:
        return {}
    place = {dealer_id: row for row, dealer_id in enumerate(dealer_ids)}
    sectors, told = np.asarray(rows["sector"]).astype(str), _figure(rows, name)
    found = {}
    for sector in np.unique(sectors):
        mine = sectors == sector
        at = np.array([place[str(dealer_id)] for dealer_id in rows["dealer_id"][mine]], dtype=np.int64)
        own = Figure(whole.mean.copy(), np.zeros(len(dealer_ids)), whole.low.copy(), whole.high.copy())
        for column, source in ((own.mean, told.mean), (own.n, told.n), (own.low, told.low), (own.high, told.high)):
            column[at] = source[mine]
        found[str(sector)] = own
    return found


def _axes(rows: Columns | None, dealer_ids: tuple[str, ...], base: float) -> tuple[dict[tuple[str, Side], Floats], ...]:
    probability: dict[tuple[str, Side], Floats] = defaultdict(lambda: np.full(len(dealer_ids), base))
    advertised: dict[tuple[str, Side], Floats] = defaultdict(lambda: np.zeros(len(dealer_ids)))
    if rows is not None:
        place = {name: row for row, name in enumerate(dealer_ids)}
        columns = (rows[name].tolist() for name in ("sector", "client_side", "dealer_id", "probability", "advertised"))
        for sector, side, dealer_id, chance, told in zip(*columns, strict=True):
            probability[sector, Side(side)][place[dealer_id]] = chance
            advertised[sector, Side(side)][place[dealer_id]] = float(told)
    return dict(probability), dict(advertised)


def _by_class(tables: Tables, table: str) -> dict[str, Columns]:
    cells = tables.columns(table, ("scorecard_class", "dealer_id"))
    names = np.asarray(cells["scorecard_class"])
    return {str(name): {key: column[names == name] for key, column in cells.items()} for name in np.unique(names.astype(str))}
