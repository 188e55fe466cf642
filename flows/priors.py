"""What a desk declares of the fits: priors and half-lives, in ``config/priors.yml``."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec

from flows.fit_state import Knobs
from flows.refused import Refused

FILE = "priors.yml"
_SHIPPED = Knobs()

HalfLife = Annotated[float, msgspec.Meta(ge=1, le=3650)]
Observations = Annotated[float, msgspec.Meta(gt=0, le=1e9)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Priors(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Half-lives in days, priors in observations, a correlation from 0 to 1; what is not declared is as shipped."""

    half_life_days: HalfLife = _SHIPPED.half_life_days
    card_half_life_days: HalfLife = 62.0
    leak_half_life_days: HalfLife = _SHIPPED.leak_half_life_days
    response_prior: Observations = _SHIPPED.response_prior
    price_prior: Observations = _SHIPPED.price_prior
    sector_prior: Observations = _SHIPPED.sector_prior
    day_correlation: Share = _SHIPPED.day_correlation

    @property
    def knobs(self) -> Knobs:
        """What ``expected_utility`` is fitted with."""
        declared: dict[str, float] = msgspec.structs.asdict(self)
        declared.pop("card_half_life_days")
        return replace(_SHIPPED, **declared)  # type: ignore[arg-type]  # the fields declared here are all numbers

    @property
    def of_card(self) -> Knobs:
        """What the scorecard's own figures are fitted with: the same, forgetting faster."""
        return replace(self.knobs, half_life_days=self.card_half_life_days)


SHIPPED = Priors()


def read_priors(config: Path) -> Priors:
    """Read what a desk declares; a folder without the file has what is shipped. Raises Refused naming what is wrong and where."""
    path = config / FILE
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=Priors)
    except FileNotFoundError:
        return SHIPPED
    except (OSError, msgspec.MsgspecError) as error:
        raise Refused([f"{path}: {error}"]) from error
