"""Why nothing was published."""

from collections.abc import Sequence
from pathlib import Path

from expectations.contracts.snapshot import GateResult


class Refused(Exception):
    """Nothing was published: ``reasons`` says why, one line each.

    ``gate`` and ``page`` are the gate's report, where the gate refused; nothing and ``None`` where it was something else.
    """

    def __init__(self, reasons: list[str], *, gate: Sequence[GateResult] = (), page: Path | None = None) -> None:
        super().__init__("\n".join(reasons))
        self.reasons, self.gate, self.page = reasons, gate, page
