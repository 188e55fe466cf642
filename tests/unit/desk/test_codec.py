"""Every FIX message both ways, in the simulated venue's dialect and in another."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from expectations.contracts.vocabulary import Response, Side
from serve.adapters.fix.decode import decode
from serve.adapters.fix.dictionary import write_dictionary
from serve.adapters.fix.encode import encode
from serve.adapters.fix.gateway import to_message
from serve.adapters.fix.settings import settings_text
from serve.adapters.fix.venue import VenueError, load_venue
from serve.adapters.fix.wire import SOH, MalformedError, Wire, decimal_text, number, parse, time
from serve.domain import dealing
from tests.fakes.clock import START

VENUES = Path(__file__).parents[3] / "config" / "venues"
SIM = load_venue(VENUES / "sim.yml")
DIALECT = load_venue(VENUES / "dealer_dialect.yml.example")
TERMS = dealing.Terms(
    security_id="SEC1", cusip="912828ZT0", isin="US912828ZT04", side=Side.BUY, quantity=2_500_000.0, currency="USD", account="FUND"
)
ASK = dealing.Ask(
    rfq_id="r", dealer_id="A", terms=TERMS, quote_req_id="req1", asked_at=START, expires_at=START + timedelta(seconds=20)
)
HIT = dealing.Hit(
    rfq_id="r",
    dealer_id="A",
    terms=TERMS,
    quote_req_id="req1",
    dealer_quote_id="q1",
    cl_ord_id="ord1",
    price=99.9,
    quantity=2_500_000.0,
    requested_at=START,
)


def tags(wire: Wire) -> dict[int, str]:
    return dict(wire.fields) | dict(wire.group)


def raw(kind: str, **values: str) -> str:
    pairs = {"35": kind, **{name.removeprefix("t"): value for name, value in values.items()}}
    return "".join(f"{tag}={value}{SOH}" for tag, value in pairs.items())


def test_request_carries_instrument_side_size_and_times() -> None:
    wire = encode(ASK, SIM)
    assert wire.msg_type == "R"
    assert tags(wire) == {
        131: "req1",
        55: "[N/A]",
        48: "912828ZT0",
        22: "1",
        537: "1",
        54: "1",
        38: "2500000",
        15: "USD",
        1: "FUND",
        126: "20240304-14:00:20.000",
        60: "20240304-14:00:00.000",
        423: "1",
    }


def test_request_in_another_dialect_turns_side_identifier_and_adds_the_venues_tags() -> None:
    found = tags(encode(ASK, DIALECT))
    assert (found[54], found[48], found[22], found[20117], found[5630]) == ("2", "US912828ZT04", "4", "RFQ", "1")


def test_security_without_cusip_and_isin_goes_by_its_own_name() -> None:
    found = tags(encode(replace(ASK, terms=replace(TERMS, cusip=None, isin=None)), SIM))
    assert found[55] == "SEC1"
    assert 48 not in found
    assert 22 not in found


def test_hit_is_a_response_with_694_1_against_the_quote() -> None:
    wire = encode(HIT, SIM)
    found = tags(wire)
    assert wire.msg_type == "AJ"
    assert (found[694], found[117], found[131], found[693], found[11]) == ("1", "q1", "req1", "ord1", "ord1")
    assert (found[44], found[38], found[54], found[423]) == ("99.9", "2500000", "1", "1")


def test_order_is_previously_quoted_where_the_venue_trades_by_orders() -> None:
    wire = encode(HIT, DIALECT)
    found = tags(wire)
    assert wire.msg_type == "D"
    assert (found[40], found[117], found[11], found[44]) == ("D", "q1", "ord1", "99.9")
    assert 131 not in found


@pytest.mark.parametrize(("told", "code"), [("cover", "4"), ("done_away", "5"), ("pass", "6")])
def test_losers_hear_cover_done_away_or_pass(told: str, code: str) -> None:
    command = dealing.TellLoser(
        rfq_id="r", dealer_id="A", terms=TERMS, quote_req_id="req1", dealer_quote_id="q1", told=dealing.Told(told), told_at=START
    )
    found = tags(encode(command, SIM))
    assert (found[694], found[117]) == (code, "q1")
    assert 44 not in found


def test_order_status_is_asked_by_our_own_identifier() -> None:
    wire = encode(dealing.AskOrderStatus(rfq_id="r", dealer_id="A", terms=TERMS, cl_ord_id="ord1"), SIM)
    assert (wire.msg_type, tags(wire)[11], tags(wire)[54]) == ("H", "ord1", "1")


@given(st.text(min_size=1, max_size=10), st.sampled_from([*map(chr, range(32)), "\x7f"]))
def test_control_characters_are_refused_wherever_they_stand(text: str, character: str) -> None:
    with pytest.raises(MalformedError, match="control character"):
        encode(replace(ASK, terms=replace(TERMS, account=f"{text}{character}1")), SIM)


@given(st.floats(1e-6, 1e12))
def test_numbers_go_out_as_decimals_without_loss(value: float) -> None:
    text = decimal_text(value)
    assert "e" not in text.lower()
    assert float(text) == value
    assert number({1: text}, 1) == value


def test_quote_in_full() -> None:
    message = raw(
        "S", t117="q1", t131="req1", t132="99.8", t133="99.9", t134="1000000", t135="2000000", t537="1", t54="1", t48="912828ZT0"
    )
    read = decode(message + f"62=20240304-14:01:00.250{SOH}15=USD{SOH}", "A", SIM)
    assert isinstance(read, dealing.DealerQuote)
    assert (read.price_for(Side.BUY), read.price_for(Side.SELL)) == (99.9, 99.8)
    assert (read.quantity_for(Side.BUY), read.quantity_for(Side.SELL)) == (2_000_000.0, 1_000_000.0)
    assert (read.firm, read.our_side, read.currency, read.security_ids) == (True, Side.BUY, "USD", ("912828ZT0",))
    assert read.valid_until == datetime(2024, 3, 4, 14, 1, 0, 250_000, tzinfo=UTC)
    assert SOH not in read.raw


def test_price_of_zero_is_absent_and_a_size_of_zero_is_none_at_all() -> None:
    read = decode(raw("S", t117="q1", t44="99.9", t132="0", t134="0", t135="5000000"), "A", SIM)
    assert isinstance(read, dealing.DealerQuote)
    assert (read.bid, read.price_for(Side.SELL)) == (None, 99.9)
    assert (read.quantity_for(Side.SELL), read.quantity_for(Side.BUY), read.quantity) == (0.0, 5_000_000.0, None)


def test_total_of_zero_in_a_trade_is_no_total() -> None:
    read = decode(raw("8", t150="F", t39="1", t11="o", t17="e", t31="99.9", t32="5", t14="0"), "A", SIM)
    assert isinstance(read, dealing.DealerFilled)
    assert (read.quantity, read.cumulative) == (5.0, None)


def test_quote_in_another_dialect_is_in_thousands_and_on_the_dealers_side() -> None:
    read = decode(raw("S", t117="q1", t133="99.9", t135="2500", t54="2"), "A", DIALECT)
    assert isinstance(read, dealing.DealerQuote)
    assert (read.quantity_for(Side.BUY), read.our_side, read.firm) == (2_500_000.0, Side.BUY, False)


@pytest.mark.parametrize(("kind", "firm"), [("0", False), ("1", True), ("2", True)])
def test_firmness_by_quote_type(kind: str, firm: bool) -> None:
    read = decode(raw("S", t117="q1", t44="99", t537=kind), "A", SIM)
    assert isinstance(read, dealing.DealerQuote)
    assert read.firm is firm


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (raw("S", t131="r", t44="99"), "117"),
        (raw("S", t117="q", t131="r"), "no price"),
        (raw("S", t117="q", t44="-1"), "44"),
        (raw("S", t117="q", t44="NaN"), "44"),
        (raw("S", t117="q", t44="abc"), "44"),
        (raw("S", t117="q", t44="99", t423="6"), "423"),
        (raw("S", t117="q", t44="99", t537="9"), "537"),
        (raw("S", t117="q", t44="99", t62="tomorrow"), "62"),
        (raw("AJ", t693="x", t694="9"), "694"),
        (raw("AG", t131="r"), "658"),
        (raw("8", t150="F", t39="2"), "693"),
        (raw("8", t150="F", t39="2", t11="o", t17="e"), "31"),
        (raw("8", t150="I", t39="2", t11="o", t17="e", t14="5"), "AvgPx"),
        (raw("j", t372="Z", t379="x"), "type Z"),
        (raw("W"), "type W"),
        ("garbage", "tag=value"),
        ("", "tag=value"),
    ],
)
def test_senseless_message_is_refused_with_the_tag(message: str, why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        decode(message, "A", SIM)


def test_pass_comes_in_many_shapes() -> None:
    shapes = {
        raw("AG", t131="r", t658="10"): Response.DECLINED,
        raw("AG", t131="r", t658="9"): Response.DECLINED,
        raw("AG", t131="r", t658="6"): Response.REJECTED,
        raw("AI", t117="q", t131="r", t297="11", t58="off"): Response.DECLINED,
        raw("AI", t117="q", t131="r", t297="5"): Response.REJECTED,
        raw("AJ", t693="x", t131="r", t694="6"): Response.DECLINED,
        raw("j", t372="R", t379="r"): Response.REJECTED,
    }
    for message, response in shapes.items():
        read = decode(message, "A", SIM)
        assert isinstance(read, dealing.DealerPassed)
        assert (read.response, read.quote_req_id) == (response, "r")


def test_cover_means_pass_where_the_venue_says_so() -> None:
    assert isinstance(decode(raw("AJ", t693="x", t694="4"), "A", DIALECT), dealing.DealerPassed)
    with pytest.raises(MalformedError):
        decode(raw("AJ", t693="x", t694="4"), "A", SIM)


def test_counter_in_a_response_is_a_price_and_an_expiry_takes_the_quote_back() -> None:
    counter = decode(raw("AJ", t693="x", t694="2", t131="r", t44="99.5"), "A", SIM)
    assert isinstance(counter, dealing.DealerQuote)
    assert (counter.dealer_quote_id, counter.price) == ("x", 99.5)
    assert isinstance(decode(raw("AJ", t693="x", t694="3", t117="q"), "A", SIM), dealing.DealerWithdrew)


@pytest.mark.parametrize(("named", "meant"), [("q1", "q1"), ("*", None), ("NONE", None)])
def test_quote_cancel_names_a_quote_or_all(named: str, meant: str | None) -> None:
    read = decode(raw("Z", t117=named, t298="4", t131="r"), "A", SIM)
    assert isinstance(read, dealing.DealerWithdrew)
    assert read.dealer_quote_id == meant


@pytest.mark.parametrize("status", ["0", "10"])
def test_acknowledgement_is_nothing(status: str) -> None:
    assert decode(raw("AI", t117="q", t297=status), "A", SIM) is None


def test_fill_is_read_in_par() -> None:
    message = raw("8", t150="F", t39="2", t11="o", t17="e", t31="99.9", t32="2500", t14="2500", t60="20240304-14:00:30")
    read = decode(message, "A", DIALECT)
    assert isinstance(read, dealing.DealerFilled)
    assert (read.quantity, read.cumulative, read.price, read.done, read.is_status) == (2_500_000.0, 2_500_000.0, 99.9, True, False)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"t150": "8", "t39": "8"}, dealing.DealerRefusedOrder),
        ({"t150": "4", "t39": "4", "t14": "0"}, dealing.DealerRefusedOrder),
        ({"t150": "I", "t39": "8", "t14": "0"}, dealing.OrderUnknown),
        ({"t150": "8", "t39": "8", "t103": "5"}, dealing.OrderUnknown),
        ({"t150": "I", "t39": "4", "t14": "0"}, dealing.DealerRefusedOrder),
        ({"t150": "I", "t39": "2", "t14": "5", "t6": "99"}, dealing.DealerFilled),
        ({"t150": "4", "t39": "4", "t14": "5", "t6": "99"}, dealing.DealerFilled),
        ({"t150": "I", "t39": "0", "t14": "0"}, type(None)),
        ({"t150": "0", "t39": "0"}, type(None)),
        ({"t150": "H", "t39": "2"}, dealing.TradeQuestioned),
        ({"t150": "G", "t39": "2"}, dealing.TradeQuestioned),
    ],
)
def test_execution_report_by_its_type(values: dict[str, str], kind: type) -> None:
    assert type(decode(raw("8", t11="o", t17="e", **values), "A", SIM)) is kind


@pytest.mark.parametrize(("kind", "prices"), [("F", {"t31": "99", "t32": "5"}), ("I", {"t6": "99", "t14": "5"})])
def test_report_says_what_it_is_about_with_the_side_of_our_orders(kind: str, prices: dict[str, str]) -> None:
    told = {"t11": "o", "t17": "e", "t39": "2", "t54": "1", "t48": "912828ZT0", "t15": "USD", **prices}
    sides = []
    for venue in (SIM, replace(DIALECT, quote_side=SIM.quote_side)):
        read = decode(raw("8", t150=kind, **told), "A", venue)
        assert isinstance(read, dealing.DealerFilled)
        assert (read.security_ids, read.currency) == (("912828ZT0",), "USD")
        sides.append(read.our_side)
    assert sides == [Side.BUY, Side.SELL]


@pytest.mark.parametrize(("prices", "average"), [({"t6": "99", "t31": "98"}, 99.0), ({"t31": "98"}, None)])
def test_status_gives_the_average_over_the_order_where_it_has_one(prices: dict[str, str], average: float | None) -> None:
    read = decode(raw("8", t150="I", t39="2", t11="o", t17="e", t14="5", **prices), "A", SIM)
    assert isinstance(read, dealing.DealerFilled)
    assert (read.average, read.price) == (average, average or 98.0)


def test_business_reject_of_a_hit_refuses_the_order() -> None:
    read = decode(raw("j", t372="AJ", t379="ord1", t58="no"), "A", SIM)
    assert isinstance(read, dealing.DealerRefusedOrder)
    assert (read.cl_ord_id, read.reason, read.certain) == ("ord1", "no", True)


def test_business_reject_of_a_status_request_says_nothing_of_the_order() -> None:
    read = decode(raw("j", t372="H", t379="ord1", t58="unsupported"), "A", SIM)
    assert isinstance(read, dealing.OrderUnknown)
    assert (read.cl_ord_id, read.reason) == ("ord1", "unsupported")


@pytest.mark.parametrize(("kind", "certain"), [("8", False), ("4", True), ("C", True)])
def test_rejection_may_answer_a_question_and_an_end_cannot(kind: str, certain: bool) -> None:
    read = decode(raw("8", t11="o", t17="e", t150=kind, t39=kind, t103="99"), "A", SIM)
    assert isinstance(read, dealing.DealerRefusedOrder)
    assert read.certain is certain


@pytest.mark.parametrize(("status", "done"), [("1", False), ("8", False), ("4", True), ("2", True)])
def test_status_of_an_order_that_traded_in_part_says_whether_more_may_come(status: str, done: bool) -> None:
    read = decode(raw("8", t11="o", t17="e", t150="I", t39=status, t14="5", t6="99"), "A", SIM)
    assert isinstance(read, dealing.DealerFilled)
    assert read.done is done


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=80))
def test_any_text_is_read_or_refused_never_anything_else(text: str) -> None:
    try:
        decode(f"35=S{SOH}117=q{SOH}{text}", "A", SIM)
    except MalformedError:
        return


def test_time_without_fraction_is_read() -> None:
    assert time({62: "20240304-14:00:00"}, 62) == START


@pytest.mark.parametrize("command", [ASK, HIT])
def test_engine_builds_what_the_codec_wrote(command: dealing.AnyCommand) -> None:
    found = parse(to_message(encode(command, SIM)).toString())
    for tag, value in tags(encode(command, SIM)).items():
        assert found[tag] == value


def test_dictionary_is_trimmed_once_and_knows_the_extra_fields(tmp_path: Path) -> None:
    path = write_dictionary(tmp_path)
    text, written = path.read_text(), path.stat().st_mtime_ns
    assert text.count("<message ") == 21
    assert len(text) < 200_000
    response = text[text.index('msgtype="AJ"') :]
    assert "QuoteReqID" in response[: response.index("</message>")]
    assert write_dictionary(tmp_path).stat().st_mtime_ns == written


def test_settings_hold_what_was_tried(tmp_path: Path) -> None:
    text = settings_text(SIM, ["D1"], tmp_path, tmp_path / "FIX44.xml")
    for line in ("ResetOnLogon=N", "PersistMessages=N", "AllowUnknownMsgFields=N", "MaxLatency=120", "TargetCompID=D1"):
        assert line in text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("venue: sim", "host"),
        ("{", "not valid YAML"),
        ("venue: sim\nhost: h\nport: 99999\nsender_comp_id: S", "port"),
        ("venue: sim\nhost: h\nport: 1\nsender_comp_id: S\nexecute_with: shout", "execute_with"),
        ("venue: sim\nhost: h\nport: 1\nsender_comp_id: S\ngrace: 1", "grace"),
        ("venue: sim\nhost: 'a b'\nport: 1\nsender_comp_id: S", "host"),
    ],
)
def test_bad_venue_is_refused_with_file_field_and_reason(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "v.yml"
    path.write_text(text)
    with pytest.raises(VenueError, match=rf"v\.yml.*{why}"):
        load_venue(path)
    with pytest.raises(VenueError, match="cannot be read"):
        load_venue(tmp_path / "none.yml")
