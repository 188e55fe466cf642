"""The application over a real snapshot and journal, with a token per role."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from litestar import Litestar

from serve.adapters.ids import TimeOrderedIds
from serve.adapters.limits import load_limits
from serve.api import rfqs
from serve.app import create_app
from serve.domain.users import Role
from serve.settings import ServiceRole, Settings
from serve.usecases.rfq_floor import Floor, Practice
from serve.usecases.rfqs import Desk
from tests.fakes.gateway import FakeGateway
from tests.fakes.snapshot import LIQUID_IG, write_snapshot


@dataclass
class Api:
    """A running application; ``call`` sends as a role, or as nobody."""

    app: Litestar
    client: httpx.AsyncClient
    tokens: dict[Role, str]
    home: Path

    async def call(self, method: str, path: str, role: Role | None = Role.TRADER, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._token(role)}"} if role else {}
        return await self.client.request(method, path, headers=headers | more.pop("headers", {}), **more)

    def _token(self, role: Role) -> str:
        if role not in self.tokens:
            self.tokens[role] = self.app.state.tokens.create(f"{role}-1", role, "credit", timedelta(hours=1))
        return self.tokens[role]

    async def recommend(self, **changes: Any) -> Any:
        return await self.call("POST", "/v1/recommendations", json=order(**changes))


@asynccontextmanager
async def running(home: Path, *, publish: bool = True, **settings: Any) -> AsyncIterator[Api]:
    if publish:
        write_snapshot(home)
    chosen = {"roles": (ServiceRole.RECOMMEND,), "snapshot_poll_s": 0.02} | settings
    app = create_app(Settings(home=home, **chosen))
    transport = httpx.ASGITransport(app)
    async with _alive(app), httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield Api(app, client, {}, home)


@asynccontextmanager
async def dealing(home: Path, gateway: FakeGateway | None = None, **settings: Any) -> AsyncIterator[tuple[Api, FakeGateway]]:
    """Run both roles, with dealers that a test plays instead of FIX sessions."""
    dealers = gateway or FakeGateway()
    async with running(home, **settings) as api:
        parts = api.app.state.recommendations
        limits = load_limits(Path(__file__).parents[2] / "config" / "limits.yml")
        floor = Floor(api.app.state.journal, parts._clock, TimeOrderedIds(), dealers, limits, Practice(venue="sim"))
        api.app.state.desk = Desk(floor, parts._snapshots)
        api.app.register(rfqs.router)
        await api.app.state.desk.start()
        try:
            yield api, dealers
        finally:
            await api.app.state.desk.stop()


@asynccontextmanager
async def _alive(app: Litestar) -> AsyncIterator[None]:
    """Hold the lifespan in a task of its own: a fixture is set up and torn down in different ones."""
    started, stop = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with app.lifespan():
            started.set()
            await stop.wait()

    holder = asyncio.create_task(hold())
    waiter = asyncio.create_task(started.wait())
    await asyncio.wait({holder, waiter}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield
    finally:
        waiter.cancel()
        stop.set()
        await holder


def order(**changes: Any) -> dict[str, Any]:
    fields = {
        "order_id": "order-1",
        "security_id": LIQUID_IG,
        "security_id_type": "CUSIP",
        "side": "SELL",
        "quantity": 1_000_000,
        "currency": "USD",
    }
    return {key: value for key, value in (fields | changes).items() if value is not None}
