import hashlib
from collections import Counter, defaultdict
from datetime import UTC, date, datetime

import pytest
from stdnum import cusip, figi, isin, lei

from expectations.contracts.sources import TABLES, Column, Kind
from sim.errors import SimulationError
from sim.simulate import simulate
from tests.unit.sim.conftest import END, read_table

# Each of these tables carries a few rows that are bad on purpose.
WITH_BAD_ROWS = {"rfq_log", "trades", "reference_prices", "axes"}


def _digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def _fault(column: Column, text: str) -> str | None:
    if not text:
        return "empty" if column.required else None
    try:
        if column.kind is Kind.TIME:
            datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        elif column.kind is Kind.DATE:
            date.fromisoformat(text)
        elif column.kind is Kind.FLAG:
            return None if text in {"true", "false"} else "not a flag"
        elif column.kind in {Kind.NUMBER, Kind.INTEGER}:
            value = float(text) if column.kind is Kind.NUMBER else int(text)
            low = column.above is not None and value <= column.above
            low = low or (column.at_least is not None and value < column.at_least)
            return "out of bounds" if low or (column.at_most is not None and value > column.at_most) else None
    except ValueError:
        return "unreadable"
    return "not a word of the contract" if column.values and text not in column.values else None


def _faults(table, rows):
    return [
        (column.name, row[column.name], fault)
        for row in rows
        for column in TABLES[table].columns
        if (fault := _fault(column, row[column.name]))
    ]


def test_same_arguments_give_the_same_bytes_and_another_seed_does_not(tmp_path):
    first, second, other = (
        simulate(tmp_path / name, 30, seed, END, securities=60, dealers=12) for name, seed in (("a", 4), ("b", 4), ("c", 5))
    )
    assert _digests(first.out) == _digests(second.out)
    assert _digests(first.truth) == _digests(second.truth)
    assert _digests(first.out) != _digests(other.out)


def test_second_simulation_replaces_the_files_of_the_first(tmp_path):
    simulate(tmp_path / "a", 60, 4, END, securities=60, dealers=12)
    again = simulate(tmp_path / "a", 10, 4, END, securities=60, dealers=12)
    fresh = simulate(tmp_path / "b", 10, 4, END, securities=60, dealers=12)
    assert _digests(again.out) == _digests(fresh.out)


def test_files_of_a_user_are_neither_removed_nor_mixed_with(tmp_path):
    out = tmp_path / "mine"
    out.mkdir()
    (out / "rfq_log.csv").write_text("mine")
    with pytest.raises(SimulationError, match=r"rfq_log\.csv, which no simulation wrote"):
        simulate(out, 10, 4, END, securities=60, dealers=12)
    assert (out / "rfq_log.csv").read_text() == "mine"


@pytest.mark.parametrize(
    ("wish", "word"),
    [({"days": 0}, "days"), ({"days": 1, "end": date(2026, 5, 31)}, "trading day"), ({"securities": 3}, "securities"),
     ({"dealers": 2}, "dealers"), ({"seed": -1}, "seed"), ({"days": 3000, "end": date(3, 1, 1)}, "earlier|later")],
    ids=["no-days", "weekend", "few-bonds", "few-dealers", "negative-seed", "before-time"],
)  # fmt: skip
def test_impossible_wish_is_refused_in_one_line(tmp_path, wish, word):
    arguments = {"days": 10, "seed": 1, "end": END, "securities": 60, "dealers": 12} | wish
    with pytest.raises(SimulationError, match=word) as caught:
        simulate(tmp_path / "a", **arguments)
    assert "\n" not in str(caught.value)


def test_smallest_market_of_one_day_is_written_whole(tmp_path):
    done = simulate(tmp_path / "a", 1, 1, END, securities=14, dealers=6)
    assert all(read_table(done.out, table) or table == "tca_results" for table in TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_rows_keep_the_contract_but_for_the_few_bad_ones(tables, table):
    rows = tables[table]
    assert tuple(rows[0]) == TABLES[table].names
    faults = _faults(table, rows)
    assert len(faults) <= (3 if table in WITH_BAD_ROWS else 0), faults[:5]
    if table in WITH_BAD_ROWS:
        assert faults


@pytest.mark.parametrize("table", TABLES)
def test_keys_repeat_only_in_rows_that_repeat_exactly(tables, table):
    by_key = defaultdict(set)
    for row in tables[table]:
        by_key[tuple(row[name] for name in TABLES[table].key)].add(tuple(row.values()))
    clashes = {key: rows for key, rows in by_key.items() if len(rows) > 1}
    # A bad copy of a good row may share its key; nothing else does.
    assert len(clashes) <= (3 if table in {"reference_prices", "axes"} else 0)


def test_identifiers_have_true_check_digits(tables):
    for bond in tables["securities"]:
        assert not bond["cusip"] or cusip.is_valid(bond["cusip"])
        assert isin.is_valid(bond["isin"])
        assert figi.is_valid(bond["figi"])
    assert all(lei.is_valid(dealer["lei"]) for dealer in tables["dealers"])
    for name in ("security_id", "isin", "figi"):
        assert len({bond[name] for bond in tables["securities"]}) == len(tables["securities"])


def test_every_name_in_the_log_is_a_dealer_or_an_alias_of_its_day(tables):
    known = {dealer["dealer_id"] for dealer in tables["dealers"]}
    aliases = {row["alias"]: row["valid_to"] for row in tables["dealer_aliases"]}
    strangers = [
        row["dealer_id"]
        for row in tables["rfq_log"]
        if row["dealer_id"] not in known
        and not (row["dealer_id"] in aliases and row["asked_at"][:10] <= (aliases[row["dealer_id"]] or "9999"))
    ]
    assert strangers == ["UNKNOWN DEALER"]
    assert sum(bool(last) for last in aliases.values()) == 4


def _good_rfqs(tables):
    rfqs = defaultdict(list)
    for row in {tuple(row.items()): row for row in tables["rfq_log"]}.values():
        if not row["rfq_id"].startswith("X"):
            rfqs[row["rfq_id"]].append(row)
    return rfqs


def test_each_rfq_has_one_winner_and_one_cover_or_did_not_trade(tables):
    for rows in _good_rfqs(tables).values():
        outcomes = Counter(row["outcome"] for row in rows)
        assert int(rows[0]["dealers_asked"]) == len(rows)
        if outcomes["NOT_TRADED"]:
            assert outcomes["NOT_TRADED"] == len(rows)
            continue
        assert outcomes["TRADED"] == 1
        losing = [row for row in rows if row["response"] == "QUOTED" and row["outcome"] in {"COVER", "LOST"}]
        assert outcomes["COVER"] == bool(losing)


def test_answers_come_within_the_timeout_and_executions_belong_to_winners(tables):
    for rows in _good_rfqs(tables).values():
        for row in rows:
            assert bool(row["responded_at"]) == (row["response"] != "TIMED_OUT")
            assert bool(row["quote_price"]) == (row["response"] == "QUOTED") == bool(row["quote_quantity"])
            assert bool(row["executed_at"]) == (row["outcome"] == "TRADED") == bool(row["executed_price"])
            if row["responded_at"]:
                waited = datetime.fromisoformat(row["responded_at"]) - datetime.fromisoformat(row["asked_at"])
                assert 0 <= waited.total_seconds() <= float(row["timeout_s"])
            if row["executed_at"]:
                assert row["executed_at"] > row["responded_at"]
                assert float(row["executed_price"]) == float(row["quote_price"])


def test_nothing_happens_after_the_end(tables):
    for table, rows in tables.items():
        happened = TABLES[table].happened_at
        if happened:
            assert max(row[happened] for row in rows if row[happened][:1] == "2") <= f"{END}T23:59:59.999Z"


def test_cancels_and_corrections_name_the_print_they_undo(tables):
    known = {row["trade_id"] for row in tables["trades"] if row["status"] == "NEW"}
    undone = [row for row in tables["trades"] if row["status"] != "NEW"]
    assert {row["status"] for row in undone} == {"CANCEL", "CORRECT"}
    assert all(row["original_trade_id"] in known for row in undone)


def test_rows_come_late_and_repeated(tables, market_files):
    repeated = Counter(tuple(row.values()) for row in tables["rfq_log"])
    assert sum(count > 1 for count in repeated.values()) >= 5
    from_file = {
        path.name: read_table(path.parent, path.name.removesuffix(".csv.gz")) for path in market_files.out.glob("trades-*")
    }
    late = [row for name, rows in from_file.items() for row in rows if row["executed_at"][:7] < name[7:14]]
    assert late
