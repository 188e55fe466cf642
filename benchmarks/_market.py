"""A market of any size and a rule book of any length, for measurements."""

from itertools import cycle
from pathlib import Path

from tests.fakes.snapshot import CLASSES, FIGURES, Rows, scorecards, small_market

WINDOWS = (30, 60, 90, 180)


def market(dealers: int) -> Rows:
    """Give the small market's bonds with so many dealers, each with figures of its own in every class and window."""
    rows = small_market()
    copies = list(zip(range(dealers), cycle(rows["dim_dealers"]), strict=False))
    rows["dim_dealers"] = [
        row | {"dealer_id": _name(number, row["dealer_id"]), "name": f"{row['name']} {number}"} for number, row in copies
    ]
    figures = {
        _name(number, row["dealer_id"]): tuple(figure * (1 + number / (10 * dealers)) for figure in FIGURES[row["dealer_id"]])
        for number, row in copies
    }
    rows["fct_dealer_scorecards"] = [row for name in CLASSES for window in WINDOWS for row in scorecards(name, window, figures)]
    first = {row["dealer_id"]: _name(number, row["dealer_id"]) for number, row in copies[: len(FIGURES)]}
    for table in ("fct_dealer_affinity", "fct_dealer_axes"):
        rows[table] = [row | {"dealer_id": first[row["dealer_id"]]} for row in rows[table]]
    return rows


def features(dealers: int) -> dict[str, dict[str, str]]:
    """Give what a score is made of, by dealer, for one class and window: what a store of features would hold."""
    cards = market(dealers)["fct_dealer_scorecards"]
    rows = [row for row in cards if (row["scorecard_class"], row["window_days"]) == ("CORP_IG", 90)]
    return {
        f"scorecard:CORP_IG:90:{row['dealer_id']}": {name: str(value) for name, value in row.items() if value is not None}
        for row in rows
    }


def _name(number: int, stem: str) -> str:
    return f"{stem}{number:04d}"


def write_rules(config: Path, shipped: Path, rules: int) -> None:
    """Copy the shipped configuration and put so many rules before its own, each for an issuer that no order here has."""
    config.mkdir(parents=True)
    for path in shipped.rglob("*"):
        if path.is_file():
            copy = config / path.relative_to(shipped)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    book = (config / "rules.yml").read_text()
    head, marker, own = book.partition("\nrules:\n")
    added = "".join(_rule(number) for number in range(max(rules - own.count("- id:"), 0)))
    (config / "rules.yml").write_text(f"{head}{marker}{added}{own if rules else ''}")


def _rule(number: int) -> str:
    issuer, floor = f"ISSUER-{number:06d}", 1 + number % 50
    kind = "constrain" if number % 4 == 0 else "select"
    does = (
        "    max_dealers: 5\n"
        if kind == "constrain"
        else f"    priority: {number % 90 + 1}\n    pick: [{{take: {2 + number % 4}}}]\n"
    )
    condition = f'order.issuer_id == "{issuer}" && order.notional > mm({floor}) && order.side == BUY'
    return f"  - id: BENCH-{number}\n    kind: {kind}\n    when: '{condition}'\n{does}"
