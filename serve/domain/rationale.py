"""Reasons in plain sentences, with the figures, their counts and units."""

from collections.abc import Sequence

from serve.domain.market import Axe, Dealer
from serve.domain.models import Rating
from serve.domain.rules import Pick
from serve.domain.scoring import Component
from serve.domain.selection import Ranked

NO_GAIN = "asking it too is not expected to gain more than its leak would cost"


def of_ranked(dealer: Dealer, ranked: Ranked, field: int, *, rating: Rating, parts: Sequence[Component], axe: Axe | None) -> str:
    """Say why a dealer is recommended; ``field`` is how many dealers could have been asked."""
    tier = f" (tier {ranked.tier})" if ranked.tier else ""
    cards = rating.cards
    days = cards.window_days
    recency = f" with a half-life of {cards.half_life_days}" if cards.half_life_days else ""
    over = f" over {days} days{recency}" if rating.unit == "score" else ""
    unit = "" if rating.unit == "score" else f" {rating.unit}"
    place = (
        f"{dealer.name} ranks {ranked.place} of {field} for {cards.scorecard_class}{over}, scoring {ranked.score:.3f}{unit}{tier}."
    )
    sentences = [place]
    if rating.unit != "score":
        figures = "; ".join(_term(part, rating.unit) for part in parts)
        sentences.append(f"{figures[:1].upper()}{figures[1:]}.")
    elif cards.asked[ranked.row] == 0:
        sentences.append(f"It was asked nothing of this class in {days} days: the class's mean figures place it, not its own.")
    else:
        figures = "; ".join(map(_figure, parts))
        sentences.append(f"{figures[:1].upper()}{figures[1:]}.")
    if axe:
        size = f" {axe.quantity:,.0f}" if axe.quantity else ""
        sentences.append(f"It advertised {axe.age_days:.1f} days ago that it {axe.side.value.lower()}{size} of this bond.")
    return " ".join(sentences)


def of_passed(dealer: Dealer, ranked: Ranked, field: int, wanted: str) -> str:
    """Say why a dealer who may be asked was not picked; ``wanted`` is what ``asked_for`` says."""
    return f"{dealer.name} ranks {ranked.place} of {field} with {ranked.score:.3f}{_tier(ranked)}; {wanted}."


def of_beyond(dealer: Dealer, ranked: Ranked, field: int, max_dealers: int) -> str:
    """Say why a picked dealer fell to the limit on dealers."""
    return (
        f"{dealer.name} ranks {ranked.place} of {field} with {ranked.score:.3f}{_tier(ranked)}; "
        f"at most {max_dealers} may be asked for this order."
    )


def _figure(part: Component) -> str:
    name = part.metric.replace("_", " ")
    if part.raw is None:
        return f"{name} not observed, taken as the class's mean"
    sign = "+" if part.unit == "bps" else ""
    return f"{name} {part.raw:{sign}.3g} {part.unit} (n = {part.n}) gives {part.contribution:.3f}"


def _term(part: Component, unit: str) -> str:
    known = "" if part.raw is None else f" {part.raw:.3g} {part.unit} (n = {part.n})"
    return f"{part.metric.replace('_', ' ')}{known} gives {part.contribution:+.3f} {unit}"


def _tier(ranked: Ranked) -> str:
    return f" in tier {ranked.tier}" if ranked.tier else ""


def asked_for(picks: Sequence[Pick]) -> str:
    """Say whom a rule picks."""
    wanted = []
    for pick in picks:
        count = "all" if pick.take is None else f"the first {pick.take}"
        tier = f" of tier {pick.tier}" if pick.tier else ""
        where = f" where {pick.where.source}" if pick.where else ""
        wanted.append(count + tier + where)
    return f"the rule takes {' and '.join(wanted)}"
