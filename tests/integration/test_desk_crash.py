"""The desk killed in the middle of a trade, and started again over the same journal and FIX store."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from serve.adapters.journal import JournalReader
from serve.domain.rfq import RfqState
from tests.fakes.desk_process import TRADER, ready, real_desk, until
from tests.fakes.fix_dealers import Answer, FixDealers

SECURITY = {55: "[N/A]", 48: "912828ZT0", 22: "1"}


def silent_on_hits(tags: dict[int, str], _: str, answer: Answer) -> None:
    """Quote, say nothing to a hit, and tell on being asked that it traded."""
    if tags[35] == "R":
        answer("S", {117: "q1", 131: tags[131], **SECURITY, 132: "99.95", 537: "1"})
    elif tags[35] == "H":
        traded = {37: "d1", 17: "e1", 11: tags[11], 150: "I", 39: "2", **SECURITY, 54: tags[54]}
        answer("8", {**traded, 151: "0", 14: "10000000", 6: "99.95", 60: "20240304-14:00:20"})


async def test_killed_while_executing_the_order_is_in_doubt_asked_about_and_not_sent_again(tmp_path: Path) -> None:
    async with FixDealers(tmp_path, ["AFIX", "BFIX", "CFIX"], silent_on_hits) as dealers:
        command = [sys.executable, "-m", "tests.fakes.desk_process", str(tmp_path), str(dealers.port)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220 - returns at once
            assert process.stdout is not None
            rfq_id = (await asyncio.to_thread(process.stdout.readline)).strip()
            assert rfq_id
            await _until_received(dealers, "AJ")
            os.kill(process.pid, signal.SIGKILL)
        assert JournalReader(tmp_path / "journal.db").verify().ok
        async with real_desk(tmp_path, dealers.port) as (desk, journal):
            view = await desk.get(rfq_id, TRADER)
            assert view.state is RfqState.IN_DOUBT
            assert "not sent again" in view.alerts[-1].message
            await ready(desk, "A")
            done = await until(desk, rfq_id, lambda seen: seen.closed_at is not None)
            assert done.state is RfqState.EXECUTED
            assert done.execution is not None
            assert (done.execution.price, done.execution.quantity) == (99.95, 10_000_000.0)
            assert journal.verify().ok
        assert len(dealers.received("H")) == 1
        assert len([tags for tags in dealers.received("AJ") if tags[694] == "1"]) == 1, "the hit went out once, before the crash"


async def _until_received(dealers: FixDealers, kind: str) -> None:
    async with asyncio.timeout(10):
        while not dealers.received(kind):  # noqa: ASYNC110 - the engine sets no event
            await asyncio.sleep(0.01)
