"""The guide on the New York Fed's Treasury trades: its commands, its table and its query, on the real data."""

import json
import os
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.e2e.command import PROJECT, sotto

GUIDE = (PROJECT / "docs" / "guides" / "treasuries.md").read_text(encoding="utf-8")
DATA = Path(os.environ.get("SOTTO_NYFED_TSY") or PROJECT.parent / "shared" / "data" / "nyfed_tsy")
TRADES = "trades_2010-08_to_2012-06.csv.gz"

pytestmark = pytest.mark.skipif(
    not (DATA / TRADES).is_file(),
    reason=f"the New York Fed's trades are not here: set SOTTO_NYFED_TSY to the folder that holds {TRADES}",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("treasuries")
    command = re.search(r"^\$ sotto (refresh .*)$", GUIDE, re.MULTILINE)
    assert command
    run = sotto(home, *command.group(1).split(), SOTTO_NYFED_TSY=str(DATA))
    assert run.returncode == 0, run.stderr
    assert "scorecards: 176 rows; rows set aside: none" in run.stderr
    return home


@pytest.fixture(scope="module")
def answer(home: Path) -> dict[str, Any]:
    order = re.search(r"```json\n(.*?)```", GUIDE, re.DOTALL)
    assert order
    (home / "order.json").write_text(order.group(1), encoding="utf-8")
    run = sotto(home, "recommend", str(home / "order.json"))
    assert run.returncode == 0, run.stderr
    told: dict[str, Any] = json.loads(run.stdout)
    return told


def by_hand() -> dict[str, tuple[float, int]]:
    """Run the guide's query where the data lies: dealer -> gain in bps, observations."""
    query = re.search(r"```sql\n(.*?)```", GUIDE, re.DOTALL)
    assert query
    there = query.group(1).replace(TRADES, str(DATA / TRADES)).replace("dealer_aliases.json", str(DATA / "dealer_aliases.json"))
    rows = duckdb.sql(there).fetchall()
    return {dealer: (gain, n) for dealer, gain, n in rows}


def test_the_guides_table_is_what_comes_out(answer: dict[str, Any]) -> None:
    rows = re.findall(r"^\| (\d) \| (.+?) \| ([\d.]+) \| ([+-][\d.]+) bps \(n = (\d+)\) \|$", GUIDE, re.MULTILINE)
    assert len(rows) == len(answer["dealers"]) == 3
    for (rank, name, score, gain, n), dealer in zip(rows, answer["dealers"], strict=True):
        figure = next(part for part in dealer["components"] if part["metric"] == "price_improvement")
        assert (dealer["rank"], dealer["name"]) == (int(rank), name)
        assert dealer["score"] == pytest.approx(float(score), abs=5e-4)
        assert (figure["raw"], figure["n"]) == (pytest.approx(float(gain), abs=5e-3), int(n))


def test_the_published_figures_are_those_of_the_query_by_hand(home: Path) -> None:
    snapshot = (home / "snapshots" / "CURRENT").read_text(encoding="utf-8")
    with duckdb.connect(str(home / "snapshots" / snapshot / "scorecards.duckdb"), read_only=True) as connection:
        published = connection.execute(
            "select name, price_improvement, price_improvement_n from fct_dealer_scorecards join dim_dealers using (dealer_id) "
            "where window_days = 90 and half_life_days = 0 and rfqs_asked > 0"
        ).fetchall()
    hand = by_hand()
    assert len(published) == len(hand) == 21
    for name, gain, n in published:
        assert hand[name] == (pytest.approx(gain, abs=5.1e-3), n)
