"""Rules that never get their turn, because earlier ones take every order that they are for; claimed only where it is certain."""

from collections.abc import Iterator
from itertools import combinations

from serve.domain.rules_logic import Among, Case, Cases, implies

Words = frozenset[tuple[str, str | bool]]
_IN_SIGNATURE, _MOST_WORDS = 4, 7


class Earlier:
    """The cases of the rules before, found by the single words that they ask for, so that not all are compared with all."""

    def __init__(self) -> None:
        self._by_words: dict[Words, list[tuple[str, Case]]] = {}

    def add(self, name: str, cases: Cases) -> None:
        """Take in one more rule."""
        for case in cases:
            signature = frozenset(sorted(_single_words(case), key=str)[:_IN_SIGNATURE])
            self._by_words.setdefault(signature, []).append((name, case))

    def covering(self, cases: Cases) -> list[str] | None:
        """Name the rules of which one certainly holds whenever one of ``cases`` does; ``None`` = that is not proved."""
        names: list[str] = []
        for case in cases:
            name = next((name for name, other in self._comparable(case) if implies(case, other)), None)
            if name is None:
                return None
            names.append(name)
        return list(dict.fromkeys(names))

    def _comparable(self, case: Case) -> Iterator[tuple[str, Case]]:
        words = sorted(_single_words(case), key=str)
        if len(words) > _MOST_WORDS:
            for group in self._by_words.values():
                yield from group
            return
        for size in range(min(len(words), _IN_SIGNATURE) + 1):
            for chosen in combinations(words, size):
                yield from self._by_words.get(frozenset(chosen), ())


def _single_words(case: Case) -> Iterator[tuple[str, str | bool]]:
    for name, asked in case.asks.items():
        if isinstance(asked, Among) and not asked.but and len(asked.words) == 1:
            yield name, next(iter(asked.words))
