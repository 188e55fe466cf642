"""Starting the service for real: what stops it is told in one line."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from serve.adapters.clock import RealClock
from serve.adapters.ids import TimeOrderedIds
from serve.adapters.journal import SqliteJournal
from tests.unit.recommend.cases import CONFIG

START = "import sys\nfrom serve.app import ServiceError, run\nfrom serve.settings import Settings\ntry:\n    run(Settings())\n"
START += "except ServiceError as exc:\n    print(exc)\n    sys.exit(1)\n"


def start(home: Path, **environment: str) -> str:
    chosen = {"SOTTO_HOME": str(home), "SOTTO_PORT": "0", "SOTTO_ROLES": "recommend"} | environment
    done = subprocess.run(  # a service that starts after all would not end by itself
        [sys.executable, "-c", START], env=os.environ | chosen, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout


def test_port_in_use_is_told_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = start(tmp_path, SOTTO_PORT=str(port))
    assert said.startswith(f"cannot listen on 127.0.0.1:{port}: ")
    assert "--port" in said


def test_journal_held_by_another_process_is_told(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db", RealClock(), TimeOrderedIds())
    try:
        assert "journal" in start(tmp_path)
    finally:
        journal.close()


@pytest.mark.parametrize("name", ["rules.yml", "scoring.yml"])
def test_bad_configuration_is_told_with_its_file(tmp_path: Path, name: str) -> None:
    config = tmp_path / "config"
    config.mkdir()
    for source in ("rules.yml", "scoring.yml"):
        (config / source).write_text("illiquid: {" if source == name else (CONFIG / source).read_text())
    assert name in start(tmp_path, SOTTO_CONFIG=str(config))
