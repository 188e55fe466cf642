"""How the story is told: tables and lines for a person at a terminal."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from demo.published import ThinBond


def chapter(console: Console, title: str) -> None:
    """Begin the next part."""
    console.print()
    console.rule(f"[bold]{title}", align="left")


def tell_verdict(console: Console, bond: ThinBond, answer: Mapping[str, Any]) -> None:
    """Say whether the bond is illiquid and why, and what the order should cost."""
    liquidity = answer["liquidity"]
    verdict = "ILLIQUID" if liquidity["illiquid"] else "liquid"
    console.print(f"Order: sell 10,000,000 of {bond.title} ({bond.cusip or bond.security_id}, {bond.scorecard_class}).")
    console.print(f"Verdict: [bold]{verdict}[/bold]. " + " ".join(liquidity["reasons"]))
    cost, impact, mid = liquidity["expected_cost_bps"], liquidity["expected_impact_bps"], answer["arrival_mid"]
    low, high = liquidity["expected_impact_low_bps"], liquidity["expected_impact_high_bps"]
    console.print(
        f"Mid {_figure(mid, 4)}; expected cost {_figure(cost, 1)} bps, expected impact {_figure(impact, 1)} bps "
        f"(between {_figure(low, 1)} and {_figure(high, 1)}). "
        f"{bond.dealers} dealers quoted the issuer or its like in the last six months."
    )
    for rule in answer["matched_rules"]:
        console.print(f"Rule {rule['id']} ({rule['kind']}): {rule['why']}", style="dim", markup=False)
    plan = answer["plan"]
    console.print(
        f"Plan: {plan['mode']}, {plan['timeout_s']:g} s each, at most {plan['max_dealers'] or len(answer['dealers'])} dealers, "
        f"competitive within {_figure(plan['competitive_within_bps'], 0)} bps of the expected cost."
    )


def tell_dealers(console: Console, answer: Mapping[str, Any]) -> None:
    """Show who is recommended and why, and how many were left out by which gate."""
    table = Table("#", "dealer", "tier", "score", "why", title="Whom to ask, in this order", title_justify="left")
    for dealer in answer["dealers"]:
        table.add_row(str(dealer["rank"]), dealer["name"], str(dealer["tier"]), f"{dealer['score']:.3f}", dealer["reason"])
    console.print(table)
    gates: dict[str, int] = {}
    for excluded in answer["excluded"]:
        gates[excluded["gate"]] = gates.get(excluded["gate"], 0) + 1
    console.print("Left out: " + ", ".join(f"{count} by {gate}" for gate, count in sorted(gates.items())) + ".")
    for excluded in answer["excluded"]:
        if excluded["gate"] not in {"pick", "max_dealers"}:
            console.print(f"  {excluded['reason']}", style="dim", markup=False)


def tell_event(console: Console, event: Mapping[str, Any], began: str) -> None:
    """Say one event of the RFQ in a line, with the desk's seconds since it began."""
    seconds = (datetime.fromisoformat(event["at"]) - datetime.fromisoformat(began)).total_seconds()
    words = _WORDS.get(event["kind"])
    if words:
        told = words.format_map({**event, "answer": str(event.get("response", "")).lower().replace("_", " ")})
        console.print(f"  {seconds:6.1f} s  {told}")


_WORDS = {
    "rfq.dealer_asked": "-> {dealer_id} is asked, quietly",
    "rfq.quote_received": "<- {dealer_id} quotes {price:.4f} for {quantity:,.0f}",
    "rfq.quote_withdrawn": "<- {dealer_id}'s quote is gone: {reason}",
    "rfq.dealer_without_quote": "<- {dealer_id}: {answer} ({reason})",
    "rfq.alert": "[bold yellow]!! {message}[/bold yellow]",
    "rfq.execution_requested": "[bold]one click: hit {dealer_id} at {price:.4f} for {quantity:,.0f}[/bold]",
    "rfq.execution_reported": "[bold green]<- {dealer_id} fills {quantity:,.0f} at {price:.4f}[/bold green]",
    "rfq.execution_failed": "<- {dealer_id} refuses the hit: {reason}",
    "rfq.loser_told": "-> {dealer_id} is told: {told}",
    "rfq.closed": "closed: {state} ({reason})",
}


def tell_change(console: Console, dealers: list[str], before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Show how the scores of those asked moved between the two snapshots."""
    table = Table("dealer", "figure", "before", "after", title="What the desk has learned (90 days)", title_justify="left")
    for dealer in dealers:
        for figure, decimals in _SHOWN.items():
            old, new = _figure(before[dealer][figure], decimals), _figure(after[dealer][figure], decimals)
            if old != new:
                table.add_row(dealer, figure.replace("_", " "), old, new)
        table.add_section()
    console.print(table)


_SHOWN = {
    "rfqs_asked": 0,
    "rfqs_won": 0,
    "fill_rate": 4,
    "price_improvement": 4,
    "information_leakage": 4,
    "response_speed": 2,
    "composite": 5,
    "composite_rank": 0,
    "tier": 0,
}


def _figure(value: float | None, decimals: int) -> str:
    return "unknown" if value is None else f"{value:,.{decimals}f}"
