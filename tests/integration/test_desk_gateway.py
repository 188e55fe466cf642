"""The gateway against a real FIX acceptor on loopback."""

import asyncio
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from expectations.contracts.vocabulary import Response, Side
from serve.adapters.fix.gateway import FixGateway
from serve.adapters.fix.venue import Venue, VenueError, load_venue
from serve.domain import dealing
from serve.ports import NotSentError
from tests.fakes.clock import START
from tests.fakes.fix_dealers import Answer, FixDealers, free_port

SIM = load_venue(Path(__file__).parents[2] / "config" / "venues" / "sim.yml")
TERMS = dealing.Terms(
    security_id="SEC1", cusip="912828ZT0", isin=None, side=Side.SELL, quantity=10_000_000.0, currency="USD", account="FUND1"
)


def ask(dealer: str, request: str) -> dealing.Ask:
    return dealing.Ask(
        rfq_id="r", dealer_id=dealer, terms=TERMS, quote_req_id=request, asked_at=START, expires_at=START + timedelta(seconds=20)
    )


def hit(dealer: str, quote: dealing.DealerQuote) -> dealing.Hit:
    return dealing.Hit(
        rfq_id="r",
        dealer_id=dealer,
        terms=TERMS,
        quote_req_id=quote.quote_req_id or "",
        dealer_quote_id=quote.dealer_quote_id,
        cl_ord_id="order-1",
        price=quote.bid or 0.0,
        quantity=10_000_000.0,
        requested_at=START,
    )


def script(tags: dict[int, str], dealer: str, answer: Answer) -> None:
    security = {55: "[N/A]", 48: "912828ZT0", 22: "1"}
    if tags[35] == "R" and dealer == "DECLINER":
        answer("AG", {131: tags[131], 658: "10", 58: "no interest"})
    elif tags[35] == "R" and dealer == "BROKEN":
        answer("S", {117: "q", 131: tags[131], **security, 132: "99.5", 423: "9"})
    elif tags[35] == "R":
        answer("S", {117: "q1", 131: tags[131], **security, 132: "99.95", 134: "10000000", 537: "1", 62: "20240304-14:01:00"})
    elif tags[35] in {"AJ", "D"} and (tags.get(694) == "1" or tags[35] == "D"):
        fill = {37: "d1", 17: "e1", 11: tags[11], 150: "F", 39: "2", **security, 54: tags[54], 151: "0", 14: "10000000"}
        answer("8", {**fill, 6: "99.95", 31: tags[44], 32: tags[38], 60: "20240304-14:00:20"})


class Desk:
    """Collects what the gateway hears."""

    def __init__(self) -> None:
        self.heard: list[dealing.AnyFromDealer] = []

    async def until(self, done: Callable[[], bool], seconds: float = 15) -> None:
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, f"nothing came; heard {self.heard}"
            await asyncio.sleep(0.005)

    async def of(self, kind: type, count: int = 1) -> list[dealing.AnyFromDealer]:
        await self.until(lambda: sum(isinstance(item, kind) for item in self.heard) >= count)
        return [item for item in self.heard if isinstance(item, kind)]


def venue_at(port: int, **changes: object) -> Venue:
    return replace(SIM, port=port, settle_s=0.1, **changes)


async def test_request_quote_hit_and_fill_go_round_over_fix(tmp_path: Path) -> None:
    sessions = {"D1": "DEALER1", "D2": "DECLINER", "D3": "BROKEN", "D4": "ABSENT"}
    desk = Desk()
    async with FixDealers(tmp_path, ["DEALER1", "DECLINER", "BROKEN"], script) as dealers:
        gateway = FixGateway(venue_at(dealers.port), sessions, tmp_path)
        before = signal.getsignal(signal.SIGINT)
        await gateway.start(desk.heard.append)
        try:
            await desk.until(lambda: all(gateway.is_ready(dealer) for dealer in ("D1", "D2", "D3")))
            assert signal.getsignal(signal.SIGINT) is before
            assert not gateway.is_ready("D4")
            with pytest.raises(NotSentError, match="D4 is not logged on"):
                gateway.send(ask("D4", "r4"))
            for number in (1, 2, 3):
                gateway.send(ask(f"D{number}", f"request-{number}"))
            (quote,) = await desk.of(dealing.DealerQuote)
            assert isinstance(quote, dealing.DealerQuote)
            assert (quote.dealer_id, quote.quote_req_id, quote.bid, quote.firm) == ("D1", "request-1", 99.95, True)
            assert quote.valid_until == START + timedelta(seconds=60)
            (passed,) = await desk.of(dealing.DealerPassed)
            assert isinstance(passed, dealing.DealerPassed)
            assert (passed.dealer_id, passed.response) == ("D2", Response.DECLINED)
            (unreadable,) = await desk.of(dealing.Unreadable)
            assert isinstance(unreadable, dealing.Unreadable)
            assert "PriceType (423) is 9" in unreadable.reason
            gateway.send(hit("D1", quote))
            (fill,) = await desk.of(dealing.DealerFilled)
            assert isinstance(fill, dealing.DealerFilled)
            assert (fill.cl_ord_id, fill.price, fill.quantity, fill.done) == ("order-1", 99.95, 10_000_000.0, True)
            request = dealers.received("R")[0]
            assert request[48] == "912828ZT0"
            assert request[60] == "20240304-14:00:00.000"
            gateway.send(
                dealing.TellLoser(
                    rfq_id="r",
                    dealer_id="D2",
                    terms=TERMS,
                    quote_req_id="request-2",
                    dealer_quote_id="q",
                    told=dealing.Told.COVER,
                    told_at=START,
                )
            )
            gateway.send(dealing.AskOrderStatus(rfq_id="r", dealer_id="D1", terms=TERMS, cl_ord_id="order-1"))
            await desk.until(lambda: bool(dealers.received("H")) and len(dealers.received("AJ")) == 2)
            assert {tags[694] for tags in dealers.received("AJ")} == {"1", "4"}
        finally:
            await gateway.stop()


async def test_lost_session_is_told_and_nothing_sent_meanwhile_goes_out_later(tmp_path: Path) -> None:
    port, desk = free_port(), Desk()
    gateway = FixGateway(venue_at(port, execute_with="order"), {"D1": "DEALER1"}, tmp_path / "ours")
    async with FixDealers(tmp_path, ["DEALER1"], script, port):
        await gateway.start(desk.heard.append)
        await desk.until(lambda: gateway.is_ready("D1"))
        gateway.send(ask("D1", "first"))
        await desk.of(dealing.DealerQuote)
    try:
        await desk.until(lambda: not gateway.is_ready("D1"))
        assert [item.ready for item in desk.heard if isinstance(item, dealing.SessionChanged)] == [True, False]
        with pytest.raises(NotSentError):
            gateway.send(ask("D1", "while-down"))
        async with FixDealers(tmp_path, ["DEALER1"], script, port) as dealers:
            await desk.until(lambda: gateway.is_ready("D1"))
            await asyncio.sleep(0.3)
            assert dealers.received("R") == [], "neither the old request nor the refused one goes out after the reconnect"
            gateway.send(ask("D1", "second"))
            await desk.of(dealing.DealerQuote, 2)
    finally:
        await gateway.stop()


async def test_control_character_is_never_sent(tmp_path: Path) -> None:
    desk = Desk()
    async with FixDealers(tmp_path, ["DEALER1"], script) as dealers:
        gateway = FixGateway(venue_at(dealers.port), {"D1": "DEALER1"}, tmp_path)
        await gateway.start(desk.heard.append)
        try:
            await desk.until(lambda: gateway.is_ready("D1"))
            smuggled = replace(TERMS, account="A\x0144=1")
            with pytest.raises(NotSentError, match="control character"):
                gateway.send(replace(ask("D1", "r"), terms=smuggled))
            assert dealers.received("R") == []
        finally:
            await gateway.stop()


def test_two_dealers_on_one_session_are_refused(tmp_path: Path) -> None:
    with pytest.raises(VenueError, match="same fix_session"):
        FixGateway(SIM, {"A": "X", "B": "X"}, tmp_path)


async def test_session_name_that_cannot_be_a_comp_id_is_refused(tmp_path: Path) -> None:
    gateway = FixGateway(SIM, {"A": "X\n[SESSION]"}, tmp_path)
    with pytest.raises(VenueError, match="cannot be a CompID"):
        await gateway.start(lambda _: None)


async def test_gateway_without_sessions_starts_and_stops(tmp_path: Path) -> None:
    gateway = FixGateway(SIM, {}, tmp_path)
    await gateway.start(lambda _: None)
    assert not gateway.is_ready("A")
    await gateway.stop()
