"""What a mapping must declare so that no figure can be read with the wrong sign, unit, hour or identifier. Pure."""

from collections.abc import Iterator
from collections.abc import Mapping as Named
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from expectations.contracts.sources import Column, Kind, Table
from expectations.contracts.vocabulary import PositiveIs, TcaMetric, TcaUnit
from flows.sources.pulled import closest
from flows.sources.vendor_numbers import sign_fault

if TYPE_CHECKING:
    from flows.sources.mapping import ColumnMap, TableMap

Fault = tuple[tuple[str, ...], str]

_PRICES = {"price", "bid", "mid", "ask", "quote_price", "executed_price", "arrival_mid"}
_AMOUNTS = {"quantity", "quote_quantity", "executed_quantity", "amount_outstanding", "credit_limit"}
# Whose side a word means cannot be seen from the word.
_SIDES = {("rfq_log", "client_side"), ("axes", "side")}
_HOW = "positive_is: COST or GAIN; unit: bps, price or currency; horizon_s: '' where the metric has none"
_MEANING = ("positive_is", "unit", "horizon_s", "reference")
# What the market did after the trade: without the time that passed it is no figure.
AFTERWARDS = (TcaMetric.PRICE_REVERSION, TcaMetric.MARKET_IMPACT)


def faults_of(table: Table, mapped: "TableMap", units: Named[str, int]) -> Iterator[Fault]:
    """Yield each fault as (place within the table, what is wrong and what to do)."""
    for name, column in mapped.columns.items():
        yield from _column_faults(table, mapped, (("columns", name), column), units)
    for code, columns in mapped.codes.items():
        for name, column in columns.items():
            yield from _column_faults(table, mapped, (("codes", code, name), column), units)
    yield from _missing(table, mapped)
    if bool(mapped.codes) != bool(mapped.code_column):
        yield ("codes",), "codes and code_column belong together: the column that holds the code, and what each code means"
    if mapped.time_zone and mapped.time_zone not in available_timezones():
        yield ("time_zone",), f"there is no time zone {mapped.time_zone!r}{closest(mapped.time_zone, available_timezones())}"
    yield from _window_faults(mapped)
    page = mapped.endpoint.page if mapped.endpoint else None
    if page and page.by == "cursor" and not page.next:
        yield ("endpoint", "page"), "paging by cursor needs next: the place of the cursor in the body, such as paging.next"
    yield from _horizon_faults(mapped)
    if mapped.response_time_floor_s is not None and table.name != "rfq_log":
        yield ("response_time_floor_s",), "is for rfq_log only"
    if "security_id" in mapped.columns and mapped.security_id_type is None:
        yield (), "declare security_id_type: CUSIP, ISIN, FIGI, INTERNAL, or ANY where the vendor mixes them"


def _window_faults(mapped: "TableMap") -> Iterator[Fault]:
    if mapped.window is None:
        return
    unbound = [f":{name}" for name in (mapped.window.since, mapped.window.until) if f":{name}" not in (mapped.query or "")]
    if unbound:
        yield ("window",), f"belongs to a query that has {' and '.join(unbound)} in it; an endpoint has a window of its own"


def _horizon_faults(mapped: "TableMap") -> Iterator[Fault]:
    """Find the figures that need a horizon and have none, as far as a mapping declares both."""
    for number, figure in enumerate(mapped.figures, 1):
        if figure.metric in AFTERWARDS and not _is_horizon(figure.horizon_s):
            yield ("figures",), f"figure {number}: {_horizon_wanted(figure.metric, figure.horizon_s)}"
    placed = {code: (("codes", code), mapped.columns | columns) for code, columns in mapped.codes.items()}
    for place, columns in placed.values() or [(("columns",), mapped.columns)]:
        metric, horizon = columns.get("metric"), columns.get("horizon_s")
        if metric is None or horizon is None or horizon.constant is None or _is_horizon(horizon.constant):
            continue
        metrics = {metric.constant, metric.others, *metric.values.values()}
        for name in (name for name in AFTERWARDS if name in metrics):
            yield (*place, "horizon_s"), _horizon_wanted(name, horizon.constant)


def _is_horizon(text: str) -> bool:
    return text.isdecimal() and int(text) > 0


def _horizon_wanted(metric: str, given: str) -> str:
    return f"{metric} needs the seconds after the trade as horizon_s, such as 1800, not {given!r}"


def _missing(table: Table, mapped: "TableMap") -> Iterator[Fault]:
    given = set(mapped.columns) | {name for columns in mapped.codes.values() for name in columns}
    if mapped.figures:
        if table.name != "tca_results":
            yield ("figures",), "are for tca_results only"
        given |= {"metric", "value", *_MEANING}
        for number, figure in enumerate(mapped.figures, 1):
            for word, known in ((figure.metric, TcaMetric), (figure.unit, TcaUnit), (figure.positive_is, PositiveIs)):
                if word not in list(known):
                    yield ("figures",), f"figure {number}: {word!r} is none of {', '.join(known)}"
            if not figure.reference:
                yield ("figures",), f"figure {number}: name the reference price"
    if table.name == "tca_results":
        undeclared = [name for name in _MEANING if name not in given]
        if undeclared:
            yield (
                (),
                f"a TCA figure means nothing without {', '.join(undeclared)}; declare each as a column or a constant ({_HOW})",
            )
    absent = [column.name for column in table.columns if column.required and column.name not in given]
    if absent:
        yield (), f"nothing gives the required column(s) {', '.join(absent)}"


def _column_faults(
    table: Table, mapped: "TableMap", placed: tuple[tuple[str, ...], "ColumnMap"], units: Named[str, int]
) -> Iterator[Fault]:
    place, column = placed
    name = place[-1]
    own = {known.name: known for known in table.columns}.get(name)
    if own is None:
        yield place, f"{table.name} has no column {name!r}{closest(name, table.names)}"
        return
    ways = [column.source is not None, column.constant is not None, bool(column.join)]
    if sum(ways) != 1:
        yield place, "needs exactly one of from, constant, join"
    if column.constant is not None:
        if own.values and column.constant not in own.values:
            yield place, f"{column.constant!r} is none of {', '.join(own.values)}"
        return
    yield from _unit_faults(table, own, place, column, units)
    wrong_signs = sign_fault(column.decimal, column.grouping)
    if wrong_signs:
        yield place, wrong_signs
    if own.kind is Kind.TIME and not (column.time_zone or mapped.time_zone or _is_absolute(column)):
        yield place, "is a time: declare time_zone, here or for the table (UTC where the vendor's times are UTC)"
    if any("%Z" in pattern for pattern in column.formats):
        # The readers of such names take BST for Bangladesh's time.
        yield place, "%Z reads names of zones, and one name stands for several zones; use %z for an offset, or time_zone"
    if column.time_zone and column.time_zone not in available_timezones():
        yield place, f"there is no time zone {column.time_zone!r}{closest(column.time_zone, available_timezones())}"
    if (table.name, name) in _SIDES and not column.values:
        yield place, "whose side is it? give values, such as {Buy: BUY}, in the terms of the contract"
    if column.recover_from and own.identifier != "cusip" and name != "security_id":
        yield place, "recover_from is for a CUSIP"


def _unit_faults(table: Table, own: Column, place: tuple[str, ...], column: "ColumnMap", units: Named[str, int]) -> Iterator[Fault]:
    wanted = ("per_100", "per_1") if own.name in _PRICES else ("units", "thousands", "millions") if own.name in _AMOUNTS else ()
    if column.unit is not None and column.unit not in units:
        yield place, f"there is no unit {column.unit!r}{closest(column.unit, units)}"
    elif wanted and column.unit not in wanted:
        yield place, f"{own.name} needs a unit: {', '.join(wanted)}"
    elif not wanted and column.unit is not None and own.kind is not Kind.NUMBER:
        yield place, f"{table.name}.{own.name} is no number and takes no unit"


def _is_absolute(column: "ColumnMap") -> bool:
    formats = column.formats
    return bool(formats) and all("%z" in pattern or pattern.startswith("epoch_") for pattern in formats)
