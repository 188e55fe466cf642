"""Schema drift: what a delivery's columns are against those of the deliveries before it. Pure."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches

import msgspec

_ENOUGH_CELLS = 5


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """A column as it was delivered: the type that the file gives it (VARCHAR in CSV), and how many cells were filled."""

    type: str
    filled: int


Schema = dict[str, Seen]


def expected(before: Collection[Schema]) -> Schema:
    """Give the columns that every earlier delivery had with something in it; nothing is expected of the first one."""
    known = [schema for schema in before if schema]
    if not known:
        return {}
    return {name: seen for name, seen in known[-1].items() if all(name in one and one[name].filled for one in known)}


def gone(before: Schema, now: Collection[str], may_lack: Collection[str]) -> list[str]:
    """Name the columns that were filled before and are not there now, unless the source may lack them."""
    here = {name.lower() for name in now}
    return [name for name, seen in before.items() if seen.filled and name.lower() not in here and name not in may_lack]


def new(before: Collection[Schema], now: Collection[str]) -> list[str]:
    """Name the columns that no earlier delivery had, filled or not; nothing is new in the first one."""
    known = {name.lower() for schema in before for name in schema}
    return [name for name in now if name.lower() not in known] if known else []


def looks_like(missing: Collection[str], fresh: Collection[str]) -> str:
    """Say which new column may be which missing one, or nothing."""
    told = []
    for name in missing:
        near = get_close_matches(name.lower(), {other.lower(): other for other in fresh}, n=1, cutoff=0.5)
        other = next((one for one in fresh if near and one.lower() == near[0]), None)
        if other is None and len(missing) == 1 and len(fresh) == 1:
            other = next(iter(fresh))
        if other is not None:
            told.append(f"{other!r} is new and may be {name!r} renamed")
    return "; ".join(told)


def of_another_type(before: Schema, filled: Mapping[str, int], faulty: Mapping[str, int]) -> list[str]:
    """Name the columns known from before most of whose cells cannot be read any more; a handful of cells proves nothing."""
    known = {name.lower() for name in before}
    return [
        name
        for name, count in faulty.items()
        if name.lower() in known and filled.get(name, 0) >= _ENOUGH_CELLS and 2 * count > filled[name]
    ]


def beside(before: Collection[str], now: Collection[str]) -> str:
    """Write both schemas, one beside the other."""
    return f"before: {', '.join(before)}; now: {', '.join(now)}"
