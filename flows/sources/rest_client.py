"""Requests to a REST vendor: authenticated, paced, repeated where that may help, and silent about secrets."""

import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

import httpx

from flows.retries import again
from flows.sources.config import Auth, SourceConfig
from flows.sources.pulled import SourceError
from flows.sources.secrets import filled, masked, scrubbed, secret, shown

_ATTEMPTS, _PATIENCE_S, _LONGEST_WAIT_S, _TIMEOUT_S = 8, 180.0, 60.0, 30.0
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class RestClient:
    """One vendor's API, for the length of a pull."""

    def __init__(self, source: SourceConfig) -> None:
        self._source = source
        self._apart_s = 1 / source.rate_per_s if source.rate_per_s > 0 else 0.0
        self._next_at = 0.0
        self._base = filled(source.path).rstrip("/")
        self._secrets = [source.path, *_names(source.auth)]
        # The library writes whole URLs into the log, and a firm may have put something secret there.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._client = httpx.Client(timeout=_TIMEOUT_S, **_credentials(source.auth))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    @property
    def name(self) -> str:
        """The vendor's address without anything secret."""
        return self.told(self._base)

    def told(self, url: str) -> str:
        """Write a URL as it may be told: variables by their names, without user, password and query."""
        return shown(masked(url, *self._secrets))

    def get(self, path: str, parameters: Mapping[str, str]) -> httpx.Response:
        """Ask for a path below the base, or for a whole URL of the same server. Raises SourceError when there is no good answer."""
        return self._asked("GET", self._url(path), params=parameters or None)

    def post(self, path: str, body: Mapping[str, Any], *, key: str) -> httpx.Response:
        """Post a JSON object; ``key`` tells the vendor that a repeated post is the same one."""
        return self._asked("POST", self._url(path), json=body, headers={"Idempotency-Key": key})

    def _url(self, path: str) -> str:
        url = path if "://" in path else f"{self._base}/{path.lstrip('/')}"
        try:
            is_theirs = _origin(url) == _origin(self._base)
        except httpx.InvalidURL:
            # The library's text may hold a piece of a password.
            raise SourceError(f"source {self._source.name!r}: a URL below {self.name} is not valid; check `path`") from None
        if not is_theirs:
            # The token is for this vendor alone.
            raise SourceError(f"source {self._source.name!r}: {self.told(url)} leads to another server than {self.name}")
        return url

    def _asked(self, method: str, url: str, **request: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own arguments
        try:
            for attempt in again(_wait_before_again, attempts=_ATTEMPTS, timeout=_PATIENCE_S, wait_max=15.0):
                with attempt:
                    self._pace()
                    response = self._client.request(method, url, **request)
                    response.raise_for_status()
        except httpx.HTTPStatusError as error:
            raise self._refused(method, url, error) from None
        except httpx.HTTPError as error:
            told = scrubbed(f"{type(error).__name__}: {error}", *self._secrets)
            # As an OSError it is known to be a fault of the line, which may pass.
            raise SourceError(f"source {self._source.name!r}: {method} {self.told(url)} failed: {told}") from OSError(told)
        return response

    def _refused(self, method: str, url: str, error: httpx.HTTPStatusError) -> SourceError:
        status = error.response.status_code
        hint = "; check `auth` and its variables" if status in {401, 403} else ""
        said = scrubbed(error.response.text, *self._secrets)[:200]
        answer = f"{status} {error.response.reason_phrase}{hint}{' (' + said + ')' if said else ''}"
        return SourceError(f"source {self._source.name!r}: {method} {self.told(url)} was answered with {answer}")

    def _pace(self) -> None:
        """Wait for this request's turn."""
        now = time.monotonic()
        if self._next_at > now:
            time.sleep(self._next_at - now)
        self._next_at = max(now, self._next_at) + self._apart_s


def _origin(url: str) -> tuple[str, str, int | None]:
    """Tell servers apart: another scheme or port could read the token as well as another host."""
    parts = httpx.URL(url)
    return parts.scheme, parts.host, parts.port


def _wait_before_again(error: Exception) -> bool | float:
    """Say whether to try again, and after how many seconds where the vendor says so."""
    if isinstance(error, httpx.HTTPStatusError):
        if error.response.status_code not in _PASSING:
            return False
        wanted = retry_after_s(error.response.headers.get("Retry-After"), datetime.now(UTC))
        return True if wanted is None else wanted if wanted <= _LONGEST_WAIT_S else False
    return isinstance(error, httpx.TransportError)


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Read a Retry-After header (RFC 9110: seconds or a date) as seconds from ``now``; ``None`` without a usable one."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())


def _credentials(auth: Auth | None) -> dict[str, Any]:
    if auth is None:
        return {}
    if auth.bearer:
        return {"headers": {"Authorization": f"Bearer {secret(auth.bearer)}"}}
    if auth.basic:
        return {"auth": (secret(auth.basic.user), secret(auth.basic.password))}
    if auth.header and auth.key:
        return {"headers": {auth.header: secret(auth.key)}}
    raise SourceError("auth needs bearer: NAME, or basic: {user: NAME, password: NAME}, or header: HEADER and key: NAME")


def _names(auth: Auth | None) -> list[str]:
    if auth is None:
        return []
    listed = [auth.bearer, auth.key, *((auth.basic.user, auth.basic.password) if auth.basic else ())]
    return [f"${name}" for name in listed if name]
