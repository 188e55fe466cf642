"""A journal that was touched: edited, cut, reordered, rewritten. Every such change is found."""

import random
from datetime import timedelta
from pathlib import Path

import pytest

from expectations.contracts.journal import AlertRaised
from serve.adapters.anchors import AnchorsError, append_anchor, read_anchors
from serve.adapters.chain import GENESIS, Row, check_chain, link_hash, seal
from tests.fakes.clock import START

EVENTS, TRIALS = 25, 10_000


def chain(length: int = EVENTS) -> list[Row]:
    rows: list[Row] = []
    for seq in range(1, length + 1):
        event = AlertRaised(rfq_id=f"rfq-{seq % 3}", message=f"message {seq}")
        previous = rows[-1].hash if rows else GENESIS
        rows.append(seal(event, seq=seq, event_id=f"e{seq}", at=START + timedelta(seconds=seq), prev_hash=previous))
    return rows


def other_text(text: str, rng: random.Random) -> str:
    place = rng.randrange(len(text))
    letter = rng.choice([letter for letter in "0123456789abcdefxyz" if letter != text[place]])
    return rng.choice([text[:place] + letter + text[place + 1 :], text[:place] + text[place + 1 :], text + letter])


def edit(rows: list[Row], rng: random.Random) -> list[Row]:
    place, field = rng.randrange(len(rows)), rng.choice(Row._fields)
    old = getattr(rows[place], field)
    fresh = rows[place]._replace(**{field: old + rng.choice([-1, 1, 7]) if field == "seq" else other_text(old, rng)})
    return [*rows[:place], fresh, *rows[place + 1 :]]


def edit_and_seal_again(rows: list[Row], rng: random.Random) -> list[Row]:
    place = rng.randrange(len(rows))
    fresh = rows[place]._replace(payload=other_text(rows[place].payload, rng))
    return [*rows[:place], fresh._replace(hash=link_hash(fresh)), *rows[place + 1 :]]


def rewrite_to_the_end(rows: list[Row], rng: random.Random) -> list[Row]:
    place = rng.randrange(len(rows))
    changed = rows[place]._replace(payload=other_text(rows[place].payload, rng))
    made, previous = rows[:place], rows[place].prev_hash
    for row in [changed, *rows[place + 1 :]]:
        fresh = row._replace(prev_hash=previous)
        made.append(fresh._replace(hash=link_hash(fresh)))
        previous = made[-1].hash
    return made


def delete(rows: list[Row], rng: random.Random) -> list[Row]:
    place = rng.randrange(len(rows) - 1)
    left = rows[:place] + rows[place + 1 :]
    return [row._replace(seq=seq) for seq, row in enumerate(left, 1)] if rng.random() < 0.5 else left


def reorder(rows: list[Row], rng: random.Random) -> list[Row]:
    one, two = rng.sample(range(len(rows)), 2)
    moved = list(rows)
    moved[one], moved[two] = moved[two], moved[one]
    return [row._replace(seq=seq) for seq, row in enumerate(moved, 1)] if rng.random() < 0.5 else moved


def repeat(rows: list[Row], rng: random.Random) -> list[Row]:
    place = rng.randrange(len(rows))
    grown = [*rows[:place], rows[place], *rows[place:]]
    return [row._replace(seq=seq) for seq, row in enumerate(grown, 1)] if rng.random() < 0.5 else grown


def truncate(rows: list[Row], rng: random.Random) -> list[Row]:
    return rows[: rng.randrange(len(rows))]


TAMPERINGS = [edit, edit_and_seal_again, rewrite_to_the_end, delete, reorder, repeat, truncate]


def test_ten_thousand_random_tamperings_are_all_found() -> None:
    rows = chain()
    anchors = {rows[-1].seq: rows[-1].hash}
    assert check_chain(rows, anchors=anchors).ok
    rng, missed = random.Random(20), []
    for trial in range(TRIALS):
        tampering = TAMPERINGS[trial % len(TAMPERINGS)]
        touched = tampering(rows, rng)
        assert touched != rows
        if check_chain(touched, anchors=anchors).ok:
            missed.append(tampering.__name__)
    assert missed == []


def test_chain_that_grew_since_it_was_anchored_is_whole() -> None:
    rows = chain()
    assert check_chain(rows, anchors={3: rows[2].hash, 20: rows[19].hash}).ok
    cut = check_chain(rows[:15], anchors={3: rows[2].hash, 20: rows[19].hash})
    assert (cut.ok, cut.broken_seq) == (False, 16)
    assert "cut from the end" in str(cut.reason)


def test_anchors_are_added_to_a_file_and_read_back(tmp_path: Path) -> None:
    rows, path = chain(), tmp_path / "elsewhere" / "anchors.jsonl"
    for row in (rows[4], rows[9]):
        append_anchor(path, row.seq, row.hash, START)
    assert read_anchors(path) == {5: rows[4].hash, 10: rows[9].hash}
    assert path.read_text().splitlines()[0].startswith('{"at":"2024-03-04T14:00:00.000000Z","seq":5,')


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "holds no anchor"),
        ("{}", ":1: not an anchor"),
        ('{"at":"x","seq":1,"hash":"a"}\n{"at":"y","seq":1,"hash":"b"}', ":2: event 1 was anchored with another hash"),
    ],
)
def test_file_that_is_no_list_of_anchors_is_refused_with_the_line(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "anchors").write_text(text)
    with pytest.raises(AnchorsError, match=reason):
        read_anchors(tmp_path / "anchors")
