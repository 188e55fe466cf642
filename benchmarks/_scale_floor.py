"""The same figures without the project: one DuckDB statement, and pandas. Read from the same files, written by hand.

The figures are the daily statistics per dealer and class of the whole history, and the sums of every window and half-life.
"""

from datetime import date
from pathlib import Path

import duckdb

_CLASS = (
    "case when asset_class <> 'CORP' then asset_class when rating_sp is null then 'CORP_NR' "
    "when rating_sp in ('AA', 'BBB') then 'CORP_IG' else 'CORP_HY' end"
)
_NEWEST = "qualify row_number() over (partition by {key} order by _landed_at desc, _file desc, _row desc) = 1"
_STATEMENT = """
create or replace table floor as
with rfqs as (select * from {rfq_log} {newest_rfqs}),
prices as (select security_id, as_of, avg(mid) as mid from (select * from {reference_prices} {newest_prices}) group by all),
results as (
    select execution_ref as rfq_id, avg(case positive_is when 'GAIN' then value else -value end) as reversion
    from (select * from {tca_results} {newest_results}) where metric = 'price_reversion' and horizon_s = 1800 group by all
),
measured as (
    select
        rfqs.*, {class_of} as scorecard_class,
        if(outcome = 'TRADED', results.reversion, null) as reversion,
        if(client_side = 'BUY', 1, -1) * (prices.mid - executed_price) / prices.mid * 10000 as gain,
        date_diff('millisecond', asked_at, responded_at) / 1000.0 as seconds, least(1.0, quote_quantity / quantity) as ratio
    from rfqs
    inner join securities using (security_id)
    inner join dealers using (dealer_id)
    left join results using (rfq_id)
    asof left join prices on rfqs.security_id = prices.security_id and rfqs.asked_at >= prices.as_of
),
days as (
    select
        dealer_id, cast(asked_at as date) as day, scorecard_class, count(*) as asked,
        count(*) filter (response = 'QUOTED') as quoted,
        count(*) filter (outcome = 'TRADED') as won, count(gain) as gain_n, sum(gain) as gain, sum(gain * gain) as gain_2,
        count(reversion) as rev_n, sum(reversion) as rev, sum(reversion * reversion) as rev_2, count(seconds) as sec_n,
        sum(seconds) as sec, sum(seconds * seconds) as sec_2, count(ratio) as ratio_n,
        sum(ratio) as ratio, sum(ratio * ratio) as ratio_2
    from measured group by all
),
spans as (select unnest([30, 60, 90, 180]) as span, half from (select unnest([0, 60]) as half)),
weighed as (
    select days.*, span, half, if(half = 0, 1.0, pow(0.5, (date '{last}' - day) / half)) as w
    from days inner join spans on day > date '{last}' - span
)
select span, half, scorecard_class, dealer_id, {sums} from weighed group by all
"""
_COUNTS = ("asked", "quoted", "won", "gain_n", "rev_n", "sec_n", "ratio_n")
# The columns that pandas needs: the others would only fill the memory.
_READ = {
    "rfq_log": "rfq_id, dealer_id, security_id, client_side, response, outcome, asked_at, responded_at, quantity, quote_quantity, "
    "executed_price, _landed_at, _file, _row",
    "reference_prices": "security_id, as_of, source, mid, _landed_at, _file, _row",
    "tca_results": "execution_ref, vendor, metric, horizon_s, value, _landed_at, _file, _row",
}
_SUMS = ("gain", "gain_2", "rev", "rev_2", "sec", "sec_2", "ratio", "ratio_2")


def one_statement(connection: duckdb.DuckDBPyConnection, files: dict[str, list[Path]], last: date) -> int:
    """Compute everything in one statement; give the rows."""
    read = {table: f"read_parquet({[str(path) for path in paths]})" for table, paths in files.items()}
    keys = {
        "rfqs": "rfq_id, dealer_id",
        "prices": "security_id, as_of, source",
        "results": "execution_ref, vendor, metric, horizon_s",
    }
    newest = {f"newest_{name}": _NEWEST.format(key=key) for name, key in keys.items()}
    sums = [f"sum(w * {name}), sum(w * w * {name})" for name in _COUNTS] + [f"sum(w * {name})" for name in _SUMS]
    connection.execute(_STATEMENT.format(**read, **newest, class_of=_CLASS, sums=", ".join(sums), last=last))
    return int(connection.execute("select count(*) from floor").fetchall()[0][0])


def with_pandas(connection: duckdb.DuckDBPyConnection, files: dict[str, list[Path]], last: date) -> int:
    """Compute the same with pandas (the files are read by DuckDB, which is faster); give the rows."""
    import pandas as pd

    read = {
        table: connection.execute(f"select {_READ[table]} from read_parquet({[str(path) for path in paths]})").df()
        for table, paths in files.items()
    }
    order = ["_landed_at", "_file", "_row"]
    rfqs = read["rfq_log"].sort_values(order).drop_duplicates(["rfq_id", "dealer_id"], keep="last")
    prices = read["reference_prices"].sort_values(order).drop_duplicates(["security_id", "as_of", "source"], keep="last")
    results = (
        read["tca_results"].sort_values(order).drop_duplicates(["execution_ref", "vendor", "metric", "horizon_s"], keep="last")
    )
    bonds = connection.execute(f"select security_id, {_CLASS} as scorecard_class from securities").df()
    rfqs = rfqs.merge(bonds, on="security_id")
    mids = prices.groupby(["security_id", "as_of"], as_index=False)["mid"].mean().sort_values("as_of")
    rfqs = pd.merge_asof(rfqs.sort_values("asked_at"), mids, left_on="asked_at", right_on="as_of", by="security_id")
    reversion = results.groupby("execution_ref")["value"].mean().rename("rev")
    rfqs = rfqs.merge(reversion, how="left", left_on="rfq_id", right_index=True)
    rfqs["day"] = rfqs["asked_at"].dt.normalize()
    traded = rfqs["outcome"].eq("TRADED")
    rfqs["quoted"], rfqs["won"], rfqs["rev"] = rfqs["response"].eq("QUOTED"), traded, rfqs["rev"].where(traded)
    sign = rfqs["client_side"].map({"BUY": 1, "SELL": -1})
    rfqs["gain"] = sign * (rfqs["mid"] - rfqs["executed_price"]) / rfqs["mid"] * 10_000
    rfqs["sec"] = (rfqs["responded_at"] - rfqs["asked_at"]).dt.total_seconds()
    rfqs["ratio"] = (rfqs["quote_quantity"] / rfqs["quantity"]).clip(upper=1)
    for name in ("gain", "rev", "sec", "ratio"):
        rfqs[f"{name}_2"], rfqs[f"{name}_n"] = rfqs[name] ** 2, rfqs[name].notna()
    rfqs["asked"] = 1
    names = [*_COUNTS, *_SUMS]
    days = rfqs.groupby(["dealer_id", "day", "scorecard_class"], as_index=False)[names].sum()
    age = (pd.Timestamp(last) - days["day"]).dt.days
    rows = 0
    for span in (30, 60, 90, 180):
        for half in (0, 60):
            weight = 0.5 ** (age / half) if half else age * 0 + 1.0
            weighed = days[names].mul(weight, axis=0).assign(**{key: days[key] for key in ("dealer_id", "scorecard_class")})
            rows += len(weighed[age < span].groupby(["dealer_id", "scorecard_class"])[names].sum())
    return rows
