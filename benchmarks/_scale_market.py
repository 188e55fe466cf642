"""A large history, fast: RFQ logs, prices, TCA results and prints as landing would hold them, a file per table and day.

Rows come from hashes of their number, so any part of a history is the same however much of it is made. Nothing here is
lifelike but the shapes: how many dealers are asked, how many answer, how many prices there are.
"""

import tempfile
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import duckdb

FIRST_DAY = date(2001, 1, 1)
QUOTES_PER_DAY = 14_000
DEALERS, SECURITIES, ASKED, PRICES_PER_DAY = 30, 2_000, 4, 4
PRINTS_PER_DAY = 5_000
# Of the RFQs asked about six in ten trade, each with one result.
ROWS_PER_DAY = {
    "rfq_log": QUOTES_PER_DAY,
    "reference_prices": SECURITIES * PRICES_PER_DAY,
    "tca_results": QUOTES_PER_DAY * 2 // 3 // ASKED,
    "trades": PRINTS_PER_DAY,
}
_STAMPS = "'scale' as _source, '{table}' || day as _file, timestamp '2030-01-01' as _landed_at, '{table}-' || day as _batch"

_RFQS = f"""
select
    n as rfq, date '{FIRST_DAY}' + cast(n // {QUOTES_PER_DAY // ASKED} as integer) as day,
    (hash(n) % {SECURITIES})::integer as security, hash(n, 1) % 2 = 0 as buys,
    day + to_milliseconds((32400 + hash(n, 2) % 25000)::bigint * 1000) as arrived, hash(n, 3) as luck
from range({{first}} * {QUOTES_PER_DAY // ASKED}, {{last}} * {QUOTES_PER_DAY // ASKED}) as numbers (n)
"""
_ASKED = f"""
select
    'R' || lpad(rfq::varchar, 10, '0') as rfq_id,
    null::varchar as order_id, 'SCALE' as venue, 'S' || security as security_id,
    if(buys, 'BUY', 'SELL') as client_side,
    [5e5, 2e6, 1e7][1 + (luck % 3)::integer] as quantity, 'PARALLEL' as protocol,
    arrived as asked_at, 'D' || ((luck // 7 + 7 * place) % {DEALERS}) as dealer_id, place + 1 as sequence,
    {ASKED}::bigint as dealers_asked,
    60.0 as timeout_s, if(answers, 'QUOTED', 'TIMED_OUT') as response,
    if(answers, arrived + to_milliseconds(5000 + (chance % 40000)::bigint), null) as responded_at,
    if(answers, 100 + if(buys, 1, -1) * (chance % 100)::integer / 500, null) as quote_price,
    if(answers, quantity, null) as quote_quantity,
    true as firm, if(answers and place = (luck % 5)::integer, 'TRADED', 'LOST') as outcome,
    if(outcome = 'TRADED', arrived + interval 50 second, null) as executed_at,
    if(outcome = 'TRADED', quote_price, null) as executed_price,
    if(outcome = 'TRADED', quantity, null) as executed_quantity, null::double as arrival_mid,
    null::double as propensity, rfq * 4 + place as _row, day
from (
    select rfqs.*, place, hash(rfq, place, 9) as chance, chance % 100 < 85 as answers
    from ({_RFQS}) as rfqs, range({ASKED}) as places (place)
)
"""
_PRICES = f"""
select
    'S' || security as security_id, day + to_milliseconds((32000 + time * 6000) * 1000) as as_of,
    100 + (hash(security, day, time) % 100)::integer / 400 as mid, mid - 0.1 as bid, mid + 0.1 as ask,
    'COMPOSITE' as source, security * 10 + time as _row, day
from (
    select security, time, date '{FIRST_DAY}' + n::integer as day
    from range({{first}}, {{last}}) as days (n), range({SECURITIES}) as bonds (security),
    range({PRICES_PER_DAY}) as times (time)
)
"""
_RESULTS = f"""
select
    rfq_id as execution_ref, 'SCALE' as vendor, 'price_reversion' as metric, 1800.0 as horizon_s,
    (_row % 21 - 10) / 5 as value, 'bps' as unit,
    'GAIN' as positive_is, 'MID' as reference, executed_at + interval 40 minute as computed_at, _row, day
from ({_ASKED}) where outcome = 'TRADED'
"""
# Of fifty reports one corrects another of its day and one cancels one of the day before.
_PRINTS = f"""
select
    'T' || lpad(n::varchar, 10, '0') as trade_id,
    case n % 50
        when 0 then 'T' || lpad((n + 7)::varchar, 10, '0')
        when 1 then 'T' || lpad((n - {PRINTS_PER_DAY})::varchar, 10, '0')
    end as original_trade_id,
    'S' || hash(n) % {SECURITIES} as security_id, date '{FIRST_DAY}' + cast(n // {PRINTS_PER_DAY} as integer) as day,
    day + to_milliseconds((32400 + hash(n, 2) % 25000)::bigint * 1000) as executed_at,
    100 + (hash(n, 3) % 100)::integer / 400 as price, [1e5, 1e6, 5e6][1 + (n % 3)] as quantity, n % 3 = 2 as quantity_capped,
    'B' as reporting_side, case n % 50 when 0 then 'CORRECT' when 1 then 'CANCEL' else 'NEW' end as status, n as _row
from range({{first}} * {PRINTS_PER_DAY}, {{last}} * {PRINTS_PER_DAY}) as numbers (n)
"""
TABLES = {"rfq_log": _ASKED, "reference_prices": _PRICES, "tca_results": _RESULTS, "trades": _PRINTS}


def write(folder: Path, days: int, tables: Iterable[str]) -> None:
    """Write so many days of these tables from FIRST_DAY on as ``TABLE/day=DATE/data_0.parquet``."""
    for start in range(0, days, 200):
        with duckdb.connect(config={"threads": "1"}) as connection:
            for table in tables:
                made = TABLES[table].format(first=start, last=min(start + 200, days))
                stamped = f"select * exclude (day), {_STAMPS.format(table=table)}, day from ({made}) as made"
                (folder / table).mkdir(parents=True, exist_ok=True)
                connection.execute(
                    f"copy ({stamped}) to '{folder / table}' (format parquet, partition_by (day), overwrite_or_ignore)"
                )


def deliver(folder: Path, days: range) -> None:
    """Deliver these days, counted from FIRST_DAY, as a vendor would: Parquet, a file per table and day, and the masters."""
    with duckdb.connect(config={"threads": "1"}) as connection, tempfile.TemporaryDirectory(dir=folder) as work:
        for table, query in masters().items():
            connection.execute(f"copy ({query}) to '{folder / table}.parquet' (format parquet)")
        for table, rows in TABLES.items():
            made = f"select * exclude (_row) from ({rows.format(first=days.start, last=days.stop)}) as made"
            connection.execute(f"copy ({made}) to '{work}/{table}' (format parquet, partition_by (day))")
            for path in Path(work, table).glob("day=*/data_0.parquet"):
                path.rename(folder / f"{table}-{path.parent.name.removeprefix('day=')}.parquet")


def masters() -> dict[str, str]:
    """Give the queries of dealers and securities, in the columns that the build reads."""
    dealers = "'D' || n as dealer_id, 'Dealer ' || n as name, 'CORP' as specialties, 'ACTIVE' as status"
    securities = (
        "'S' || n as security_id, ['CORP', 'MUNI', 'STRUCTURED', 'EM'][1 + (n % 4)] as asset_class, 'I' || n // 5 as issuer_id, "
        "['A', 'B', 'C'][1 + (n % 3)] as sector, 'USD' as currency, date '2031-01-01' + (n % 9000)::integer as maturity_date, "
        "['AA', 'BBB', 'BB', null][1 + (n % 4)] as rating_sp"
    )
    return {
        "dealers": f"select {dealers} from range({DEALERS}) as numbers (n)",
        "securities": f"select {securities} from range({SECURITIES}) as numbers (n)",
    }
