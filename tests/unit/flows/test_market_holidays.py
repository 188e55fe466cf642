"""The seed of holidays is what the calendar's own rules give."""

import subprocess
import sys

import pytest

from flows.settings import PROJECT

SEED = (PROJECT / "dbt/seeds/market_holidays.csv").read_text(encoding="utf-8")


def test_the_seed_is_what_the_tool_writes() -> None:
    tool = [sys.executable, str(PROJECT / "tools/market_holidays.py")]
    assert subprocess.run(tool, capture_output=True, text=True, check=True).stdout == SEED


@pytest.mark.parametrize("day", ["2025-10-13", "2025-11-11", "2026-07-03", "2026-11-26"])
def test_days_on_which_bonds_do_not_trade_are_listed(day: str) -> None:
    """Columbus and Veterans Day, a fourth of July observed, Thanksgiving."""
    assert f"SIFMA_US,{day}" in SEED.splitlines()
