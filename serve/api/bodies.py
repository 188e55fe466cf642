"""Request bodies, read strictly: JSON of the declared type and nothing else, with every bad field named."""

from collections.abc import Hashable, Sequence
from typing import TypeVar, cast

import msgspec
from litestar import Request
from litestar.connection.base import AuthT, StateT, UserT

from serve.api.body_faults import decoder, faults, unprintable
from serve.api.problems import FieldError, Problem

# A body can hold more unknown fields than anyone would read about.
_MOST_TOLD = 100

T = TypeVar("T")


class StrictRequest(Request[UserT, AuthT, StateT]):
    """A request whose JSON body is decoded straight into the handler's type; anything else is a problem, never a 500."""

    async def json(self) -> object:
        """Decode the body. Raises ``Problem`` 415 for another content type, 400 for anything but valid JSON of the type."""
        if self.content_type[0] != "application/json":
            detail = f"Send the body as application/json, not {self.content_type[0] or 'without a content type'}"
            raise Problem(415, "unsupported-media-type", "Unsupported media type", detail)
        field = self.route_handler.parsed_data_field
        return decode(await self.body(), field.annotation if field else object)


def decode(body: bytes, type_: type[T]) -> T:
    """Decode JSON into ``type_``, or raise ``Problem`` 400 that names every bad field."""
    try:
        value, found = _read(body, type_)
    except msgspec.DecodeError as exc:
        raise _invalid([FieldError("body", f"not valid JSON: {exc}")]) from exc
    except RecursionError as exc:
        raise _invalid([FieldError("body", "nested too deeply")]) from exc
    except UnicodeDecodeError as exc:
        raise _invalid([FieldError("body", f"not valid UTF-8 at byte {exc.start}")]) from exc
    if found:
        raise _invalid(found)
    return cast("T", value)


def _read(body: bytes, type_: type[T]) -> tuple[T | None, list[FieldError]]:
    try:
        value: T = decoder(cast("Hashable", type_)).decode(body)
        return value, list(unprintable(body))
    except msgspec.ValidationError:
        return None, list(faults(body, cast("Hashable", type_)))


def _invalid(found: Sequence[FieldError]) -> Problem:
    told = found[:_MOST_TOLD]
    detail = "; ".join(f"{fault.field}: {fault.detail}" for fault in told)
    more = f"; and {len(found) - len(told):,} more" if len(found) > len(told) else ""
    return Problem(400, "invalid-request", "The request is not valid", detail + more, told)
