"""Request bodies, read strictly: JSON of the declared type and nothing else, with the bad field named."""

import re
from collections.abc import Hashable, Iterator
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
from litestar import Request
from litestar.connection.base import AuthT, StateT, UserT

from serve.api.problems import FieldError, Problem

# Half of a surrogate pair, or a control character other than tab and line breaks: neither may reach a journal or a FIX field.
_SUSPECT = re.compile(rb"\\u(?:[dD][89a-fA-F]|00[01]|007[fF])|\\[bf]|\x7f")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_PATH = re.compile(r" - at `(?:key in )?\$\.?(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>[^`]*)`")
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]*)`")


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
    """Decode JSON into ``type_``, or raise ``Problem`` 400 that names the field."""
    try:
        value: T = _decoder(cast("Hashable", type_)).decode(body)
        if _SUSPECT.search(body):
            _refuse_unprintable(msgspec.json.decode(body))
    except msgspec.ValidationError as exc:
        raise _invalid(*_located(str(exc))) from exc
    except msgspec.DecodeError as exc:
        raise _invalid("body", f"not valid JSON: {exc}") from exc
    except RecursionError as exc:
        raise _invalid("body", "nested too deeply") from exc
    except UnicodeDecodeError as exc:
        raise _invalid("body", f"not valid UTF-8 at byte {exc.start}") from exc
    return value


@cache
def _decoder(type_: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(cast("type[Any]", type_))


def _refuse_unprintable(document: object) -> None:
    for path, text in _texts(document, ""):
        if _UNPRINTABLE.search(text):
            raise _invalid(path or "body", "holds a character that is not text (a lone surrogate or a control character)")


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield path, key
            yield from _texts(item, f"{path}.{key}" if path else key)


def _located(message: str) -> tuple[str, str]:
    found = _PATH.search(message)
    path = found["path"] if found else ""
    detail = _PATH.sub("", message)
    named = _UNKNOWN.search(detail) or _MISSING.search(detail)
    if named:
        path = f"{path}.{named['name']}" if path else named["name"]
        detail = "is not a field of this body" if detail.startswith("Object contains") else "is required"
    return path or "body", detail


def _invalid(field: str, detail: str) -> Problem:
    return Problem(400, "invalid-request", "The request is not valid", f"{field}: {detail}", [FieldError(field, detail)])
