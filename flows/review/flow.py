"""The packs of all dealers as a flow: for the talks of a quarter, without anybody asking for each."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from prefect import State, flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed

from flows.notify import tell_of_failure
from flows.refused import Refused
from flows.review.observed import published_marts
from flows.review.pack import write_review
from flows.review.review import Review
from flows.settings import FlowSettings


@task(cache_policy=NO_CACHE, tags=["review"])
def write_pack(settings: FlowSettings, dealer: str, first: date, last: date, out: Path) -> Review:
    """Write one dealer's pack."""
    return write_review(settings, dealer, first, last, out)


@flow(name="reviews", timeout_seconds=3600, on_failure=[tell_of_failure], on_crashed=[tell_of_failure])
def reviews(
    first: date | None = None,
    last: date | None = None,
    *,
    months: int = 3,
    dealers: list[str] | None = None,
    out: str | None = None,
) -> State[list[str]]:
    """Write the review pack of every dealer that was asked. Changes nothing else.

    Args:
        first: The first day; default: that of the last whole months.
        last: The last day, included; default: that of the last whole month.
        months: How many whole months, where no first day is given.
        dealers: Identifiers of dealers; default: whoever was asked on these days.
        out: Folder for the pages; default: one under reviews of the state folder.

    """
    settings = FlowSettings()
    end = last or datetime.now(UTC).date().replace(day=1) - timedelta(days=1)
    begin = first or first_of(end, months)
    folder = Path(out).resolve() if out else settings.state.root / "reviews" / f"{begin}-{end}"
    try:
        chosen = dealers or _asked(settings, begin, end)
        made = [write_pack(settings, dealer, begin, end, folder / f"{dealer}.html") for dealer in chosen]
    except Refused as refused:
        return Failed(message="; ".join(refused.reasons), data=refused)
    _leave(made, folder)
    return Completed(message=f"{len(made)} packs of {begin} to {end} in {folder}", data=[review.about.dealer_id for review in made])


def first_of(last: date, months: int) -> date:
    """Give the first day of so many months, of which ``last`` ends the last one."""
    years, month = divmod(last.year * 12 + last.month - months, 12)
    return date(years, month + 1, 1)


def _asked(settings: FlowSettings, first: date, last: date) -> list[str]:
    with published_marts(settings) as (connection, _):
        found = connection.execute(
            "select distinct dealer_id from marts.fct_reviewed_requests where asked_on >= ? and asked_on <= ? order by dealer_id",
            [first, last],
        ).fetchall()
    if not found:
        raise Refused([f"no dealer was asked for a price from {first} to {last}"])
    return [dealer_id for (dealer_id,) in found]


def _leave(made: list[Review], folder: Path) -> None:
    """Leave a line per pack on the Prefect server."""
    create_table_artifact(
        [
            {
                "dealer": review.about.dealer_id,
                "requests": review.classes[0].asked,
                "better than the median peer": len(review.ahead),
                "not as good": len(review.behind),
                "page": str(folder / f"{review.about.dealer_id}.html"),
            }
            for review in made
        ],
        key="reviews",
        description="Review packs, one for the talk with each dealer",
    )
