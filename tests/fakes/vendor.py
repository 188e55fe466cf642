"""A vendor that delivers what a test says: one good row per canonical table, and files of such rows."""

import csv
import gzip
import io
from pathlib import Path

Row = dict[str, str]

GOOD: dict[str, Row] = {
    "dealers": {
        "dealer_id": "ALPHA",
        "name": "Alpha Securities",
        "lei": "529900T8BM49AURSDO55",
        "specialties": "CORP;MUNI",
        "status": "ACTIVE",
        "agreements": "GMRA",
        "due_diligence_expiry": "2030-01-31",
        "credit_limit": "50000000",
        "restricted": "false",
        "fix_session": "FIX.4.4:DESK->ALPHA",
        "party_id": "ALPH",
        "contacts": "desk@alpha.example",
    },
    "dealer_aliases": {"alias": "Alpha Brothers", "dealer_id": "ALPHA", "valid_from": "2020-01-01", "valid_to": "2024-12-31"},
    "securities": {
        "security_id": "S1",
        "cusip": "037833100",
        "isin": "US0378331005",
        "figi": "BBG000BLNNH6",
        "asset_class": "CORP",
        "issuer_id": "I1",
        "issuer_name": "Issuer One",
        "sector": "TECH",
        "currency": "USD",
        "coupon": "4.5",
        "issue_date": "2020-01-15",
        "maturity_date": "2032-01-15",
        "rating_sp": "BBB",
        "rating_moodys": "Baa2",
        "rating_fitch": "BBB",
        "amount_outstanding": "500000000",
    },
    "trades": {
        "trade_id": "T1",
        "security_id": "S1",
        "executed_at": "2025-06-02T10:00:00Z",
        "price": "101.25",
        "quantity": "1000000",
        "quantity_capped": "false",
        "reporting_side": "B",
        "status": "NEW",
        "original_trade_id": "T0",
    },
    "reference_prices": {
        "security_id": "S1",
        "as_of": "2025-06-02T10:00:00Z",
        "bid": "101.0",
        "mid": "101.2",
        "ask": "101.4",
        "source": "EVAL",
    },
    "axes": {
        "dealer_id": "ALPHA",
        "security_id": "S1",
        "side": "BUYS",
        "quantity": "2000000",
        "advertised_at": "2025-06-02T09:00:00Z",
        "withdrawn_at": "2025-06-02T17:00:00Z",
    },
    "rfq_log": {
        "rfq_id": "R1",
        "order_id": "O1",
        "venue": "MERIDIAN",
        "security_id": "S1",
        "client_side": "BUY",
        "quantity": "1000000",
        "protocol": "PARALLEL",
        "asked_at": "2025-06-02T10:00:00Z",
        "dealer_id": "ALPHA",
        "sequence": "1",
        "dealers_asked": "3",
        "timeout_s": "60",
        "response": "QUOTED",
        "responded_at": "2025-06-02T10:00:12Z",
        "quote_price": "101.3",
        "quote_quantity": "1000000",
        "firm": "true",
        "outcome": "TRADED",
        "executed_at": "2025-06-02T10:00:20Z",
        "executed_price": "101.3",
        "executed_quantity": "1000000",
        "arrival_mid": "101.2",
        "propensity": "0.5",
    },
    "tca_results": {
        "execution_ref": "R1",
        "vendor": "PLUMB",
        "metric": "price_reversion",
        "horizon_s": "1800",
        "value": "-0.5",
        "unit": "bps",
        "positive_is": "GAIN",
        "reference": "MID",
        "computed_at": "2025-06-02T11:00:00Z",
    },
    "overrides": {
        "override_id": "V1",
        "recommendation_id": "REC1",
        "rfq_id": "R1",
        "overridden_at": "2025-06-02T10:00:00Z",
        "overridden_by": "jo",
        "reason_code": "RELATIONSHIP",
        "comment": "They showed size yesterday",
        "recommended": "ALPHA;BETA",
        "chosen": "BETA;GAMMA",
    },
}
_NUMBERED = {
    "dealers": "dealer_id",
    "dealer_aliases": "alias",
    "securities": "security_id",
    "trades": "trade_id",
    "reference_prices": "source",
    "axes": "dealer_id",
    "rfq_log": "rfq_id",
    "tca_results": "execution_ref",
    "overrides": "override_id",
}


def row(table: str, **changes: str) -> Row:
    """Give the table's good row with some cells changed."""
    return GOOD[table] | changes


def rows(table: str, count: int, **changes: str) -> list[Row]:
    """Give so many good rows under keys of their own."""
    return [row(table, **{_NUMBERED[table]: f"{_NUMBERED[table]}-{n}"}, **changes) for n in range(1, count + 1)]


def text(listed: list[Row], *, without: str | None = None) -> str:
    """Write rows as CSV with a header; ``without`` leaves a column out."""
    names = [name for name in listed[0] if name != without]
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(listed)
    return out.getvalue()


def deliver(folder: Path, name: str, content: str | bytes | list[Row]) -> Path:
    """Put a file into the vendor's folder, gzipped where its name says so and the content is not bytes already."""
    folder.mkdir(parents=True, exist_ok=True)
    data = content if isinstance(content, bytes) else (content if isinstance(content, str) else text(content)).encode()
    if name.endswith(".gz") and not isinstance(content, bytes):
        data = gzip.compress(data, mtime=0)
    path = folder / name
    path.write_bytes(data)
    return path
