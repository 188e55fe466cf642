"""The New York Fed's real release, as far as landing: nothing is lost, nothing is invented."""

import csv
import gzip
import os
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import msgspec
import pytest

from expectations.contracts.home import Home
from flows.landing import Landing
from flows.sources.config import SourceConfig
from tests.fakes import plain_refresh

DATA = Path(os.environ.get("SOTTO_NYFED_TSY") or Path(__file__).parents[4] / "shared" / "data" / "nyfed_tsy")

pytestmark = pytest.mark.skipif(
    not (DATA / "dealer_aliases.json").is_file(),
    reason=f"the New York Fed's trades are not in {DATA}: set SOTTO_NYFED_TSY to the folder that holds them",
)


def test_the_release_lands_whole_and_every_figure_is_that_of_its_fills(tmp_path: Path) -> None:
    names = msgspec.json.decode((DATA / "dealer_aliases.json").read_bytes(), type=dict[str, str])
    fills: dict[tuple[str, str, str], dict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted(DATA.glob("trades_*.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                side = {"Purchase": "BUY", "Sale": "SELL"}[row["side_fed"]]
                dealer = names.get(row["counterparty"], row["counterparty"])
                rfq = fills[row["trade_date"], row["cusip"], side]
                rfq[dealer].append((float(row["price"]), float(row["par_mm"]) * 1e6))

    home = Home(tmp_path)
    landed = plain_refresh.land(home, SourceConfig(name="nyfed", kind="nyfed_tsy", path=str(DATA)), now=datetime.now(UTC))
    receipts = {receipt.table: receipt for receipt in landed}
    assert {table: receipt.rejected for table, receipt in receipts.items()} == dict.fromkeys(receipts, 0)
    assert receipts["rfq_log"].rows == sum(len(dealers) for dealers in fills.values())
    assert receipts["dealers"].rows == len({dealer for dealers in fills.values() for dealer in dealers})
    assert receipts["securities"].rows == len({cusip for _, cusip, _ in fills})

    with duckdb.connect() as connection:
        connection.execute(f"create view rfqs as from read_parquet('{Landing(home).data(receipts['rfq_log'])}')")
        connection.execute(f"create view dealers as from read_parquet('{Landing(home).data(receipts['dealers'])}')")
        rows = connection.execute(
            "select asked_at::date::varchar, security_id, client_side, name, executed_price, executed_quantity, arrival_mid, "
            "dealers_asked from rfqs join dealers using (dealer_id)"
        ).fetchall()
    assert len(rows) == receipts["rfq_log"].rows
    prices = {
        (*place, dealer): sum(price * par for price, par in own) / sum(par for _, par in own)
        for place, dealers in fills.items()
        for dealer, own in dealers.items()
    }
    for day, cusip, side, dealer, price, par, mid, asked in rows:
        rfq = fills[day, cusip, side]
        others = [prices[day, cusip, side, other] for other in rfq if other != dealer]
        assert price == pytest.approx(prices[day, cusip, side, dealer], abs=1e-9)
        assert par == pytest.approx(sum(own for _, own in rfq[dealer]))
        assert asked == len(rfq)
        assert mid is None if not others else mid == pytest.approx(sum(others) / len(others), abs=1e-9)
