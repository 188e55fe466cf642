"""Which batches a refresh uses, what a source must deliver again, and the gate's page."""

from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import msgspec

from expectations.contracts.home import Home
from expectations.contracts.snapshot import GateResult, Severity
from expectations.contracts.sources import TABLES
from flows.data_docs import write_gate_page
from flows.deliveries import missing_needed, missing_tables
from flows.landing import Receipt
from flows.landing_index import are_alike
from flows.layout import columns_of, layout_of
from flows.sources.config import SourceConfig
from flows.transform import batches_to_use, lay_views
from tests.fakes import vendor
from tests.unit.flows.conftest import NOW, Desk

MARKET = SourceConfig(name="market", kind="canonical", path="market")


def test_the_newest_version_known_by_then_is_used_and_a_held_one_never(desk: Desk) -> None:
    versions = []
    for hour, count in enumerate((2, 3, 4)):
        vendor.deliver(desk.vendor, "trades.csv", vendor.rows("trades", count))
        versions += desk.land(now=NOW + timedelta(hours=hour))
    first, second, third = versions

    def used(hour: float) -> list[object]:
        return batches_to_use(desk.landing, ["market"], known_at=NOW + timedelta(hours=hour))

    assert [used(-0.1), used(0), used(1.5), used(9)] == [[], [first], [second], [third]]
    desk.landing.hold([third], reason="bad", at=NOW)
    assert used(9) == [second]
    assert batches_to_use(desk.landing, ["another"], known_at=NOW + timedelta(hours=9)) == []


def test_what_is_landed_after_the_clock_was_set_back_is_the_newest_all_the_same(desk: Desk) -> None:
    vendor.deliver(desk.vendor, "trades.csv", vendor.rows("trades", 2))
    assert desk.landing.instant(NOW) == NOW
    desk.land()
    an_hour_back = NOW - timedelta(hours=1)
    assert desk.landing.instant(an_hour_back) > NOW
    vendor.deliver(desk.vendor, "trades.csv", vendor.rows("trades", 3))
    (corrected,) = desk.land(now=desk.landing.instant(an_hour_back))
    known = desk.landing.instant(an_hour_back)
    assert batches_to_use(desk.landing, ["market"], known_at=known) == list(desk.landing.newest().values()) == [corrected]


def test_the_views_show_the_batches_used_and_nothing_where_there_is_none(desk: Desk) -> None:
    vendor.deliver(desk.vendor, "trades-a.csv", vendor.rows("trades", 2))
    vendor.deliver(desk.vendor, "trades-b.csv", [row | {"note": "x"} for row in vendor.rows("trades", 3)])
    vendor.deliver(desk.vendor, "axes.csv", vendor.rows("axes", 2))
    axes, *trades = desk.land()
    lay_views(desk.home, desk.landing, [axes, *trades], new=trades)
    with duckdb.connect(str(desk.home.warehouse), read_only=True) as connection:
        counts = {table: connection.execute(f"select count(*) from landing.{table}").fetchall()[0][0] for table in TABLES}
        fresh = connection.execute(
            "select table_name, count(*) filter (where is_new) from landing.receipts group by all"
        ).fetchall()
    assert {table: count for table, count in counts.items() if count} == {"trades": 5, "axes": 2}
    assert dict(fresh) == {"trades": 2, "axes": 0}


def test_every_landed_file_has_the_columns_and_types_that_its_layout_says(desk: Desk) -> None:
    for table in TABLES:
        vendor.deliver(desk.vendor, f"{table}.csv", [row | {"note": "x"} for row in vendor.rows(table, 2)])
    for receipt in desk.land():
        table = TABLES[receipt.table]
        assert receipt.layout == layout_of(table)
        with duckdb.connect() as connection:
            found = connection.execute("describe select * from read_parquet(?)", [str(desk.landing.data(receipt))]).fetchall()
        columns = columns_of(table)
        assert {name: kind for name, kind, *_ in found if name in columns} == columns


def test_a_file_landed_by_an_earlier_version_has_nothing_where_it_lacks_a_column(desk: Desk) -> None:
    vendor.deliver(desk.vendor, "axes-a.csv", vendor.rows("axes", 2))
    vendor.deliver(desk.vendor, "axes-b.csv", vendor.rows("axes", 3))
    newer, older = desk.land()
    path = desk.landing.data(older)
    with duckdb.connect() as connection:
        connection.execute(f"create table kept as select * exclude (quantity) from read_parquet('{path}')")
        connection.execute(f"copy kept to '{path}' (format parquet)")
    lay_views(desk.home, desk.landing, [newer, msgspec.structs.replace(older, layout="")], new=[])
    with duckdb.connect(str(desk.home.warehouse), read_only=True) as connection:
        assert connection.execute("select count(*), count(quantity) from landing.axes").fetchall() == [(5, 2)]
        assert [are_alike(connection, name) for name in ("axes", "trades")] == [False, True]


def test_the_gate_reads_new_deliveries_and_of_prices_those_of_the_week_around_them(desk: Desk) -> None:
    for day in (1, 12, 20, 26, 28):
        prices = [row | {"as_of": f"2025-05-{day:02}T15:00:00Z"} for row in vendor.rows("reference_prices", 2)]
        vendor.deliver(desk.vendor, f"reference_prices-{day:02}.csv", prices)
        vendor.deliver(desk.vendor, f"rfq_log-{day:02}.csv", vendor.rows("rfq_log", 3))
        prints = [row | {"executed_at": f"2025-05-{day:02}T15:00:00Z"} for row in vendor.rows("trades", 1)]
        vendor.deliver(desk.vendor, f"trades-{day:02}.csv", prints)
    landed = desk.land()
    new = [receipt for receipt in landed if receipt.file.endswith("-20.csv")]

    def read(new: list[Receipt]) -> dict[str, list[str]]:
        lay_views(desk.home, desk.landing, landed, new=new)
        with duckdb.connect(str(desk.home.warehouse), read_only=True) as connection:
            return {
                table: [
                    file[-6:-4]
                    for (file,) in connection.execute(f"select distinct _file from landing.{table} order by 1").fetchall()
                ]
                for table in ("new_rfq_log", "new_reference_prices", "new_trades")
            }

    assert read(new) == {"new_rfq_log": ["20"], "new_reference_prices": ["20", "26"], "new_trades": ["20"]}
    assert read([]) == {"new_rfq_log": [], "new_reference_prices": [], "new_trades": []}
    assert read(landed)["new_reference_prices"] == ["01", "12", "20", "26", "28"]


def test_a_table_delivered_before_and_gone_now_is_missing_unless_optional(desk: Desk) -> None:
    vendor.deliver(desk.vendor, "trades.csv", vendor.rows("trades", 2))
    vendor.deliver(desk.vendor, "axes.csv", vendor.rows("axes", 2))
    desk.land()
    (desk.vendor / "axes.csv").unlink()
    (told,) = missing_tables(desk.landing, MARKET, desk.pull())
    assert "axes was delivered before and is missing" in told
    assert "'market'" in told
    lenient = SourceConfig(name="market", kind="canonical", path="market", optional=["axes"])
    assert missing_tables(desk.landing, lenient, desk.pull()) == []


def test_tables_that_no_refresh_can_do_without_are_named_once(desk: Desk) -> None:
    vendor.deliver(desk.vendor, "dealers.csv", vendor.rows("dealers", 2))
    assert missing_needed(desk.pull(), [], []) == [
        "no source gives securities, rfq_log: a refresh needs rfq_log, dealers and securities"
    ]
    assert missing_needed(desk.pull(), [], ["something else is wrong already"]) == []


class Page(HTMLParser):
    """What a page loads, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in {"src", "href", "action", "data"}]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_gate_s_page_needs_nothing_from_elsewhere_and_shows_failures_first(tmp_path: Path) -> None:
    results = [
        GateResult(suite="trades", check="rejected_share", passed=True, harm="None."),
        GateResult(
            suite="axes", check="repeated_share", passed=False, harm="A <b>flood</b>.", observed="<script>alert(1)</script>"
        ),
        GateResult(suite="drift", check="odd", passed=False, harm="None.", severity=Severity.WARNING, node="model.sotto.x"),
    ]
    path = write_gate_page(Home(tmp_path), "20250630T220000Z-abc", results)
    assert path == tmp_path / "data_docs" / "20250630T220000Z-abc.html"
    html = path.read_text(encoding="utf-8")
    assert "http://" not in html
    assert "https://" not in html
    page = Page()
    page.feed(html)
    # The other reports lie beside it.
    assert page.loads == ["index.html"]
    assert '<a href="20250630T220000Z-abc.html">' in (path.parent / "index.html").read_text(encoding="utf-8")
    assert {"script", "link", "b", "img"}.isdisjoint(page.tags)
    assert "1 checks passed, 1 warned, 1 failed" in page.text
    assert page.text.index("repeated_share") < page.text.index("odd") < page.text.index("rejected_share")
    assert "<script>alert(1)</script>" in page.text
