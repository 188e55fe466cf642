"""``sotto review``."""

from pathlib import Path
from typing import Annotated

import typer

from sotto.terminal import day_of, leave, out


def review(
    dealer: Annotated[str, typer.Argument(help="The dealer's identifier or name.")],
    *,
    since: Annotated[str, typer.Option("--from", help="First day, ISO 8601.")],
    until: Annotated[str, typer.Option("--to", help="Last day, ISO 8601.")],
    out_file: Annotated[Path, typer.Option("--out", help="The page to write; every figure as JSON where it ends in .json.")],
) -> None:
    """Write the pack for the conversation with one dealer: its own figures, and peers without names."""
    from flows.refused import Refused
    from flows.review.pack import write_review
    from flows.settings import FlowSettings

    first, last = day_of(since, "--from"), day_of(until, "--to")
    if first is None or last is None:
        leave("give --from and --to", 2)
    try:
        made = write_review(FlowSettings(), dealer, first, last, out_file)
    except Refused as refused:
        leave("; ".join(refused.reasons))
    for title, points in (("Better than the median peer", made.ahead), ("Not as good", made.behind)):
        out.print(f"{title}:" if points else f"{title}: nothing stands out.")
        for point in points:
            out.print(f"  {point}")
    out.print(f"{made.about.name}, {made.classes[0].asked:,} requests: {out_file}")
