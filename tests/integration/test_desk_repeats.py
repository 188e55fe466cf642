"""The same key again, after a service that died between its act and its answer."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from expectations.contracts import journal as events
from serve.ports import Answered
from tests.fakes.clock import settle
from tests.integration.test_desk_api import Service


class Dying(Service):
    """Acts, and dies before any answer is kept."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.answers.keep = self._die  # type: ignore[method-assign]

    async def _die(self, key: str, answered: Answered) -> None:
        pass

    async def quoted(self) -> tuple[str, str]:
        rfq = await self.begin()
        self.gateway.quote(self.gateway.asks[0], 99.95)
        await settle()
        path = f"/v1/rfqs/{rfq['rfq_id']}"
        return path, (await self.get(path)).json()["dealers"][0]["quote"]["quote_id"]


@pytest.fixture
async def dying(tmp_path: Path) -> AsyncIterator[Dying]:
    async with Dying(tmp_path) as running:
        yield running


async def test_repeated_execution_gives_the_rfq_and_sends_nothing(dying: Dying) -> None:
    path, quote = await dying.quoted()
    await dying.post(f"{path}/execute", {"quote_id": quote}, "exec")
    async with dying.restart() as again:
        repeated = await again.post(f"{path}/execute", {"quote_id": quote}, "exec")
        assert (repeated.status_code, repeated.json()["state"]) == (202, "IN_DOUBT")
        assert again.gateway.hits == []


async def test_repeated_execution_sends_no_second_order_after_the_first_was_settled(dying: Dying) -> None:
    path, quote = await dying.quoted()
    await dying.post(f"{path}/execute", {"quote_id": quote}, "exec")
    async with dying.restart() as again:
        word = {"traded": False, "comment": "by phone"}
        assert (await again.post(f"{path}/settle", word, "settle")).status_code == 200
        assert (await again.post(f"{path}/execute", {"quote_id": quote}, "exec")).status_code == 202
        assert again.gateway.hits == []


async def test_order_bears_the_id_under_which_its_key_acts(dying: Dying) -> None:
    path, quote = await dying.quoted()
    await dying.post(f"{path}/execute", {"quote_id": quote}, "exec")
    begun = await dying.answers.begin("trader\nexec", "", "another")
    assert [hit.cl_ord_id for hit in dying.gateway.hits] == [begun.attempt.action_id]


async def test_repeated_execution_is_answered_under_the_kill_switch_too(dying: Dying) -> None:
    path, quote = await dying.quoted()
    await dying.post(f"{path}/execute", {"quote_id": quote}, "exec")
    await dying.post("/v1/kill-switch", {"reason": "storm"}, None)
    assert (await dying.post(f"{path}/execute", {"quote_id": quote}, "exec")).status_code == 202


@pytest.mark.parametrize(
    ("action", "body", "kind"),
    [("cancel", {}, events.RfqClosed), ("settle", {"traded": False, "comment": "by phone"}, events.ExecutionSettled)],
)
async def test_repeated_cancellation_or_settlement_is_found_and_not_done_twice(
    dying: Dying, action: str, body: dict[str, Any], kind: type
) -> None:
    path, quote = await dying.quoted()
    if action == "settle":
        await dying.post(f"{path}/execute", {"quote_id": quote}, "exec")
        await dying.clock.advance(31)
    first = await dying.post(f"{path}/{action}", body, "word")
    repeated = await dying.post(f"{path}/{action}", body, "word")
    assert (repeated.status_code, repeated.json()["state"]) == (200, first.json()["state"])
    assert sum(isinstance(item.event, kind) for item in dying.journal.read()) == 1
    other = await dying.post(f"{path}/{action}", body, "another-key")
    assert other.status_code == 409
