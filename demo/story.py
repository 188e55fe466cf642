"""The story: from an empty folder to a whisper RFQ whose outcome moves a score (M-30 to M-32)."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from demo import published, telling
from demo.errors import DemoError
from demo.processes import Pace, desk_and_dealers
from demo.trader import Trader
from expectations.contracts.home import Home
from expectations.contracts.vocabulary import Side
from flows.orchestration import run_refresh
from flows.refused import Refused
from flows.settings import FlowSettings
from serve.adapters.tokens import TokenFile
from serve.domain.users import Role
from sim.errors import SimulationError
from sim.simulate import simulate
from sim.tca import LiveExecution, tca_for_executions
from sim.world import load_world

__all__ = ["DemoError", "Telling", "tell"]

# A time-out of 20 seconds then takes two of the wall's.
SPEED = 10.0
# The desk's clock starts so far back that, at that speed, the trade and what follows lie in the past when the story ends.
HEAD_START = timedelta(hours=2)
AFTERMATH = timedelta(minutes=40)
QUANTITY = 10_000_000
MOST_TRIES = 4


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """How the demo is to run; ``serve`` leaves the service running at the end."""

    days: int
    seed: int
    port: int
    serve: bool


def tell(wanted: Telling, console: Console) -> dict[str, Any]:
    """Run the whole loop and tell it; give what happened. Raises DemoError with one line when the story cannot go on."""
    home = FlowSettings().state
    began, start = time.monotonic(), datetime.now(UTC) - HEAD_START
    config = Path(__file__).parent / "sources.yml"
    telling.chapter(console, "1  A market")
    world = _market(wanted, home, start, console)
    telling.chapter(console, "2  First refresh: what is known before the order")
    first = _refresh(config, start, console)
    token = TokenFile(home.tokens).create("demo", Role.TRADER, "main", timedelta(days=7))
    telling.chapter(console, "3  The order, and the whisper")
    console.print(f"The desk's clock runs {SPEED:g} times as fast as the wall's: 20 seconds pass in {20 / SPEED:g}.")
    with desk_and_dealers(home, world, wanted.port, Pace(SPEED, start)) as address:
        answer, rfq = _trade(Trader(address, token), published.thin_corporates(home, first), console)
    telling.chapter(console, "4  What came of it: TCA, and the second refresh")
    tca_for_executions(load_world(world), [_execution(rfq)], home.root / "aftermath")
    second = _refresh(config, datetime.fromisoformat(rfq["execution"]["executed_at"]) + AFTERMATH, console)
    result = _result(home, (first, second), answer, rfq)
    asked = [line["dealer_id"] for line in rfq["dealers"] if line["state"] != "NOT_ASKED"]
    telling.tell_change(console, asked, result["scores_before"], result["scores_after"])
    _moral(console, rfq["execution"]["dealer_id"], result)
    console.print(f"The story took {time.monotonic() - began:.0f} seconds.", style="dim")
    if wanted.serve:
        _stay(home, world, wanted.port, token, console)
    return result


def _market(wanted: Telling, home: Home, start: datetime, console: Console) -> Path:
    (home.root / "aftermath").mkdir(parents=True, exist_ok=True)
    try:
        end = (start - timedelta(days=1)).date()
        made = simulate(home.root / "market", wanted.days, wanted.seed, end, progress=lambda line: console.print(line, style="dim"))
    except SimulationError as error:
        raise DemoError(str(error)) from error
    console.print(f"{sum(made.rows.values()):,} rows of vendors' files, {wanted.days} days up to {made.end}, seed {wanted.seed}.")
    return made.truth


def _refresh(sources: Path, as_of: datetime, console: Console) -> str:
    began = time.monotonic()
    try:
        with console.status("pulling, building, checking, publishing ..."):
            manifest = run_refresh(sources, as_of=as_of)
    except Refused as refused:
        raise DemoError("; ".join(refused.reasons)) from refused
    rows = manifest.tables["fct_dealer_scorecards"].rows
    checks, set_aside, took = len(manifest.gate), sum(manifest.quarantined.values()), time.monotonic() - began
    console.print(f"Snapshot {manifest.snapshot_id} published in {took:.0f} s.")
    console.print(f"{rows} scorecard rows; {checks} checks passed; {set_aside} bad rows set aside in quarantine.")
    return manifest.snapshot_id


def _trade(trader: Trader, bonds: list[published.ThinBond], console: Console) -> tuple[dict[str, Any], dict[str, Any]]:
    """Sell the first thin bond that finds a price; a desk whose RFQ stays without one tries the next."""
    for number, bond in enumerate(bonds[:MOST_TRIES], start=1):
        order = {
            "order_id": f"DEMO-{number}",
            "security_id": bond.security_id,
            "security_id_type": "INTERNAL",
            "side": "SELL",
            "quantity": QUANTITY,
            "currency": "USD",
        }
        answer = trader.recommend(order)
        telling.tell_verdict(console, bond, answer)
        telling.tell_dealers(console, answer)
        rfq = _whisper(trader, answer["recommendation_id"], console)
        if rfq["execution"]:
            return answer, rfq
        console.print("Nothing traded; the next bond.")
    raise DemoError("no thinly traded corporate found a price in this market; another --seed tells another story")


def _whisper(trader: Trader, recommendation_id: str, console: Console) -> dict[str, Any]:
    """Watch the RFQ and click once: on the first competitive quote, or on the best one left when all have answered."""
    rfq_id = trader.start(recommendation_id)["rfq_id"]
    began, clicked = "", False
    for event in trader.events(rfq_id):
        began = began or event["at"]
        telling.tell_event(console, event, began)
        if clicked or event["kind"] not in {"rfq.alert", "rfq.quote_received", "rfq.dealer_without_quote"}:
            continue
        quote, waiting = _choice(trader.rfq(rfq_id))
        if quote:
            trader.execute(rfq_id, quote)
            clicked = True
        elif not waiting:
            trader.cancel(rfq_id)
            clicked = True
    return trader.rfq(rfq_id)


def _choice(rfq: dict[str, Any]) -> tuple[str | None, bool]:
    """Give the quote to click on, if any, and whether dealers may still answer."""
    live = [line["quote"] for line in rfq["dealers"] if line["quote"] and line["quote"]["executable"]]
    competitive = [quote for quote in live if quote["competitive"]]
    waiting = any(line["state"] in {"ASKED", "NOT_ASKED"} for line in rfq["dealers"])
    pool = competitive or ([] if waiting else live)
    best = min(pool, key=lambda quote: quote["cost_bps"] if quote["cost_bps"] is not None else 0.0, default=None)
    return (best["quote_id"] if best else None), waiting


def _execution(rfq: dict[str, Any]) -> LiveExecution:
    done = rfq["execution"]
    asked = [line["dealer_id"] for line in rfq["dealers"] if line["state"] != "NOT_ASKED"]
    return LiveExecution(
        rfq_id=rfq["rfq_id"],
        security_id=rfq["security_id"],
        side=Side(rfq["side"]),
        dealer_id=done["dealer_id"],
        price=done["price"],
        quantity=done["quantity"],
        arrival_mid=rfq["arrival_mid"],
        executed_at=datetime.fromisoformat(done["executed_at"]),
        losers=[dealer for dealer in asked if dealer != done["dealer_id"]],
        ordered=rfq["quantity"],
    )


def _result(home: Home, snapshots: tuple[str, str], answer: dict[str, Any], rfq: dict[str, Any]) -> dict[str, Any]:
    scorecard_class = answer["security"]["scorecard_class"]
    before, after = (published.scores(home, snapshot, scorecard_class) for snapshot in snapshots)
    return {
        "snapshots": {"before": snapshots[0], "after": snapshots[1]},
        "recommendation": answer,
        "rfq": rfq,
        "execution": rfq["execution"],
        "scores_before": before,
        "scores_after": after,
    }


def _moral(console: Console, winner: str, result: dict[str, Any]) -> None:
    before, after = result["scores_before"][winner], result["scores_after"][winner]
    console.print(
        f"{winner} had a composite of {before['composite']:.5f} (rank {before['composite_rank']}); after this trade it has "
        f"{after['composite']:.5f} (rank {after['composite_rank']}). The next order of similar risk will know."
    )


def _stay(home: Home, world: Path, port: int, token: str, console: Console) -> None:
    telling.chapter(console, "5  Over to you")
    with desk_and_dealers(home, world, port, Pace(1.0)) as address:
        console.print(f"The trader's screen   {address}/")
        console.print(f"The API, described    {address}/schema")
        console.print(f"Token (trader)        {token}", soft_wrap=True)
        console.print(f"Flow runs             PREFECT_HOME={home.root / 'prefect'} prefect server start", soft_wrap=True)
        console.print("The clock runs at the wall's pace from here. Ctrl-C stops the service.")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            console.print("Stopping.")
