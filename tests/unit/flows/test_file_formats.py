"""What a file is by its name: whatever is read as text has the checks of a text, however it is called and packed."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

from expectations.contracts.home import Home
from flows.landing import Landing, Receipt
from flows.sources.config import SourceConfig
from flows.sources.pulled import SourceError
from flows.sources.registry import pull
from tests.fakes import vendor
from tests.unit.flows.conftest import NOW, read

HEADER, *LINES = vendor.text(vendor.rows("trades", 3)).splitlines()
# Two rows that land, one whose price cannot be, two lines that are no rows.
MIXED = "\n".join([HEADER, LINES[0], "too,few", LINES[1], f"{LINES[2]},and,more", LINES[2].replace("101.", "-101."), ""]).encode()
MAPPING = """vendor: V
tables:
  trades:
    files: "venue_*"
    time_zone: UTC
    security_id_type: ANY
    columns:
      trade_id: trade_id
      security_id: security_id
      executed_at: executed_at
      price: {from: price, unit: per_100}
      quantity: {from: quantity, unit: units}
      status: {constant: NEW}
"""


def zipped(member: str) -> Callable[[bytes], bytes]:
    def pack(content: bytes) -> bytes:
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w") as archive:
            archive.writestr(member, content)
        return whole.getvalue()

    return pack


def zstd(content: bytes) -> bytes:
    whole = pa.BufferOutputStream()
    with pa.CompressedOutputStream(whole, "zstd") as stream:
        stream.write(content)
    return bytes(whole.getvalue())


NAMES = [
    ("venue_rfq.csv", bytes),
    ("venue_rfq.dat", bytes),
    ("venue_rfq.CSV", bytes),
    ("venue_rfq", bytes),
    ("venue_rfq.20260601", bytes),
    ("venue_rfq.dat.gz", gzip.compress),
    ("venue_rfq.CSV.GZ", gzip.compress),
    ("venue_rfq.dat.bz2", bz2.compress),
    ("venue_rfq.DAT.XZ", lzma.compress),
    ("venue_rfq.csv.zst", zstd),
    ("venue_rfq.zip", zipped("p.csv")),
    ("venue_rfq.ZIP", zipped("out/P.DAT")),
    ("venue_rfq.csv.zip", zipped("p")),
    ("venue_rfq.zip", lambda content: zipped("p.dat.gz")(gzip.compress(content))),
]
BY_NAME = pytest.mark.parametrize(("name", "pack"), NAMES, ids=[f"{number} {name}" for number, (name, _) in enumerate(NAMES)])


def mapped(root: Path) -> SourceConfig:
    root.mkdir(exist_ok=True)
    (root / "v.yml").write_text(MAPPING)
    return SourceConfig(
        name="v", kind="files", path=str(root / "in"), mapping=str(root / "v.yml"), downloads=str(root / "downloads")
    )


def land(root: Path, name: str, content: bytes) -> Receipt:
    vendor.deliver(root / "in", name, content)
    (delivery,) = pull(mapped(root))
    return Landing(Home(root / "home")).land(delivery, now=NOW, not_after=NOW)


@BY_NAME
def test_every_row_of_a_text_lands_or_is_rejected_whatever_its_file_is_called(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    receipt = land(tmp_path, name, pack(MIXED))
    bad = read(tmp_path / "home" / "quarantine" / "v" / "trades" / f"{receipt.batch}.parquet")
    assert (receipt.rows, receipt.rejected) == (2, 3)
    assert [(row["row"], row["rule"]) for row in bad] == [(2, "unreadable"), (4, "unreadable"), (5, "above")]


@BY_NAME
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (f"{HEADER},PRICE\n{LINES[0]},98\n".encode(), "price more than once"),
        (f"{HEADER}\n{LINES[0]}\n".encode("utf-16"), "UTF-16"),
        (
            "\n".join([f"{HEADER},note", f'{LINES[0]},"half', f"{LINES[1]},x", f'{LINES[2]},half"', ""]).encode(),
            "swallows their rows",
        ),
    ],
    ids=["a column twice", "UTF-16", "stray quotes"],
)
def test_the_faults_of_a_text_are_seen_whatever_its_file_is_called(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes], content: bytes, words: str
) -> None:
    with pytest.raises(SourceError, match=words):
        land(tmp_path, name, pack(content))


@pytest.mark.parametrize("name", ["venue_rfq.JSONL", "venue_rfq.ndjson.GZ", "venue_rfq.jsonl.zst", "venue_rfq.zip"])
def test_json_lines_are_known_by_any_case_and_inside_a_zip(tmp_path: Path, name: str) -> None:
    content = b"\n".join(msgspec.json.encode(row) for row in vendor.rows("trades", 3))
    pack = {"GZ": gzip.compress, "zst": zstd, "zip": zipped("p.jsonl")}.get(name.rpartition(".")[2], bytes)
    assert land(tmp_path, name, pack(content)).rows == 3


def test_a_zst_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"'v': venue_rfq\.csv\.zst is cut off or damaged"):
        land(tmp_path, "venue_rfq.csv.zst", zstd(vendor.text(vendor.rows("trades", 500)).encode())[:-20])


def test_keys_that_differ_by_case_alone_are_refused_where_the_mapping_reads_one(tmp_path: Path) -> None:
    one, other = vendor.rows("trades", 2)
    lines = [one | {"NOTE": "a", "note": "b"}, {**other, "PRICE": "98"}]
    assert land(tmp_path / "unread", "venue_rfq.jsonl", msgspec.json.encode(lines[0])).rows == 1
    with pytest.raises(SourceError, match=r"'v': venue_rfq\.jsonl has both the keys 'PRICE' and 'price'.*; have one left out"):
        land(tmp_path / "read", "venue_rfq.jsonl", b"\n".join(msgspec.json.encode(line) for line in lines))


def test_canonical_json_lines_are_refused_as_well(tmp_path: Path) -> None:
    vendor.deliver(tmp_path, "trades.jsonl", msgspec.json.encode(vendor.row("trades") | {"Quantity": "5"}))
    with pytest.raises(SourceError, match="both the keys 'Quantity' and 'quantity'"):
        pull(SourceConfig(name="v", kind="files", path=str(tmp_path), downloads=str(tmp_path / "downloads")))


def spoilt(whole: bytes, at: int, value: int) -> bytes:
    """Change two bytes of a zip's only entry: ``at`` counts from the entry's start here, and is two more in the directory."""
    directory = whole.index(b"PK\1\2")
    changed = bytearray(whole)
    for place in (at, directory + at + 2):
        changed[place : place + 2] = value.to_bytes(2, "little")
    return bytes(changed)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (spoilt(zipped("p.csv")(MIXED), 6, 1), "encrypted.*deliver it without a password"),
        (spoilt(zipped("p.csv")(MIXED), 8, 9), "compression .*packed the usual way"),
        (zipped("p.csv")(MIXED)[:-30], "cut off or damaged"),
        (zipped("p.csv")(MIXED).replace(LINES[1].encode(), LINES[2].encode()), r"cut off or damaged \(Bad CRC"),
    ],
    ids=["a password", "an unknown method", "cut off", "a wrong checksum"],
)
@pytest.mark.parametrize("name", ["venue_rfq.zip", "venue_rfq.csv.zip"])
def test_a_zip_that_cannot_be_unpacked_is_told_by_its_name(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    with pytest.raises(SourceError, match=rf"'v': {name}.*{words}"):
        land(tmp_path, name, content)
