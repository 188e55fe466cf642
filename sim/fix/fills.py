"""The dealers' own book of trades: a client order is filled once, whatever happens, a restart included."""

import os
from pathlib import Path

import msgspec

from sim.errors import SimulationError


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """A trade done. ``at`` is the desk's time as FIX text; ``party_id`` the dealer's."""

    dealer_id: str
    cl_ord_id: str
    order_id: str
    exec_id: str
    quote_id: str
    quote_req_id: str
    identifier: str
    id_source: str
    side: str
    price: float
    quantity: float
    at: str
    party_id: str


class FillBook:
    """All fills by dealer and client order; kept in a file of JSON lines where one is given. One process per file."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._fills: dict[tuple[str, str], Fill] = {}
        if path is not None and path.exists():
            self._read(path)

    def _read(self, path: Path) -> None:
        for number, line in enumerate(path.read_bytes().splitlines(), start=1):
            try:
                fill = msgspec.json.decode(line, type=Fill)
            except msgspec.DecodeError as error:
                message = f"{path}, line {number} is not a fill ({error}): mend or remove the file"
                raise SimulationError(message) from error
            self._fills[fill.dealer_id, fill.cl_ord_id] = fill

    def find(self, dealer_id: str, cl_ord_id: str) -> Fill | None:
        """Give the fill of a client order; ``None`` if it was never filled."""
        return self._fills.get((dealer_id, cl_ord_id))

    def quote_taken(self, dealer_id: str, quote_id: str) -> bool:
        """Tell whether a quote has been traded on."""
        return any(fill.quote_id == quote_id and fill.dealer_id == dealer_id for fill in self._fills.values())

    def add(self, fill: Fill) -> None:
        """Keep a fill; durable before it is reported to anyone."""
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode(fill) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        self._fills[fill.dealer_id, fill.cl_ord_id] = fill

    @property
    def count(self) -> int:
        """How many fills there are."""
        return len(self._fills)
