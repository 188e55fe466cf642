"""Notices to the desk's webhook, and the watch over the snapshot in use."""

import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prefect import State
from prefect.client.schemas.objects import FlowRun
from prefect.states import Failed
from pydantic import SecretStr

from flows.notify import notify, tell_of_failure
from flows.refused import Refused
from flows.settings import FlowSettings
from flows.watch import staleness, watch
from tests.fakes.snapshot import AS_OF, write_snapshot


class Webhook:
    """A webhook that answers with ``statuses`` in turn, then 200, and keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.statuses: list[int] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(hook.statuses.pop(0) if hook.statuses else 200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = SecretStr(f"http://127.0.0.1:{self.server.server_port}/hook-secret")


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    hook = Webhook()
    thread = threading.Thread(target=hook.server.serve_forever)
    thread.start()
    yield hook
    hook.server.shutdown()
    thread.join()
    hook.server.server_close()


def test_notice_says_what_happened_and_is_repeated_after_a_passing_fault(tmp_path: Path, webhook: Webhook) -> None:
    webhook.statuses = [503, 429]
    settings = FlowSettings(home=tmp_path, webhook_url=webhook.url)
    assert notify(settings, "refresh_failed", "nothing published", snapshot_in_use=None)
    assert webhook.told == [{"event": "refresh_failed", "text": "nothing published", "snapshot_in_use": None}] * 3


@pytest.mark.parametrize("statuses", [[404], [500, 500, 500]])
def test_webhook_that_refuses_is_logged_without_its_address_and_raises_nothing(
    tmp_path: Path, webhook: Webhook, statuses: list[int], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    expected = len(statuses)
    webhook.statuses = statuses
    with caplog.at_level("WARNING", "flows"):
        assert not notify(FlowSettings(home=tmp_path, webhook_url=webhook.url), "snapshot_stale", "old")
    assert len(webhook.told) == expected
    assert "the webhook did not take the notice of snapshot_stale" in caplog.text
    assert "hook-secret" not in caplog.text + "".join(capfd.readouterr())


def test_webhook_that_is_not_there_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with caplog.at_level("WARNING", "flows"):
        assert not notify(FlowSettings(home=tmp_path, webhook_url=SecretStr(f"http://127.0.0.1:{port}")), "x", "y")
    assert not notify(FlowSettings(home=tmp_path, webhook_url=SecretStr("no address")), "x", "y")
    assert caplog.text.count("did not take the notice") == 2


def test_without_a_webhook_nothing_is_sent(tmp_path: Path) -> None:
    assert not notify(FlowSettings(home=tmp_path), "x", "y")


def state_of(found: Exception) -> State[object]:
    return Failed(message=str(found), data=found)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (Refused(["no snapshot has been published yet"]), ("snapshot_stale", "sotto: no snapshot has been published yet")),
        (OSError("no manifest.json"), ("watch_failed", "sotto: watch run r ended Failed: no manifest.json")),
    ],
    ids=["stale", "cannot look"],
)
def test_watch_tells_once_what_it_found_or_that_it_could_not_look(
    tmp_path: Path, webhook: Webhook, monkeypatch: pytest.MonkeyPatch, found: Exception, told: tuple[str, str]
) -> None:
    monkeypatch.setenv("SOTTO_HOME", str(tmp_path))
    monkeypatch.setenv("SOTTO_WEBHOOK_URL", webhook.url.get_secret_value())
    for tell in watch.on_failure_hooks:
        tell(watch, FlowRun(id=uuid4(), flow_id=uuid4(), name="r"), state_of(found))
    assert [(one["event"], one["text"]) for one in webhook.told] == [told]


def test_snapshot_in_use_is_stale_only_beyond_the_age_that_the_settings_allow(tmp_path: Path) -> None:
    settings = FlowSettings(home=tmp_path, snapshot_max_age_hours=2)
    assert staleness(settings, AS_OF) == "no snapshot has been published yet; run 'sotto refresh'"
    name = write_snapshot(tmp_path)
    assert staleness(settings, AS_OF + timedelta(hours=2)) is None
    told = staleness(settings, AS_OF + timedelta(hours=5))
    assert told == f"the snapshot in use, {name}, is 5 hours old, more than 2"
    assert datetime.now(UTC) > AS_OF


@pytest.mark.parametrize("named", ["20250101T000000Z-00000000", ""])
def test_a_snapshot_in_use_that_is_gone_is_told_as_missing(tmp_path: Path, named: str) -> None:
    settings = FlowSettings(home=tmp_path)
    write_snapshot(tmp_path)
    settings.state.current.write_text(named)
    told = staleness(settings, AS_OF) or ""
    assert told.startswith("the snapshot in use cannot be used: ")
    assert "manifest.json cannot be read (No such file or directory)" in told


def test_a_failure_is_told_though_another_setting_cannot_be_used(
    tmp_path: Path, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOTTO_HOME", str(tmp_path))
    monkeypatch.setenv("SOTTO_WEBHOOK_URL", webhook.url.get_secret_value())
    monkeypatch.setenv("SOTTO_DUCKDB_THREADS", "0")
    tell_of_failure(watch, FlowRun(id=uuid4(), flow_id=uuid4(), name="grey-heron"), Failed(message="no such setting"))
    assert webhook.told[0]["event"] == "watch_failed"
