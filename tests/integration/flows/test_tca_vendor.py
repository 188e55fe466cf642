"""A real REST TCA vendor: pages, tokens, 429 and 5xx, late and revised results; executions posted, results landed as they are."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
import time_machine

from expectations.contracts.home import Home
from expectations.contracts.vocabulary import Side
from flows.deliveries import land_new
from flows.executions import post_executions
from flows.landing import Landing
from flows.sources.config import Auth, SourceConfig
from flows.sources.pulled import SourceError
from flows.sources.registry import pull
from flows.transform import batches_to_use
from sim.vendors.tca_book import PostedExecution, Result
from sim.vendors.tca_service import RunningVendor, Temper, running_tca_vendor
from tests.fakes.traded_journal import write_journal

MAPPING = Path(__file__).parents[3] / "config" / "mappings" / "plumb_tca.yml"
DAY = datetime(2025, 6, 3, 9, tzinfo=UTC)
COUNT = 12


@dataclass
class Deal:
    """A vendor, our source on it, and the hour that both go by."""

    home: Home
    source: SourceConfig
    vendor: RunningVendor
    clock: list[datetime] = field(default_factory=list)

    def at(self, now: datetime) -> int:
        """Pull and land what the vendor has at that hour; give how many deliveries were new."""
        self.clock[:] = [now]
        with time_machine.travel(now, tick=True):
            pulled = pull(self.source)
        landing = Landing(self.home)
        before = len(landing.receipts())
        assert land_new(landing, pulled, now=now, not_after=now).problems == []
        return len(landing.receipts()) - before

    def used(self, now: datetime) -> set[tuple[object, ...]]:
        """Give the rows that a refresh would use: of each file the newest version, of each key the newest row."""
        landing = Landing(self.home)
        files = [str(landing.data(receipt)) for receipt in batches_to_use(landing, ["plumb"], known_at=now)]
        with duckdb.connect() as connection:
            return set(
                connection.execute(
                    "select execution_ref, metric, horizon_s, value, computed_at, positive_is, unit, reference "
                    "from read_parquet(?, union_by_name = true) qualify row_number() over (partition by execution_ref, vendor, "
                    "metric, horizon_s, reference order by _landed_at desc, _file desc, _row desc) = 1",
                    [files],
                ).fetchall()
            )

    def truth(self, now: datetime) -> set[tuple[object, ...]]:
        return {canonical(result) for result in self.vendor.book.standing(now)}


def canonical(result: Result) -> tuple[object, ...]:
    metric = {"IS": "implementation_shortfall", "REVERSION": "price_reversion", "IMPACT": "market_impact"}[result.measure]
    computed = result.computed_at.replace(tzinfo=None)
    return (
        result.execution_ref,
        metric,
        result.horizon_s,
        result.cost_bps,
        computed,
        "COST",
        "bps",
        result.benchmark.upper(),
    )


@pytest.fixture
def deal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deal]:
    monkeypatch.setenv("PLUMB_TOKEN", "a-token-nobody-may-read")
    mapping = tmp_path / "plumb_tca.yml"
    mapping.write_text(MAPPING.read_text().replace('start: "2025-01-01"', 'start: "2025-06-01"'))
    clock = [DAY]
    temper = Temper(fault_share=0.1, crowded_share=0.04, requests_per_s=100, page_rows=10)
    with running_tca_vendor(token="a-token-nobody-may-read", temper=temper, now=lambda: clock[0]) as vendor:
        source = SourceConfig(
            name="plumb",
            kind="rest",
            path=vendor.url,
            mapping=str(mapping),
            auth=Auth(bearer="PLUMB_TOKEN"),
            rate_per_s=500,
            downloads=str(tmp_path / "downloads"),
        )
        yield Deal(Home(tmp_path / "home"), source, vendor, clock)


def test_executions_go_out_once_and_results_land_as_the_vendor_has_them_late_and_revised_ones_too(
    deal: Deal, tmp_path: Path
) -> None:
    journal = write_journal(tmp_path / "journal.db", COUNT, DAY)
    assert [post_executions(deal.source, journal) for _ in range(2)] == [COUNT, 0]
    # A crash that lost the note: everything is sent again and counts once.
    (Path(deal.source.downloads) / "posted.json").unlink()
    assert post_executions(deal.source, journal) == COUNT
    assert [one.execution_ref for one in deal.vendor.book.executions] == [f"R{number:03d}" for number in range(1, COUNT + 1)]

    first = DAY + timedelta(hours=8)
    assert deal.at(first) == 1
    assert deal.used(first) == deal.truth(first)
    assert deal.at(first) == 0
    seen = [deal.truth(first)]
    for hours in (26, 80, 24 * 11):
        now = DAY + timedelta(hours=hours)
        deal.at(now)
        assert deal.used(now) == deal.truth(now)
        seen.append(deal.truth(now))
    assert len(seen[0]) < len(seen[1])
    # Some figure was revised on the way, so that the test has seen one.
    assert {row[:3] for row in seen[-2]} & {row[:3] for row in seen[-1] - seen[-2]}
    assert deal.vendor.turned_away.get(429)
    assert any(status >= 500 for status in deal.vendor.turned_away)
    # What was known at an earlier hour can still be told.
    assert deal.used(first) == seen[0]


def test_an_execution_that_the_vendor_refuses_keeps_no_other_from_going_out(deal: Deal, tmp_path: Path) -> None:
    other = PostedExecution("R002", "037833100", Side.BUY, 77.0, 1.0, DAY)
    assert deal.vendor.book.take(other)
    journal = write_journal(tmp_path / "journal.db", 3, DAY)
    assert [post_executions(deal.source, journal) for _ in range(2)] == [2, 0]
    assert {one.execution_ref for one in deal.vendor.book.executions} == {"R001", "R002", "R003"}


def test_a_wrong_token_is_told_in_one_line_without_the_token(deal: Deal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMB_TOKEN", "another-secret-token")
    with pytest.raises(SourceError, match=r"'plumb': GET .*/results was answered with 401 .*check `auth`") as refused:
        deal.at(DAY)
    assert "another-secret-token" not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.__cause__ is None  # it will not pass by itself


def test_a_vendor_that_has_gone_is_a_fault_that_may_pass(deal: Deal, monkeypatch: pytest.MonkeyPatch) -> None:
    import stamina

    gone = SourceConfig(
        name="plumb", kind="rest", path="http://127.0.0.1:1", mapping=deal.source.mapping, downloads=deal.source.downloads
    )
    with stamina.set_testing(True), pytest.raises(SourceError, match="failed: ConnectError") as refused:
        pull(gone)
    assert isinstance(refused.value.__cause__, OSError)
