"""The kind ``nyfed_tsy``: the New York Fed's outright Treasury trades with named dealers; the Fed is the client.

The release holds accepted offers only and no times of day. What it does not say stays empty: no response times, no quoted
size, no declines. A day, CUSIP and side is one RFQ; a dealer's fills in it are one response at their par-weighted price.
The arrival mid of a response is the mean price of the *other* dealers in the same RFQ, empty for a dealer alone.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from flows.sources.config import SourceConfig
from flows.sources.files import content_hash
from flows.sources.formats import reader
from flows.sources.pulled import Pulled, SourceError, quoted

ALIASES_FILE = "dealer_aliases.json"

_SLUG = "trim(regexp_replace(upper({name}), '[^A-Z0-9]+', '_', 'g'), '_')"

_TRADES = """
with printed as (select * from {trades}),
names (alias, name) as (select * from (values {names}) as listed),
trades as (
    select
        printed.*,
        coalesce(names.name, counterparty) as dealer_name,
        case side_fed when 'Purchase' then 'BUY' when 'Sale' then 'SELL' end as client_side,
        try_cast(par_mm as double) * 1e6 as par,
        try_cast(price as double) as clean_price
    from printed left join names on printed.counterparty = names.alias
)
"""

_RFQ_LOG = """,
responses as (
    select
        trade_date, cusip, client_side, dealer_name,
        -- One fill without a par or a price leaves the response without one: what the others make would be made up.
        case when count(par) = count(*) then sum(par) end as filled,
        case when count(clean_price * par) = count(*) then sum(clean_price * par) / sum(par) end as fill_price
    from trades
    group by all
),
rfqs as (
    select
        responses.*,
        count(*) over rfq as dealers_filled,
        case when count(filled) over rfq = count(*) over rfq then sum(filled) over rfq end as rfq_filled,
        (sum(fill_price) over rfq - fill_price) / nullif(count(fill_price) over rfq - 1, 0) as mean_of_others
    from responses
    window rfq as (partition by trade_date, cusip, client_side)
)
select
    concat_ws('-', trade_date, cusip, client_side) as rfq_id,
    'NYFED' as venue,
    cusip as security_id,
    client_side,
    rfq_filled as quantity,
    'PARALLEL' as protocol,
    trade_date as asked_at,
    {slug} as dealer_id,
    dealers_filled as dealers_asked,
    'QUOTED' as response,
    fill_price as quote_price,
    'TRADED' as outcome,
    fill_price as executed_price,
    filled as executed_quantity,
    mean_of_others as arrival_mid
from rfqs
order by rfq_id, dealer_id
"""

_SECURITIES = """
select
    cusip as security_id,
    cusip,
    'GOVT' as asset_class,
    any_value(issuer) as issuer_id,
    case when any_value(sec_type) in ('IIN', 'IIB') then 'INFLATION_LINKED' else 'NOMINAL' end as sector,
    'USD' as currency,
    any_value(coupon) as coupon,
    any_value(maturity) as maturity_date
from trades
group by cusip
order by cusip
"""

_DEALERS = """
select distinct {slug} as dealer_id, dealer_name as name, 'GOVT' as specialties, 'ACTIVE' as status
from trades
order by dealer_id
"""

_ALIASES = """
select distinct counterparty as alias, {slug} as dealer_id, null as valid_from, null as valid_to
from trades
order by alias
"""

_TABLES = {"dealers": _DEALERS, "dealer_aliases": _ALIASES, "securities": _SECURITIES, "rfq_log": _RFQ_LOG}


def pull(source: SourceConfig) -> Iterator[Pulled]:
    """Map every ``trades_*.csv.gz`` of the folder to four canonical tables.

    Raises SourceError when the folder, the trades or the alias list is missing or not as published.
    """
    folder = Path(source.path)
    aliases = folder / ALIASES_FILE
    paths = sorted(folder.glob("trades_*.csv*"))
    if not paths or not aliases.is_file():
        raise SourceError(f"source {source.name!r}: {folder} must hold trades_*.csv.gz and {ALIASES_FILE}")
    try:
        names = msgspec.json.decode(aliases.read_bytes(), type=dict[str, str])
    except msgspec.DecodeError as error:
        raise SourceError(f"source {source.name!r}: {aliases}: {error}; expected an object of alias: name") from error
    listed = ", ".join(f"({quoted(alias)}, {quoted(name)})" for alias, name in names.items()) or "(null, null)"
    slug = _SLUG.format(name="dealer_name")
    for path in paths:
        digest = hashlib.sha256((content_hash(path) + content_hash(aliases)).encode()).hexdigest()
        head = _TRADES.format(trades=f"({reader(path)})", names=listed)
        for table, select in _TABLES.items():
            own = head + select.format(slug=slug)
            # The lines are those of the log; of the other tables each says once what many of them repeat.
            told = table == "rfq_log"
            yield Pulled(source.name, table, str(path), digest, own, path=str(path), tells_unreadable=told)
