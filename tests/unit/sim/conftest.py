import csv
import gzip
from datetime import date

import pytest

from sim.simulate import simulate


def read_table(folder, table):
    """All rows of a table as dictionaries, in the files' order."""
    rows = []
    for path in sorted(path for pattern in (f"{table}.*", f"{table}-*") for path in folder.glob(pattern)):
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
        rows += csv.DictReader(text.splitlines())
    return rows


END = date(2026, 5, 29)


@pytest.fixture(scope="session")
def market_files(tmp_path_factory):
    """The full size: 180 days, 400 bonds, 24 dealers."""
    return simulate(tmp_path_factory.mktemp("full") / "files", 180, 11, END)


@pytest.fixture(scope="session")
def small_files(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("small") / "files", 40, 5, END, securities=60, dealers=12)


@pytest.fixture(scope="session")
def tables(market_files):
    return {table: read_table(market_files.out, table) for table in market_files.rows}
