"""The trader of the demo: asks for a recommendation, starts the RFQ, watches it, and clicks once."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
from httpx_sse import connect_sse

from demo.errors import DemoError

_TIMEOUT_S = 60


class AlreadyClosedError(DemoError):
    """The RFQ ended by itself."""


class Trader:
    """Speaks to the service as a trader's screen does."""

    def __init__(self, address: str, token: str) -> None:
        self._http = httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=_TIMEOUT_S)

    def recommend(self, order: dict[str, Any]) -> dict[str, Any]:
        """Ask whom to ask."""
        return self._post("/v1/recommendations", order)

    def start(self, recommendation_id: str) -> dict[str, Any]:
        """Start the RFQ that was recommended."""
        return self._post("/v1/rfqs", {"recommendation_id": recommendation_id})

    def execute(self, rfq_id: str, quote_id: str) -> dict[str, Any]:
        """Click: trade on this quote."""
        return self._post(f"/v1/rfqs/{rfq_id}/execute", {"quote_id": quote_id})

    def cancel(self, rfq_id: str) -> None:
        """End the RFQ without a trade, unless it has ended by itself."""
        try:
            self._post(f"/v1/rfqs/{rfq_id}/cancel", {})
        except AlreadyClosedError:
            return

    def rfq(self, rfq_id: str) -> dict[str, Any]:
        """Look at the RFQ."""
        return self._told(self._http.get(f"/v1/rfqs/{rfq_id}"))

    def events(self, rfq_id: str) -> Iterator[dict[str, Any]]:
        """Follow what happens, from the first event to the last."""
        with connect_sse(self._http, "GET", f"/v1/rfqs/{rfq_id}/events") as source:
            for event in source.iter_sse():
                yield event.json()

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._told(self._http.post(path, json=body, headers={"Idempotency-Key": str(uuid4())}))

    def _told(self, answer: httpx.Response) -> dict[str, Any]:
        if answer.status_code == httpx.codes.CONFLICT and "rfq-closed" in answer.text:
            raise AlreadyClosedError(answer.json()["detail"])
        if answer.is_error:
            raise DemoError(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}")
        told: dict[str, Any] = answer.json()
        return told
