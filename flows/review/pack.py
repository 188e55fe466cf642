"""The review pack of one dealer, from asking for it to the file."""

from datetime import date
from difflib import get_close_matches
from pathlib import Path

import duckdb
import msgspec

from flows.refused import Refused
from flows.review.figures import review_of
from flows.review.observed import published_marts
from flows.review.page import page_of
from flows.review.review import About, Review
from flows.settings import FlowSettings

_KINDS = (".html", ".json")


def write_review(settings: FlowSettings, dealer: str, first: date, last: date, out: Path) -> Review:
    """Write the pack of a dealer, given by its identifier or name: a page, or to a ``.json`` file every figure.

    ``first``, ``last``: the days, both included. Raises Refused with what is wrong and what to do.
    """
    if first > last:
        raise Refused([f"--from {first} is after --to {last}; give the earlier day first"])
    if out.suffix not in _KINDS:
        raise Refused([f"--out {out}: a pack is written to a file that ends in {' or '.join(_KINDS)}"])
    with published_marts(settings) as (connection, manifest):
        dealer_id, name = _dealer(connection, dealer)
        about = About(
            dealer_id=dealer_id, name=name, first=first, last=last, snapshot_id=manifest.snapshot_id, as_of=manifest.as_of
        )
        review = review_of(connection, about)
    if not review.classes:
        raise Refused([f"{name} ({dealer_id}) was not asked for a price from {first} to {last}"])
    text = page_of(review) if out.suffix == ".html" else msgspec.json.format(msgspec.json.encode(review)).decode() + "\n"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused([f"{error.filename or out} cannot be written: {error.strerror or error}"]) from error
    return review


def _dealer(connection: duckdb.DuckDBPyConnection, asked: str) -> tuple[str, str]:
    """Find a dealer by identifier or name, whatever the case. Raises Refused with those that look like it."""
    known = dict(connection.execute("select dealer_id, coalesce(name, dealer_id) from marts.dim_dealers").fetchall())
    found = [dealer_id for dealer_id, name in known.items() if asked.casefold() in {dealer_id.casefold(), name.casefold()}]
    if len(found) == 1:
        return found[0], known[found[0]]
    if found:
        raise Refused([f"{asked!r} is the name of several dealers: give one of {', '.join(sorted(found))}"])
    alike = get_close_matches(asked.upper(), known, n=3) or sorted(known)[:5]
    raise Refused([f"no dealer {asked!r} is on record; there is {', '.join(alike)}{' ...' if len(known) > len(alike) else ''}"])
