"""The desk over its ports: journal first, one RFQ per recommendation, limits, kill switch, recovery."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from expectations.contracts import journal as events
from expectations.contracts.vocabulary import DealerStatus
from serve.adapters.journal import JournalError
from serve.adapters.limits import LimitsError, load_limits
from serve.domain import dealing
from serve.domain.limits import Limits
from serve.domain.orders import Mode, Plan
from serve.domain.rfq import RfqState
from serve.domain.users import Role, User
from serve.usecases.refusals import Conflict, NotReady, NotThere, Refusal
from serve.usecases.rfq_floor import Floor, Practice
from serve.usecases.rfqs import Desk
from tests.fakes.clock import START, CountingIds, FakeClock, settle
from tests.fakes.gateway import FakeGateway
from tests.fakes.journal import MemoryJournal
from tests.fakes.recommendation import FakeSnapshots, dealer, recommendation_made

TRADER = User(token_id="t", name="ann", role=Role.TRADER, desk="credit", expires_at=START + timedelta(days=9))
STRANGER = User(token_id="s", name="bob", role=Role.TRADER, desk="rates", expires_at=START + timedelta(days=9))
LIMITS = load_limits(Path(__file__).parents[3] / "config" / "limits.yml")
GOOD, POOR = 99.95, 99.50


class House:
    """A desk with fakes for all it needs."""

    def __init__(self, limits: Limits = LIMITS, journal: MemoryJournal | None = None, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.journal = journal or MemoryJournal(self.clock)
        self.gateway = FakeGateway()
        self.snapshots = FakeSnapshots(
            dealer("A"), dealer("B"), dealer("C"), dealer("R", restricted=True), dealer("S", status=DealerStatus.SUSPENDED)
        )
        practice = Practice(venue="sim", tell_losers="cover", pass_on_close=True)
        ids = CountingIds(f"run{len(self.journal.rows)}")
        self.floor = Floor(self.journal, self.clock, ids, self.gateway, limits, practice)
        self.desk = Desk(self.floor, self.snapshots)

    async def begin(self, override_id: str | None = None, **changes: object) -> str:
        await self.journal.append(recommendation_made(**changes))  # type: ignore[arg-type]
        return (await self.desk.begin("rec-1", override_id, TRADER)).rfq_id

    async def state(self, rfq_id: str) -> RfqState:
        return (await self.desk.get(rfq_id, TRADER)).state

    async def first_quote(self, rfq_id: str) -> str:
        view = await self.desk.get(rfq_id, TRADER)
        return next(line.quote.quote_id for line in view.dealers if line.quote)

    @property
    def kinds(self) -> list[str]:
        return [row.kind for row in self.journal.rows]


@pytest.fixture
async def house() -> AsyncIterator[House]:
    built = House()
    await built.desk.start()
    yield built
    await built.desk.stop()


async def test_whisper_of_the_worked_scenario_ends_in_a_trade(house: House) -> None:
    rfq = await house.begin()
    assert [ask.dealer_id for ask in house.gateway.asks] == ["A"]
    await house.clock.advance(20)
    house.gateway.quote(house.gateway.asks[1], POOR)
    await settle()
    assert [ask.dealer_id for ask in house.gateway.asks] == ["A", "B", "C"]
    await house.clock.advance(18)
    house.gateway.quote(house.gateway.asks[2], GOOD)
    await settle()
    view = await house.desk.get(rfq, TRADER)
    assert view.state is RfqState.AWAITING_TRADER
    quote = view.dealers[2].quote
    assert quote is not None
    assert (quote.competitive, quote.executable, quote.cost_bps) == (True, True, pytest.approx(5.0))
    assert "Competitive quote" in view.alerts[-1].message
    executing = await house.desk.execute(rfq, quote.quote_id, TRADER)
    assert executing.state is RfqState.EXECUTING
    house.gateway.fill(house.gateway.hits[0])
    await settle()
    done = await house.desk.get(rfq, TRADER)
    assert done.state is RfqState.EXECUTED
    assert done.execution is not None
    assert (done.execution.dealer_id, done.execution.price, done.execution.quantity) == ("C", GOOD, 10_000_000.0)
    assert [(item.dealer_id, item.told.value) for item in house.gateway.sent if isinstance(item, dealing.TellLoser)] == [
        ("B", "cover")
    ]
    assert house.journal.verify().ok


async def test_nothing_is_sent_when_the_journal_cannot_be_written(house: House) -> None:
    await house.journal.append(recommendation_made())
    house.journal.fail_next = JournalError("disk full")
    with pytest.raises(JournalError):
        await house.desk.begin("rec-1", None, TRADER)
    assert house.gateway.sent == []
    assert await house.desk.begin("rec-1", None, TRADER)


async def test_no_hit_goes_out_when_the_click_cannot_be_journalled(house: House) -> None:
    rfq = await house.begin()
    house.gateway.quote(house.gateway.asks[0], GOOD)
    await settle()
    quote = await house.first_quote(rfq)
    house.journal.fail_next = JournalError("disk full")
    with pytest.raises(JournalError):
        await house.desk.execute(rfq, quote, TRADER)
    assert house.gateway.hits == []
    await house.desk.execute(rfq, quote, TRADER)
    assert len(house.gateway.hits) == 1


async def test_recommendation_starts_one_rfq_only_even_when_asked_twice_at_once(house: House) -> None:
    await house.journal.append(recommendation_made())
    both = await asyncio.gather(*(house.desk.begin("rec-1", None, TRADER) for _ in range(2)), return_exceptions=True)
    assert sum(isinstance(item, Conflict) for item in both) == 1
    with pytest.raises(Conflict, match="already started RFQ"):
        await house.desk.begin("rec-1", None, TRADER)
    assert house.kinds.count("rfq.started") == 1


async def test_two_clicks_at_once_send_one_hit(house: House) -> None:
    rfq = await house.begin()
    house.gateway.quote(house.gateway.asks[0], GOOD)
    await settle()
    quote = await house.first_quote(rfq)
    both = await asyncio.gather(*(house.desk.execute(rfq, quote, TRADER) for _ in range(2)), return_exceptions=True)
    assert sum(isinstance(item, Conflict) for item in both) == 1
    assert len(house.gateway.hits) == 1


async def test_unknown_recommendation_and_another_desks_are_not_there(house: House) -> None:
    with pytest.raises(NotThere):
        await house.desk.begin("none", None, TRADER)
    await house.journal.append(recommendation_made())
    with pytest.raises(NotThere):
        await house.desk.begin("rec-1", None, STRANGER)
    rfq = (await house.desk.begin("rec-1", None, TRADER)).rfq_id
    with pytest.raises(NotThere):
        await house.desk.cancel(rfq, STRANGER)


async def override(house: House, *dealers: str) -> None:
    await house.journal.append(
        events.RecommendationOverridden(
            recommendation_id="rec-1", override_id="o1", dealers=list(dealers), reason_code="known_axe", comment="c"
        )
    )


async def test_override_goes_in_the_traders_order(house: House) -> None:
    await override(house, "C", "A")
    await house.begin("o1")
    assert house.gateway.asks[0].dealer_id == "C"


@pytest.mark.parametrize(
    ("dealers", "why"),
    [(("A", "R"), "restricted"), (("S",), "suspended"), (("X",), "no dealer 'X'"), (("A", "A"), "twice")],
)
async def test_override_with_a_barred_dealer_is_refused_and_nobody_is_asked(
    house: House, dealers: tuple[str, ...], why: str
) -> None:
    await override(house, *dealers)
    with pytest.raises(Refusal, match=why):
        await house.begin("o1")
    assert house.gateway.sent == []
    assert "rfq.started" not in house.kinds


async def test_unknown_override_is_not_there(house: House) -> None:
    with pytest.raises(NotThere, match="no override"):
        await house.begin("o9")


async def test_override_longer_than_the_plan_allows_is_refused(house: House) -> None:
    await override(house, "A", "B", "C")
    with pytest.raises(Refusal, match="allows 2"):
        await house.begin("o1", plan=Plan(mode=Mode.PARALLEL, timeout_s=20, max_dealers=2))


async def test_plan_bounds_the_recommended_list(house: House) -> None:
    await house.begin(plan=Plan(mode=Mode.PARALLEL, timeout_s=20, max_dealers=2))
    assert [ask.dealer_id for ask in house.gateway.asks] == ["A", "B"]


async def test_dealer_not_logged_on_is_skipped_with_an_alert(house: House) -> None:
    house.gateway.down = {"A"}
    rfq = await house.begin()
    assert house.gateway.asks[0].dealer_id == "B"
    view = await house.desk.get(rfq, TRADER)
    assert "A is skipped" in view.alerts[0].message


async def test_nobody_logged_on_is_refused_with_what_to_do(house: House) -> None:
    house.gateway.down = {"A", "B", "C"}
    with pytest.raises(NotReady, match="Check their sessions"):
        await house.begin()


async def test_old_recommendation_is_refused(house: House) -> None:
    await house.journal.append(recommendation_made())
    await house.clock.advance(3601)
    with pytest.raises(Conflict, match="recommendation_valid_s"):
        await house.desk.begin("rec-1", None, TRADER)


@pytest.mark.parametrize(
    ("limit", "order"),
    [("max_order_quantity", {"quantity": 50_000_001.0}), ("max_day_notional", {"quantity": 5_000_000.0, "arrival_mid": 20_000.0})],
)
async def test_limit_breach_names_limit_value_and_remedy(house: House, limit: str, order: dict[str, float]) -> None:
    with pytest.raises(Refusal, match=rf"{limit} is [\d,]+, this would make it [\d,]+: .+"):
        await house.begin(**order)
    assert house.gateway.sent == []


async def test_open_rfqs_are_limited() -> None:
    from msgspec.structs import replace

    house = House(replace(LIMITS, max_open_rfqs=1, max_dealers_per_rfq=3))
    await house.desk.start()
    await house.begin()
    await house.journal.append(recommendation_made("rec-2"))
    with pytest.raises(Refusal, match="max_open_rfqs"):
        await house.desk.begin("rec-2", None, TRADER)
    await house.desk.stop()


async def test_kill_switch_cancels_open_rfqs_and_refuses_new_ones_until_it_is_off(house: House) -> None:
    rfq = await house.begin()
    house.gateway.quote(house.gateway.asks[0], GOOD)
    await settle()
    quote, sent = await house.first_quote(rfq), len(house.gateway.sent)
    await house.desk.kill_switch(on=True, reason="storm", user=TRADER)
    assert await house.state(rfq) is RfqState.CANCELLED
    with pytest.raises(NotReady, match="kill switch"):
        await house.desk.execute(rfq, quote, TRADER)
    with pytest.raises(NotReady, match="kill switch"):
        await house.begin()
    await house.clock.advance(100)
    assert len(house.gateway.sent) == sent
    assert house.desk.halted
    assert house.desk.not_ready_because() == []
    await house.desk.kill_switch(on=False, reason="calm", user=TRADER)
    await house.journal.append(recommendation_made("rec-2"))
    assert await house.desk.begin("rec-2", None, TRADER)


async def test_kill_switch_survives_a_restart(house: House) -> None:
    await house.desk.kill_switch(on=True, reason="storm", user=TRADER)
    again = House(journal=house.journal, clock=house.clock)
    await again.desk.start()
    assert again.desk.halted
    await again.desk.stop()


async def crashed(house: House) -> House:
    """Another process over the same journal; the first one never got to say goodbye."""
    again = House(journal=house.journal, clock=house.clock)
    await again.desk.start()
    return again


@pytest.mark.parametrize("page", [1, 2_000])
async def test_execution_without_report_is_in_doubt_after_a_restart_asked_about_and_never_sent_again(
    house: House, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr("serve.usecases.rfqs._PAGE", page)
    rfq = await house.begin()
    house.gateway.quote(house.gateway.asks[0], GOOD)
    await settle()
    await house.desk.execute(rfq, await house.first_quote(rfq), TRADER)
    again = await crashed(house)
    view = await again.desk.get(rfq, TRADER)
    assert view.state is RfqState.IN_DOUBT
    assert "in doubt" in view.alerts[-1].message
    again.gateway.session("A", ready=True)
    await settle()
    assert [type(command) for command in again.gateway.sent] == [dealing.AskOrderStatus]
    await again.clock.advance(500)
    again.gateway.fill(house.gateway.hits[0])
    await settle()
    assert await again.state(rfq) is RfqState.EXECUTED
    assert again.gateway.hits == []
    await again.desk.stop()


async def test_open_rfq_without_execution_ends_untraded_after_a_restart(house: House) -> None:
    rfq = await house.begin()
    again = await crashed(house)
    assert await again.state(rfq) is RfqState.NOT_TRADED
    late = house.gateway.asks[0]
    again.gateway.quote(late, GOOD)
    await settle()
    view = await again.desk.get(rfq, TRADER)
    assert view.dealers[0].quote is not None
    assert view.dealers[0].quote.executable is False
    with pytest.raises(Conflict, match="already started"):
        await again.desk.begin("rec-1", None, TRADER)
    await again.desk.stop()


async def test_message_that_belongs_to_nothing_is_journalled_as_refused(house: House) -> None:
    house.gateway.say(dealing.DealerQuote(dealer_id="A", quote_req_id="ghost", dealer_quote_id="q", price=99.0, raw="35=S|117=q"))
    house.gateway.say(dealing.Unreadable(dealer_id="B", session="FIX.4.4:SOTTO->B", reason="no price", raw="35=S"))
    await settle()
    refused = [item.event for item in house.journal.read(kind="fix.message_refused")]
    assert [event.message for event in refused if isinstance(event, events.MessageRefused)] == ["35=S|117=q", "35=S"]


async def test_quote_is_found_by_the_dealers_own_identifier_where_the_request_is_not_named(house: House) -> None:
    rfq = await house.begin()
    house.gateway.quote(house.gateway.asks[0], GOOD)
    await settle()
    house.gateway.say(dealing.DealerWithdrew(dealer_id="A", quote_req_id=None, dealer_quote_id="A-q", reason="fade"))
    await settle()
    view = await house.desk.get(rfq, TRADER)
    assert view.dealers[0].quote is not None
    assert "fade" in str(view.dealers[0].quote.why_not)


async def test_events_come_past_then_live_and_end_with_the_rfq(house: House) -> None:
    rfq = await house.begin()
    seen: list[str] = []

    async def watch() -> None:
        events_so_far = await house.desk.follow(rfq, 0, TRADER)
        seen.extend([type(sealed.event).__name__ async for sealed in events_so_far])

    watching = asyncio.create_task(watch())
    await settle()
    await house.desk.cancel(rfq, TRADER)
    await asyncio.wait_for(watching, 5)
    assert seen == ["RfqStarted", "DealerAsked", "RfqClosed"]
    replayed = [sealed.seq async for sealed in await house.desk.follow(rfq, 2, TRADER)]
    assert replayed == [3, 4]


async def test_pages_are_latest_first_and_end(house: House) -> None:
    for number in range(3):
        await house.journal.append(recommendation_made(f"rec-{number}"))
        await house.desk.begin(f"rec-{number}", None, TRADER)
    first, cursor = await house.desk.page(TRADER, None, 2)
    assert [item.recommendation_id for item in first] == ["rec-2", "rec-1"]
    second, end = await house.desk.page(TRADER, cursor, 2)
    assert ([item.recommendation_id for item in second], end) == (["rec-0"], None)
    assert await house.desk.page(STRANGER, None, 2) == ([], None)


async def test_day_limit_counts_what_traded_before_a_click() -> None:
    from msgspec.structs import replace

    house = House(replace(LIMITS, max_day_notional=10_500_000))
    await house.desk.start()
    rfq = await house.begin()
    house.gateway.quote(house.gateway.asks[0], 109.0)
    await settle()
    with pytest.raises(Refusal, match="max_day_notional"):
        await house.desk.execute(rfq, await house.first_quote(rfq), TRADER)
    assert house.gateway.hits == []
    await house.desk.stop()


@pytest.mark.parametrize(
    ("text", "why"),
    [("version: 1", "max_order_quantity"), ("version: [", "not valid YAML"), ("max_open_rfqs: 0\nversion: 1", "limits.yml")],
)
def test_bad_limits_are_refused_with_file_and_field(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "limits.yml"
    path.write_text(text)
    with pytest.raises(LimitsError, match=why):
        load_limits(path)
    with pytest.raises(LimitsError, match="cannot be read"):
        load_limits(tmp_path / "none.yml")
