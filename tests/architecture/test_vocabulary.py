"""One word for one thing: enumerations, dbt's accepted words, the glossary, the rating scale, the contracts, the rule book."""

import csv
import re
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import yaml

from expectations.contracts import vocabulary as words
from expectations.contracts.snapshot import HALF_LIVES_DAYS, SNAPSHOT_TABLES, WINDOWS_DAYS
from expectations.contracts.sources import LANDING_TABLES
from tests.architecture.project import data_tests_of, dbt_project, declared, models, read

GLOSSARY = read(Path("dbt/_glossary.md"))
BLOCKS: dict[str, str] = dict(re.findall(r"{% docs (\w+) %}(.*?){% enddocs %}", GLOSSARY, re.DOTALL))

# What dbt reads about landing itself: its receipts, and what its index knows of dealers.
ABOUT_LANDING = ("receipts", "rfq_dealers", "unknown_results")

# The glossary's block for each enumeration; those with a dbt test stand in ACCEPTED as well.
GLOSSED: dict[str, type[StrEnum]] = {
    "client_side": words.Side,
    "axe_side": words.AxeSide,
    "protocol": words.Protocol,
    "response": words.Response,
    "outcome": words.Outcome,
    "dealer_status": words.DealerStatus,
    "trade_status": words.TradeStatus,
    "reporting_side": words.ReportingSide,
    "asset_class": words.AssetClass,
    "scorecard_class": words.CorporateClass,
    "tca_metric": words.TcaMetric,
    "tca_unit": words.TcaUnit,
    "positive_is": words.PositiveIs,
    "adv_basis": words.AdvBasis,
    "scorecard_metric": words.Metric,
}
ACCEPTED: dict[tuple[str, str], type[StrEnum]] = {
    ("dim_dealers", "status"): words.DealerStatus,
    ("stg_trades", "status"): words.TradeStatus,
    ("stg_trades", "reporting_side"): words.ReportingSide,
    ("stg_tca_results", "metric"): words.TcaMetric,
    ("stg_tca_results", "unit"): words.TcaUnit,
    ("stg_tca_results", "positive_is"): words.PositiveIs,
    ("fct_security_liquidity", "adv_basis"): words.AdvBasis,
    ("fct_dealer_axes", "side"): words.AxeSide,
    ("fct_rfq_responses", "client_side"): words.Side,
    ("fct_rfq_responses", "protocol"): words.Protocol,
    ("fct_rfq_responses", "response"): words.Response,
    ("fct_rfq_responses", "outcome"): words.Outcome,
    ("fct_rfqs", "client_side"): words.Side,
    ("fct_rfqs", "protocol"): words.Protocol,
    ("fct_executions", "client_side"): words.Side,
    ("fct_tca_reconciliation", "metric"): words.TcaMetric,
    ("fct_tca_vendor_agreement", "metric"): words.TcaMetric,
}
# A desk adds its own, so dbt does not close them.
OPEN = {words.AssetClass, words.CorporateClass}
# Tables of the snapshot that are fitted in Python and not built by dbt.
FITTED = {"fit_market_costs", "fit_class_terms", "fit_dealer_beliefs", "fit_sector_prices", "fit_axe_beliefs"}


def rule_book() -> dict[str, Any]:
    book: dict[str, Any] = yaml.safe_load(read(Path("config/rules.yml")))
    return book


def scale(agency: str) -> dict[str, int]:
    rows = csv.DictReader(read(Path("dbt/seeds/ratings.csv")).splitlines())
    return {row["symbol"]: int(row["rating_rank"]) for row in rows if row["agency"] == agency}


def test_every_enumeration_is_in_the_glossary() -> None:
    enums = {entry for entry in vars(words).values() if isinstance(entry, type) and issubclass(entry, StrEnum) and list(entry)}
    assert enums == set(GLOSSED.values())


@pytest.mark.parametrize("block", GLOSSED)
def test_the_glossary_has_the_words_of_the_enumeration(block: str) -> None:
    quoted = re.findall(r"`(\w+)`", BLOCKS[block])
    assert set(quoted) - {"seed_v0"} == {str(word) for word in GLOSSED[block]}


def test_dbt_accepts_the_words_of_the_enumerations() -> None:
    found = {
        (name, column): listed
        for name, model in declared("models").items()
        for _, kind, arguments in data_tests_of(model)
        if kind == "accepted_words"
        for column, listed in arguments["words"].items()
    }
    assert found == {place: [str(word) for word in enum] for place, enum in ACCEPTED.items()}


def test_every_closed_enumeration_of_the_sources_is_checked_by_dbt() -> None:
    assert set(ACCEPTED.values()) == set(GLOSSED.values()) - OPEN - {words.Metric}


def test_the_glossary_has_the_rating_scale() -> None:
    listed = {name: int(rank) for name, rank in re.findall(r"`(\w+)` (\d+)", BLOCKS["rating_rank"])}
    assert listed == {rating.name: rating.value for rating in words.Rating}


@pytest.mark.parametrize(("agency", "default"), [("SP", "SD"), ("FITCH", "RD")])
def test_an_agency_rates_on_the_scale_of_the_house(agency: str, default: str) -> None:
    written = {symbol.replace("+", "_PLUS").replace("-", "_MINUS"): rank for symbol, rank in scale(agency).items()}
    # A selective or restricted default ranks with D.
    assert written == {rating.name: rating.value for rating in words.Rating} | {default: words.Rating.D}


def test_moodys_symbols_fill_the_scale_without_gaps_from_c_up() -> None:
    ranks = scale("MOODYS")
    assert sorted(ranks.values()) == list(range(words.Rating.C, words.Rating.AAA + 1))
    steps = [f"{letter}{step}" for letter in ("Aa", "A", "Baa", "Ba", "B", "Caa") for step in (1, 2, 3)]
    assert sorted(ranks, key=ranks.__getitem__, reverse=True) == ["Aaa", *steps, "Ca", "C"]


def test_investment_grade_begins_at_the_same_rank_in_sql() -> None:
    floors = re.findall(r"rating_rank }} >= (\d+) then '(\w+)'", read(Path("dbt/macros/classes.sql")))
    assert floors == [(str(words.LOWEST_INVESTMENT_GRADE.value), words.CorporateClass.INVESTMENT_GRADE)]


def test_sql_names_the_corporate_classes() -> None:
    named = set(re.findall(r"'(CORP_\w+)'", read(Path("dbt/macros/classes.sql"))))
    assert named == {str(name) for name in words.CorporateClass}


def test_the_scorecard_macro_lists_the_metrics_in_order() -> None:
    listed = re.findall(r'"name": "(\w+)"', read(Path("dbt/macros/scores.sql")))
    assert listed == [str(metric) for metric in words.Metric]


def test_dbt_reads_the_tables_of_the_source_contract() -> None:
    known = {*LANDING_TABLES, *ABOUT_LANDING}
    read_by_dbt = [table["name"] for source in ("landing", "rebuild") for table in declared("sources")[source]["tables"]]
    assert sorted(read_by_dbt) == sorted(known)
    assert models("models/staging").keys() == {f"stg_{name}" for name in known}


@pytest.mark.parametrize("table", sorted(SNAPSHOT_TABLES.keys() - FITTED))
def test_a_mart_has_the_columns_of_the_snapshot(table: str) -> None:
    columns = [(column["name"], column["data_type"].upper()) for column in declared("models")[table]["columns"]]
    assert columns == list(SNAPSHOT_TABLES[table].items())


def test_fitted_tables_are_built_by_no_model() -> None:
    assert SNAPSHOT_TABLES.keys() >= FITTED
    assert FITTED & models().keys() == set()


def test_dbt_and_the_rule_book_weigh_alike_by_default() -> None:
    score = rule_book()["default"]["score"]
    assert score["weights"] == dbt_project()["vars"]["seed_weights"]
    assert sum(score["weights"].values()) == pytest.approx(1)


def test_dbt_and_the_rule_book_cut_tiers_alike_by_default() -> None:
    assert rule_book()["tiers"]["default"] == dbt_project()["vars"]["tier_cuts"]


def test_dbt_builds_the_windows_of_the_contract() -> None:
    assert tuple(dbt_project()["vars"]["windows_days"]) == WINDOWS_DAYS
    assert tuple(dbt_project()["vars"]["half_lives_days"]) == HALF_LIVES_DAYS
