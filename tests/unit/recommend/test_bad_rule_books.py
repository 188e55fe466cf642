"""Hundreds of bad rule books: each refused in short order, with a place and a reason, and never by a traceback."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from serve.adapters.rules import RuleBookRefused, check_rules, read_rule_book
from tests.unit.recommend.cases import CONFIG, HEADER

SHIPPED = (CONFIG / "rules.yml").read_text()
PLACE = re.compile(r"book\.yml:(\d+):(\d+): \S.{5,}", re.DOTALL)
LIMIT = "  - {{id: R, kind: constrain, max_dealers: 2, when: {when}}}\n"
SELECT = "  - {{id: R, kind: select, priority: 1, when: order.illiquid, pick: {pick}}}\n"
SCORED = "  - {{id: R, kind: select, priority: 1, when: order.illiquid, score: {score}}}\n"
WAYS = "  - {{id: R, kind: constrain, when: order.illiquid, protocol: {protocol}}}\n"

CONDITIONS = [
    *("order.notionl > mm(5)", "order.rate < BBB", "notional > mm(5)", "order > mm(5)", "orders.notional > mm(5)"),
    *(
        "order.asset_class == CROP",
        "order.asset_class == COPR",
        "order.asset_class == corp",
        "order.side == BYU",
        "dealer.id == CORP",
    ),
    *("order.notional > 5", "order.notional > '5'", "order.notional == true", "order.asset_class > 1", "order.illiquid > 1.0"),
    *("order.notional", "order.asset_class", "1", "''", "mm(5)", "order.notional + mm(1)", "'true'", "order.rating"),
    *("order.notional >", "> mm(5)", "order.notional > mm(5", "order.notional > mm(5))", "&& order.illiquid", "order.illiquid &&"),
    *("order.illiquid & order.is_rated", "order.illiquid and order.is_rated", "not order.illiquid", "order.notional => mm(5)"),
    *(
        "order.notional = mm(5)",
        "order.notional <> mm(5)",
        "order.notional > mm()",
        "order.notional > mm(5, 6)",
        "order.notional > 5mm",
    ),
    *(
        "order.notional > MM(5)",
        "order.notional > $5",
        "order.notional > mm('5')",
        "order.notional > pct(x)",
        "order.notional > 5_000",
    ),
    *("order.rating < BBB", "order.notional > mm(1) && order.rating < BBB", "order.is_rated || order.rating < BBB"),
    *(
        "!order.is_rated && order.rating < BBB",
        "order.rating in [AAA, AA]",
        "order.rating < BBB || order.is_rated && order.illiquid",
    ),
    *("!(order.is_rated || order.illiquid) || order.rating < BBB", "order.is_rated ? order.illiquid : order.rating < BBB"),
    *("order.is_rated != true && order.rating > BB", "order.rating + 1 > BBB", "order.is_rated && order.rating < BBBB"),
    *("order.notional > mm(5) && order.notional < mm(1)", "order.side == BUY && order.side == SELL", "false", "!true"),
    *(
        "order.illiquid && !order.illiquid",
        "order.asset_class in []",
        "order.asset_class == CORP && order.asset_class in [MUNI, EM]",
    ),
    *("order.adv30_share > pct(50) && !(order.adv30_share > pct(10))", "order.sector == 'A' && order.sector == 'B'"),
    *("order.notional >= mm(2) && order.notional < mm(2)", "order.side != BUY && !(order.side != BUY)"),
    *(
        "order.side == 'Buy'",
        "order.urgency == 'HIGH'",
        "order.urgency == 'urgent'",
        "order.adv_basis == 'peer'",
        "order.side in ['B', 'S']",
    ),
    *(
        "[1, 2].all(x, x > 0)",
        "[1].exists(x, x > 0)",
        "[1].map(x, x * 2) == [2]",
        "[1].filter(x, x > 0) == [1]",
        "[1].exists_one(x, x > 0)",
    ),
    *("[1, 2].all(x, [1, 2].all(y, [1, 2].all(z, x + y + z > 0)))", "has(order.notional)", "has(order.illiquid.x)"),
    *(
        "order.sector.matches('(a+)+$')",
        "int('5') > 4",
        "string(order.notional) == '5'",
        "dyn(1) == 1",
        "type(1) == int",
        "timestamp('x') < timestamp('y')",
    ),
    *(
        "duration('5s') > duration('4s')",
        "{'a': 1}['a'] == 1",
        "order.notional.foo()",
        "b'abc' == b'abc'",
        "order.notional % mm(2) > mm(1)",
    ),
    *("dealer.tier == 1", "dealer.scores.hit_rate > 0.5", "'MUNI' in dealer.specialties", "dealer.score > 0.5"),
    *(
        "(" * 300 + "order.illiquid" + ")" * 300,
        "!" * 400 + "order.notional",
        "order.illiquid && " * 300 + "true",
        "-" * 900 + "1 == 1",
    ),
    *(
        "order.asset_class in [" + "'a'," * 600 + "'b']",
        "order.notional > mm(5) || " * 90 + "false",
        "'" + "x" * 1990 + "' == order.sector",
    ),
    *(
        "order.\x7fnotional > mm(1)",
        "order.illiquid \u2227 true",
        "\u00e9 == 1",
        "order.notional > \u0665",
        "order.illiquid; true",
        "order.illiquid\\n",
    ),
    *(
        "__import__('os').system('ls') == 0",
        "order.__class__ == 1",
        "${jndi:x} == 1",
        "{{7*7}} == 49",
        "1 == 1 // comment (",
        "/* x */ true",
    ),
]
PICKS = [
    *(
        "[]",
        "{take: 3}",
        "3",
        "all",
        "[3]",
        "[{}]",
        "[{tier: 1}]",
        "[{take: 0}]",
        "[{take: -1}]",
        "[{take: 1.5}]",
        "[{take: three}]",
    ),
    *(
        "[{take: ALL}]",
        "[{take: [1]}]",
        "[{take: null}]",
        "[{tier: 0, take: 1}]",
        "[{tier: 4, take: 1}]",
        "[{tier: 99, take: all}]",
    ),
    *(
        "[{tier: one, take: 1}]",
        "[{tire: 1, take: 1}]",
        "[{take: 1, take: 2}]",
        "[{take: 1, where: dealer.tire == 1}]",
        "[{take: .inf}]",
    ),
    *(
        "[{take: 1, where: dealer.tier == 7}]",
        "[{take: 1, where: dealer.tier < 1}]",
        "[{take: 1, where: dealer.specialties}]",
        "[{take: .nan}]",
    ),
    *(
        "[{take: 1, where: '\"MUNI\" in order.sector'}]",
        "[{take: 1, where: dealer.scores.hitrate > 0.5}]",
        "[{take: 1, where: ''}]",
    ),
    *(
        "[{take: 1, where: 'dealer.specialties.exists(s, s == \"MUNI\")'}]",
        "[{take: 1, where: dealer.tier > 1 && dealer.tier < 1}]",
    ),
    *(
        "[{take: 1e400}]",
        "[{take: 0x}]",
        "[{take: 1, where: [a]}]",
        "[[{take: 1}]]",
        "[{take: !!int '3'}]",
        "[{tier: 1.5, take: 1}]",
    ),
]
GOOD_WEIGHTS = "weights: {hit_rate: 1.0}"
SCORES = [
    *("{}", "[]", "3", "seed_v1", "{model: seed_v0}", "{model: seed_v0, window: 90d}", f"{{window: 90d, {GOOD_WEIGHTS}}}"),
    *(
        f"{{model: seed_v0, window: {window}, {GOOD_WEIGHTS}}}"
        for window in ("45d", "90", "90s", "d", "-90d", "1.5d", "0d", "90 days", "[]")
    ),
    *(f"{{model: seed_v0, window: 90d, half_life: {days}, {GOOD_WEIGHTS}}}" for days in ("45d", "60", "0d", "-60d", "none")),
    *(
        f"{{model: {model}, window: 90d, {GOOD_WEIGHTS}}}"
        for model in ("seedv0", "seed_v1", "''", "[]", "42", "null", "expected_utilty")
    ),
    *(
        f"{{model: seed_v0, window: 90d, weights: {{{weights}}}}}"
        for weights in (
            *(
                "",
                "hit_rate: 0.5",
                "hit_rate: 0.6, fill_rate: 0.5",
                "hitrate: 1.0",
                "hit_rate: 1.0, fill_rate: 0.0",
                "hit_rate: -1.0",
            ),
            *(
                "hit_rate: 2.0, fill_rate: -1.0",
                "hit_rate: 60%",
                "hit_rate: '1.0'",
                "hit_rate: .nan",
                "hit_rate: .inf",
                "hit_rate: [1]",
            ),
            *(
                "hit_rate: 0.3, hit_rate: 0.7",
                "hit_rate: 100",
                "hit_rate: 0.999",
                "hit_rate: null",
                "hit_rate: true",
                "Hit_Rate: 1.0",
                "1: 1.0",
            ),
            *("hit_rate: 50, fill_rate: 50", "hit_rate: 0.33, fill_rate: 0.33, size_ratio: 0.33", "hit_rate: 1e-400"),
        )
    ),
    *(f"{{model: seed_v0, window: 90d, {GOOD_WEIGHTS}, renormalise: {flag}}}" for flag in ("1", "'true'", "maybe", "[]", "null")),
    f"{{model: seed_v0, window: 90d, {GOOD_WEIGHTS}, renormalize: true}}",
    f"{{modle: seed_v0, window: 90d, {GOOD_WEIGHTS}}}",
]
PROTOCOLS = [
    *(
        "[]",
        "parallel",
        "{mode: paralel}",
        "{mode: whisper}",
        "{mode: ''}",
        "{mode: []}",
        "{mode: 3}",
        "{delay: 5s}",
        "{mode: staggered}",
    ),
    *(
        "{mode: parallel, delay: 5s}",
        "{mode: sequential, delay: 5s}",
        "{mode: parallel, competitive_within: bps(3)}",
        "{timeout: 20}",
    ),
    *("{competitive_within: bps(3)}", "{mode: sequential, competitive_within: 3}", "{mode: sequential, competitive_within: 3bps}"),
    *("{mode: sequential, competitive_within: bps(-3)}", "{mode: sequential, competitive_within: bps()}", "{timeout: 20 seconds}"),
    *(
        "{timeout: 0s}",
        "{timeout: -5s}",
        "{timeout: 2d}",
        "{timeout: s}",
        "{timeout: []}",
        "{timeout: 1e3s}",
        "{timeout: 20S}",
        "{timout: 20s}",
    ),
    *(
        "{max_dealers: 0}",
        "{max_dealers: -1}",
        "{max_dealers: 2.5}",
        "{max_dealers: two}",
        "{max_dealers: all}",
        "{max_dealers: .inf}",
    ),
    *(
        "{mode: staggered, delay: 5}",
        "{mode: staggered, delay: 0s}",
        "{mode: staggered, delay: soon}",
        "{timeout: 5s, timeout: 6s}",
    ),
]
ONLY = "when: order.illiquid"
RULES = [
    *("{}", "[]", "text", "3", "null", f"{{kind: select, {ONLY}}}", f"{{id: R, {ONLY}}}", "{id: R, kind: constrain}"),
    *(
        f"{{id: {name}, kind: constrain, {ONLY}, max_dealers: 1}}"
        for name in ("''", "[]", "'a b'", "-x", "'a/b'", "'../x'", "é", "x" * 70, "'a\"b'")
    ),
    *(f"{{id: R, kind: {kind}, {ONLY}, max_dealers: 1}}" for kind in ("selects", "Select", "''", "[]", "both", "1", "constrian")),
    *(
        f"{{id: R, kind: select, priority: {number}, {ONLY}, pick: [{{take: 1}}]}}"
        for number in ("-1", "1.5", "high", "''", ".nan", "[]", "1e999")
    ),
    f"{{id: R, kind: select, {ONLY}, pick: [{{take: 1}}]}}",
    *(
        f"{{id: R, kind: constrain, {ONLY}, {what}}}"
        for what in ("priority: 1, max_dealers: 1", "pick: [{take: 1}]", "candidates: {similar_within: 9d}")
    ),
    *(
        f"{{id: R, kind: constrain, {ONLY}, {what}}}"
        for what in ("colour: red", "max_dealer: 1", "MAX_DEALERS: 1", "max_dealers: []", "max_dealers: 0")
    ),
    *(
        f"{{id: R, kind: constrain, {ONLY}, exclude: {what}}}"
        for what in ("{}", "[]", "A", "{dealer: [A]}", "{dealers: A}", "{dealers: [[]]}", "{where: true && 1}")
    ),
    *(
        f"{{id: R, kind: constrain, {ONLY}, exclude: {what}}}"
        for what in ("{where: dealer.tier == 9}", "{where: dealer.nam == CORP}", "{dealers: ['']}")
    ),
    *(
        f"{{id: R, kind: select, priority: 1, {ONLY}, candidates: {what}}}"
        for what in ("{}", "180d", "{within: 180d}", "{similar_within: 180}", "{similar_within: 6m}")
    ),
    f"{{id: R, kind: constrain, {ONLY}}}",
    f"{{id: R, kind: constrain, {ONLY}, max_dealers: 1, protocol: {{max_dealers: 2}}}}",
    f"{{id: R, id: S, kind: constrain, {ONLY}, max_dealers: 1}}",
    f"{{id: R, extends: S, kind: constrain, {ONLY}, max_dealers: 1}}",
    f"{{id: R, include: other.yml, kind: constrain, {ONLY}, max_dealers: 1}}",
]
TIERS = [
    *(
        "{}",
        "[]",
        "0.5",
        "{CORP: [0.5]}",
        "{default: []}",
        "{default: [0.6, 0.25]}",
        "{default: [0.5, 0.5]}",
        "{default: [0]}",
        "{default: [1.1]}",
    ),
    *(
        "{default: [-0.1]}",
        "{default: 0.5}",
        "{default: [a]}",
        "{default: [.nan]}",
        "{default: [[0.5]]}",
        "{default: ['0.5']}",
        "{default: null}",
    ),
    *("{default: [0.5], default: [0.6]}", "{default: [25, 60]}", "{default: {1: 0.25}}"),
]
BOMBS = [
    "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "version: &v 1\n" + HEADER.split("\n", 1)[1] + "  []\n",
    "[" * 100_000,
    "{a: " * 50_000,
    "- " * 20_000 + "x",
    "\n".join(" " * depth + "a:" for depth in range(500)),
    HEADER + "  - {id: R, kind: constrain, when: !!python/object/apply:os.system ['ls'], max_dealers: 1}\n",
    HEADER + "  - !!python/name:os.system\n",
    HEADER + "  - <<: {id: R}\n    kind: constrain\n",
    HEADER + LIMIT.format(when="order.illiquid") * 2_500,
    SHIPPED + "#" * 1_000_000,
    "x" * 10_000_000,
    SHIPPED + "\ufeff\ufffe",
    SHIPPED + "\x00",
    SHIPPED + "\x1b[2J",
    SHIPPED + "\ud800",
    "---\n" + SHIPPED + "---\n" + SHIPPED,
    "%YAML 9.9\n---\n" + SHIPPED,
    *(
        "a: [b",
        "a: 'b",
        'a: "\\q"',
        "a: b: c",
        "\ta: b",
        "a:\n\t- b",
        "? [a]\n: b",
        "@a",
        "`a`",
        "- a\nb: c",
        "a: |\n b\n  c\n d: e\n- f",
    ),
    *("!x", "*a", "&a", "{a}", "", "  \n", "# only a comment\n", "null"),
]


def cut_and_garbled() -> Iterator[str]:
    """The shipped book with one thing broken on each line that says something."""
    lines = SHIPPED.splitlines()
    for number, line in enumerate(lines):
        if not line.strip() or line.strip().startswith("#"):
            continue
        for old, new in (
            ("{", "{{"),
            ("}", ""),
            (": ", " "),
            ("[", ""),
            ("order.", "odrer."),
            ("mm(", "mn("),
            ("d,", ","),
            ("0.", "7."),
        ):
            if old in line.split("#", maxsplit=1)[0] and not (old == "0." and "renormalise" in line):
                yield "\n".join([*lines[:number], line.replace(old, new, 1), *lines[number + 1 :]])
        yield "\n".join([*lines[:number], "  " * 3 + "surprise: 1", line, *lines[number + 1 :]])


def shadowed() -> Iterator[str]:
    """Pairs of select rules of which the second never gets its turn."""
    pairs = [
        ("true", "order.illiquid"),
        ("order.illiquid", "order.illiquid"),
        ("order.notional > mm(5)", "order.notional > mm(5)"),
        ("order.notional > mm(5)", "order.quantity > mm(6)"),
        ("order.notional > mm(5)", "order.notional >= mm(6) && order.asset_class == CORP"),
        ("order.notional >= 5000000.0", "mm(5) <= order.notional"),
        ("order.asset_class in [CORP, MUNI]", "order.asset_class == MUNI && order.illiquid"),
        ("order.asset_class != EM", "order.asset_class == CORP"),
        ("!(order.asset_class == EM)", "order.asset_class == CORP || order.asset_class == MUNI"),
        ("order.side == BUY || order.notional > mm(1)", "order.side == BUY && order.illiquid"),
        ("order.is_rated && order.rating < BBB", "order.is_rated && order.rating < BB && order.illiquid"),
        ("order.illiquid || !order.illiquid", "order.illiquid && order.notional > mm(1)"),
        ("order.sector.startsWith('EN')", "order.sector.startsWith('EN') && order.notional > mm(1)"),
        ("order.adv30_share > pct(10)", "order.adv30_share > 0.1 && order.adv30_share < pct(50)"),
    ]
    rule = '  - {{id: {name}, kind: select, priority: {priority}, when: "{when}", pick: [{{take: 1}}]}}\n'
    for first, second in pairs:
        yield HEADER + rule.format(name="A", priority=1, when=first) + rule.format(name="B", priority=2, when=second)
        yield HEADER + rule.format(name="B", priority=9, when=second) + rule.format(name="A", priority=3, when=first)


def bad_books() -> list[str]:
    quoted = (when.replace("\\", "\\\\").replace('"', '\\"') for when in CONDITIONS)
    books = [HEADER + LIMIT.format(when=f'"{when}"') for when in quoted]
    books += [HEADER + SELECT.format(pick=pick) for pick in PICKS]
    books += [HEADER + SCORED.format(score=score) for score in SCORES]
    books += [HEADER + WAYS.format(protocol=protocol) for protocol in PROTOCOLS]
    books += [f"{HEADER}  - {rule}\n" for rule in RULES]
    books += [HEADER.replace("{default: [0.25, 0.60]}", tiers) + "  []\n" for tiers in TIERS]
    books += [HEADER.replace(line, "") + "  []\n" for line in HEADER.splitlines(keepends=True)]
    books += [
        HEADER.replace("version: 1", f"version: {number}") + "  []\n" for number in ("2", "'1'", "one", "1.5", "-1", "[]", "null")
    ]
    books += [
        HEADER + f"  []\nprofiles: {text}\n"
        for text in ("[]", "x", "{P: {}}", "{P: {model: seed_v0}}", "{P: Q}", "{P: P}", "{P: Q, Q: P}")
    ]
    return [*books, *BOMBS, *cut_and_garbled(), *shadowed()]


def refused(book: str) -> list[str]:
    try:
        read_rule_book(book, "book.yml", "0" * 16)
    except RuleBookRefused as exc:
        return exc.faults
    return []


def test_five_hundred_bad_books_are_each_refused_with_a_place_and_quickly() -> None:
    books, slowest = bad_books(), 0.0
    assert len(set(books)) >= 500
    for book in books:
        started = time.perf_counter()
        faults = refused(book)
        assert faults, f"accepted: {book[-300:]!r}"
        slowest = max(slowest, time.perf_counter() - started)
        lines = book.count("\n") + book.count("\r") + 2
        for fault in faults:
            place = PLACE.fullmatch(fault)
            assert place, (fault, book[-300:])
            assert 1 <= int(place[1]) <= lines, (fault, book[-300:])
            assert int(place[2]) >= 1
            assert len(fault) < 1_000
    assert slowest < 5


@pytest.mark.parametrize("size", [10_000_000])
def test_file_of_ten_megabytes_is_refused_unread(tmp_path: Path, size: int) -> None:
    path = tmp_path / "rules.yml"
    path.write_bytes(b"[" * size)
    started = time.perf_counter()
    assert check_rules(path) == [f"{path}:1:1: the rule book is 10,000,000 bytes; at most 1,000,000 are allowed"]
    assert time.perf_counter() - started < 1


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rules.yml"
    path.write_bytes(b"version: \xff\xfe")
    assert check_rules(path) == [f"{path}:1:1: cannot be read: not UTF-8 at byte 9; save the file as UTF-8"]
    assert "cannot be read" in check_rules(tmp_path)[0]
