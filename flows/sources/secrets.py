"""``$NAME`` in sources.yml: filled in from the environment when it is used, and taken out of whatever is told."""

import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from flows.sources.pulled import SourceError

_NAME = re.compile(r"\$\{?(\w+)\}?")
_HIDDEN_FROM = 4
_PLAIN_IN_URLS = "!$&'()*+,;=:@/~"


def names_in(value: object) -> list[str]:
    """Name the variables in a text, or in the texts of a nested value."""
    if isinstance(value, str):
        return _NAME.findall(value)
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [name for part in parts for name in names_in(part)]


def filled(value: Any, known: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - a text, or a nest of them
    """Put the environment's values into a text, or into the texts of a nested value. Raises SourceError where one is not set."""
    if isinstance(value, dict):
        return {name: filled(part, known) for name, part in value.items()}
    if isinstance(value, list):
        return [filled(part, known) for part in value]
    if not isinstance(value, str):
        return value
    return _NAME.sub(lambda match: secret(match.group(1), known), value)


def secret(name: str, known: Mapping[str, str] | None = None) -> str:
    """Read one environment variable. Raises SourceError where it is not set."""
    found = (known or {}).get(name) or os.environ.get(name)
    if not found:
        raise SourceError(f"the environment variable {name} is not set")
    return found


def masked(text: str, *used: object) -> str:
    """Write ``$NAME`` for the values of the variables that ``used`` names, as they are or as a URL has them."""
    spelt: dict[str, str] = {}
    for name in (name for value in used for name in names_in(value)):
        value = os.environ.get(name, "")
        spellings = {value, value.rstrip("/"), *(quote(value, safe=safe) for safe in ("", "/", _PLAIN_IN_URLS))}
        spelt |= {spelling: f"${name}" for spelling in spellings if len(spelling) >= _HIDDEN_FROM}
    # The longest first: one value may be part of another.
    for spelling in sorted(spelt, key=len, reverse=True):
        text = text.replace(spelling, spelt[spelling])
    return text


def scrubbed(text: str, *used: object) -> str:
    """Take the values of the variables that ``used`` names out of a text, and passwords out of its URLs; one line."""
    text = masked(text, *used)
    return " ".join(re.sub(r"(?<=://)[^/@\s'\"]+@", "", text).split())


def shown(url: str) -> str:
    """Write a URL without user, password and query: what may stand in receipts and logs."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
