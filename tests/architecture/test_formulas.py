"""A signed figure has one formula. Whoever multiplies by 10,000 or turns a side into a sign elsewhere says why."""

import re
from pathlib import Path

from tests.architecture.project import read, tracked, under

IN_BPS = re.compile(r"(?:\*|/)\s*(?:10_?000|1e4)\b")
SIGN_OF_SIDE = re.compile(r"when '(?:BUY|SELL)' then\b|\bBUY\b.{0,20}\belse -\s?1\b")

ALLOWED = {
    "dbt/macros/bps.sql": "basis points, once",
    "dbt/macros/classes.sql": "a day as the number yyyymmdd",
    "dbt/macros/signs.sql": "the sign of a side, once",
    "dbt/models/marts/fct_rfq_responses.yml": "an identity test states the formula a second time, on purpose",
    "serve/domain/rfq_quotes.py": "a live quote against the arrival mid: there is no SQL on the desk",
    "expectations/contracts/vocabulary.py": "the sign of a side, once for Python",
}


def sources() -> list[Path]:
    return [
        path
        for path in tracked()
        if path.parts[0] in {"dbt", "expectations", "flows", "serve"} and path.suffix in {".py", ".sql", ".yml"}
    ]


def test_signs_and_basis_points_are_computed_in_one_place() -> None:
    found = {str(path) for path in sources() if IN_BPS.search(read(path)) or SIGN_OF_SIDE.search(read(path))}
    assert found == ALLOWED.keys()


def test_every_signed_column_of_a_model_comes_from_a_macro() -> None:
    computed = [
        (str(path), line.strip())
        for path in under("dbt", suffix=".sql")
        if "models" in path.parts
        for line in read(path).splitlines()
        # A renamed, coalesced or averaged figure has its sign already.
        if re.search(r"\bas \w+_(?:gain|cost)_bps\b|\bas (?:\w+_)?reversion_bps\b", line)
        and not re.search(r"{{|^\s*(?:as|\w+\.\w+ as|coalesce\(|avg\()", line)
    ]
    assert computed == []
