"""A state folder for each test: empty, or a copy of the one where the good day is published."""

from pathlib import Path

import pytest

from expectations.contracts.home import Home
from tests.conftest import GoodDay


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("SOTTO_HOME", str(tmp_path / "home"))
    return Home(tmp_path / "home")


@pytest.fixture
def copied(good_day: GoodDay, home: Home) -> Home:
    good_day.copied(home.root)
    return home
