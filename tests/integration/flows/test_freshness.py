"""When each table last landed anything, as dbt tells it."""

import duckdb
import pytest

from expectations.contracts.home import Home
from tests.conftest import AS_OF
from tests.fakes import plain_refresh


def test_a_table_that_has_not_landed_for_days_is_late_and_the_others_are_not(copied: Home) -> None:
    with duckdb.connect(str(copied.warehouse)) as connection:
        connection.execute("update landing.receipts set landed_at = now() at time zone 'UTC'")
    assert plain_refresh.dbt(copied, "source", "freshness", as_of=AS_OF) == 7
    with duckdb.connect(str(copied.warehouse)) as connection:
        connection.execute("update landing.receipts set landed_at = landed_at - interval 5 days where table_name = 'rfq_log'")
    with pytest.raises(AssertionError, match=r"^\['rfq_log: [^']*'\]"):
        plain_refresh.dbt(copied, "source", "freshness", as_of=AS_OF)
