"""Health and metrics: open to whoever can reach the port, and silent about orders and dealers."""

from collections.abc import Callable
from datetime import datetime

import msgspec
from litestar import Response, Router, get
from litestar.datastructures import State
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


class Live(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """Whether work should be sent here; ``reasons`` say what is missing, and are empty when it is ready."""

    ready: bool
    reasons: list[str]
    snapshot_id: str | None
    as_of: datetime | None


Readiness = Callable[[], Ready]


@get("/health/live", summary="The process answers", tags=["service"])
async def live() -> Live:
    """Say that the process answers."""
    return Live("ok")


@get("/health/ready", summary="Ready for work: false on a missing or stale snapshot, or a desk not recovered", tags=["service"])
async def ready(state: State) -> Response[Ready]:
    """Say whether it is ready, and if not, why not."""
    readiness: Readiness = state.readiness
    answer = readiness()
    return Response(answer, status_code=200 if answer.ready else 503)


@get("/metrics", summary="Metrics for Prometheus", tags=["service"], media_type="text/plain")
async def metrics() -> Response[bytes]:
    """Give the metrics."""
    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


router = Router(path="/", route_handlers=[live, ready, metrics])
