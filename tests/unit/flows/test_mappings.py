"""Mappings: what must be declared, and one located line for each mistake."""

from pathlib import Path

import duckdb
import pytest

from flows.sources.local_times import MACROS
from flows.sources.mapped import compiled
from flows.sources.mapping import load_mapping
from flows.sources.pulled import SourceError

TCA = """vendor: V
tables:
  tca_results:
    files: "*"
    time_zone: UTC
    columns:
      execution_ref: ref
      vendor: {constant: V}
      metric: measure
      value: {from: figure, unit: plain}
      unit: {constant: bps}
      horizon_s: secs
      positive_is: {constant: COST}
      reference: bench
      computed_at: at
"""
TRADES = """vendor: V
tables:
  trades:
    files: "*"
    time_zone: Europe/London
    security_id_type: ISIN
    columns:
      trade_id: id
      security_id: isin
      executed_at: at
      price: {from: px, unit: per_100}
      quantity: {from: qty, unit: thousands}
      status: {constant: NEW}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "v.yml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("text", [TCA, TRADES], ids=["tca", "trades"])
def test_a_mapping_that_declares_what_it_must_is_taken(tmp_path: Path, text: str) -> None:
    assert load_mapping(written(tmp_path, text)).vendor == "V"


@pytest.mark.parametrize("name", ["unit", "horizon_s", "positive_is", "reference"])
def test_a_tca_mapping_without_sign_unit_horizon_or_reference_is_refused(tmp_path: Path, name: str) -> None:
    text = "\n".join(line for line in TCA.splitlines() if not line.startswith(f"      {name}:"))
    with pytest.raises(SourceError, match=rf"v\.yml:3: tables\.tca_results: a TCA figure means nothing without {name};"):
        load_mapping(written(tmp_path, text))


@pytest.mark.parametrize("name", ["metric", "unit", "positive_is", "reference", "horizon_s"])
def test_a_figure_of_a_wide_tca_file_must_declare_all_of_it(tmp_path: Path, name: str) -> None:
    whole = {
        "from": "x",
        "metric": "price_reversion",
        "unit": "bps",
        "positive_is": "GAIN",
        "reference": "MID",
        "horizon_s": "1800",
    }
    figure = ", ".join(f"{key}: {value}" for key, value in whole.items() if key != name)
    columns = "columns: {execution_ref: r, vendor: {constant: V}, computed_at: at}"
    head = 'vendor: V\ntables:\n  tca_results:\n    files: "*"\n    time_zone: UTC\n'
    with pytest.raises(SourceError, match=name):
        load_mapping(written(tmp_path, f"{head}    {columns}\n    figures: [{{{figure}}}]\n"))


WIDE = """vendor: V
tables:
  tca_results:
    files: "*"
    time_zone: UTC
    columns: {execution_ref: r, vendor: {constant: V}, computed_at: at}
    figures:
      - {from: x, metric: METRIC, unit: bps, positive_is: GAIN, reference: MID, horizon_s: HORIZON}
"""


@pytest.mark.parametrize("horizon", ['""', "null", "", "0", "soon", "-5"])
@pytest.mark.parametrize("metric", ["price_reversion", "market_impact"])
def test_a_figure_of_what_came_after_the_trade_needs_its_horizon(tmp_path: Path, metric: str, horizon: str) -> None:
    wide = WIDE.replace("METRIC", metric).replace("HORIZON", horizon)
    with pytest.raises(SourceError, match=rf"v\.yml:7: tables\.tca_results\.figures: figure 1: {metric} needs the seconds"):
        load_mapping(written(tmp_path, wide))
    for how in (f"{{constant: {metric}}}", f"{{from: measure, values: {{IS: implementation_shortfall, X: {metric}}}}}"):
        long = TCA.replace("metric: measure", f"metric: {how}").replace("horizon_s: secs", f"horizon_s: {{constant: {horizon}}}")
        with pytest.raises(SourceError, match=rf"v\.yml:12: tables\.tca_results\.columns\.horizon_s: {metric} needs the seconds"):
            load_mapping(written(tmp_path, long))


@pytest.mark.parametrize(("metric", "horizon"), [("price_reversion", "60"), ("implementation_shortfall", '""')])
def test_a_figure_has_a_horizon_where_its_metric_needs_one(tmp_path: Path, metric: str, horizon: str) -> None:
    wide = WIDE.replace("METRIC", metric).replace("HORIZON", horizon)
    assert load_mapping(written(tmp_path, wide)).tables["tca_results"].figures[0].metric == metric


def test_the_horizon_of_a_code_is_looked_at_by_itself(tmp_path: Path) -> None:
    columns = TCA.replace("      metric: measure\n", "").replace("      horizon_s: secs\n", "")
    codes = """    code_column: kind
    codes:
      IS: {metric: {constant: arrival_slippage}, horizon_s: {constant: ""}}
      REV:
        metric: {constant: price_reversion}
        horizon_s: {constant: "HORIZON"}
"""
    assert load_mapping(written(tmp_path, columns + codes.replace("HORIZON", "300"))).vendor == "V"
    with pytest.raises(SourceError, match=r"v\.yml:19: tables\.tca_results\.codes\.REV\.horizon_s: price_reversion needs"):
        load_mapping(written(tmp_path, columns + codes.replace("HORIZON", "")))


@pytest.mark.parametrize(
    ("was", "becomes", "words"),
    [
        ("trades:", "trade:", "v.yml:3: tables.trade: there is no table 'trade'; did you mean 'trades'?"),
        (
            "      price:",
            "      prise:",
            "v.yml:11: tables.trades.columns.prise: trades has no column 'prise'; did you mean 'price'?",
        ),
        ("per_100", "per_cent", "v.yml:11: tables.trades.columns.price: there is no unit 'per_cent'; did you mean 'percent'?"),
        (", unit: thousands", "", "v.yml:12: tables.trades.columns.quantity: quantity needs a unit: units, thousands, millions"),
        ("thousands}", "thousands, form: x}", "v.yml:12: tables.trades.columns.quantity: Object contains unknown field `form`"),
        ("    time_zone: Europe/London\n", "", "executed_at: is a time: declare time_zone"),
        ("Europe/London", "Europe/Londn", "did you mean 'Europe/London'?"),
        ("    security_id_type: ISIN\n", "", "declare security_id_type"),
        ("ISIN", "SEDOL", "Invalid enum value 'SEDOL'"),
        ("{constant: NEW}", "{constant: FRESH}", "'FRESH' is none of NEW, CANCEL, CORRECT"),
        ("trade_id: id", "trade_id: {constant: a, from: id}", "exactly one of from, constant, join"),
        (
            "thousands}",
            'thousands, decimal: ",", grouping: ","}',
            "v.yml:12: tables.trades.columns.quantity: decimal and grouping are",
        ),
        ("thousands}", "thousands, grouping: .}", "v.yml:12: tables.trades.columns.quantity: decimal and grouping are both '.'"),
        ("thousands}", "thousands, grouping: '00'}", "quantity: grouping '00' must be one sign"),
        ("executed_at: at", "executed_at: {from: at, format: '%Y %H:%M %Z'}", "executed_at: %Z reads names of zones"),
        (
            "executed_at: at",
            "executed_at: {from: at, format: ['%Y %z', '%Y %Z']}",
            "v.yml:10: tables.trades.columns.executed_at: %Z",
        ),
        (
            "{constant: NEW}\n",
            "{constant: NEW}\n      price: {from: other, unit: per_100}\n",
            "v.yml:14: tables.trades.columns.price: stands twice, first in line 11; keep one of them",
        ),
        ("from: px,", "from: px, from: py,", "v.yml:11: tables.trades.columns.price.from: stands twice"),
        ("vendor: V", "vendor: V\nvendor: W", "v.yml:2: vendor: stands twice, first in line 1"),
        ("      trade_id: id\n", "", "nothing gives the required column(s) trade_id"),
        ("files:", "filez:", "unknown field `filez`; did you mean 'files'?"),
        ("vendor: V", "vendr: V", "unknown field `vendr`; did you mean 'vendor'?"),
        ("tables:", "tables: [", "not valid YAML"),
    ],
)
def test_a_mistake_is_one_line_with_file_line_and_what_is_near(tmp_path: Path, was: str, becomes: str, words: str) -> None:
    assert was in TRADES
    with pytest.raises(SourceError) as refused:
        load_mapping(written(tmp_path, TRADES.replace(was, becomes, 1)))
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("following", ["", ', next: ""'])
def test_paging_by_cursor_needs_the_place_of_the_cursor(tmp_path: Path, following: str) -> None:
    endpoint = f"    endpoint:\n      path: x\n      page: {{by: cursor{following}}}\n"
    with pytest.raises(SourceError, match=r"v\.yml:6: tables\.trades\.endpoint\.page: paging by cursor needs next"):
        load_mapping(written(tmp_path, TRADES.replace('    files: "*"\n', endpoint)))


def test_a_mapping_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    written(tmp_path, TRADES)
    with pytest.raises(SourceError, match=r"no mapping 'w'.*there are v"):
        load_mapping(tmp_path / "w.yml")


@pytest.mark.parametrize(("table", "column"), [("rfq_log", "client_side"), ("axes", "side")])
def test_whose_side_a_word_means_must_be_said(tmp_path: Path, table: str, column: str) -> None:
    with pytest.raises(SourceError, match=r"whose side is it|nothing gives"):
        load_mapping(written(tmp_path, f"vendor: V\ntables: {{{table}: {{files: '*', columns: {{{column}: Side}}}}}}"))


@pytest.mark.parametrize(
    ("metric", "horizon", "rules"),
    [
        ("price_reversion", None, ["horizon"]),
        ("market_impact", None, ["horizon"]),
        ("market_impact", "1800", []),
        ("market_impact", "soon", []),  # told by the contract, as what it is
        ("arrival_slippage", None, []),
    ],
)
def test_a_row_about_what_came_after_the_trade_says_how_long_after(
    tmp_path: Path, metric: str, horizon: str | None, rules: list[str]
) -> None:
    query = compiled("v", "tca_results", load_mapping(written(tmp_path, TCA)).tables["tca_results"]).query
    cells = {"ref": "R", "measure": metric, "figure": "1", "secs": horizon, "bench": "MID", "at": "2026-06-01T10:00:00Z"}
    with duckdb.connect() as connection:
        for macro in MACROS:
            connection.execute(macro)
        listed = ", ".join(f"cast(${name} as varchar) as {name}" for name in cells)
        connection.execute(f"create table raw as select 1 as _row, {listed}", cells)
        found = connection.execute(f"select [fault.rule for fault in coalesce(_mapping_faults, [])] from ({query})").fetchall()
    assert found == [(rules,)]
