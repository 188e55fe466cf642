"""What is wrong with a request body: every field that is bad, missing or not known, each named by its path."""

import re
from collections.abc import Hashable, Iterator
from functools import cache
from typing import Annotated, Any, cast, get_args, get_origin

import msgspec

from serve.api.problems import FieldError

# Half of a surrogate pair, or a control character other than tab and line breaks: neither may reach a journal or a FIX field.
_SUSPECT = re.compile(rb"\\u(?:[dD][89a-fA-F]|00[01]|007[fF])|\\[bf]|\x7f")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_NOT_TEXT = "holds a character that is not text (a lone surrogate or a control character)"
_PATH = re.compile(r" - at `(?:key in )?\$\.?(?P<path>[^`]*)`$")


@cache
def decoder(type_: Hashable) -> msgspec.json.Decoder[Any]:
    """Give the decoder of a type, made once."""
    return msgspec.json.Decoder(cast("type[Any]", type_))


def faults(body: bytes, type_: Hashable, path: str = "") -> Iterator[FieldError]:
    """Yield what stands against reading JSON as ``type_``, in the type's order. Raises what the decoder does for no JSON at all."""
    try:
        decoder(type_).decode(body)
    except msgspec.ValidationError as exc:
        # A key given twice may hold its fault in the value that is overwritten: then the decoder's own word stands.
        yield from list(_inside(body, type_, path)) or [_told(str(exc), path)]
    else:
        yield from unprintable(body, path)


def unprintable(body: bytes, path: str = "") -> Iterator[FieldError]:
    """Yield the texts of a document that hold characters which are none."""
    if _SUSPECT.search(body):
        for place, text in _texts(msgspec.json.decode(body), path):
            if _UNPRINTABLE.search(text):
                yield FieldError(_shown(place) or "body", _NOT_TEXT)


def _inside(body: bytes, type_: object, path: str) -> Iterator[FieldError]:
    plain = get_args(type_)[0] if get_origin(type_) is Annotated else type_
    if isinstance(plain, type) and issubclass(plain, msgspec.Struct) and body.lstrip().startswith(b"{"):
        yield from _in_struct(msgspec.json.decode(body, type=dict[str, msgspec.Raw]), plain, path)
    elif get_origin(plain) is list and body.lstrip().startswith(b"["):
        for index, item in enumerate(msgspec.json.decode(body, type=list[msgspec.Raw])):
            yield from faults(bytes(item), get_args(plain)[0], f"{path}[{index}]")


def _in_struct(given: dict[str, msgspec.Raw], struct: type[msgspec.Struct], path: str) -> Iterator[FieldError]:
    known = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    for name, field in known.items():
        if name in given:
            yield from faults(bytes(given[name]), field.type, _join(path, name))
        elif field.required:
            yield FieldError(_join(path, name), "is required")
    if struct.__struct_config__.forbid_unknown_fields:
        yield from (FieldError(_shown(_join(path, name)), "is not a field of this body") for name in given if name not in known)


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield path, key
            yield from _texts(item, _join(path, key))


def _told(message: str, path: str) -> FieldError:
    found = _PATH.search(message)
    inner = found["path"] if found else ""
    return FieldError((_join(path, inner) if inner else path) or "body", _PATH.sub("", message))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path and not name.startswith("[") else path + name


def _shown(path: str) -> str:
    return _UNPRINTABLE.sub("\ufffd", path)
