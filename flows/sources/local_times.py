"""Local times to instants, in SQL: the hours that a clock change doubles or skips are found, not guessed."""

from flows.sources.pulled import quoted

# The instants that a local time can stand for: two in the hour that comes twice, none in the hour that is skipped. Away from
# a clock change (the offset is the same three hours before and after) there is one, and no search.
_ZONE_OFFSET = """create or replace temp macro zone_offset(z, u) as epoch(timezone(z, u)) - epoch(timezone('UTC', u))"""
_INSTANTS_OF = """
create or replace temp macro instants_of(l, z) as case
    when zone_offset(z, timezone(z, l) - interval 3 hours) = zone_offset(z, timezone(z, l) + interval 3 hours)
        then [timezone(z, l)]
    else list_filter([timezone(z, l) + to_minutes(m) for m in [-60, -30, 0, 30, 60]], lambda u: timezone(z, u) = l)
end
"""
MACROS = (_ZONE_OFFSET, _INSTANTS_OF)
_OFFSET = r":.*(Z|[+-]\d\d(:?\d\d)?)$"


def instant(text: str, formats: list[str], zone: str | None, *, ambiguous: str, nonexistent: str) -> str:
    """Give the SQL of a UTC timestamp for a text in local time; NULL where ``time_faults`` names what is wrong."""
    absolute, local = _absolute(text, formats), _local(text, formats)
    if zone is None:
        return f"cast({absolute} as timestamp)"
    found = f"instants_of({local}, {quoted(zone)})"
    chosen = f"case when len({found}) = 1 then {found}[1]"
    if ambiguous != "quarantine":
        chosen += f" when len({found}) > 1 then {'list_min' if ambiguous == 'earlier' else 'list_max'}({found})"
    if nonexistent == "later":
        chosen += f" when len({found}) = 0 then timezone({quoted(zone)}, {local})"
    return f"cast(coalesce({absolute}, {chosen} end) as timestamp)"


def time_faults(text: str, formats: list[str], zone: str | None, *, ambiguous: str, nonexistent: str) -> list[tuple[str, str, str]]:
    """List (rule, SQL condition, reason) for what can be wrong with a time."""
    absolute, local = _absolute(text, formats), _local(text, formats)
    pattern = " or ".join(formats) or "ISO 8601"
    faults = [("time_format", f"{text} is not null and {absolute} is null and {local} is null", f"is not a time as in {pattern}")]
    if zone is not None:
        found = f"len(instants_of({local}, {quoted(zone)}))"
        here = f"{absolute} is null and {local} is not null"
        if ambiguous == "quarantine":
            faults.append(("ambiguous_time", f"{here} and {found} > 1", f"comes twice in {zone} when the clocks go back"))
        if nonexistent == "quarantine":
            faults.append(("nonexistent_time", f"{here} and {found} = 0", f"does not exist in {zone}: the clocks skip it"))
    return faults


def written(instant_sql: str) -> str:
    """Give the SQL that writes a UTC timestamp as landing reads it."""
    return f"strftime({instant_sql}, '%Y-%m-%dT%H:%M:%S.%fZ')"


def date_cell(text: str, formats: list[str]) -> tuple[str, list[tuple[str, str, str]]]:
    """Give the SQL of an ISO date, and what can be wrong with it."""
    if not formats:
        return text, []
    parsed = f"try_strptime({text}, [{', '.join(quoted(pattern) for pattern in formats)}])"
    reason = f"is not a date as in {' or '.join(formats)}"
    return f"strftime({parsed}, '%Y-%m-%d')", [("date_format", f"{text} is not null and {parsed} is null", reason)]


def _absolute(text: str, formats: list[str]) -> str:
    """Parse texts that carry their own offset, or count from the epoch."""
    scale = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}
    parts = [f"make_timestamptz(cast(try_cast({text} as decimal(28, 6)) * {scale[p]} as bigint))" for p in formats if p in scale]
    zoned = [quoted(pattern) for pattern in formats if "%z" in pattern]
    if zoned:
        parts.append(f"try_strptime({text}, [{', '.join(zoned)}])")
    if not formats:
        parts.append(f"case when regexp_matches({text}, {quoted(_OFFSET)}) then try_cast({text} as timestamptz) end")
    return f"coalesce({', '.join(parts)}, null)" if parts else "cast(null as timestamptz)"


def _local(text: str, formats: list[str]) -> str:
    plain = [quoted(pattern) for pattern in formats if "%z" not in pattern and not pattern.startswith("epoch_")]
    if plain:
        return f"try_strptime({text}, [{', '.join(plain)}])"
    if formats:
        return "cast(null as timestamp)"
    return f"case when not regexp_matches({text}, {quoted(_OFFSET)}) then try_cast({text} as timestamp) end"
