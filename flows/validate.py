"""The row contract as SQL: types every cell of a delivery and names what is wrong with each bad row. Pure."""

from collections.abc import Collection, Mapping

from expectations.contracts.sources import Column, Kind, Table
from flows.sources.pulled import cell_text, named, quoted

SQL_TYPES = {
    Kind.TEXT: "VARCHAR",
    Kind.NUMBER: "DOUBLE",
    Kind.INTEGER: "BIGINT",
    Kind.FLAG: "BOOLEAN",
    Kind.TIME: "TIMESTAMP",
    Kind.DATE: "DATE",
}
_WORDS = {
    Kind.TEXT: "text",
    Kind.NUMBER: "a finite number",
    Kind.INTEGER: "a whole number",
    Kind.FLAG: "true or false",
    Kind.TIME: "a UTC time in ISO 8601",
    Kind.DATE: "a date in ISO 8601",
}
# What casts well and is still no figure or no moment; five-digit years do not fit a calendar of four.
_UNREAL = " or not isfinite({typed}) or year({typed}) not between 1 and 9999"
# A cast alone reads "epoch" as 1970, and BST as Bangladesh's time: of letters only a T and UTC may stand behind the first digit.
_ISO = r"(?i)\s*\d[^a-z]*(t[^a-z]*)?(z|utc)?\s*"
_WRONG = {Kind.NUMBER: " or not isfinite({typed})", Kind.TIME: _UNREAL, Kind.DATE: _UNREAL}


def missing_columns(table: Table, present: Collection[str]) -> list[str]:
    """Name the required columns that a delivery does not have."""
    return [column.name for column in table.columns if column.required and column.name not in present]


def typed_select(
    table: Table, present: Collection[str], *, raw: str, not_after: str, mapped: bool = False, typed: Collection[str] = ()
) -> str:
    """Give the query that types ``raw`` (cells as text, ``_row``) and adds ``_faults``, a list of what is wrong.

    The cells of the columns in ``typed`` (see ``own_type``) are taken as they are: as text they would cost more than all else.
    ``not_after`` is an ISO time: what happened later is faulty. A fault is {column, rule, reason, value}. Bad identifiers are
    looked up in the table ``bad_identifiers`` (kind, value). Times with an offset are taken to UTC, times without one are UTC
    already: the connection's ``TimeZone`` must be UTC. Where ``raw`` is ``mapped`` it has ``_mapping_faults``, too: what the
    mapping found wrong with a column is told, and nothing else about that column.
    """
    extras = [name for name in present if name not in table.names and not name.startswith("_")]
    cells = [f"{_typed(column, present, typed)} as {named(column.name)}" for column in table.columns]
    checks = [check for column in table.columns if column.name in present for check in _checks(column, typed)]
    checks += [_fault("", rule.name, f"not ({rule.condition})", rule.reason, "''") for rule in table.rules]
    for column in table.columns:
        if column.kind is Kind.TIME and not column.may_lie_ahead:
            late = f"{named(column.name)} > timestamp {quoted(not_after)}"
            checks.append(_fault(column.name, "in_the_future", late, f"lies after {not_after}", named(column.name)))
    originals = [f"{named(column.name)} as {named('_raw_' + column.name)}" for column in table.columns if column.name in present]
    own = ["_mapping_faults"] if mapped else []
    cells_of_row = ", ".join(["_row", *own, *cells, *originals, *(named(extra) for extra in extras)])
    kept = ", ".join(["_row", *(named(name) for name in table.names), *(named(extra) for extra in extras)])
    return f"with typed as (select {cells_of_row} from {raw}) select {kept}, {_told(checks, mapped=mapped)} as _faults from typed"


def _told(checks: list[str], *, mapped: bool) -> str:
    found = f"list_filter([{', '.join(checks)}], lambda fault: fault is not null)"
    if not mapped:
        return found
    named_already = "list_transform(coalesce(_mapping_faults, []), lambda fault: fault.column)"
    others = f"list_filter({found}, lambda fault: not list_contains({named_already}, fault.column))"
    return f"list_concat(coalesce(_mapping_faults, []), {others})"


def own_type(table: Table, types: Mapping[str, str]) -> set[str]:
    """Name the columns that come in the type of the contract, by a delivery's types; none of text, which is trimmed."""
    columns = (column for column in table.columns if column.kind is not Kind.TEXT)
    return {column.name for column in columns if types.get(column.name) == SQL_TYPES[column.kind]}


def _typed(column: Column, present: Collection[str], typed: Collection[str]) -> str:
    if column.name not in present:
        return f"cast(null as {SQL_TYPES[column.kind]})"
    text = cell_text(named(column.name))
    if column.kind is Kind.TEXT or column.name in typed:
        return text if column.kind is Kind.TEXT else named(column.name)
    if column.kind is Kind.INTEGER:
        # A cast alone rounds 3.7 to 4.
        return f"case when try_cast({text} as double) = try_cast({text} as bigint) then try_cast({text} as bigint) end"
    if column.kind is Kind.TIME:
        # A cast alone drops the offset.
        return f"try_cast(try_cast({_iso(text)} as timestamptz) as timestamp)"
    if column.kind is Kind.DATE:
        # A cast alone ignores whatever follows the date.
        return f"try_cast(try_cast({_iso(text)} as timestamp) as date)"
    return f"try_cast({text} as {SQL_TYPES[column.kind]})"


def _iso(text: str) -> str:
    return f"case when regexp_full_match({text}, {quoted(_ISO)}) then {text} end"


def _checks(column: Column, typed_already: Collection[str]) -> list[str]:
    typed = named(column.name)
    raw = typed if column.name in typed_already else cell_text(named("_raw_" + column.name))
    checks = []
    if column.required:
        checks.append(_fault(column.name, "missing", f"{raw} is null", "is empty and must not be", "''"))
    if column.kind is not Kind.TEXT:
        broken = f"{raw} is not null and ({typed} is null{_WRONG.get(column.kind, '').format(typed=typed)})"
        checks.append(_fault(column.name, "type", broken, f"is not {_WORDS[column.kind]}", raw))
    for rule, bound, sign, words in (
        ("above", column.above, "<=", "must be above"),
        ("at_least", column.at_least, "<", "must be at least"),
        ("at_most", column.at_most, ">", "must be at most"),
    ):
        if bound is not None:
            checks.append(_fault(column.name, rule, f"{typed} {sign} {bound!r}", f"{words} {bound:g}", raw))
    if column.values:
        allowed = ", ".join(quoted(value) for value in column.values)
        reason = f"is none of {', '.join(column.values)}"
        checks.append(_fault(column.name, "vocabulary", f"{typed} not in ({allowed})", reason, raw))
    if column.identifier:
        listed = f"exists (select 1 from bad_identifiers b where b.kind = {quoted(column.identifier)} and b.value = {typed})"
        checks.append(_fault(column.name, "check_digit", listed, f"is not a valid {column.identifier.upper()}", raw))
    return checks


def _fault(column: str, rule: str, condition: str, reason: str, value: str) -> str:
    shown = f"cast({value} as varchar)"
    parts = f"'column': {quoted(column)}, 'rule': {quoted(rule)}, 'reason': {quoted(reason)}, 'value': {shown}"
    return f"case when {condition} then {{{parts}}} end"
