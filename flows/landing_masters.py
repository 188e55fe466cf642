"""What of the masters the days depend on, and which days a change of it can reach.

A day's tables hold what the masters said of its dealers and securities: who bears a name, and a security's class, sector,
issuer and maturity. What else they say (a credit limit, an amount outstanding) is read anew in every build.
"""

from collections.abc import Iterable
from datetime import date

import duckdb
import msgspec

from flows import landing_index as index

# Of each kind its newest version, as staging takes it: names borne, what tells who is meant, what is noted beside it.
_NEWEST = "qualify row_number() over (partition by {key} order by _landed_at desc, _file desc, _row desc) = 1"
_STATES = f"""
select 'security' as kind, security_id as key, [security_id, cusip, isin, figi] as names,
    md5(cast(row(cusip, isin, figi) as varchar)) as identity,
    md5(cast(row(asset_class, issuer_id, sector, maturity_date, rating_sp, rating_moodys, rating_fitch) as varchar)) as attributes
from (from landing.securities {_NEWEST.format(key="security_id")})
union all
select 'dealer', dealer_id, [dealer_id, name], md5(name), ''
from (from landing.dealers {_NEWEST.format(key="dealer_id")})
union all
select 'alias', alias, list_distinct(list(alias) || list(dealer_id)),
    md5(cast(list(row(dealer_id, valid_from, valid_to) order by valid_from) as varchar)), ''
from (from landing.dealer_aliases {_NEWEST.format(key="alias, valid_from")})
group by alias
"""


class Changed(msgspec.Struct, frozen=True):
    """A dealer, alias or security that came, went or changed: all names it bears or bore, and whether these are others now."""

    kind: str
    names: list[str]
    renamed: bool


def take_over(connection: duckdb.DuckDBPyConnection) -> list[Changed]:
    """Bring the masters in the index up to those of landing; give what has changed."""
    connection.execute(f"create or replace temp table states as {_STATES}")
    changed = connection.execute(
        "select coalesce(states.kind, masters.kind), "
        "list_distinct(coalesce(states.names, []) || coalesce(masters.names, [])), "
        "states.identity is distinct from masters.identity "
        "from states full join landing_index.masters using (kind, key) "
        "where states.identity is distinct from masters.identity or states.attributes is distinct from masters.attributes"
    ).fetchall()
    connection.execute("delete from landing_index.masters")
    connection.execute("insert into landing_index.masters select * from states")
    return [Changed(*row) for row in changed]


def rfq_days(connection: duckdb.DuckDBPyConnection, changed: Iterable[Changed]) -> set[date]:
    """Give the days with RFQs in these securities or of these dealers."""
    bonds = {name for item in changed if item.kind == "security" for name in item.names}
    dealers = {name for item in changed if item.kind != "security" for name in item.names}
    # Where a dealer comes or goes, so do the aliases that lead to it.
    led = connection.execute(
        "select key from landing_index.masters where kind = 'alias' and list_has_any(names, cast(? as varchar[]))", [list(dealers)]
    ).fetchall()
    dealers |= {alias for (alias,) in led}
    return index.days_that_name(connection, "rfq_security", bonds) | index.days_that_name(connection, "rfq_dealer", dealers)


def renamed_days(connection: duckdb.DuckDBPyConnection, kind: str, changed: Iterable[Changed]) -> set[date]:
    """Give the days with rows of those securities that are named otherwise now; ``kind`` as in ``days_that_name``.

    A price and a print know nothing else of their security.
    """
    bonds = {name for item in changed if item.kind == "security" and item.renamed for name in item.names}
    return index.days_that_name(connection, kind, bonds)
