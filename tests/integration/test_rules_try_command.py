"""``sotto rules try`` and what the commands take for the rules in force."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from serve.offline import recommend_file
from serve.offline_rules import RulesOfflineError, desk_in_force, try_rules
from serve.settings import Settings
from sotto import app
from tests.fakes.snapshot import write_snapshot
from tests.integration.api_client import order, running
from tests.integration.test_api_rules import ONE_DEALER, SHIPPED, approved

LONG_AGO, LATER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


async def journalled(home: Path) -> Settings:
    async with running(home) as api:
        for number in range(2):
            await api.recommend(order_id=f"order-{number}")
    return Settings(home=home)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "draft.yml"
    path.write_text(text)
    return path


async def test_try_tells_what_changes_and_the_command_prints_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = await journalled(tmp_path / "home")
    draft = written(tmp_path, ONE_DEALER)
    trial = try_rules(draft, settings, since=LONG_AGO, until=LATER)
    assert (trial.orders, trial.changed) == (2, 2)
    monkeypatch.setenv("SOTTO_HOME", str(tmp_path / "home"))
    shown = CliRunner().invoke(app, ["rules", "try", str(draft), "--from", "2020-01-01", "--to", "2100-01-01"])
    assert shown.exit_code == 0
    assert "dealers asked: 4.00 before, 1.00 after" in shown.stdout
    assert "ONE-DEALER" in shown.stdout
    printed = CliRunner().invoke(app, ["rules", "try", str(draft), "--from", "2020-01-01", "--to", "2100-01-01", "--json"])
    assert json.loads(printed.stdout)["changed"] == 2


async def test_orders_whose_snapshot_is_gone_run_on_the_current_one_and_that_is_said(tmp_path: Path) -> None:
    settings = await journalled(tmp_path / "home")
    old = settings.state.current.read_text().strip()
    write_snapshot(tmp_path / "home", snapshot_id="later")
    (settings.state.snapshots / old / "manifest.json").unlink()
    trial = try_rules(written(tmp_path, SHIPPED), settings, since=LONG_AGO, until=LATER)
    assert (trial.on_other_snapshot, trial.changed) == (2, 0)
    assert "their own is gone" in trial.notes[0]


async def test_commands_go_by_the_approved_version_and_not_by_the_file(tmp_path: Path) -> None:
    async with running(tmp_path / "home") as api:
        version = (await approved(api))["version"]
    settings = Settings(home=tmp_path / "home")
    assert desk_in_force(settings).book.version == version
    (tmp_path / "order.json").write_text(json.dumps(order()))
    assert len(recommend_file(tmp_path / "order.json", settings)["dealers"]) == 1


async def test_wrong_use_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(RulesOfflineError, match="no journal"):
        try_rules(written(tmp_path, SHIPPED), Settings(home=tmp_path / "none"), since=LONG_AGO, until=LATER)
    settings = await journalled(tmp_path / "home")
    with pytest.raises(RulesOfflineError, match="must be before"):
        try_rules(written(tmp_path, SHIPPED), settings, since=LATER, until=LONG_AGO)
    with pytest.raises(RulesOfflineError, match=r"draft\.yml:1:1: the rule book must be a mapping"):
        try_rules(written(tmp_path, "- a"), settings, since=LONG_AGO, until=LATER)
    with pytest.raises(RulesOfflineError, match=r"gone\.yml is missing$"):
        try_rules(tmp_path / "gone.yml", settings, since=LONG_AGO, until=LATER)
