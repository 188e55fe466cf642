"""``sotto quarantine`` and ``sotto backfill``: what a person sees, and one line for each mistake."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import sotto
from tests.fakes import vendor
from tests.fakes.snapshot import write_snapshot
from tests.unit.flows.conftest import Desk


@pytest.fixture
def with_faults(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    vendor.deliver(desk.vendor, "trades.csv", [*vendor.rows("trades", 2), vendor.row("trades", trade_id="bad", price="-1")])
    desk.land()
    monkeypatch.setenv("SOTTO_HOME", str(desk.home.root))
    (desk.home.root / "sources.yml").write_text(f"sources: [{{name: market, kind: canonical, path: {desk.vendor}}}]")
    return desk


def run(*words: str) -> Result:
    return CliRunner().invoke(sotto.app, list(words))


def test_the_list_counts_and_shows_where_and_why(with_faults: Desk) -> None:
    shown = run("quarantine")
    assert shown.exit_code == 0
    assert "1  market trades.price: above" in shown.stdout
    assert "trades.csv, row 3, price '-1': must be above 0" in shown.stdout
    assert "0 faults" in run("quarantine", "--rule", "type").stdout


def test_programs_get_json_and_spreadsheets_a_file(with_faults: Desk, tmp_path: Path) -> None:
    assert [fault["rule"] for fault in json.loads(run("quarantine", "--json").stdout)["faults"]] == ["above"]
    assert "1 faults in" in run("quarantine", "--out", str(tmp_path / "q.csv")).stdout
    assert "must be above 0" in (tmp_path / "q.csv").read_text()


@pytest.mark.parametrize("words", [["quarantine"], ["quarantine", "--table", "trades"], ["quarantine", "retry"]])
def test_a_receipt_that_cannot_be_read_is_one_line_with_what_to_do(with_faults: Desk, words: list[str]) -> None:
    (path,) = with_faults.home.landing.glob("*/*/*/receipt.json")
    path.write_bytes(b"")
    shown = run(*words, *(["--sources", str(with_faults.home.root / "sources.yml")] if "retry" in words else []))
    assert (shown.exit_code, shown.stderr.count("\n")) == (1, 1)
    assert f"{path} cannot be read (" in shown.stderr
    assert "move its folder out of landing" in shown.stderr


def test_a_retry_says_what_landed_and_what_is_still_bad(with_faults: Desk) -> None:
    told = run("quarantine", "retry", "--sources", str(with_faults.home.root / "sources.yml"))
    assert told.exit_code == 0
    assert "0 rows landed, 1 still bad" in told.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["backfill", "--from", "2025-06-01", "--to", "june"], "--to 'june' is not a date"),
        (["backfill", "--from", "2025-06-01", "--to", "2025-06-02", "--every", "month"], "--every day or week"),
        (["backfill", "--from", "2025-06-03", "--to", "2025-06-02"], "the earlier one first"),
        (["backfill", "--from", "2025-06-03", "--to", "9999-06-02"], "two days that are past"),
        (["quarantine", "retry", "--sources", "gone.yml"], "no such file or folder"),
        (["quarantine", "--source", "nope"], "--source nope: nothing of that name was landed; there is market"),
        (["quarantine", "retry", "--table", "nope"], "--table nope: nothing of that name was landed; there is trades"),
        (["refresh", "--as-of", "0001-01-01T00:00+14:00"], "is not a time in ISO 8601"),
        (["rollback", "../snapshots/x"], "no snapshot ../snapshots/x"),
    ],
)
def test_a_mistake_is_one_line(with_faults: Desk, words: list[str], told: str) -> None:
    ended = run(*words)
    assert ended.exit_code != 0
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_snapshots_are_listed_though_the_one_in_use_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOTTO_HOME", str(tmp_path))
    name = write_snapshot(tmp_path)
    (tmp_path / "snapshots" / "CURRENT").write_text("gone")
    shown = run("snapshots")
    assert shown.exit_code == 0
    assert shown.stdout.startswith(f"  {name}  as of ")
    assert "CURRENT names 'gone', which is not there; go back to another with `sotto rollback ID`" in shown.stderr


@pytest.mark.parametrize("words", [["snapshots"], ["quarantine"], ["quarantine", "retry"]])
def test_a_home_that_is_not_there_is_told_and_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.setenv("SOTTO_HOME", str(tmp_path / "gone"))
    ended = run(*words)
    assert (ended.exit_code, ended.stderr) == (1, f"sotto: there is no folder {tmp_path / 'gone'}; is SOTTO_HOME right?\n")
    assert not (tmp_path / "gone").exists()


def test_a_file_that_cannot_be_written_is_one_line(
    with_faults: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["sotto", "quarantine", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        sotto.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == f"sotto: {tmp_path}: Is a directory\n"
