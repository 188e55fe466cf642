"""A venue's dialect as data: where it is, how it writes quotes, what it takes as a pass, how one trades there."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import yaml

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.\-]{1,32}$")]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=600)]
Factor = Annotated[float, msgspec.Meta(gt=0, le=1_000_000)]
Tags = dict[Annotated[int, msgspec.Meta(ge=1, le=99_999)], Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f]+$")]]


class Perspective(StrEnum):
    """Whose side tag 54 gives."""

    CLIENT = "client"
    DEALER = "dealer"


class Venue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``config/venues/<name>.yml``.

    ``request_quantity_unit`` and ``quote_quantity_unit`` are the par amount that one unit of a quantity stands for, out and in
    (1000 = thousands). ``request_side`` says whose side tag 54 gives in requests, orders and the reports on them,
    ``quote_side`` in quotes. ``grace_s`` (desk time) is added to each time-out where the venue holds quotes back; ``settle_s``
    (wall time) is how long a session rests after its logon. ``pass_*`` name the values that mean no price: tag 297 of AI,
    658 of AG, 694 of AJ; other rejections count as REJECTED. ``extra_tags`` go on the body, ``extra_group_tags`` into
    the group of each request.
    """

    venue: Name
    host: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.:\-]{1,253}$")]
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)]
    sender_comp_id: Name
    heartbeat_s: Annotated[int, msgspec.Meta(ge=5, le=300)] = 30
    reconnect_s: Annotated[int, msgspec.Meta(ge=1, le=300)] = 5
    settle_s: Seconds = 0.7
    grace_s: Seconds = 0.0
    security_id: Literal["cusip", "isin"] = "cusip"
    request_side: Perspective = Perspective.CLIENT
    quote_side: Perspective = Perspective.CLIENT
    request_quantity_unit: Factor = 1.0
    quote_quantity_unit: Factor = 1.0
    firm_when_silent: bool = True
    execute_with: Literal["hit", "order"] = "hit"
    tell_losers: Literal["cover", "done_away", "none"] = "none"
    pass_on_close: bool = False
    pass_statuses: tuple[str, ...] = ("11",)
    pass_reasons: tuple[str, ...] = ("8", "9", "10")
    pass_response_types: tuple[str, ...] = ("6",)
    extra_tags: Tags = {}
    extra_group_tags: Tags = {}


class VenueError(ValueError):
    """A venue profile that cannot be used, with file, field and reason."""


def load_venue(path: Path) -> Venue:
    """Read a profile. Raises VenueError naming the file, the field and what is wrong."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"venue profile {path} cannot be read: {error.strerror}"
        raise VenueError(msg) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        msg = f"venue profile {path} is not valid YAML: {' '.join(str(error).split())}"
        raise VenueError(msg) from error
    try:
        return msgspec.convert(document, Venue)
    except msgspec.ValidationError as error:
        msg = f"venue profile {path}: {error}"
        raise VenueError(msg) from error
