"""What differs between two rule books, as people read it: rule by rule, and line by line."""

import difflib
from typing import Any

import msgspec

from serve.domain.advise import Desk
from serve.domain.rules import Condition, Rule, RuleBook

_PARTS = ("kind", "priority", "when", "score", "pick", "protocol", "exclude", "similar_within_days")


class PartChange(msgspec.Struct, frozen=True):
    """One part of a rule, before and after; ``None`` = the rule does not say."""

    part: str
    before: Any
    after: Any


class RuleChange(msgspec.Struct, frozen=True, kw_only=True):
    """A rule (or ``tiers``, ``default``, ``thresholds``) that was added, removed or changed."""

    id: str
    change: str
    parts: list[PartChange]


class BookDiff(msgspec.Struct, frozen=True, kw_only=True):
    """The changes by rule, and the unified diff of the texts (empty = they are the same)."""

    changes: list[RuleChange]
    unified: str


def diff(old: Desk, new: Desk) -> BookDiff:
    """Compare two versions."""
    before, after = _rules(old.book), _rules(new.book)
    changes = [
        *_whole("tiers", plain(dict(old.book.tiers)), plain(dict(new.book.tiers))),
        *_whole("default", plain(old.book.default), plain(new.book.default)),
        *_whole("thresholds", plain(old.thresholds), plain(new.thresholds)),
    ]
    for name in [*before, *(name for name in after if name not in before)]:
        was, will = before.get(name), after.get(name)
        parts = [
            PartChange(part, left, right)
            for part in _PARTS
            if (left := plain(getattr(was, part, None))) != (right := plain(getattr(will, part, None)))
        ]
        if parts:
            change = "added" if was is None else "removed" if will is None else "changed"
            changes.append(RuleChange(id=name, change=change, parts=parts))
    texts = [("rules.yml", old.source, new.source), ("scoring.yml", old.scoring, new.scoring)]
    unified = "\n".join(part for part in (_unified(*text, old.book.version, new.book.version) for text in texts) if part)
    return BookDiff(changes=changes, unified=unified)


def plain(value: object) -> Any:  # noqa: ANN401 - whatever JSON can say
    """Give a part of a rule as JSON can say it; conditions as they were written."""
    return msgspec.to_builtins(value, enc_hook=_written)


def _written(value: object) -> object:
    source: Condition = value  # type: ignore[assignment]
    return source.source


def _rules(book: RuleBook) -> dict[str, Rule]:
    return {rule.id: rule for rule in (*book.selects, *book.constrains)}


def _whole(name: str, before: object, after: object) -> list[RuleChange]:
    return [RuleChange(id=name, change="changed", parts=[PartChange(name, before, after)])] if before != after else []


def _unified(name: str, before: str, after: str, old: str, new: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), f"{name} {old}", f"{name} {new}", lineterm="", n=2)
    return "\n".join(lines)
