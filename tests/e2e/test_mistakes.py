"""A user's mistakes: one clear line, a plain exit code, never a traceback."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

import sotto
from tests.e2e.command import PROJECT

MISTAKES = [
    (["refresh", "--as-of", "yesterday"], 2, "is not a time in ISO 8601"),
    (["refresh", "--sources", "no-such-folder"], 3, "no such file or folder"),
    (["refresh", "--sources", "config/nyfed_tsy.yml"], 3, "SOTTO_NYFED_TSY"),
    (["recommend", "no-such-order.json"], 1, "cannot be read"),
    (["recommend", "pyproject.toml"], 1, "sotto refresh"),
    (["rollback", "no-such-snapshot"], 1, "no snapshot"),
    (["replay", "no-such-id"], 1, "no journal"),
    (["audit", "verify"], 1, "no journal"),
    (["rules", "check", "pyproject.toml"], 1, "not valid YAML"),
    (["dealers", "--world", "no-such-world"], 1, "world.json"),
    (["simulate", "--out", "pyproject.toml", "--days", "10"], 1, "is a file"),
    (["simulate", "--out", "x", "--end", "June"], 2, "is not a date"),
    (["review", "X", "--from", "2026-01-01", "--to", "2026-02-01", "--out", "x.html"], 1, "sotto refresh"),
    (["review", "X", "--from", "January", "--to", "2026-02-01", "--out", "x.html"], 2, "is not a date"),
    (["token", "new", "--name", "x", "--role", "boss"], 1, "is not one of"),
    (["token", "revoke", "nobody"], 1, "no token"),
    (["serve", "--role", "nothing"], 1, "roles"),
]


@pytest.mark.parametrize(("arguments", "code", "words"), MISTAKES, ids=[" ".join(case[0][:3]) for case in MISTAKES])
def test_a_mistake_gives_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, words: str
) -> None:
    monkeypatch.chdir(PROJECT)
    run = CliRunner().invoke(sotto.app, arguments, env={"SOTTO_HOME": str(tmp_path), "SOTTO_NYFED_TSY": ""})
    assert run.exit_code == code, run.output
    assert words in run.stderr
    assert run.exception is None or isinstance(run.exception, SystemExit)


def test_a_setting_that_cannot_be_used_gives_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOTTO_BUILD_STEP_ROWS", "0")
    monkeypatch.setattr("sys.argv", ["sotto", "snapshots"])
    with pytest.raises(SystemExit) as left:
        sotto.main()
    assert left.value.code == 1
    assert capsys.readouterr().err == "sotto: setting build_step_rows: Input should be greater than or equal to 1 (got '0')\n"


USAGE = [
    ("simulate --out x --days 0", "invalid value for '--days': 0 is not in the range x>=1; see '"),
    ("simulate --out x --days abc", "invalid value for '--days': 'abc' is not a valid int"),
    ("simulate", "missing option '--out'; see '"),
    ("serve --port 99999", "invalid value for '--port': 99999 is not in the range 0<=x<=65535; see '"),
    ("backtest --from 2026-01-01", "missing option '--to'; see '"),
    ("audit head", "no such command 'head'; see '"),
    ("refresh --nonesuch", "no such option: --nonesuch"),
    ("rules try", "missing argument 'file'; see '"),
    ("simulate --out [b]x --end [b]June", "--end '[b]June' is not a date in ISO 8601, such as 2026-06-30"),
]


@pytest.mark.parametrize(("line", "words"), USAGE, ids=[line for line, _ in USAGE])
def test_a_mistake_on_the_command_line_is_one_line_and_exit_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, words: str
) -> None:
    monkeypatch.setattr("sys.argv", ["sotto", *line.split()])
    with pytest.raises(SystemExit) as left:
        sotto.main()
    told = capsys.readouterr()
    assert left.value.code == 2
    assert told.err.startswith(f"sotto: {words}")
    assert (told.out, told.err.count("\n"), told.err[-1]) == ("", 1, "\n")


@pytest.mark.parametrize(("line", "code"), [("audit", 2), ("audit --help", 0), ("simulate --help", 0)])
def test_help_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, code: int) -> None:
    monkeypatch.setattr("sys.argv", ["sotto", *line.split()])
    with pytest.raises(SystemExit) as left:
        sotto.main()
    told = capsys.readouterr()
    assert left.value.code == code
    assert "Usage:" in told.out
    assert told.err == ""


def test_a_line_stays_whole_however_narrow_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    book = tmp_path / ("a" * 90) / "[b]rules.yml"
    book.parent.mkdir()
    book.write_bytes((PROJECT / "config" / "rules.yml").read_bytes())
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("sys.argv", ["sotto", "rules", "check", str(book)])
    with pytest.raises(SystemExit) as left:
        sotto.main()
    assert not left.value.code
    assert capsys.readouterr().out == f"{book}: no faults\n"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--from 2025-06-29 --to 2025-06-28", "--from 2025-06-29 is after --to 2025-06-28; give the earlier day first"),
        (
            "--from 2025-06-23 --to 2025-06-28 --model sead_v0",
            "--model: unknown model 'sead_v0' (did you mean 'seed_v0'?); there are: seed_v0, scorecard, expected_utility",
        ),
    ],
    ids=["days the wrong way round", "unknown model"],
)
def test_a_back_test_that_cannot_begin_shows_no_bar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, told: str
) -> None:
    monkeypatch.setenv("SOTTO_HOME", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["sotto", "backtest", *line.split()])
    with pytest.raises(SystemExit) as left:
        sotto.main()
    assert left.value.code == 1
    assert capsys.readouterr().err == f"sotto: {told}\n"
