"""``sources.yml`` and folders: what a user may write, and one clear line for each mistake."""

import errno
import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from flows.sources.config import SourceConfig, load
from flows.sources.pulled import Pulled, SourceError
from flows.sources.registry import KINDS, pull
from tests.fakes import vendor


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "sources.yml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected sources:"),
        ("sources: 5", "expected sources:"),
        ("- just\n- a list", "expected sources:"),
        ("sources: [", "not valid YAML"),
        ("sources: [{name: a, kind: canonical, path: [x}]", "not valid YAML"),
        (b"sources: [{name: caf\xe9, kind: canonical, path: x}]", "expected sources:"),
        ("sources: [{name: a, path: x}]", "kind"),
        ("sources: [{name: a, kind: canonical}]", "path"),
        ("sources: [{name: a, kind: canonical, path: 5}]", "str"),
        ("sources: [{name: a, kind: canonical, path: x, tabels: [trades]}]", "tabels"),
        ("sources: [{name: a, kind: canonical, path: x, tables: trades}]", "array"),
        ("sources: [{name: a, kind: canonical, path: x, tables: [trade]}]", "'trade'"),
        ("sources: [{name: a, kind: canonical, path: x, optional: [axe]}]", "'axe'"),
        ("sources: [{name: a, kind: canonical, path: x}, {name: a, kind: canonical, path: y}]", "unique"),
        ("sources: [{name: journal, kind: canonical, path: x}]", "'journal'"),
        ("sources: [{name: ../up, kind: canonical, path: x}]", "'../up'"),
        ("sources: [{name: a, kind: canonical, path: $SOTTO_NO_SUCH/x}]", "SOTTO_NO_SUCH"),
        ("sources: [{name: a, kind: files, path: 's3://x', options: {client_kwargs: {api_token: abc}}}]", "'api_token'"),
        ("sources: [{name: a, kind: files, path: 's3://x', options: {secret: $SOTTO_NO_SUCH}}]", "SOTTO_NO_SUCH"),
        ("sources: [{name: a, kind: files, path: 'sftp://desk:hush@files.example/in'}]", "writes a secret out under 'path'"),
        ("sources: [{name: a, kind: files, path: x, mapping: trace_print}]", "did you mean 'trace_prints'?"),
        ("sources: [{name: a, kind: rest, path: 'https://x.example', auth: {beerer: X}}]", "beerer"),
        (
            "sources: [{name: a, kind: files, path: 'https://x.example/p.csv', auth: {bearer: X}}]",
            "source 'a' has `auth`, which only the kind rest knows; use options: {headers: {Authorization: $NAME}}",
        ),
        ("sources: [{name: a, kind: sql, path: $PATH, auth: {bearer: X}}]", "which only the kind rest knows; take it out"),
    ],
)
def test_a_mistake_in_the_list_is_one_line_that_names_file_and_fault(tmp_path: Path, text: str | bytes, words: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SourceError) as refused:
        load(path, home=tmp_path)
    assert str(path) in str(refused.value)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_list_that_does_not_exist_is_one_line_that_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no such file or folder; give a sources\.yml or a folder"):
        load(tmp_path / "none.yml", home=tmp_path)


def test_paths_are_taken_from_the_list_s_folder_and_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOTTO_TEST_DATA", str(tmp_path / "elsewhere"))
    near = "{name: near, kind: canonical, path: data, tables: [trades], optional: [axes]}"
    far = "{name: far, kind: nyfed_tsy, path: '${SOTTO_TEST_DATA}/x'}"
    at_home = "{name: home, kind: canonical, path: $SOTTO_HOME/market}"
    path = written(tmp_path, f"sources: [{near}, {far}, {at_home}]")
    downloads = tmp_path / "state" / "downloads"
    expected = [
        SourceConfig(name="near", kind="canonical", path=str(tmp_path / "data"), tables=["trades"], optional=["axes"]),
        SourceConfig(name="far", kind="nyfed_tsy", path=str(tmp_path / "elsewhere" / "x")),
        SourceConfig(name="home", kind="canonical", path=str(tmp_path / "state" / "market")),
    ]
    assert load(path, home=tmp_path / "state") == [
        msgspec.structs.replace(source, downloads=str(downloads / source.name)) for source in expected
    ]


def test_a_folder_needs_no_list(tmp_path: Path) -> None:
    assert load(tmp_path, home=tmp_path) == [SourceConfig(name="files", kind="canonical", path=str(tmp_path))]


@pytest.mark.parametrize("name", ["sources.yml", "nyfed_tsy.yml"])
def test_the_shipped_lists_are_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("SOTTO_NYFED_TSY", str(tmp_path))
    assert load(Path(__file__).parents[3] / "config" / name, home=tmp_path)


@pytest.mark.parametrize(
    ("kind", "words"),
    [("canonicle", "unknown kind 'canonicle'"), ("canonical", "no folder"), ("nyfed_tsy", "must hold trades_")],
)
def test_a_source_that_cannot_be_pulled_says_so_in_one_line(tmp_path: Path, kind: str, words: str) -> None:
    with pytest.raises(SourceError) as refused:
        pull(SourceConfig(name="market", kind=kind, path=str(tmp_path / "gone")))
    assert words in str(refused.value)
    assert "'market'" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("trades.csv", "trades"),
        ("trades.csv.gz", "trades"),
        ("trades.parquet", "trades"),
        ("trades-2025-06.csv.gz", "trades"),
        ("trades.2025.part1.csv", "trades"),
        ("dealer_aliases.csv", "dealer_aliases"),
        ("dealers-emea.parquet", "dealers"),
        ("Trades-2025.CSV.GZ", "trades"),
        ("trades2.csv", None),
        ("my-trades.csv", None),
        ("trades.txt", None),
        ("trades.csv.zip", None),
        (".trades-2025-06.csv.gz.partial", None),
        ("orders.csv", None),
        ("README.md", None),
    ],
)
def test_a_file_s_name_says_which_table_it_holds(tmp_path: Path, name: str, table: str | None) -> None:
    vendor.deliver(tmp_path, name, b"x")
    pulled = pull(SourceConfig(name="market", kind="canonical", path=str(tmp_path)))
    assert [delivery.table for delivery in pulled] == ([table] if table else [])


def test_a_folder_that_holds_no_table_yet_is_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    vendor.deliver(tmp_path / "later", "trades.csv", b"x")
    assert pull(SourceConfig(name="market", kind="canonical", path=str(tmp_path))) == []
    assert f"source 'market': no table has a file at {tmp_path} yet; folders below it are not read" in caplog.text


def test_only_the_tables_asked_for_are_pulled_and_folders_are_passed_over(tmp_path: Path) -> None:
    for name in ("trades.csv", "axes.csv", "dealers.csv"):
        vendor.deliver(tmp_path, name, b"x")
    (tmp_path / "rfq_log.csv").mkdir()
    pulled = pull(SourceConfig(name="market", kind="canonical", path=str(tmp_path), tables=["axes", "rfq_log"]))
    assert [delivery.table for delivery in pulled] == ["axes"]


def test_an_input_fault_is_told_with_the_file_and_keeps_its_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(source: SourceConfig) -> Iterator[Pulled]:
        raise OSError(errno.EIO, "Input/output error", source.path)
        yield

    monkeypatch.setitem(KINDS, "broken", broken)
    with pytest.raises(SourceError, match=r"'market': /mnt/share/trades\.csv: Input/output error") as refused:
        pull(SourceConfig(name="market", kind="broken", path="/mnt/share/trades.csv"))
    assert isinstance(refused.value.__cause__, OSError)
