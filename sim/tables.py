"""The market as vendors write it: canonical rows, each table in the words of its source."""

import numpy as np
import numpy.typing as npt

from expectations.contracts.vocabulary import AxeSide, Outcome, Response, Side, TradeStatus
from sim.behaviour import DECLINES, QUOTES, REJECTS
from sim.market import Market
from sim.naming import MERIDIAN, OPENCOURT, alias_columns, by_cusip, logged_names, venues
from sim.prints import SIDES, executed_quantity, quoted_quantity
from sim.randomness import stream
from sim.references import COMPOSITE, EVALUATED
from sim.rfqs import PROTOCOLS, spread_for_size
from sim.tca_vendors import Executed
from sim.traits import CLASS_NAMES, CLASSES
from sim.writers import Rows, amounts, decimals, flags, instants, picked, rows_of

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_NO_ARRIVAL_SHARE = 0.03


def dealer_rows(market: Market) -> Rows:
    """Write the firm's dealer records."""
    own = market.dealers
    return rows_of(
        "dealers",
        {
            "dealer_id": [dealer.dealer_id for dealer in own],
            "name": [dealer.name for dealer in own],
            "lei": [dealer.lei for dealer in own],
            "specialties": [";".join(dealer.specialties) for dealer in own],
            "status": [dealer.status for dealer in own],
            "agreements": [dealer.agreements for dealer in own],
            "due_diligence_expiry": [dealer.due_diligence_expiry.isoformat() for dealer in own],
            "credit_limit": [f"{dealer.credit_limit:.0f}" for dealer in own],
            "restricted": ["true" if dealer.restricted else "false" for dealer in own],
            "fix_session": [dealer.fix_session for dealer in own],
            "party_id": [dealer.party_id for dealer in own],
            "contacts": [dealer.contacts for dealer in own],
        },
    )


def alias_rows(market: Market) -> Rows:
    """Write the names that logs use."""
    return rows_of("dealer_aliases", alias_columns(market))


def security_rows(market: Market) -> Rows:
    """Write the security master."""
    own = market.bonds
    return rows_of(
        "securities",
        {
            "security_id": [bond.security_id for bond in own],
            "cusip": [bond.cusip for bond in own],
            "isin": [bond.isin for bond in own],
            "figi": [bond.figi for bond in own],
            "asset_class": [bond.asset_class for bond in own],
            "issuer_id": [bond.issuer_id for bond in own],
            "issuer_name": [bond.issuer_name for bond in own],
            "sector": [bond.sector for bond in own],
            "currency": [bond.currency for bond in own],
            "coupon": [f"{bond.coupon:.3f}" for bond in own],
            "issue_date": [bond.issue_date.isoformat() for bond in own],
            "maturity_date": [bond.maturity_date.isoformat() for bond in own],
            "rating_sp": [bond.ratings.sp for bond in own],
            "rating_moodys": [bond.ratings.moodys for bond in own],
            "rating_fitch": [bond.ratings.fitch for bond in own],
            "amount_outstanding": [f"{bond.amount_outstanding:.0f}" for bond in own],
        },
    )


def axe_rows(market: Market) -> Rows:
    """Write what dealers advertised; by CUSIP, as their runs do."""
    axes = market.axes
    first, last = int(market.midnights[0]), market.sizes.end_ms
    shown = np.flatnonzero((axes.advertised >= first) & (axes.advertised <= last))
    shown = shown[np.lexsort((axes.security[shown], axes.dealer[shown], axes.advertised[shown]))]
    withdrawn = np.where(axes.withdrawn[shown] <= last, axes.withdrawn[shown], -1)
    told = instants(axes.advertised[shown])
    return rows_of(
        "axes",
        {
            "dealer_id": picked([dealer.dealer_id for dealer in market.dealers], axes.dealer[shown]),
            "security_id": picked(by_cusip(market), axes.security[shown]),
            "side": [str(AxeSide.BUYS if direction > 0 else AxeSide.SELLS) for direction in axes.direction[shown].tolist()],
            "quantity": amounts(axes.quantity[shown]),
            "advertised_at": told,
            "withdrawn_at": instants(withdrawn),
        },
        by_time=told,
    )


def reference_rows(market: Market) -> Rows:
    """Write both vendors' reference prices, by the internal identifier."""
    own = market.references.rows
    at = instants(own.at)
    return rows_of(
        "reference_prices",
        {
            "security_id": picked([bond.security_id for bond in market.bonds], own.security),
            "as_of": at,
            "bid": decimals(own.bid, 4),
            "mid": decimals(own.mid, 4),
            "ask": decimals(own.ask, 4),
            "source": [COMPOSITE if live else EVALUATED for live in own.composite.tolist()],
        },
        by_time=at,
    )


def trade_rows(market: Market) -> Rows:
    """Write the tape: the market's prints and the desk's own, sizes capped as the tape caps them."""
    own, demand = market.prints, market.demand
    spread = np.array([bond.half_spread_bps for bond in market.bonds])
    price = market.timeline.prints * (1 + 1e-4 * own.cost_hs * spread[own.security])
    traded = np.flatnonzero((market.impacts.trades >= 0) & (market.impacts.trades <= market.sizes.end_ms))
    security = np.concatenate([own.security, demand.security[traded]])
    at = np.concatenate([own.at, market.impacts.trades[traded]])
    quantity = np.concatenate([own.quantity, executed_quantity(market.enquiries)[traded]])
    side = np.concatenate([own.side, np.where(demand.direction[traded] > 0, 1, 0)])
    price = np.concatenate([np.round(price, 3), executed_price(market)[traded]])
    order = np.argsort(at, kind="stable")
    caps = np.array([traits.cap or np.inf for traits in CLASSES])
    limit = caps[np.array([CLASS_NAMES.index(bond.scorecard_class) for bond in market.bonds])][security]
    times = instants(at[order])
    return rows_of(
        "trades",
        {
            "trade_id": [f"T{number:08d}" for number in range(1, len(order) + 1)],
            "security_id": picked(by_cusip(market), security[order]),
            "executed_at": times,
            "price": decimals(price[order], 4),
            "quantity": amounts(np.minimum(quantity, limit)[order]),
            "quantity_capped": flags((quantity > limit)[order]),
            "reporting_side": picked(list(SIDES), side[order]),
            "status": [str(TradeStatus.NEW)] * len(order),
            "original_trade_id": [""] * len(order),
        },
        by_time=times,
    )


def quote_prices(market: Market) -> Floats:
    """Give RFQ x place the price each dealer would show, from the true mid at the arrival; 3 decimals, as venues carry them."""
    mid = market.timeline.from_arrival[:, :1]
    spread = spread_for_size(market.bonds, market.demand)[:, None]
    signed = market.demand.direction[:, None] * market.enquiries.answers.cost_hs * spread
    return np.asarray(np.round(mid * (1 + 1e-4 * signed), 3), dtype=np.float64)


def executed_price(market: Market) -> Floats:
    """Give each RFQ's price; NaN where it did not trade."""
    winner = market.enquiries.winner
    best = np.take_along_axis(quote_prices(market), np.maximum(winner, 0)[:, None], axis=1)[:, 0]
    return np.where(winner >= 0, best, np.nan)


def rfq_ids(market: Market) -> list[str]:
    """Name each RFQ by its day and number."""
    days = np.datetime_as_string(market.demand.start.astype("datetime64[ms]"), unit="D").tolist()
    return [f"R{day.replace('-', '')}-{number:06d}" for number, day in enumerate(days, start=1)]


def rfq_rows(market: Market) -> Rows:
    """Write the RFQ log: one row per dealer asked, as the two venues log them."""
    own, demand = market.enquiries, market.demand
    rng = stream(market.sizes.seed, "log", len(demand.start))
    rfq, place = np.nonzero(own.asked)
    cell = (rfq, place)
    opencourt = venues(market, rng)
    asked_at = demand.start[rfq] + (own.asked_after_s[cell] * 1000).astype(np.int64)
    responded = _responded(market, cell, asked_at)
    quoted, won = own.quoted[cell], own.winner[rfq] == place
    filled = executed_quantity(own)
    arrival = np.where(rng.random(len(demand.start)) < _NO_ARRIVAL_SHARE, np.nan, market.references.from_arrival[:, 0])
    ids, isin = rfq_ids(market), [bond.isin for bond in market.bonds]
    internal = [bond.security_id for bond in market.bonds]
    times = instants(asked_at)
    return rows_of(
        "rfq_log",
        {
            "rfq_id": picked(ids, rfq),
            "order_id": [f"O{ids[number][1:]}" for number in rfq.tolist()],
            "venue": [OPENCOURT if other else MERIDIAN for other in opencourt[rfq].tolist()],
            "security_id": [
                isin[bond] if other else internal[bond]
                for bond, other in zip(demand.security[rfq].tolist(), opencourt[rfq].tolist(), strict=True)
            ],
            "client_side": [str(Side.BUY if direction > 0 else Side.SELL) for direction in demand.direction[rfq].tolist()],
            "quantity": amounts(demand.quantity[rfq]),
            "protocol": [str(PROTOCOLS[protocol]) for protocol in demand.protocol[rfq].tolist()],
            "asked_at": times,
            "dealer_id": logged_names(market, own.dealer[cell], asked_at, opencourt[rfq], rng),
            "sequence": [str(number + 1) for number in place.tolist()],
            "dealers_asked": [str(number) for number in own.asked.sum(axis=1)[rfq].tolist()],
            "timeout_s": decimals(demand.timeout_s[rfq], 0),
            "response": [str(response) for response in _responses(market, cell)],
            "responded_at": instants(responded),
            "quote_price": decimals(np.where(quoted, quote_prices(market)[cell], np.nan), 3),
            "quote_quantity": amounts(
                np.where(quoted, quoted_quantity(demand.quantity[rfq], own.answers.size_ratio[cell]), np.nan)
            ),
            "firm": [flag if shown else "" for flag, shown in zip(flags(own.answers.firm[cell]), quoted.tolist(), strict=True)],
            "outcome": [str(outcome) for outcome in _outcomes(market, cell)],
            "executed_at": instants(np.where(won, market.impacts.trades[rfq], -1)),
            "executed_price": decimals(np.where(won, executed_price(market)[rfq], np.nan), 3),
            "executed_quantity": amounts(np.where(won, filled[rfq], np.nan)),
            "arrival_mid": decimals(arrival[rfq], 4),
            "propensity": [""] * len(rfq),
        },
        by_time=times,
    )


def _responded(market: Market, cell: tuple[Ints, Ints], asked_at: Ints) -> Ints:
    answers, timeout = market.enquiries.answers, market.demand.timeout_s[cell[0]]
    spoke = (answers.refusal[cell] <= REJECTS) & (answers.latency_s[cell] <= timeout)
    return np.where(spoke, asked_at + (answers.latency_s[cell] * 1000).astype(np.int64), -1)


def _responses(market: Market, cell: tuple[Ints, Ints]) -> list[Response]:
    answers, timeout = market.enquiries.answers, market.demand.timeout_s[cell[0]]
    kinds = {QUOTES: Response.QUOTED, DECLINES: Response.DECLINED, REJECTS: Response.REJECTED}
    late = answers.latency_s[cell] > timeout
    return [
        Response.TIMED_OUT if slow else kinds.get(kind, Response.TIMED_OUT)
        for kind, slow in zip(answers.refusal[cell].tolist(), late.tolist(), strict=True)
    ]


def _outcomes(market: Market, cell: tuple[Ints, Ints]) -> list[Outcome]:
    own = market.enquiries
    rfq, place = cell
    chosen = np.select(
        [own.winner[rfq] < 0, own.winner[rfq] == place, own.cover[rfq] == place, own.expired[cell]], [0, 1, 2, 3], default=4
    )
    words = (Outcome.NOT_TRADED, Outcome.TRADED, Outcome.COVER, Outcome.EXPIRED, Outcome.LOST)
    return [words[index] for index in chosen.tolist()]


def executed(market: Market) -> Executed:
    """Give the executions as the TCA vendors get them."""
    done = np.flatnonzero(market.impacts.trades >= 0)
    filled = executed_quantity(market.enquiries)[done]
    ids = rfq_ids(market)
    return Executed(
        reference=[ids[number] for number in done.tolist()],
        direction=market.demand.direction[done],
        at=market.impacts.trades[done],
        price=executed_price(market)[done],
        quantity=filled,
        unfilled=1 - filled / market.demand.quantity[done],
        arrival_mid=market.references.from_arrival[done, 0],
        mids=market.references.from_trade[done],
    )
