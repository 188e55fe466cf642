"""A landing folder of its own for each test, and a vendor's folder to take from."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from expectations.contracts.home import Home
from flows.landing import Landing, Receipt
from flows.sources.config import SourceConfig
from flows.sources.pulled import Pulled
from flows.sources.registry import pull

NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Desk:
    """A home, its landing, and a vendor's folder."""

    home: Home
    vendor: Path

    @property
    def landing(self) -> Landing:
        return Landing(self.home)

    def pull(self, **settings: object) -> list[Pulled]:
        return pull(SourceConfig(name="market", kind="canonical", path=str(self.vendor), **settings))  # type: ignore[arg-type]

    def land(self, *, now: datetime = NOW, not_after: datetime | None = None) -> list[Receipt]:
        return [self.landing.land(delivery, now=now, not_after=not_after or now) for delivery in self.pull()]

    def landed(self, receipt: Receipt) -> list[dict[str, object]]:
        return read(self.landing.data(receipt))

    def quarantined(self, receipt: Receipt) -> list[dict[str, object]]:
        return read(self.home.quarantine / receipt.source / receipt.table / f"{receipt.batch}.parquet")


def read(path: Path) -> list[dict[str, object]]:
    """Read a Parquet file as rows; none where there is no file."""
    if not path.exists():
        return []
    with duckdb.connect() as connection:
        found = connection.execute("select * from read_parquet(?)", [str(path)])
        names = [name for name, *_ in found.description or []]
        return [dict(zip(names, cells, strict=True)) for cells in found.fetchall()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(Home(tmp_path / "home"), tmp_path / "vendor")


@pytest.fixture(scope="session")
def new_desk(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Desk]:
    def make() -> Desk:
        root = tmp_path_factory.mktemp("desk")
        return Desk(Home(root / "home"), root / "vendor")

    return make
