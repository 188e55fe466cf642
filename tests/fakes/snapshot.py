"""A real snapshot folder with a small market in it: DuckDB file, manifest and CURRENT, as the contract defines them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
from stdnum import cusip as cusips
from stdnum import isin as isins

from expectations.contracts.home import Home
from expectations.contracts.snapshot import CONTRACT_VERSION, SNAPSHOT_TABLES, WINDOWS_DAYS, Manifest, TableFacts
from expectations.contracts.vocabulary import Metric, Rating

Rows = dict[str, list[dict[str, Any]]]

AS_OF = datetime(2026, 1, 30, 21, 0, tzinfo=UTC)
DEFAULT_WEIGHTS = {
    Metric.FILL_RATE: 0.30,
    Metric.PRICE_IMPROVEMENT: 0.40,
    Metric.INFORMATION_LEAKAGE: 0.20,
    Metric.RESPONSE_SPEED: 0.10,
}

# fill rate, price improvement bps, reversion bps, seconds, hit rate, response rate, size ratio. A and C are the pair of M-11.
FIGURES: dict[str, tuple[float, float, float, float, float, float, float]] = {
    "A": (0.88, 3.2, -0.5, 12.0, 0.90, 0.98, 1.00),
    "B": (0.40, 1.0, -1.5, 25.0, 0.50, 0.80, 0.90),
    "C": (0.95, 2.8, -0.2, 18.0, 0.96, 0.99, 1.00),
    "D": (0.30, 0.5, -2.0, 40.0, 0.45, 0.66, 0.80),
    "E": (0.55, 1.5, -0.8, 20.0, 0.60, 0.91, 0.95),
    "F": (0.20, -0.5, -3.0, 55.0, 0.35, 0.57, 0.70),
    "G": (0.45, 0.8, -1.0, 30.0, 0.52, 0.86, 0.85),
    "H": (0.60, 2.0, -0.4, 15.0, 0.65, 0.92, 1.00),
}
COUNTED = ("rfqs_asked", "rfqs_quoted", "rfqs_declined", "rfqs_timed_out", "rfqs_rejected", "rfqs_won")
CLASSES = {"CORP_IG": "CORP", "CORP_HY": "CORP", "CORP_NR": "CORP", "MUNI": "MUNI", "GOVT": "GOVT"}


def cusip(stem: str) -> str:
    """Complete an eight-character stem with its check digit."""
    return stem + cusips.calc_check_digit(stem)


LIQUID_IG = cusip("111111AA")
ILLIQUID_IG = cusip("222222AB")
ILLIQUID_HY = cusip("333333AC")
UNRATED_MUNI = cusip("444444AD")
TREASURY = cusip("91282CAA")
UNTRADED = cusip("555555AE")


def small_market() -> Rows:
    """Give rows for every table of the contract; change them before writing to make a case."""
    return {
        "dim_dealers": [_dealer(name) for name in FIGURES],
        "dim_securities": [
            _security(LIQUID_IG, "CORP", "CORP_IG", Rating.A, 5.0),
            _security(ILLIQUID_IG, "CORP", "CORP_IG", Rating.BBB, 7.0),
            _security(ILLIQUID_HY, "CORP", "CORP_HY", Rating.BB_MINUS, 7.0),
            _security(UNRATED_MUNI, "MUNI", "MUNI", None, 12.0),
            _security(TREASURY, "GOVT", "GOVT", Rating.AA_PLUS, 9.0),
            _security(UNTRADED, "CORP", "CORP_NR", None, 6.0),
        ],
        "fct_security_liquidity": [
            _liquidity(LIQUID_IG, days=0.1, traded_days=20, adv=80e6, dispersion=4.0),
            _liquidity(ILLIQUID_IG, days=11.0, traded_days=3, adv=4e6, dispersion=45.0, basis="issuer"),
            _liquidity(ILLIQUID_HY, days=9.0, traded_days=2, adv=3e6, dispersion=60.0, basis="peers"),
            _liquidity(UNRATED_MUNI, days=6.0, traded_days=5, adv=40e6, dispersion=25.0),
            _liquidity(TREASURY, days=0.01, traded_days=22, adv=900e6, dispersion=1.0),
        ],
        "fct_dealer_scorecards": [row for name in CLASSES for days in WINDOWS_DAYS for row in scorecards(name, days, FIGURES)],
        "fct_dealer_scorecard_history": [_past("A", "CORP_IG", week) for week in (0, 1)] + [_past("A", "MUNI", 0)],
        "fct_dealer_affinity": [_affinity(name, "ISSUER-222222") for name in "ABCDE"],
        "fct_dealer_axes": [axe("C", ILLIQUID_IG, "BUYS")],
        "fct_dealer_axe_record": [_axe_record("C", tested=20, came_true=8)],
        "fct_override_outcomes": [_override("other", 1, None), _override("known_axe", 3, 1.25)],
        "fit_market_costs": [_costs(name) for name in CLASSES],
        "fit_class_terms": [class_terms(name) for name in CLASSES],
        "fit_dealer_beliefs": [belief(name, dealer_id) for name in CLASSES for dealer_id in FIGURES],
        "fit_sector_prices": [sector_price("C", "CORP_IG", 0.1), sector_price("A", "CORP_IG", 0.0)],
        "fit_axe_beliefs": [axe_belief("C", "CORP_IG", "SELL", 0.7)],
    }


def class_terms(scorecard_class: str) -> dict[str, Any]:
    """Give what holds for a class: a leak costs 0.7 half-spreads, quotes stay alive."""
    return {
        "scorecard_class": scorecard_class,
        "half_spread_bps": 10.0,
        "outside_hs": 1.5,
        "response": 0.8,
        "price_hs": 0.7,
        "price_sd_hs": 0.41,
        "leak_hs": 0.07,
        "crowd_logit": -0.15,
        "axe_gain_hs": 0.35,
        "axe_logit": 1.0,
        "axe_base": 0.08,
        "impact_hs": 0.7,
        "fade": 0.02,
        "fade_n": 120,
        "premium_hs": 0.01,
        "premium_n": 300,
    }


def belief(scorecard_class: str, dealer_id: str) -> dict[str, Any]:
    """Give a dealer's fitted figures, in line with its scorecard: who answers more and improves more, costs less."""
    fill, gain, reversion, _, _, answers, _ = FIGURES[dealer_id]
    figures = {
        "response": answers,
        "price_hs": 0.9 - gain / 10,
        "leak_hs": -reversion / 30,
        "axe_gain_hs": 0.1 + fill / 10,
        "card_response": answers,
        "card_price_hs": 0.9 - gain / 10,
        "card_leak": -reversion / 20,
    }
    cells = {
        f"{name}{suffix}": cell
        for name, figure in figures.items()
        for suffix, cell in (("", figure), ("_n", 80.0), ("_low", figure - 0.05), ("_high", figure + 0.05))
    }
    return {"scorecard_class": scorecard_class, "dealer_id": dealer_id, "price_sd_hs": 0.4, **cells}


def sector_price(dealer_id: str, scorecard_class: str, above_hs: float) -> dict[str, Any]:
    """Give a dealer's mean quote in industrials, so many half-spreads above its mean in the class."""
    whole = belief(scorecard_class, dealer_id)
    figures = {
        f"{name}{suffix}": whole[f"{name}{suffix}"] + (0.0 if suffix == "_n" else above_hs)
        for name in ("price_hs", "card_price_hs")
        for suffix in ("", "_n", "_low", "_high")
    }
    return {"scorecard_class": scorecard_class, "sector": "INDUSTRIALS", "dealer_id": dealer_id, **figures}


def axe_belief(dealer_id: str, scorecard_class: str, client_side: str, probability: float) -> dict[str, Any]:
    """Give what is believed of one dealer's axe."""
    return {
        "scorecard_class": scorecard_class,
        "sector": "INDUSTRIALS",
        "client_side": client_side,
        "dealer_id": dealer_id,
        "probability": probability,
        "advertised": True,
    }


def write_snapshot(
    home: Path,
    rows: Rows | None = None,
    *,
    snapshot_id: str = "20260130T210000Z-small",
    as_of: datetime = AS_OF,
    current: bool = True,
) -> str:
    """Write a snapshot folder under ``home`` and, unless told not to, make it the current one; give its id."""
    folder = Home(home).snapshots / snapshot_id
    folder.mkdir(parents=True)
    if rows is None:
        rows = small_market()
        (folder / "scorecards.duckdb").write_bytes(_small_database())
    else:
        _write_database(folder / "scorecards.duckdb", rows)
    facts = {table: TableFacts(rows=len(rows[table]), logical_hash="0" * 64) for table in SNAPSHOT_TABLES}
    manifest = Manifest(
        contract_version=CONTRACT_VERSION,
        snapshot_id=snapshot_id,
        as_of=as_of,
        known_at=as_of,
        created_at=as_of,
        tables=facts,
        quarantined={},
        gate=[],
        dbt_invocation_id="none",
        code_version="test",
    )
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    if current:
        make_current(home, snapshot_id)
    return snapshot_id


@cache
def _small_database() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "scorecards.duckdb"
        _write_database(path, small_market())
        return path.read_bytes()


def _write_database(path: Path, rows: Rows) -> None:
    with duckdb.connect(str(path)) as database:
        for table, columns in SNAPSHOT_TABLES.items():
            database.execute(f"create table {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
            if rows[table]:
                # By columns: to bind the cells of a thousand dealers one by one takes minutes.
                cells = pa.table({name: [_cell(row[name]) for row in rows[table]] for name in columns})
                database.register("cells", cells)
                database.execute(f"insert into {table} select * from cells")
                database.unregister("cells")


def make_current(home: Path, snapshot_id: str) -> None:
    """Switch CURRENT atomically, as publishing does."""
    fresh = Home(home).current.with_suffix(".new")
    fresh.write_text(snapshot_id + "\n")
    fresh.replace(Home(home).current)


def scorecards(
    scorecard_class: str, window_days: int, figures: Mapping[str, Sequence[float]], counts: int = 50
) -> list[dict[str, Any]]:
    """Give one class and window of scorecards from raw figures in the order of ``FIGURES``, ranked and tiered."""
    rows = [_scorecard(name, scorecard_class, window_days, raw, counts) for name, raw in figures.items()]
    rows.sort(key=lambda row: (-row["composite"], row["dealer_id"]))
    for rank, row in enumerate(rows, start=1):
        share = rank / len(rows)
        row.update(composite_rank=rank, composite_rank_share=share, tier=1 + (share > 0.25) + (share > 0.60))
    return rows


def _past(dealer_id: str, scorecard_class: str, weeks_ago: int) -> dict[str, Any]:
    counts = dict.fromkeys(COUNTED, 10 - weeks_ago)
    figures = {name: value for metric in Metric for name, value in ((f"{metric}", 0.5), (f"{metric}_n", 10 - weeks_ago))}
    return {
        "as_of_day": AS_OF.date() - timedelta(weeks=weeks_ago),
        "dealer_id": dealer_id,
        "scorecard_class": scorecard_class,
        "asset_class": CLASSES[scorecard_class],
        "window_days": 90,
        **counts,
        **figures,
    }


def _override(reason: str, overrides: int, advantage: float | None) -> dict[str, Any]:
    compared = 0 if advantage is None else overrides
    return {
        "reason_code": reason,
        "overrides": overrides,
        "rfqs": overrides,
        "traded": compared,
        "compared": compared,
        "trader_better": compared,
        "trader_advantage_bps": advantage,
        "trader_advantage_low": None if advantage is None else advantage - 1,
        "trader_advantage_high": None if advantage is None else advantage + 1,
    }


def axe(dealer_id: str, security_id: str, side: str) -> dict[str, Any]:
    """Give an advertised interest that is a day old."""
    return {
        "dealer_id": dealer_id,
        "security_id": security_id,
        "side": side,
        "quantity": 5e6,
        "advertised_at": AS_OF - timedelta(days=1),
        "age_days": 1.0,
    }


def _axe_record(dealer_id: str, *, tested: int, came_true: int) -> dict[str, Any]:
    share = came_true / tested
    return {
        "as_of": AS_OF,
        "dealer_id": dealer_id,
        "axes_tested": tested,
        "axes_came_true": came_true,
        "came_true_share": share,
        "came_true_low": share - 0.2,
        "came_true_high": share + 0.2,
        "mean_gain_over_usual_bps": 1.5,
    }


def _score(metric: Metric, raw: float) -> float:
    if metric in {Metric.PRICE_IMPROVEMENT, Metric.INFORMATION_LEAKAGE}:
        return 1 + raw / 10
    return min(1.0, max(0.0, 1 - raw / 60)) if metric is Metric.RESPONSE_SPEED else raw


def _scorecard(dealer_id: str, scorecard_class: str, window_days: int, raw: Sequence[float], counts: int) -> dict[str, Any]:
    quoted = round(counts * raw[5])
    row: dict[str, Any] = {
        "as_of": AS_OF,
        "dealer_id": dealer_id,
        "scorecard_class": scorecard_class,
        "asset_class": CLASSES.get(scorecard_class, scorecard_class),
        "window_days": window_days,
        "half_life_days": 0,
        "rfqs_asked": counts,
        "rfqs_quoted": quoted,
        "rfqs_declined": counts - quoted,
        "rfqs_timed_out": 0,
        "rfqs_rejected": 0,
        "rfqs_won": round(quoted * raw[4]),
    }
    for metric, figure in zip(Metric, raw, strict=True):
        row |= {
            f"{metric}": figure if counts else None,
            f"{metric}_n": counts,
            f"{metric}_low": figure - 0.1 if counts else None,
            f"{metric}_high": figure + 0.1 if counts else None,
            f"{metric}_score": _score(metric, figure),
        }
    return row | {"composite": sum(weight * row[f"{metric}_score"] for metric, weight in DEFAULT_WEIGHTS.items())}


def _dealer(name: str) -> dict[str, Any]:
    return {
        "dealer_id": name,
        "name": f"Dealer {name}",
        "lei": None,
        "specialties": ["MUNI"] if name in "BEG" else ["CORP"],
        "status": "ACTIVE",
        "agreements": None,
        "due_diligence_expiry": date(2027, 1, 1),
        "credit_limit": 500e6,
        "restricted": False,
        "fix_session": f"DLR{name}",
        "party_id": f"PARTY{name}",
        "contacts": None,
    }


def _security(
    security_id: str, asset_class: str, scorecard_class: str, rating: Rating | None, years_to_maturity: float
) -> dict[str, Any]:
    return {
        "security_id": security_id,
        "cusip": security_id,
        "isin": isins.from_natid("US", security_id),
        "figi": None,
        "asset_class": asset_class,
        "scorecard_class": scorecard_class,
        "issuer_id": f"ISSUER-{security_id[:6]}",
        "issuer_name": f"Issuer {security_id[:6]}",
        "sector": "INDUSTRIALS" if asset_class == "CORP" else None,
        "currency": "USD",
        "coupon": 5.0,
        "issue_date": date(2020, 1, 15),
        "maturity_date": (AS_OF + timedelta(days=365.25 * years_to_maturity)).date(),
        "maturity_bucket": "5-10y",
        "rating_rank": None if rating is None else int(rating),
        "amount_outstanding": 500e6,
    }


def _liquidity(
    security_id: str, *, days: float, traded_days: int, adv: float, dispersion: float, basis: str = "security"
) -> dict[str, Any]:
    return {
        "security_id": security_id,
        "as_of": AS_OF,
        "last_trade_at": AS_OF - timedelta(days=days),
        "days_since_last_trade": days,
        "trades_30d": traded_days * 2,
        "traded_days_30d": traded_days,
        "capped_trades_30d": 0,
        "volume_30d": adv * 21,
        "adv_30d": adv,
        "adv_basis": basis,
        "print_dispersion_bps": dispersion,
        "mid": 98.5,
        "mid_as_of": AS_OF,
        "half_spread_bps": 12.0,
        "volatility_bps": 35.0,
    }


def _affinity(dealer_id: str, issuer_id: str) -> dict[str, Any]:
    return {
        "dealer_id": dealer_id,
        "issuer_id": issuer_id,
        "sector": "INDUSTRIALS",
        "scorecard_class": "CORP_IG",
        "maturity_bucket": "5-10y",
        "rfqs_quoted_180d": 12,
        "last_quoted_at": AS_OF - timedelta(days=20),
    }


def _costs(scorecard_class: str) -> dict[str, Any]:
    return {
        "scorecard_class": scorecard_class,
        "half_spread_bps": 10.0,
        "reference_quantity": 1e6,
        "size_exponent": 0.2,
        "quoted_half_spread_bps": 10.0,
        "cost_n": 400,
        "volatility_bps": 30.0,
        "impact_coefficient": 0.5,
        "impact_low": 0.3,
        "impact_high": 0.7,
        "impact_n": 120,
    }


def _cell(value: Any) -> Any:
    """The snapshot's times are UTC without a zone."""
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value
