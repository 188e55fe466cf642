"""A vendor's mapping as SQL over the table ``raw``: canonical cells as text, and what is wrong with each row. Pure."""

import hashlib
from dataclasses import dataclass

import msgspec

from expectations.contracts.sources import TABLES, Column, Kind
from flows.sources import local_times, vendor_numbers
from flows.sources.mapping import UNITS, ColumnMap, Figure, TableMap
from flows.sources.mapping_rules import AFTERWARDS
from flows.sources.pulled import Mapped, cell_text, named, quoted

# Goes into each delivery's hash: what this module makes of a file is landed again when it changes.
_EDITION = "2"
_Fault = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _Cell:
    """The SQL of one canonical cell as text, the cell as it came, and (rule, condition, reason) of what can be wrong."""

    sql: str
    given: str
    faults: list[_Fault]


def compiled(name: str, table: str, mapping: TableMap) -> Mapped:
    """Compile the mapping of one table."""
    kind = mapping.security_id_type
    identifiers = (("security_id", kind.lower()),) if kind in {"CUSIP", "ISIN", "FIGI"} else ()
    return Mapped(name=name, query=_query(table, mapping), reads=tuple(_reads(mapping)), identifiers=identifiers)


def fingerprint(content_hash: str, mapping: TableMap) -> str:
    """Hash a delivery with its mapping: under another mapping it is another version of the delivery."""
    return hashlib.sha256(content_hash.encode() + _EDITION.encode() + msgspec.json.encode(mapping)).hexdigest()


def _query(table: str, mapping: TableMap) -> str:
    contract = TABLES[table]
    rows = [_select(table, mapping, figure) for figure in mapping.figures] or [_select(table, mapping, None)]
    listed = ", ".join(named(column.name) for column in contract.columns)
    kept = ", ".join(["_row", listed, *(["responded_within_s"] if mapping.response_time_floor_s is not None else [])])
    return f"select {kept}, _mapping_faults from ({' union all by name '.join(rows)}) order by _row"


def _select(table: str, mapping: TableMap, figure: Figure | None) -> str:
    cells = {column.name: _any_code(column, mapping, figure) for column in TABLES[table].columns}
    checks = [
        _fault(name, rule, condition, reason, cell.given) for name, cell in cells.items() for rule, condition, reason in cell.faults
    ]
    parts = [f"{cell.sql} as {named(name)}" for name, cell in cells.items()]
    if mapping.code_column is not None:
        code, known = _text(mapping.code_column), ", ".join(quoted(code) for code in mapping.codes)
        reason = f"is none of the codes that the mapping knows: {', '.join(mapping.codes)}"
        checks.append(_fault(mapping.code_column, "unknown_code", f"coalesce({code} not in ({known}), true)", reason, code))
    if table == "tca_results":
        checks.append(_horizon_missing(cells))
    if mapping.response_time_floor_s is not None:
        parts = _with_floor(parts, cells, mapping.response_time_floor_s)
    faults = f"list_filter([{', '.join(checks)}], lambda fault: fault is not null)" if checks else "null"
    # An empty cell in a wide file is no figure, and no fault either.
    filled = f" where {_text(figure.source)} is not null" if figure else ""
    return f"select _row, {', '.join(parts)}, {faults} as _mapping_faults from raw{filled}"


def _horizon_missing(cells: dict[str, _Cell]) -> str:
    """Set aside what came after the trade and does not say how long after it."""
    metric, horizon = cells["metric"], cells["horizon_s"]
    afterwards = ", ".join(map(quoted, AFTERWARDS))
    missing = f"{metric.sql} in ({afterwards}) and {horizon.sql} is null and {horizon.given} is null"
    return _fault(
        "horizon_s", "horizon", missing, "needs the seconds after the trade: reversions and impacts differ by them", metric.sql
    )


def _with_floor(parts: list[str], cells: dict[str, _Cell], floor: float) -> list[str]:
    """Leave out the times that the venue hides, and keep beside them that the answer came within the floor."""
    asked, answered = (f"cast({cells[name].sql} as timestamptz)" for name in ("asked_at", "responded_at"))
    hidden = f"epoch({answered}) - epoch({asked}) <= {floor!r}"
    kept = [part for part in parts if not part.endswith(' as "responded_at"')]
    return [
        *kept,
        f"case when not ({hidden}) then {cells['responded_at'].sql} end as responded_at",
        f"case when {hidden} then {quoted(f'{floor:g}')} end as responded_within_s",
    ]


def _any_code(column: Column, mapping: TableMap, figure: Figure | None) -> _Cell:
    """Give the cell of a column, as each code has it where codes differ."""
    plain = _figure_cell(column, figure) or _cell(column, mapping.columns.get(column.name), mapping)
    own = {code: _cell(column, cells[column.name], mapping) for code, cells in mapping.codes.items() if column.name in cells}
    if not own or mapping.code_column is None:
        return plain
    code = _text(mapping.code_column)
    sql = " ".join(f"when {quoted(value)} then {cell.sql}" for value, cell in own.items())
    given = " ".join(f"when {quoted(value)} then {cell.given}" for value, cell in own.items())
    listed = ", ".join(quoted(value) for value in own)
    faults = [
        (rule, f"{code} = {quoted(value)} and ({test})", why) for value, cell in own.items() for rule, test, why in cell.faults
    ]
    faults += [(rule, f"coalesce({code} not in ({listed}), true) and ({test})", why) for rule, test, why in plain.faults]
    return _Cell(f"case {code} {sql} else {plain.sql} end", f"case {code} {given} else {plain.given} end", faults)


def _figure_cell(column: Column, figure: Figure | None) -> _Cell | None:
    if figure is None:
        return None
    if column.name == "value":
        return _number(_text(figure.source), ColumnMap(source=figure.source, unit=figure.scale))
    fixed = {
        "metric": figure.metric,
        "unit": figure.unit,
        "positive_is": figure.positive_is,
        "reference": figure.reference,
        "horizon_s": figure.horizon_s,
    }
    return _constant(fixed[column.name]) if column.name in fixed else None


def _constant(value: str) -> _Cell:
    sql = quoted(value) if value else "cast(null as varchar)"
    return _Cell(sql, sql, [])


def _cell(column: Column, spec: ColumnMap | None, mapping: TableMap) -> _Cell:
    if spec is None or spec.constant is not None:
        return _constant((spec.constant if spec else None) or "")
    text = _given(spec)
    if spec.recover_from is not None:
        found = f"recovered_cusip({text}, {_text(spec.recover_from)})"
        lost = f"{text} is not null and {found} is null"
        return _Cell(found, text, [("damaged_cusip", lost, f"is damaged, and {spec.recover_from} does not give it back safely")])
    translated = _translated(text, spec)
    read = _read(column, translated.sql, spec, mapping)
    return _Cell(read.sql, text, translated.faults + read.faults)


def _read(column: Column, text: str, spec: ColumnMap, mapping: TableMap) -> _Cell:
    """Read a text as what its column holds."""
    if column.kind is Kind.TIME:
        return _time(text, spec, mapping)
    if column.kind is Kind.DATE:
        sql, faults = local_times.date_cell(text, spec.formats)
        return _Cell(sql, text, faults)
    return _number(text, spec) if column.kind in {Kind.NUMBER, Kind.INTEGER} else _Cell(text, text, [])


def _given(spec: ColumnMap) -> str:
    if spec.source is not None:
        return _first(spec.source)
    parts = [_first(part) for part in spec.join]
    filled = " and ".join(f"{part} is not null" for part in parts)
    return f"case when {filled} then concat_ws({quoted(spec.separator)}, {', '.join(parts)}) end"


def _translated(text: str, spec: ColumnMap) -> _Cell:
    if not spec.values:
        return _Cell(text, text, [])
    cases = [
        f"when {f'{text} = {quoted(word)}' if word else f'{text} is null'} then {quoted(meaning)}"
        for word, meaning in spec.values.items()
    ]
    other = quoted(spec.others) if spec.others is not None else text if spec.keep_others else "null"
    sql = f"case {' '.join(cases)} else {other} end"
    if spec.others is not None or spec.keep_others:
        return _Cell(sql, text, [])
    known = ", ".join(quoted(word) for word in spec.values)
    reason = f"is none of the values that the mapping knows: {', '.join(spec.values)}"
    return _Cell(sql, text, [("unknown_value", f"{text} is not null and {text} not in ({known})", reason)])


def _number(text: str, spec: ColumnMap) -> _Cell:
    plain = vendor_numbers.plain(text, spec.decimal, spec.grouping)
    factor = UNITS[spec.unit] if spec.unit else 1
    if factor == 1:
        wrong = f"is not a number with {vendor_numbers.told(spec.decimal, spec.grouping)}"
        return _Cell(plain, text, [("number_format", f"{text} is not null and {plain} is null", wrong)] if plain != text else [])
    # In decimals: 1.005 thousand is 1005 and not 1004.9999999999999.
    exact = f"try_cast({plain} as decimal(28, 10)) * {factor}"
    lost = f"{text} is not null and {exact} is null"
    wrong = f"is not a number that can be read in {spec.unit}, with {vendor_numbers.told(spec.decimal, spec.grouping)}"
    return _Cell(f"cast(cast({exact} as double) as varchar)", text, [("unit", lost, wrong)])


def _time(text: str, spec: ColumnMap, mapping: TableMap) -> _Cell:
    zone, formats = spec.time_zone or mapping.time_zone, spec.formats
    instant = local_times.instant(text, formats, zone, ambiguous=mapping.ambiguous, nonexistent=mapping.nonexistent)
    faults = local_times.time_faults(text, formats, zone, ambiguous=mapping.ambiguous, nonexistent=mapping.nonexistent)
    return _Cell(local_times.written(instant), text, faults)


def _first(part: str | list[str]) -> str:
    return _text(part) if isinstance(part, str) else f"coalesce({', '.join(_text(name) for name in part)})"


def _text(name: str) -> str:
    return cell_text(named(name))


def _fault(column: str, rule: str, condition: str, reason: str, value: str) -> str:
    parts = f"'column': {quoted(column)}, 'rule': {quoted(rule)}, 'reason': {quoted(reason)}, 'value': cast({value} as varchar)"
    return f"case when {condition} then {{{parts}}} end"


def _reads(mapping: TableMap) -> list[tuple[str, str]]:
    """List the vendor's columns that the mapping reads, each with the column of ours that it is for."""
    pairs = [(mapping.code_column, "")] if mapping.code_column else []
    specs = [*mapping.columns.items(), *(pair for cells in mapping.codes.values() for pair in cells.items())]
    for name, spec in specs:
        for part in (spec.source, *spec.join, spec.recover_from):
            pairs += [(theirs, name) for theirs in ([part] if isinstance(part, str) else part or [])]
    return pairs + [(figure.source, "value") for figure in mapping.figures]
