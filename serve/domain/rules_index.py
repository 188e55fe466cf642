"""An index over rules: which of them can hold for an order at all, decided for all at once.

Only rules whose condition is certainly false are left out, also where figures are not known, so running what is left gives the
same answer as running all of them.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from serve.domain.rules_logic import Among, Cases, Span

Mask = NDArray[np.bool_]


class Screen:
    """Bounds of every rule, a column each. ``cases`` per rule as ``rules_logic`` gives them; none = the rule never holds."""

    def __init__(self, cases: Sequence[Cases]) -> None:
        self._size = len(cases)
        numeric: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
        worded: dict[str, dict[int, frozenset[str | bool]]] = {}
        for column, of_rule in enumerate(cases):
            for name in _asked_always(of_rule):
                asked = [case.asks[name] for case in of_rule]
                spans = [item for item in asked if isinstance(item, Span)]
                words = [item for item in asked if isinstance(item, Among) and not item.but]
                if len(spans) == len(asked):
                    low, high = numeric.setdefault(name, (np.full(self._size, -math.inf), np.full(self._size, math.inf)))
                    low[column], high[column] = min(span.low for span in spans), max(span.high for span in spans)
                elif len(words) == len(asked):
                    worded.setdefault(name, {})[column] = frozenset().union(*(item.words for item in words))
        self._names = tuple(numeric)
        self._low = np.array([numeric[name][0] for name in self._names]).reshape(len(self._names), self._size)
        self._high = np.array([numeric[name][1] for name in self._names]).reshape(len(self._names), self._size)
        self._words = {name: _masks(rules, self._size) for name, rules in worded.items()}

    def candidates(self, values: Mapping[str, object]) -> list[int]:
        """Give the rules that may hold, in their order. A variable that is absent from ``values`` leaves nothing out."""
        mask: Mask = np.ones(self._size, dtype=np.bool_)
        for name, (by_word, otherwise) in self._words.items():
            if name in values:
                mask &= by_word.get(values[name], otherwise)
        known = [place for place, name in enumerate(self._names) if name in values]
        if known:
            given = np.array([float(values[self._names[place]]) for place in known])[:, None]  # type: ignore[arg-type]
            low, high = (self._low, self._high) if len(known) == len(self._names) else (self._low[known], self._high[known])
            mask &= ((low <= given) & (given <= high)).all(axis=0)
        found: list[int] = np.flatnonzero(mask).tolist()
        return found


def _asked_always(cases: Cases) -> set[str]:
    return set.intersection(*(set(case.asks) for case in cases)) if cases else set()


def _masks(rules: Mapping[int, frozenset[str | bool]], size: int) -> tuple[dict[object, Mask], Mask]:
    otherwise = np.ones(size, dtype=np.bool_)
    otherwise[list(rules)] = False
    by_word: dict[object, Mask] = {}
    for column, words in rules.items():
        for word in words:
            by_word.setdefault(word, otherwise.copy())[column] = True
    return by_word, otherwise
