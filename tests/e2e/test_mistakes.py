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
