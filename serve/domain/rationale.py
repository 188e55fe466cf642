"""Reasons in plain sentences, with the figures, their counts and units."""

from collections.abc import Sequence

from expectations.contracts.vocabulary import Metric
from serve.domain.market import Axe, Dealer, Scorecards
from serve.domain.rules import Pick
from serve.domain.scoring import Component
from serve.domain.selection import Ranked

_SPOKEN: dict[Metric, str] = {metric: metric.value.replace("_", " ") for metric in Metric}


def of_ranked(dealer: Dealer, ranked: Ranked, field: int, *, cards: Scorecards, parts: Sequence[Component], axe: Axe | None) -> str:
    """Say why a dealer is recommended; ``field`` is how many dealers could have been asked."""
    tier = f" (tier {ranked.tier})" if ranked.tier else ""
    days = cards.window_days
    recency = f" with a half-life of {cards.half_life_days}" if cards.half_life_days else ""
    context = f"for {cards.scorecard_class} over {days} days{recency}"
    place = f"{dealer.name} ranks {ranked.place} of {field} {context}, scoring {ranked.score:.3f}{tier}."
    sentences = [place]
    if cards.asked[ranked.row] == 0:
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
    name = _SPOKEN[part.metric]
    if part.raw is None:
        return f"{name} not observed, taken as the class's mean"
    sign = "+" if part.unit == "bps" else ""
    return f"{name} {part.raw:{sign}.3g} {part.unit} (n = {part.n}) gives {part.contribution:.3f}"


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
