"""Requests to a REST vendor against a real server of a few lines: credentials, links, what is repeated and what is not."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duckdb
import msgspec
import pytest
import stamina

from flows.sources.config import Auth, Basic, SourceConfig
from flows.sources.mapping import Endpoint, Page
from flows.sources.pulled import SourceError
from flows.sources.registry import pull
from flows.sources.rest import _all_rows
from flows.sources.rest_client import RestClient

Answer = tuple[int, dict[str, str], object]
MAPPING = """vendor: V
tables:
  dealers:
    endpoint:
      path: /rows
      rows: data
      window: {since: since, until: until, start: "2025-06-01", days: 100000}
    columns:
      dealer_id: v
      name: n
      status: {constant: ACTIVE}
      specialties: {constant: IG}
"""


class Vendor:
    """A server that answers what a test says; ``seen`` are the requests, path and headers."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.answers: Callable[[str, int], Answer] = lambda path, number: (200, {}, {"data": []})
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                vendor.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                status, headers, body = vendor.answers(self.path, len(vendor.seen))
                data = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = False
        port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{port}"


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    made = Vendor()
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=4):
        yield


def source(vendor: Vendor, auth: Auth | None = None) -> SourceConfig:
    return SourceConfig(name="v", kind="rest", path=vendor.url, auth=auth, rate_per_s=1000)


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        (Auth(bearer="SOTTO_TEST_ONE"), "authorization", "Bearer first-secret"),
        (
            Auth(basic=Basic(user="SOTTO_TEST_ONE", password="SOTTO_TEST_TWO")),
            "authorization",
            "Basic Zmlyc3Qtc2VjcmV0OnNlY29uZC1zZWNyZXQ=",
        ),
        (Auth(header="X-Api-Key", key="SOTTO_TEST_TWO"), "x-api-key", "second-secret"),
    ],
    ids=["bearer", "basic", "header"],
)
def test_credentials_come_from_the_environment(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch, auth: Auth, header: str, value: str
) -> None:
    monkeypatch.setenv("SOTTO_TEST_ONE", "first-secret")
    monkeypatch.setenv("SOTTO_TEST_TWO", "second-secret")
    with RestClient(source(vendor, auth)) as client:
        client.get("/x", {})
    assert vendor.seen[0][1][header] == value


def test_a_variable_that_is_not_set_and_an_empty_auth_are_told(vendor: Vendor) -> None:
    with pytest.raises(SourceError, match="SOTTO_NOT_SET is not set"):
        RestClient(source(vendor, Auth(bearer="SOTTO_NOT_SET")))
    with pytest.raises(SourceError, match="auth needs bearer"):
        RestClient(source(vendor, Auth()))


def test_pages_by_link_are_followed_to_the_end(vendor: Vendor) -> None:
    def answers(path: str, number: int) -> Answer:
        more = {"Link": '</rows?p=2>; rel="next"'} if number == 1 else {}
        return 200, more, [{"id": number}]

    vendor.answers = answers
    with RestClient(source(vendor)) as client:
        rows = _all_rows(client, Endpoint(path="/rows", page=Page(by="link")), {"since": "a"})
    assert rows == [{"id": "1"}, {"id": "2"}]
    assert [path for path, _ in vendor.seen] == ["/rows?since=a", "/rows?p=2"]


@pytest.mark.parametrize("cursors", ["aa", "abab", "abcbc"])
def test_a_cursor_that_comes_again_is_refused(vendor: Vendor, cursors: str) -> None:
    vendor.answers = lambda path, number: (200, {}, {"data": [{"id": number}], "next": cursors[number - 1]})
    page = Page(by="cursor", parameter="c", next="next")
    with (
        RestClient(source(vendor)) as client,
        pytest.raises(SourceError, match=r"the cursor next stays at [ab]; the vendor's paging"),
    ):
        _all_rows(client, Endpoint(path="/rows", rows="data", page=page), {})


def test_a_cursor_is_missed_on_the_first_page_and_ends_the_pages_on_a_later_one(vendor: Vendor) -> None:
    bodies = [{"data": [{"id": 1}], "next": "a"}, {"data": [{"id": 2}]}]
    vendor.answers = lambda path, number: (200, {}, bodies[number - 1])
    with RestClient(source(vendor)) as client:
        rows = _all_rows(client, Endpoint(path="/rows", rows="data", page=Page(by="cursor", parameter="c", next="next")), {})
        vendor.seen.clear()
        with pytest.raises(SourceError, match="no 'nxt' for the cursor nxt; there are data, next"):
            _all_rows(client, Endpoint(path="/rows", rows="data", page=Page(by="cursor", parameter="c", next="nxt")), {})
    assert rows == [{"id": "1"}, {"id": "2"}]


def test_a_link_that_comes_again_is_refused(vendor: Vendor) -> None:
    vendor.answers = lambda path, number: (200, {"Link": f'</rows?p={number % 2}>; rel="next"'}, [])
    with RestClient(source(vendor)) as client, pytest.raises(SourceError, match=r"stays at http.*/rows; the vendor's paging"):
        _all_rows(client, Endpoint(path="/rows", page=Page(by="link")), {})
    assert len(vendor.seen) == 3


def test_a_row_that_comes_on_two_pages_comes_once(vendor: Vendor) -> None:
    vendor.answers = lambda path, number: (200, {}, [{"id": min(number, 2)}] if number < 4 else [])
    with RestClient(source(vendor)) as client:
        rows = _all_rows(client, Endpoint(path="/rows", page=Page(by="page", parameter="p")), {})
    assert rows == [{"id": "1"}, {"id": "2"}]


def test_keys_that_differ_by_case_alone_are_refused_and_the_window_is_asked_for_again(vendor: Vendor, tmp_path: Path) -> None:
    mapping = tmp_path / "v.yml"
    mapping.write_text(MAPPING)
    config = msgspec.structs.replace(source(vendor), mapping=str(mapping), downloads=str(tmp_path / "downloads"))
    vendor.answers = lambda path, number: (200, {}, {"data": [{"v": "A", "n": "a"}, {"V": "B", "n": "b"}]})
    with pytest.raises(SourceError, match=r"'v': the answer of http.*since=2025-06-01.* has both the keys 'V' and 'v'"):
        pull(config)
    vendor.answers = lambda path, number: (200, {}, {"data": [{"v": "A", "n": "a", "X": 1}, {"v": "B", "n": "b", "x": 2}]})
    (delivery,) = pull(config)
    with duckdb.connect() as connection:
        assert connection.execute(f"select v, n from ({delivery.select}) order by v").fetchall() == [("A", "a"), ("B", "b")]


def test_a_link_to_another_host_is_not_followed_with_our_token(vendor: Vendor) -> None:
    vendor.answers = lambda path, number: (200, {"Link": '<http://elsewhere.example/rows>; rel="next"'}, [])
    with RestClient(source(vendor)) as client, pytest.raises(SourceError, match="leads to another server"):
        _all_rows(client, Endpoint(path="/rows", page=Page(by="link")), {})


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_again(vendor: Vendor, status: int) -> None:
    vendor.answers = lambda path, number: (status if number < 3 else 200, {"Retry-After": "0"}, [])
    with RestClient(source(vendor)) as client:
        client.get("/x", {})
    assert len(vendor.seen) == 3


@pytest.mark.parametrize(("status", "headers"), [(400, {}), (401, {}), (404, {}), (429, {"Retry-After": "3600"})])
def test_what_will_not_pass_is_asked_once_and_told_in_one_line(vendor: Vendor, status: int, headers: dict[str, str]) -> None:
    vendor.answers = lambda path, number: (status, headers, {"error": "no\nway"})
    with RestClient(source(vendor)) as client, pytest.raises(SourceError, match=f"answered with {status}") as refused:
        client.get("/x", {})
    assert len(vendor.seen) == 1
    assert "\n" not in str(refused.value)


@pytest.fixture
def guarded(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> SourceConfig:
    """Give a source whose address is made of secrets."""
    for name, value in {"SOTTO_USER": "desk-user", "SOTTO_PW": "p%40ss-word", "SOTTO_KEY": "key+in path"}.items():
        monkeypatch.setenv(name, value)
    host = vendor.url.removeprefix("http://")
    return SourceConfig(name="v", kind="rest", path=f"http://$SOTTO_USER:$SOTTO_PW@{host}/$SOTTO_KEY", rate_per_s=1000)


@pytest.mark.parametrize("status", [503, 401, 200])
def test_nothing_secret_of_an_address_is_told_or_logged(
    vendor: Vendor, guarded: SourceConfig, status: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    vendor.answers = lambda path, number: (status if number > 1 else 503, {}, f"{'x' * 190} key+in path")
    with caplog.at_level("INFO"), RestClient(guarded) as client, pytest.raises(SourceError) as refused:
        _all_rows(client, Endpoint(path="/rows", rows="data"), {"q": "1"})
    assert client.name == vendor.url + "/$SOTTO_KEY"
    written = capfd.readouterr()
    told = "\n".join([str(refused.value), repr(refused.value.__cause__), caplog.text, written.out, written.err])
    assert "trying again in" in caplog.text
    assert "after HTTPStatusError 503" in caplog.text
    for secret in ("desk-user", "p%40ss", "key+in", "key%2B", "retry_scheduled", "key"):
        assert secret not in told.replace("$SOTTO_KEY", "")


def test_an_answer_that_is_no_json_is_told(guarded: SourceConfig, vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "dumps", lambda body: "<html>")
    with RestClient(guarded) as client, pytest.raises(SourceError, match="the answer is no JSON") as refused:
        _all_rows(client, Endpoint(path="/rows"), {})
    assert str(refused.value).startswith(f"{vendor.url}/$SOTTO_KEY/rows: ")
