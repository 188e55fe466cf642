"""How a dealer of the simulated market would answer a request: the formulas of the history, for one row."""

from math import floor, log10

import numpy as np

from sim.behaviour import DECLINES, QUOTES, REJECTS, Asked, answers_to, draw, size_growth
from sim.estranged import draw_heavy, estranged
from sim.fix.inquiry import Inquiry
from sim.fix.scripts import Action, DeclineBy, Script, Via
from sim.prints import quoted_quantity
from sim.randomness import stream
from sim.traits import CLASS_NAMES, CLASSES, USUAL_PANEL
from sim.world import TrueBond, TrueDealer, World

_VALID_S = (120.0, 300.0)
_WITHDRAWN_AFTER_S = (15.0, 60.0)
_COUNTERS_EVERY, _REJECTS_EVERY = 11, 3


def size_bucket(quantity: float) -> int:
    """Give the bucket of a size: two to each power of ten."""
    return floor(2 * log10(quantity))


def axe_in(world: World, dealer: TrueDealer, bond: TrueBond, direction: int) -> float:
    """Give how far a standing axe suits the client: 1 in the bond, half in another of its issuer, else 0."""
    wanted = [axe.security_id for axe in world.axes if axe.dealer_id == dealer.dealer_id and axe.direction == -direction]
    if bond.security_id in wanted:
        return 1.0
    kin = {other.security_id for other in world.bonds if other.issuer_id == bond.issuer_id}
    return 0.5 if kin.intersection(wanted) else 0.0


def price_via(world: World, dealer: TrueDealer) -> Via:
    """Give the message in which this dealer prices: for a few it is a counter."""
    return Via.COUNTER if _place(world, dealer) % _COUNTERS_EVERY == _COUNTERS_EVERY - 1 else Via.QUOTE


def decline_by(world: World, dealer: TrueDealer) -> DeclineBy:
    """Give the message by which this dealer declines."""
    return DeclineBy.REQUEST_REJECT if _place(world, dealer) % _REJECTS_EVERY == 1 else DeclineBy.STATUS_REPORT


def _place(world: World, dealer: TrueDealer) -> int:
    return [other.dealer_id for other in world.dealers].index(dealer.dealer_id)


def _one(value: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([value], dtype=np.float64)


def quote_at(bond: TrueBond, direction: int, relative_size: float, cost_hs: float) -> float:
    """Give the price at a cost in half-spreads from the true mid, 3 decimals."""
    half_spread = bond.half_spread_bps * float(size_growth(_one(relative_size))[0])
    return round(bond.mid * (1 + 1e-4 * direction * cost_hs * half_spread), 3)


def _asked(world: World, dealer: TrueDealer, bond: TrueBond, inquiry: Inquiry, relative_size: float) -> Asked:
    name = bond.scorecard_class
    return Asked(
        response_logit=_one(dealer.response_logit[name]),
        cost_hs=_one(dealer.cost_hs[name]),
        cost_sd=_one(dealer.cost_sd[name]),
        axe_gain_hs=_one(dealer.axe_gain_hs[name]),
        latency_s=_one(dealer.latency_s[name]),
        sigma=_one(dealer.sigma),
        firm=_one(dealer.firm),
        full_size=_one(dealer.full_size),
        relative_size=_one(relative_size),
        panel=_one(USUAL_PANEL),
        axe=_one(axe_in(world, dealer, bond, inquiry.direction)),
        stress=_one(0.0),
    )


def conduct(world: World, dealer: TrueDealer, bond: TrueBond, inquiry: Inquiry, nth: int) -> Script:
    """Draw what the dealer does. The same seed, dealer, bond, side, size bucket and count of earlier requests give the same."""
    bucket = str(size_bucket(inquiry.quantity))
    rng = stream(world.seed, "fix", dealer.dealer_id, bond.security_id, str(inquiry.direction), bucket, nth)
    relative = inquiry.quantity / CLASSES[CLASS_NAMES.index(bond.scorecard_class)].size
    asked, draws = _asked(world, dealer, bond, inquiry, relative), draw(rng, (1,))
    if world.misspecified:
        # Whoever is asked the same for the nth time meets the same shock.
        shock = stream(world.seed, "shock", bond.security_id, str(inquiry.direction), bucket, nth).normal(0, 1, 1)
        heavy = draw_heavy(stream(world.seed, "heavy", dealer.dealer_id, bond.security_id, bucket, nth), (1,))
        draws, asked = estranged(draws, asked, heavy, shock)
    answers = answers_to(asked, draws)
    actions = {QUOTES: Action.QUOTE, DECLINES: Action.DECLINE, REJECTS: Action.REJECT}
    size = inquiry.quantity if answers.size_ratio[0] >= 1 else float(quoted_quantity(_one(inquiry.quantity), answers.size_ratio)[0])
    return Script(
        action=actions.get(int(answers.refusal[0]), Action.SILENT),
        after_s=float(answers.latency_s[0]),
        price=quote_at(bond, inquiry.direction, relative, float(answers.cost_hs[0])),
        quantity=size,
        firm=bool(answers.firm[0]),
        valid_s=float(rng.uniform(*_VALID_S)),
        withdraw_after_s=float(rng.uniform(*_WITHDRAWN_AFTER_S)) if answers.fades[0] else None,
        via=price_via(world, dealer),
        decline_by=decline_by(world, dealer),
    )
