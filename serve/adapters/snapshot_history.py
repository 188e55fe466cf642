"""Past scorecards of one dealer, read from a snapshot when somebody asks: too many to keep in memory for all."""

from pathlib import Path

import duckdb

from serve.adapters.snapshot_reader import SnapshotBroken
from serve.domain.market import METRICS, PastFigure, PastScorecard

_COUNTS = ("rfqs_asked", "rfqs_quoted", "rfqs_won")


def read_history(folder: Path, dealer_id: str) -> list[PastScorecard]:
    """Read one dealer's past scorecards, by class, the latest first. Raises ``SnapshotBroken``."""
    figures = ", ".join(f"{metric}, {metric}_n" for metric in METRICS)
    query = (
        f"select as_of_day, scorecard_class, window_days, {', '.join(_COUNTS)}, {figures} from fct_dealer_scorecard_history "  # noqa: S608 - names of the contract
        "where dealer_id = ? order by scorecard_class, as_of_day desc"
    )
    try:
        with duckdb.connect(str(folder / "scorecards.duckdb"), read_only=True) as connection:
            rows = connection.execute(query, [dealer_id]).fetchall()
    except duckdb.Error as exc:
        raise SnapshotBroken(f"{folder.name}: the history cannot be read: {str(exc).splitlines()[0]}") from exc
    return [_past(row) for row in rows]


def _past(row: tuple) -> PastScorecard:  # type: ignore[type-arg]  # a row of the query above
    day, name, window, asked, quoted, won, *cells = row
    return PastScorecard(
        as_of_day=day,
        scorecard_class=name,
        window_days=window,
        rfqs_asked=asked,
        rfqs_quoted=quoted,
        rfqs_won=won,
        figures=[PastFigure(metric, cells[2 * place], cells[2 * place + 1]) for place, metric in enumerate(METRICS)],
    )
