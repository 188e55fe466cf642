"""A recommendation as text, made once: what is answered and what is journalled are the same bytes."""

from typing import Any, cast

import msgspec

from expectations.contracts.journal import RecommendationMade
from serve.domain.eligibility import Excluded
from serve.domain.orders import Order
from serve.domain.recommendation import Recommendation
from serve.domain.shortlist import Shared
from serve.domain.users import User

_ENCODER = msgspec.json.Encoder()
_END = b'"dealers":[],"excluded":[]}'
# Exclusions shorter than this stand in every event: most desks' logs need no looking up.
_LONG = 8_192
# Dealers are taken by rank and nothing is drawn: the list was certain to be chosen.


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A recommendation as it is answered and journalled. ``left_out`` is set where the exclusions are long and shared."""

    made: Recommendation
    request: bytes
    head: bytes
    dealers: bytes
    excluded: bytes
    left_out: Shared[Excluded] | None

    @property
    def recommendation_id(self) -> str:
        """Name the recommendation."""
        return self.made.recommendation_id

    @property
    def encoded(self) -> bytes:
        """Give the whole answer as JSON."""
        return self._with(self.excluded)

    def event(self, user: User, excluded_as: str | None) -> RecommendationMade:
        """Give the event to journal; ``excluded_as`` names the recommendation that holds the exclusions already."""
        made = self.made
        return RecommendationMade(
            recommendation_id=made.recommendation_id,
            order_id=made.order.order_id,
            snapshot_id=made.snapshot_id,
            rules_version=made.rules_version,
            desk=user.desk,
            request=_as_written(self.request),
            answer=_as_written(self._with(b"[]" if excluded_as else self.excluded)),
            requested_by=user.name,
            propensity=made.propensity,
            excluded_as=excluded_as,
        )

    def _with(self, excluded: bytes) -> bytes:
        return b"".join((self.head, b'"dealers":', self.dealers, b',"excluded":', excluded, b"}"))


def answer_of(order: Order, made: Recommendation) -> Answer:
    """Encode a recommendation; lists that it shares with others were encoded before. ``order`` is as it came."""
    bare = _ENCODER.encode(msgspec.structs.replace(made, dealers=[], excluded=[]))
    if not bare.endswith(_END):
        raise ValueError("a recommendation must end with its dealers and its exclusions: they are encoded apart")
    excluded = _encoded(made.excluded)
    shared = made.excluded if isinstance(made.excluded, Shared) and len(excluded) > _LONG else None
    return Answer(
        made=made,
        request=_ENCODER.encode(order),
        head=bare[: -len(_END)],
        dealers=_encoded(made.dealers),
        excluded=excluded,
        left_out=shared,
    )


def _encoded(items: list[Any]) -> bytes:
    return items.encoded() if isinstance(items, Shared) else _ENCODER.encode(items)


def _as_written(encoded: bytes) -> dict[str, Any]:
    # The journal takes the bytes as they are and reads them back as the mapping that its contract names.
    return cast("dict[str, Any]", msgspec.Raw(encoded))
