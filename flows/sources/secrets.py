"""``$NAME`` in sources.yml: filled in from the environment when it is used, and taken out of whatever is told."""

import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from flows.sources.pulled import SourceError

_NAME = re.compile(r"\$\{?(\w+)\}?")
_HIDDEN_FROM = 4
# A library that takes a URL apart at the wrong place tells a piece of a password.
_PIECE_FROM = 6
_USERINFO = re.compile(r"(?<=://)[^/?#]*(?=@)")
_PLAIN_IN_URLS = "!$&'()*+,;=:@/~"


def names_in(value: object) -> list[str]:
    """Name the variables in a text, or in the texts of a nested value."""
    if isinstance(value, str):
        return _NAME.findall(value)
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [name for part in parts for name in names_in(part)]


def filled(value: Any, known: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - a text, or a nest of them
    """Put the environment's values into a text, or into the texts of a nested value. Raises SourceError where one is not set.

    In the place of a URL's user and password they are percent-encoded: a sign of theirs must not end the password.
    """
    if isinstance(value, dict):
        return {name: filled(part, known) for name, part in value.items()}
    if isinstance(value, list):
        return [filled(part, known) for part in value]
    if not isinstance(value, str):
        return value
    encoded = _USERINFO.sub(lambda match: _userinfo(match.group(), known), value)
    return _NAME.sub(lambda match: secret(match.group(1), known), encoded)


def _userinfo(text: str, known: Mapping[str, str] | None) -> str:
    user, colon, password = text.partition(":")
    # A variable alone may hold both user and password; a user has no colon in it.
    user = _NAME.sub(lambda match: quote(secret(match.group(1), known), safe=":"), user)
    return user + colon + _NAME.sub(lambda match: quote(secret(match.group(1), known), safe=""), password)


def secret(name: str, known: Mapping[str, str] | None = None) -> str:
    """Read one environment variable. Raises SourceError where it is not set."""
    found = (known or {}).get(name) or os.environ.get(name)
    if not found:
        raise SourceError(f"the environment variable {name} is not set")
    return found


def masked(text: str, *used: object) -> str:
    """Write ``$NAME`` for the values of the variables that ``used`` names, as they are or as a URL has them."""
    return _replaced(text, used, with_pieces=False)


def _replaced(text: str, used: tuple[object, ...], *, with_pieces: bool) -> str:
    spelt: dict[str, str] = {}
    for name in (name for value in used for name in names_in(value)):
        value = os.environ.get(name, "")
        found = {value, value.rstrip("/"), *(_pieces(value) if with_pieces else ())}
        spellings = {*found, *(quote(one, safe=safe) for one in found for safe in ("", "/", ":", _PLAIN_IN_URLS))}
        spelt |= {spelling: f"${name}" for spelling in spellings if len(spelling) >= _HIDDEN_FROM}
    if not spelt:
        return text
    # The longest first: one value may be part of another. All at once: a piece may be part of a name.
    listed = "|".join(re.escape(spelling) for spelling in sorted(spelt, key=len, reverse=True))
    return re.sub(listed, lambda match: spelt[match.group()], text)


def _pieces(value: str) -> list[str]:
    """Take a value apart where a URL would be; of a whole URL its password alone."""
    if "://" in value:
        password = value.partition("://")[2].rpartition("@")[0].partition(":")[2]
        return [password, unquote(password), *_long_parts(password), *_long_parts(unquote(password))]
    return _long_parts(value)


def _long_parts(text: str) -> list[str]:
    return [part for part in re.split("[@/:?#]", text) if len(part) >= _PIECE_FROM]


def scrubbed(text: str, *used: object) -> str:
    """Take the values of the variables that ``used`` names, and pieces of them, out of a text, and passwords out of its URLs.

    What comes is one line.
    """
    text = _replaced(text, used, with_pieces=True)
    return " ".join(re.sub(r"(?<=://)[^/@\s'\"]+@", "", text).split())


def shown(url: str) -> str:
    """Write a URL without user, password and query: what may stand in receipts and logs."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
