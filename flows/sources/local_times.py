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
# Without a format: a date, a time of day and nothing else, or an offset behind them. A cast alone takes "epoch" for 1970, a date
# for its midnight, and "15:00 UTC" for a local time.
_LOCAL_ISO = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}[T ]\d{1,2}:\d{1,2}(:\d{1,2}([.,]\d+)?)?"
_OFFSET = r" ?(Z|UTC|GMT|[+-]\d\d(:?\d\d)?)"
# DuckDB reads these words as times whatever the format.
_WORD = r"(?i)\s*-?(epoch|infinity)\s*"
# Microseconds from 1990 to the last year of four digits: seconds that are read as milliseconds lie before, and the other way
# round after.
_EPOCH_FROM, _EPOCH_TO = 631_152_000_000_000, 253_402_300_799_999_999


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
    parsed = _parsed(text, formats)
    reason = f"is not a date as in {' or '.join(formats)}"
    return f"strftime({parsed}, '%Y-%m-%d')", [("date_format", f"{text} is not null and {parsed} is null", reason)]


def _absolute(text: str, formats: list[str]) -> str:
    """Parse texts that carry their own offset, or count from the epoch."""
    scale = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}
    parts = [_since_epoch(text, scale[pattern]) for pattern in formats if pattern in scale]
    zoned = [pattern for pattern in formats if "%z" in pattern]
    if zoned:
        parts.append(_parsed(text, zoned))
    if not formats:
        # DuckDB takes no space before an offset.
        joined = f"regexp_replace({text}, {quoted(_OFFSET + '$')}, '\\1')"
        joined = f"regexp_replace({joined}, '(UTC|GMT)$', 'Z')"
        parts.append(
            f"case when regexp_full_match({text}, {quoted(_LOCAL_ISO + _OFFSET)}) then try_cast({joined} as timestamptz) end"
        )
    return f"coalesce({', '.join(parts)}, null)" if parts else "cast(null as timestamptz)"


def _local(text: str, formats: list[str]) -> str:
    plain = [pattern for pattern in formats if "%z" not in pattern and not pattern.startswith("epoch_")]
    if plain:
        return _parsed(text, plain)
    if formats:
        return "cast(null as timestamp)"
    return f"case when regexp_full_match({text}, {quoted(_LOCAL_ISO)}) then try_cast({text} as timestamp) end"


def _since_epoch(text: str, scale: int) -> str:
    count = f"try_cast(try_cast({text} as decimal(28, 6)) * {scale} as bigint)"
    return f"case when {count} between {_EPOCH_FROM} and {_EPOCH_TO} then make_timestamptz({count}) end"


def _parsed(text: str, formats: list[str]) -> str:
    listed = ", ".join(quoted(pattern) for pattern in formats)
    return f"case when not regexp_full_match({text}, {quoted(_WORD)}) then try_strptime({text}, [{listed}]) end"
