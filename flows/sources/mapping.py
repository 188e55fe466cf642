"""``config/mappings/NAME.yml``: how one vendor's columns, units, signs and times become the canonical ones."""

from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from expectations.contracts.sources import TABLES
from flows.sources.mapping_rules import faults_of
from flows.sources.pulled import SourceError, closest

UNITS: dict[str, int] = {
    "units": 1,
    "thousands": 1_000,
    "millions": 1_000_000,
    "per_100": 1,  # prices
    "per_1": 100,  # prices as a decimal share of par: 1.0125 is 101.25
    "plain": 1,  # figures in the unit that stands beside them
    "percent": 100,  # figures in per cent, taken to basis points
}
Doubtful = Literal["quarantine", "earlier", "later"]


class ColumnMap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where one canonical cell comes from: ``from`` a column (of several, the first one filled), a ``constant``, or a ``join``.

    ``values`` translates; what is not among them goes to quarantine unless ``others`` gives a value or ``keep_others`` keeps it.
    ``unit`` is the vendor's (a key of UNITS). ``format`` is a strptime pattern, several, or ``epoch_s``, ``epoch_ms``; without one,
    ISO 8601. ``time_zone`` goes before the table's. ``recover_from`` names the column with the ISIN that a damaged CUSIP is taken
    from.
    """

    source: str | list[str] | None = msgspec.field(default=None, name="from")
    constant: str | None = None
    join: list[str | list[str]] = []
    separator: str = "-"
    values: dict[str, str] = {}
    others: str | None = None
    keep_others: bool = False
    unit: str | None = None
    decimal: Literal[".", ","] = "."
    grouping: str = ""
    format: str | list[str] | None = None
    time_zone: str | None = None
    recover_from: str | None = None

    @property
    def formats(self) -> list[str]:
        """How its times or dates are written; none = ISO 8601."""
        return [self.format] if isinstance(self.format, str) else self.format or []


class Figure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One column of a wide TCA file: a metric of every row, with everything that gives the number its meaning."""

    source: str = msgspec.field(name="from")
    metric: str
    unit: str
    positive_is: str
    reference: str
    horizon_s: str
    scale: Literal["plain", "percent"] = "plain"


class Page(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an endpoint pages: by ``cursor`` (``next`` = where the body holds it), by ``page`` number, or by ``link`` (RFC 8288).

    A first answer must have ``next`` in it, null or empty where there are no more pages, unless ``next_may_be_absent``.
    """

    by: Literal["cursor", "page", "link"]
    parameter: str = "page"
    next: str | None = None
    next_may_be_absent: bool = False
    first: int = 1


class Window(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which slice of time is asked for: days from ``start`` on, the last ``overlap_days`` of them asked for again.

    ``since`` and ``until`` name the bounds: parameters of a request, or ``:since`` and ``:until`` in a query.
    """

    since: str
    until: str
    start: str
    days: int = 1
    overlap_days: int = 3


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a REST vendor is asked for; ``rows`` is the place of the list in the body (``data.items``; empty = the body is it)."""

    path: str
    rows: str = ""
    parameters: dict[str, str] = {}
    page: Page | None = None
    window: Window | None = None


class TableMap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One canonical table out of a vendor's ``files`` (a glob), ``endpoint``, ``query`` (by ``window``, if any) or ``relation``."""

    files: str | None = None
    endpoint: Endpoint | None = None
    query: str | None = None
    window: Window | None = None
    relation: str | None = None
    delimiter: str = ","
    time_zone: str | None = None
    ambiguous: Doubtful = "quarantine"
    nonexistent: Literal["quarantine", "later"] = "quarantine"
    security_id_type: Literal["CUSIP", "ISIN", "FIGI", "INTERNAL", "ANY"] | None = None
    response_time_floor_s: float | None = None
    code_column: str | None = None
    columns: dict[str, ColumnMap] = {}
    codes: dict[str, dict[str, ColumnMap]] = {}
    figures: list[Figure] = []


class Executions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a vendor takes our executions: each is posted to ``path`` with these ``fields`` (the vendor's name: ours)."""

    path: str
    fields: dict[str, str]


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A vendor's mapping."""

    vendor: str
    tables: dict[str, TableMap]
    executions: Executions | None = None


def load_mapping(path: Path) -> Mapping:
    """Read and check one mapping. Raises SourceError with file, line, what is wrong and what is near."""
    try:
        text = path.read_text(encoding="utf-8")
        # Cells are text: no YAML reader may turn a code NO into false or 007 into 7.
        content = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - the base loader makes strings, lists and dicts only
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except FileNotFoundError as error:
        known = sorted(other.stem for other in path.parent.glob("*.yml"))
        raise SourceError(f"no mapping {path.stem!r} in {path.parent}{closest(path.stem, known)}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or not isinstance(content.get("tables"), dict):
        raise SourceError(f"{path}: expected vendor: NAME and tables: {{TABLE: {{columns: ...}}}}")
    _refuse_repeated_keys(path, node)
    tables = {name: _table(path, node, name, part) for name, part in content["tables"].items()}
    rest = {name: part for name, part in content.items() if name != "tables"}
    head: Mapping = _converted({**rest, "tables": {}}, Mapping, path, node, ())
    return msgspec.structs.replace(head, tables=tables)


def _refuse_repeated_keys(path: Path, node: yaml.Node | None, place: tuple[str, ...] = ()) -> None:
    """Refuse a key that stands twice: the last one would win without a word."""
    if isinstance(node, yaml.SequenceNode):
        for part in node.value:
            _refuse_repeated_keys(path, part, place)
    elif isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, part in node.value:
            own, line = (*place, str(key.value)), key.start_mark.line + 1
            if own[-1] in lines:
                raise SourceError(f"{path}:{line}: {'.'.join(own)}: stands twice, first in line {lines[own[-1]]}; keep one of them")
            lines[own[-1]] = line
            _refuse_repeated_keys(path, part, own)


def _table(path: Path, node: yaml.Node | None, name: str, part: object) -> TableMap:
    place = ("tables", name)
    if name not in TABLES:
        raise _fault(path, node, place, f"there is no table {name!r}{closest(name, TABLES)}")
    if not isinstance(part, dict):
        raise _fault(path, node, place, "expected keys such as files and columns")
    columns = _columns(path, node, (*place, "columns"), part.get("columns", {}))
    codes = {
        code: _columns(path, node, (*place, "codes", code), cells) for code, cells in _mapping_of(part.get("codes", {})).items()
    }
    plain = {key: value for key, value in part.items() if key not in {"columns", "codes"}}
    bare: TableMap = _converted(plain, TableMap, path, node, place)
    table = msgspec.structs.replace(bare, columns=columns, codes=codes)
    for where, message in faults_of(TABLES[name], table, UNITS):
        raise _fault(path, node, (*place, *where), message)
    return table


def _columns(path: Path, node: yaml.Node | None, place: tuple[str, ...], part: object) -> dict[str, ColumnMap]:
    columns = {}
    for name, cell in _mapping_of(part).items():
        given = {"from": cell} if isinstance(cell, str) else cell
        columns[name] = _converted(given, ColumnMap, path, node, (*place, name))
    return columns


def _mapping_of(part: object) -> dict[str, Any]:
    return part if isinstance(part, dict) else {}


def _converted(part: object, kind: type[Any], path: Path, node: yaml.Node | None, place: tuple[str, ...]) -> Any:  # noqa: ANN401 - whichever struct was asked for
    try:
        return msgspec.convert(part, kind, strict=False)
    except msgspec.ValidationError as error:
        words = str(error)
        known = [field.encode_name for field in msgspec.structs.fields(kind)]
        wrong = words.split("`")[1] if "unknown field" in words else ""
        raise _fault(path, node, place, words + (closest(wrong, known) if wrong else "")) from error


def _fault(path: Path, node: yaml.Node | None, place: tuple[str, ...], message: str) -> SourceError:
    return SourceError(f"{path}:{_line(node, place)}: {'.'.join(place) or 'mapping'}: {message}")


def _line(node: yaml.Node | None, place: tuple[str, ...]) -> int:
    """Find the line of a key path in the composed YAML, or of the innermost part of it that is there."""
    line = 1
    for key in place:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        found = next(((own, value) for own, value in pairs if own.value == key), None)
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return line
