"""The kind ``files``: formats, packings and places, each landing the same rows; real servers for S3, SFTP and HTTP."""

import asyncio
import bz2
import gzip
import lzma
import socket
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import asyncssh
import duckdb
import msgspec
import pytest
import stamina
from moto.server import ThreadedMotoServer

from expectations.contracts.home import Home
from expectations.contracts.sources import TABLES
from flows.deliveries import land_new
from flows.landing import Landing
from flows.sources import remote
from flows.sources.config import SourceConfig
from flows.sources.pulled import SourceError
from flows.sources.registry import pull
from tests.fakes import vendor
from tests.unit.flows.conftest import NOW, read

ROWS = vendor.rows("trades", 3)
TEXT = vendor.text(ROWS).encode()
LINES = b"\n".join(msgspec.json.encode(row) for row in ROWS)


def zipped(name: str, content: bytes, *more: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            for member in (name, *more):
                archive.writestr(member, content)

    return write


def source(path: object, root: Path, **settings: object) -> SourceConfig:
    return SourceConfig(name="market", kind="files", path=str(path), downloads=str(root / "downloads"), **settings)  # type: ignore[arg-type]


def landed(config: SourceConfig, root: Path) -> list[list[dict[str, object]]]:
    """Land what the source gives; the contract's columns of each delivery."""
    landing = Landing(Home(root / "home"))
    result = land_new(landing, pull(config), now=NOW, not_after=NOW)
    assert result.problems == []
    names = TABLES["trades"].names
    return [[{name: row[name] for name in names} for row in read(landing.data(receipt))] for receipt in result.receipts]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    root = tmp_path_factory.mktemp("plain")
    vendor.deliver(root / "in", "trades.csv", TEXT)
    return landed(source(root / "in", root), root)[0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("trades.csv.gz", gzip.compress(TEXT)),
        ("trades.csv.bz2", bz2.compress(TEXT)),
        ("trades.csv.xz", lzma.compress(TEXT)),
        ("trades.jsonl", LINES),
        ("trades.ndjson.gz", gzip.compress(LINES)),
    ],
)
def test_every_format_and_packing_lands_the_same_rows(
    tmp_path: Path, name: str, content: bytes, expected: list[dict[str, object]]
) -> None:
    vendor.deliver(tmp_path / "in", name, content)
    assert landed(source(tmp_path / "in", tmp_path), tmp_path) == [expected]


def test_a_zip_with_one_file_lands_and_one_with_two_is_refused(tmp_path: Path, expected: list[dict[str, object]]) -> None:
    (tmp_path / "in").mkdir()
    zipped("whatever.csv", TEXT)(tmp_path / "in" / "trades.csv.zip")
    assert landed(source(tmp_path / "in", tmp_path), tmp_path) == [expected]
    zipped("a.csv", TEXT, "b.csv")(tmp_path / "in" / "trades.csv.zip")
    with pytest.raises(SourceError, match=r"'market': trades\.csv\.zip holds 2 files"):
        pull(source(tmp_path / "in", tmp_path))


@pytest.mark.parametrize(("name", "pack"), [("trades.csv.bz2", bz2.compress), ("trades.csv.xz", lzma.compress)])
def test_a_packed_file_that_was_cut_off_is_refused(tmp_path: Path, name: str, pack: Callable[[bytes], bytes]) -> None:
    vendor.deliver(tmp_path / "in", name, pack(TEXT)[:-20])
    with pytest.raises(SourceError, match="cut off or damaged"):
        pull(source(tmp_path / "in", tmp_path))


def test_parquet_and_a_glob(tmp_path: Path, expected: list[dict[str, object]]) -> None:
    vendor.deliver(tmp_path / "in", "trades.csv", TEXT)
    with duckdb.connect() as connection:
        connection.execute(f"copy (from '{tmp_path}/in/trades.csv') to '{tmp_path}/in/trades-2.parquet' (format parquet)")
    assert landed(source(tmp_path / "in" / "*.parquet", tmp_path), tmp_path) == [expected]
    with pytest.raises(SourceError, match="nothing lies at"):
        pull(source(tmp_path / "in" / "*.xlsx", tmp_path))


def test_a_glob_goes_over_folders_too(tmp_path: Path) -> None:
    places = [tmp_path / "in" / day / "trades.csv" for day in ("2026-06-01", "2026-06-02")]
    for place in places:
        vendor.deliver(place.parent, place.name, TEXT)
    vendor.deliver(tmp_path / "in" / "later[1]", "trades.csv", TEXT)
    for pattern in ("2026*/trades.csv", "2026-06-0?/*", "**/2*/*.csv"):
        assert [delivery.file for delivery in pull(source(tmp_path / "in" / pattern, tmp_path))] == [str(place) for place in places]
    assert len(pull(source(tmp_path / "in" / "later[1]" / "trades.csv", tmp_path))) == 1


@pytest.mark.parametrize(("files", "told"), [(["day/trades.csv"], "none lies"), (["day/trades.csv", "x.csv"], "only x.csv lies")])
def test_a_folder_without_a_file_for_any_table_is_refused(tmp_path: Path, files: list[str], told: str) -> None:
    for file in files:
        vendor.deliver((tmp_path / "in" / file).parent, Path(file).name, TEXT)
    with pytest.raises(SourceError, match=rf"'market': no table has a file at .*/in: looked for files named as a table.*{told}"):
        pull(source(tmp_path / "in", tmp_path))
    (tmp_path / "v.yml").write_text(
        "vendor: V\ntables:\n  dealer_aliases:\n    files: '*.psv'\n    columns: {alias: a, dealer_id: d}\n"
    )
    with pytest.raises(SourceError, match=rf"looked for files that match \*\.psv, and {told}"):
        pull(source(tmp_path / "in", tmp_path, mapping=str(tmp_path / "v.yml")))
    # Nothing is an answer where nothing must come, and where none of the source's tables is asked for.
    assert pull(source(tmp_path / "in", tmp_path, tables=["axes"], optional=["axes"])) == []
    assert pull(source(tmp_path / "in", tmp_path, mapping=str(tmp_path / "v.yml"), tables=["axes"])) == []


def test_a_json_line_keeps_the_offset_of_a_time_and_every_digit(tmp_path: Path) -> None:
    row = {**ROWS[0], "executed_at": "2025-06-02T12:00:00+02:00", "price": 101.123456789}
    vendor.deliver(tmp_path / "in", "trades.jsonl", msgspec.json.encode(row))
    (((found),),) = landed(source(tmp_path / "in", tmp_path), tmp_path)
    assert (str(found["executed_at"]), found["price"]) == ("2025-06-02 10:00:00", 101.123456789)


def test_a_broken_json_line_refuses_the_file(tmp_path: Path) -> None:
    vendor.deliver(tmp_path / "in", "trades.jsonl", LINES + b'\n{"trade_id": ')
    with pytest.raises(SourceError, match=r"trades\.jsonl cannot be read as JSON lines"):
        pull(source(tmp_path / "in", tmp_path))


@pytest.fixture(scope="module")
def bucket() -> Iterator[tuple[str, dict[str, object]]]:
    """Serve S3 on a free port; give a bucket's URL and the options that lead there."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    options: dict[str, object] = {
        "key": "$SOTTO_TEST_S3_KEY",
        "secret": "$SOTTO_TEST_S3_SECRET",
        "client_kwargs": {"endpoint_url": f"http://{host}:{port}"},
    }
    yield "s3://prints", options
    server.stop()


def test_s3_is_read_once_and_again_when_it_has_changed(
    tmp_path: Path,
    bucket: tuple[str, dict[str, object]],
    expected: list[dict[str, object]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import s3fs

    monkeypatch.setenv("SOTTO_TEST_S3_KEY", "test-key")
    monkeypatch.setenv("SOTTO_TEST_S3_SECRET", "test-secret")
    url, options = bucket
    system = s3fs.S3FileSystem(key="test-key", secret="test-secret", client_kwargs=options["client_kwargs"])
    system.mkdir("prints")
    system.pipe("prints/in/trades.csv", TEXT)
    config = source(f"{url}/in/*.csv", tmp_path, options=options)
    assert landed(config, tmp_path) == [expected]
    (delivery,) = pull(config)
    assert delivery.file == "s3://prints/in/trades.csv"
    assert len(landed(config, tmp_path)) == 1  # still to be judged; nothing new
    assert len(list(Landing(Home(tmp_path / "home")).receipts())) == 1
    system.pipe("prints/in/trades.csv", vendor.text(vendor.rows("trades", 4)).encode())
    assert [len(rows) for rows in landed(config, tmp_path)] == [4]


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Serve a folder over SFTP on a free port, for one user with a password."""
    folder = tmp_path / "served"
    folder.mkdir()

    connections: list[asyncssh.SSHServerConnection] = []

    class Login(asyncssh.SSHServer):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            connections.append(conn)

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == ("desk", "hush-hush")

    loop = asyncio.new_event_loop()

    async def listen() -> asyncssh.SSHAcceptor:
        key = asyncssh.generate_private_key("ssh-ed25519")
        chroot = partial(asyncssh.SFTPServer, chroot=str(folder).encode())
        return await asyncssh.listen("127.0.0.1", 0, server_factory=Login, server_host_keys=[key], sftp_factory=chroot)

    listening = loop.run_until_complete(listen())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield listening.get_port(), folder

    async def close() -> None:
        listening.close()
        for connection in connections:
            connection.abort()
            await connection.wait_closed()
        await listening.wait_closed()
        await asyncio.sleep(0.05)  # the transports close on the loop's next rounds

    asyncio.run_coroutine_threadsafe(close(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def test_sftp_is_read_and_a_wrong_password_is_not_told(
    tmp_path: Path, sftp: tuple[int, Path], expected: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, folder = sftp
    (folder / "trades.csv").write_bytes(TEXT)
    options = {"username": "desk", "password": "$SOTTO_TEST_SFTP", "port": port, "look_for_keys": False, "allow_agent": False}
    config = source("sftp://127.0.0.1/*.csv", tmp_path, options=options)
    monkeypatch.setenv("SOTTO_TEST_SFTP", "hush-hush")
    assert landed(config, tmp_path) == [expected]
    monkeypatch.setenv("SOTTO_TEST_SFTP", "not-the-one")
    with pytest.raises(SourceError, match=r"'market': sftp://127\.0\.0\.1/\*\.csv cannot be read") as refused:
        pull(config)
    assert "not-the-one" not in str(refused.value)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Serve a folder over HTTP on a free port."""
    folder = tmp_path / "www"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        yield f"http://127.0.0.1:{port}", folder
        server.shutdown()


def test_http_is_read_by_name_and_by_glob_and_a_later_version_is_seen(
    tmp_path: Path, web: tuple[str, Path], expected: list[dict[str, object]]
) -> None:
    url, folder = web
    (folder / "trades.csv").write_bytes(TEXT)
    assert landed(source(f"{url}/trades.csv", tmp_path), tmp_path) == [expected]
    (folder / "trades-2.csv").write_bytes(TEXT)
    assert {delivery.file for delivery in pull(source(f"{url}/*.csv", tmp_path))} == {f"{url}/trades.csv", f"{url}/trades-2.csv"}
    (folder / "trades.csv").write_bytes(vendor.text(vendor.rows("trades", 5)).encode())
    assert [len(rows) for rows in landed(source(f"{url}/trades.csv", tmp_path), tmp_path)] == [5]


def test_a_web_server_is_sent_the_headers_of_the_options(
    tmp_path: Path, web: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, folder = web
    (folder / "trades.csv").write_bytes(TEXT)
    seen = []
    answer = SimpleHTTPRequestHandler.send_head

    def noted(self: SimpleHTTPRequestHandler) -> object:
        seen.append(self.headers.get("Authorization"))
        return answer(self)

    monkeypatch.setattr(SimpleHTTPRequestHandler, "send_head", noted)
    monkeypatch.setenv("SOTTO_TEST_TOKEN", "hush-hush")
    options = {"headers": {"Authorization": "Bearer $SOTTO_TEST_TOKEN"}}
    for path in ("trades.csv", "*.csv"):
        assert len(pull(source(f"{url}/{path}", tmp_path, options=options))) == 1
    assert set(seen) == {"Bearer hush-hush"}


def test_a_secret_folder_is_told_by_its_variable(tmp_path: Path, web: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    url, folder = web
    (folder / "hush-hush").mkdir()
    (folder / "hush-hush" / "trades.csv").write_bytes(TEXT)
    monkeypatch.setenv("SOTTO_TEST_KEY", "hush-hush")
    assert [delivery.file for delivery in pull(source(f"{url}/$SOTTO_TEST_KEY/trades.csv", tmp_path))] == [
        f"{url}/$SOTTO_TEST_KEY/trades.csv"
    ]


@pytest.mark.parametrize("scheme", ["http", "sftp", "s3"])
def test_a_server_that_accepts_and_never_answers_is_given_up_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setattr(remote, "_CONNECT_S", 0.3)
    monkeypatch.setattr(remote, "_SILENCE_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        path = "s3://bucket/trades.csv" if scheme == "s3" else f"{scheme}://{place}/trades.csv"
        options = {"key": "k", "secret": "s", "endpoint_url": f"http://{place}"} if scheme == "s3" else {}
        begun = time.monotonic()
        with stamina.set_testing(True), pytest.raises(SourceError, match="cannot be read") as refused:
            pull(source(path, tmp_path, options=options))
        assert time.monotonic() - begun < 30
    assert scheme == "sftp" or isinstance(refused.value.__cause__, OSError)


def test_what_a_source_sets_of_time_outs_itself_stays() -> None:
    assert remote.with_time_outs("sftp", {"timeout": 5})["timeout"] == 5
    assert remote.with_time_outs("s3", {"config_kwargs": {"read_timeout": 5}})["config_kwargs"]["read_timeout"] == 5
    assert remote.with_time_outs("http", {"client_kwargs": {"timeout": 5}})["client_kwargs"]["timeout"] == 5
    assert remote.with_time_outs("memory", {}) == {}


def test_a_server_out_of_reach_is_one_line_and_may_be_tried_again(tmp_path: Path, web: tuple[str, Path]) -> None:
    url, _ = web
    with pytest.raises(SourceError, match=r"nothing lies at|cannot be read") as missing:
        pull(source(f"{url}/gone.csv", tmp_path))
    assert "\n" not in str(missing.value)
    with stamina.set_testing(True), pytest.raises(SourceError, match="cannot be read") as refused:
        pull(source("sftp://desk:hush-hush@127.0.0.1:1/*.csv", tmp_path))
    assert isinstance(refused.value.__cause__, OSError)
    assert "hush-hush" not in str(refused.value)
