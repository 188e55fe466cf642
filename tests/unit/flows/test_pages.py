"""REST answers: rows, pages, windows and waiting times, without a network."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows.sources.mapping import Endpoint, Page, Window
from flows.sources.pages import Due, after, due, first, rows_of
from flows.sources.pulled import SourceError
from flows.sources.rest_client import retry_after_s
from flows.sources.shelf import Shelf
from flows.sources.windows import Answer, content_hash, keep_due

NOW = datetime(2025, 6, 3, 12, tzinfo=UTC)
WINDOW = Window(since="from", until="to", start="2025-06-01", days=1, overlap_days=2)


def test_rows_are_found_where_they_are_said_to_be_and_flattened_to_texts() -> None:
    body = {"data": {"items": [{"a": 1, "b": {"c": 0.1, "d": None}, "e": [1, "x"], "f": True, "g": "007"}]}}
    assert rows_of(body, "data.items") == [{"a": "1", "b.c": "0.1", "b.d": None, "e": '[1,"x"]', "f": "true", "g": "007"}]
    assert rows_of([{"a": "b"}], "") == [{"a": "b"}]


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {"items": "none"}}, {"data": {"items": [1]}}, [1], "x"])
def test_an_answer_without_its_list_is_refused(body: object) -> None:
    with pytest.raises(SourceError, match=r"no list of objects at 'data\.items'"):
        rows_of(body, "data.items")


def test_pages_by_number_end_with_an_empty_one() -> None:
    page = Page(by="page", parameter="p", first=0)
    asked = first(Endpoint(path="x", page=page, parameters={"size": "2"}), {"from": "a"})
    assert asked == {"size": "2", "from": "a", "p": "0"}
    assert after(page, asked, {}, 2, None) == {**asked, "p": "1"}
    assert after(page, asked, {}, 0, None) is None


def test_pages_by_cursor_end_without_one() -> None:
    page = Page(by="cursor", parameter="c", next="meta.next")
    assert after(page, {"q": "1"}, {"meta": {"next": "abc"}}, 2, None) == {"q": "1", "c": "abc"}
    assert after(page, {"q": "1"}, {"meta": {"next": None}}, 2, None) is None


@pytest.mark.parametrize("body", [{"meta": {"next": ""}}, {"meta": {"next": None}}, {"meta": None}])
def test_a_first_page_without_another_says_so(body: object) -> None:
    assert after(Page(by="cursor", parameter="c", next="meta.next"), {}, body, 2, None, is_first=True) is None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"meta": {"nxt": "a", "size": 2}, "data": []}, r"no 'next' for the cursor meta\.next; there are nxt, size; check `next`"),
        ({"mta": {"next": "a"}, "data": []}, r"no 'meta' for the cursor meta\.next; there are data, mta; check `next`"),
        ({"meta": {}}, "there are no keys"),
        ({"meta": "x"}, "it is no object"),
        ([], "it is no object"),
    ],
)
def test_a_cursor_that_is_in_no_page_is_refused_unless_it_may_be_absent(body: object, words: str) -> None:
    page = Page(by="cursor", parameter="c", next="meta.next")
    with pytest.raises(SourceError, match=words):
        after(page, {}, body, 2, None, is_first=True)
    assert after(page, {"c": "a"}, body, 2, None) is None
    assert after(Page(by="cursor", next="meta.next", next_may_be_absent=True), {}, body, 2, None, is_first=True) is None


def test_pages_by_link_follow_it_and_an_endpoint_without_pages_has_one() -> None:
    assert after(Page(by="link"), {}, {}, 2, "http://vendor.example/x?p=2") == "http://vendor.example/x?p=2"
    assert after(Page(by="link"), {}, {}, 2, None) is None
    assert after(None, {}, {}, 2, "http://vendor.example/x?p=2") is None


def test_windows_run_from_the_start_to_today_and_close_after_the_overlap() -> None:
    listed = due(WINDOW, date(2025, 6, 4), closed=())
    assert [window.parameters["from"][:10] for window in listed] == ["2025-06-01", "2025-06-02", "2025-06-03", "2025-06-04"]
    assert [window.closed for window in listed] == [True, False, False, False]
    assert listed[0].parameters == {"from": "2025-06-01T00:00:00Z", "to": "2025-06-02T00:00:00Z"}
    again = due(WINDOW, date(2025, 6, 4), closed=[window.name for window in listed if window.closed])
    assert again == listed[1:]


def test_an_endpoint_without_windows_is_asked_every_time() -> None:
    assert due(None, date(2025, 6, 4), closed=[""]) == due(None, date(2025, 6, 4), closed=())


def test_the_order_of_rows_makes_no_new_version_and_another_cell_does() -> None:
    one, two = {"a": "1", "b": "2"}, {"b": "3", "a": "1"}
    assert content_hash([one, two]) == content_hash([dict(reversed(two.items())), one])
    assert content_hash([one, two]) != content_hash([one, one])


def test_what_another_server_or_path_gave_is_withdrawn_and_asked_for_again_when_it_comes_back(tmp_path: Path) -> None:
    shelf, day, asked = Shelf(tmp_path), date(2025, 6, 2), []

    def ask(span: Due) -> Answer:
        asked.append(span.name)
        return Answer([{"id": span.parameters["from"]}], [])

    for prefix in ("a.example/rows?", "b.example/rows?", "a.example/rows?"):
        asked.clear()
        keep_due(shelf, prefix, WINDOW, day, ask)
        assert len(asked) == 2
        filled = {name for name, kept in shelf.index().items() if kept.rows}
        assert filled == {prefix + name for name in asked}
        assert all(Path(kept.path).read_text().count("\n") == kept.rows for kept in shelf.index().values())


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("7", 7.0),
        ("0", 0.0),
        ("-3", 0.0),
        ("Tue, 03 Jun 2025 12:00:30 GMT", 30.0),
        ("Tue, 03 Jun 2025 11:00:00 GMT", 0.0),
        ("soon", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, NOW) == seconds
