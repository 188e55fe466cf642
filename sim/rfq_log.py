"""The RFQ log: one row per dealer asked, as two venues write it."""

import numpy as np
import numpy.typing as npt

from expectations.contracts.vocabulary import Outcome, Response, Side
from sim.behaviour import DECLINES, QUOTES, REJECTS
from sim.deals import executed_price, quote_prices, rfq_ids
from sim.market import Market
from sim.naming import MERIDIAN, OPENCOURT, logged_names, venues
from sim.prints import executed_quantity, quoted_quantity
from sim.randomness import stream
from sim.rfqs import PROTOCOLS
from sim.writers import Rows, amounts, decimals, flags, instants, picked, rows_of

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_NO_ARRIVAL_SHARE = 0.03


def rfq_rows(market: Market) -> Rows:
    """Write the log of both venues, in the order in which the desk asked."""
    rng = stream(market.sizes.seed, "log", len(market.demand.start))
    rfq, place = np.nonzero(market.enquiries.asked)
    opencourt = venues(market, rng)
    arrival = np.where(rng.random(len(opencourt)) < _NO_ARRIVAL_SHARE, np.nan, market.references.from_arrival[:, 0])
    asked_at = market.demand.start[rfq] + (market.enquiries.asked_after_s[rfq, place] * 1000).astype(np.int64)
    names = logged_names(market, market.enquiries.dealer[rfq, place], asked_at, opencourt[rfq], rng)
    columns = {
        **_request_columns(market, rfq, opencourt),
        "asked_at": instants(asked_at),
        "dealer_id": names,
        "sequence": [str(number + 1) for number in place.tolist()],
        **_answer_columns(market, (rfq, place), asked_at),
        **_execution_columns(market, rfq, market.enquiries.winner[rfq] == place),
        "arrival_mid": decimals(arrival[rfq], 4),
        "propensity": [""] * len(rfq),
    }
    return rows_of("rfq_log", columns, by_time=columns["asked_at"])


def _request_columns(market: Market, rfq: Ints, opencourt: Flags) -> dict[str, list[str]]:
    demand, ids = market.demand, rfq_ids(market)
    internal, isin = [bond.security_id for bond in market.bonds], [bond.isin for bond in market.bonds]
    other = opencourt[rfq].tolist()
    return {
        "rfq_id": picked(ids, rfq),
        "order_id": [f"O{ids[number][1:]}" for number in rfq.tolist()],
        "venue": [OPENCOURT if there else MERIDIAN for there in other],
        "security_id": [
            isin[bond] if there else internal[bond] for bond, there in zip(demand.security[rfq].tolist(), other, strict=True)
        ],
        "client_side": [str(Side.BUY if direction > 0 else Side.SELL) for direction in demand.direction[rfq].tolist()],
        "quantity": amounts(demand.quantity[rfq]),
        "protocol": [str(PROTOCOLS[protocol]) for protocol in demand.protocol[rfq].tolist()],
        "dealers_asked": [str(number) for number in market.enquiries.asked.sum(axis=1)[rfq].tolist()],
        "timeout_s": decimals(demand.timeout_s[rfq], 0),
    }


def _answer_columns(market: Market, cell: tuple[Ints, Ints], asked_at: Ints) -> dict[str, list[str]]:
    own, asked_for = market.enquiries, market.demand.quantity[cell[0]]
    quoted = own.quoted[cell]
    size = quoted_quantity(asked_for, own.answers.size_ratio[cell])
    return {
        "response": [str(response) for response in _responses(market, cell)],
        "responded_at": instants(_responded(market, cell, asked_at)),
        "quote_price": decimals(np.where(quoted, quote_prices(market)[cell], np.nan), 3),
        "quote_quantity": amounts(np.where(quoted, size, np.nan)),
        "firm": [flag if shown else "" for flag, shown in zip(flags(own.answers.firm[cell]), quoted.tolist(), strict=True)],
        "outcome": [str(outcome) for outcome in _outcomes(market, cell)],
    }


def _execution_columns(market: Market, rfq: Ints, won: Flags) -> dict[str, list[str]]:
    filled = executed_quantity(market.enquiries)
    return {
        "executed_at": instants(np.where(won, market.impacts.trades[rfq], -1)),
        "executed_price": decimals(np.where(won, executed_price(market)[rfq], np.nan), 3),
        "executed_quantity": amounts(np.where(won, filled[rfq], np.nan)),
    }


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
