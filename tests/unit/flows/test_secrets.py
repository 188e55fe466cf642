"""Variables in addresses: a password stays one whatever signs are in it, and no piece of it is told."""

from urllib.parse import urlsplit

import httpx
import pytest
import sqlalchemy

from flows.sources.pulled import SourceError
from flows.sources.remote import without_user
from flows.sources.rest_client import RestClient
from flows.sources.secrets import filled, masked, scrubbed
from tests.unit.flows.test_rest_client import Vendor, source, vendor  # noqa: F401 - the server is a fixture here, too

PASSWORD = "x@Sup3rSecret/y:z?#%41 é"


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"DESK_PW": PASSWORD, "DESK_USER": "desk@firm", "DESK_BOTH": f"desk:{PASSWORD}"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DESK_URL", "postgresql://desk:x@Sup3rSecret/y@warehouse.example/db")
    monkeypatch.setenv("DESK_PLACE", "in/a place")


@pytest.mark.parametrize("path", ["http://$DESK_USER:$DESK_PW@h.example:81/v2", "http://${DESK_USER}:${DESK_PW}@h.example:81/v2"])
def test_a_password_with_url_signs_stays_in_its_place(path: str) -> None:
    url = httpx.URL(filled(path))
    assert (url.host, url.port, url.path, url.username, url.password) == ("h.example", 81, "/v2", "desk@firm", PASSWORD)
    made = sqlalchemy.make_url(filled(path.replace("http", "postgresql")))
    assert (made.host, made.port, made.username, made.password) == ("h.example", 81, "desk@firm", PASSWORD)
    bare, own = without_user(filled(path.replace("http", "sftp")))
    assert (bare, own) == ("sftp://h.example:81/v2", {"username": "desk@firm", "password": PASSWORD})


def test_one_variable_may_hold_user_and_password() -> None:
    url = httpx.URL(filled("https://$DESK_BOTH@h.example/v2"))
    assert (url.host, url.username, url.password) == ("h.example", "desk", PASSWORD)


@pytest.mark.parametrize("path", ["s3://b/$DESK_PLACE", "$DESK_PLACE", "https://h.example/$DESK_PLACE?by=a@b"])
def test_a_variable_in_another_place_is_filled_in_as_it_is(path: str) -> None:
    assert filled(path) == path.replace("$DESK_PLACE", "in/a place")
    assert without_user(path) == (path, {})


@pytest.mark.parametrize("used", ["http://u:$DESK_PW@h", "$DESK_URL"])
def test_neither_a_password_nor_a_piece_of_it_is_told(used: str) -> None:
    for told in (filled(used), "getaddrinfo failed for Sup3rSecret", "no host x@Sup3rSecret/y", "Invalid port: 'Sup3rSecret%2Fy'"):
        assert "Sup3rSecret" not in scrubbed(told, used)
    assert PASSWORD not in masked(PASSWORD + filled("http://u:$DESK_PW@h/x"), "$DESK_PW")
    assert urlsplit(masked(filled("http://u:$DESK_PW@h/x"), "$DESK_PW")).netloc == "u:$DESK_PW@h"


def test_a_url_in_a_variable_hides_its_password_and_no_other_word() -> None:
    words = "connection to warehouse.example, database db by postgresql failed"
    assert scrubbed(words, "$DESK_URL") == words


def test_an_address_that_is_not_valid_is_told_without_the_library_s_text(vendor: Vendor) -> None:  # noqa: F811
    config = source(vendor)
    with (
        RestClient(config) as client,
        pytest.raises(SourceError, match=r"'v': a URL below .* is not valid; check `path`") as refused,
    ):
        client.get("http://u:x@h.example:Sup3rSecret/y", {})
    assert "Sup3r" not in str(refused.value)
