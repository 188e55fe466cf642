"""What rules cost: reading a book, deciding its conditions on dealers when a snapshot changes, and running it for an order.

In process, without HTTP or the journal; medians. "every rule run" is the same book with each condition evaluated in turn.
"""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from expectations.contracts.home import Home
from serve.adapters.desk_config import load_desk, read_desk
from serve.adapters.snapshot_reader import read_market
from serve.domain.advise import Desk, advise
from serve.domain.liquidity import judge
from serve.domain.market import Market
from serve.domain.order_facts import order_time, order_variables
from serve.domain.orders import Order
from serve.domain.rules import Verdict, decide
from serve.domain.rules_bench import Bench
from serve.domain.shortlist import Shortlists
from serve.settings import Settings
from tests.fakes.snapshot import CLASSES, FIGURES, LIQUID_IG, Rows, scorecards, small_market, write_snapshot

ROUNDS = 300
BOOKS = (1, 10, 200, 1_000)
DEALERS = (8, 1_000)
SIDES, SECTORS = ("BUY", "SELL"), ("ENERGY", "INDUSTRIALS", "UTILITIES", "FINANCIALS", "TECHNOLOGY")
ORDER = {
    "order_id": "bench-1",
    "security_id": LIQUID_IG,
    "security_id_type": "CUSIP",
    "side": "SELL",
    "quantity": 1_000_000,
    "currency": "USD",
    "received_at": "2026-01-30T21:00:00Z",
}


def main(_: Sequence[str] = ()) -> None:
    """Measure and print."""
    with TemporaryDirectory() as folder:
        markets = {count: _market(Path(folder) / str(count), count) for count in DEALERS}
    desks = {count: _desk(count) for count in BOOKS}
    for count, desk in desks.items():
        taken = _best(lambda desk=desk: read_desk(desk.source, desk.scoring), 3)  # type: ignore[misc]
        print(f"read and check a book of {count:>5} rules: {taken * 1e3:8.1f} ms")
    for count, market in markets.items():
        warm = _best(lambda market=market: Bench(market, desks[200].book).warm(), 3)  # type: ignore[misc]
        print(f"decide conditions on dealers, 200 rules x {count:>5} dealers, all classes: {warm * 1e3:8.1f} ms")
    _rules(markets[DEALERS[0]], desks)
    _recommendations(markets, desks)


def _rules(market: Market, desks: dict[int, Desk]) -> None:
    values = _values(market, desks[1])
    base = _median(lambda: decide(desks[1].book, values))
    for count, desk in desks.items():
        indexed = _median(lambda desk=desk: decide(desk.book, values))  # type: ignore[misc]
        naive = _median(lambda desk=desk: _run_all(desk, values), 50)  # type: ignore[misc]
        over = f"{indexed / base:5.2f} x one rule"
        print(f"decide an order by {count:>5} rules: {indexed * 1e6:8.1f} us ({over}); every rule run {naive * 1e6:9.1f} us")


def _recommendations(markets: dict[int, Market], desks: dict[int, Desk]) -> None:
    order = msgspec.convert(ORDER, Order)
    cases = [(dealers, rules) for dealers in DEALERS for rules in (1, 200, 1_000)]
    for dealers, rules in cases:
        market, desk = markets[dealers], desks[rules]
        Bench.of(market, desk.book).warm()
        taken = _median(lambda market=market, desk=desk: advise(order, market.securities[LIQUID_IG], market, desk, "bench"))  # type: ignore[misc]
        fresh = _median(lambda market=market, desk=desk: _afresh(order, market, desk), 30)  # type: ignore[misc]
        made = f"{fresh * 1e3:7.3f} ms where the choice is made anew"
        print(f"recommend, {dealers:>5} dealers, {rules:>5} rules: {taken * 1e3:7.3f} ms as orders repeat, {made}")


def _afresh(order: Order, market: Market, desk: Desk) -> object:
    """Recommend with nothing known but what is worked out when a snapshot or a book changes."""
    bench = Bench.of(market, desk.book)
    bench.shortlists = Shortlists(dealer.credit_limit for dealer in market.dealers.values())
    return advise(order, market.securities[LIQUID_IG], market, desk, "bench")


def _run_all(desk: Desk, values: dict[str, object]) -> int:
    return sum(rule.when.evaluate(values) is Verdict.TRUE for rule in (*desk.book.selects, *desk.book.constrains))


def _values(market: Market, desk: Desk) -> dict[str, object]:
    order, security = msgspec.convert(ORDER, Order), market.securities[LIQUID_IG]
    view = judge(market, security, order.quantity, order_time(order, market).date(), desk.thresholds)
    return order_variables(order, security, view, market)


def _desk(count: int) -> Desk:
    """Make a book as a desk's grows: by class, side, sector and size, picks with a condition on dealers, one limit in ten."""
    config = Settings().config
    shipped = load_desk(config / "rules.yml", config / "scoring.yml")
    head = shipped.source.split("\nrules:")[0]
    classes = [*CLASSES, "STRUCTURED", "AGENCY", "EM"]
    rules = []
    for number in range(count):
        name, side, sector = classes[number % 8], SIDES[number // 8 % 2], SECTORS[number // 16 % 5]
        when = (
            f"order.scorecard_class == '{name}' && order.side == {side} && order.sector == '{sector}'"
            f" && order.notional > mm({number + 2})"
        )
        if number % 10 == 9:
            rules.append(f'  - {{id: R{number}, kind: constrain, when: "{when}", max_dealers: 5}}')
        else:
            where = f'"MUNI" in dealer.specialties || dealer.scores.hit_rate > {number / 1000}'
            pick = f"[{{tier: 1, take: all}}, {{tier: 2, where: '{where}', take: 2}}]"
            rules.append(f'  - {{id: R{number}, kind: select, priority: {count - number}, when: "{when}", pick: {pick}}}')
    return read_desk(f"{head}\nrules:\n" + "\n".join(rules) + "\n", shipped.scoring)


def _market(home: Path, dealers: int) -> Market:
    rows: Rows = small_market()
    if dealers > len(FIGURES):
        copies = dealers // len(FIGURES)
        names = {f"{name}{copy:03}": raw for name, raw in FIGURES.items() for copy in range(copies)}
        rows["dim_dealers"] = [
            row | {"dealer_id": f"{row['dealer_id']}{copy:03}", "name": f"{row['name']} {copy}"}
            for row in rows["dim_dealers"]
            for copy in range(copies)
        ]
        rows["fct_dealer_scorecards"] = [row for name in CLASSES for row in scorecards(name, 90, names)]
        for table in ("fct_dealer_affinity", "fct_dealer_axes"):
            rows[table] = [row | {"dealer_id": f"{row['dealer_id']}000"} for row in rows[table]]
    market = read_market(Home(home).snapshots / write_snapshot(home, rows))
    return replace(market, memo={})


def _median(call: Callable[[], object], rounds: int = ROUNDS) -> float:
    for _ in range(5):
        call()
    gc.collect()
    return statistics.median(_timed(call) for _ in range(rounds))


def _best(call: Callable[[], object], rounds: int) -> float:
    return min(_timed(call) for _ in range(rounds))


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
