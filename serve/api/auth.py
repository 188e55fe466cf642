"""Bearer tokens and roles: a route without a guard is open, so every route under ``/v1`` carries one (a test)."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from serve.api.problems import Problem
from serve.domain.users import EVERYONE, Role, User
from serve.ports import Tokens

Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]

_SCHEME = "bearer "


def requires(*roles: Role, throttled: bool = True) -> Guard:
    """Build a guard that lets in valid tokens of these roles (none given = any role) and sets ``request.user``.

    Raises ``Problem`` 401 without a valid token, 403 with a valid one of another role, 429 for one that asks too often. Nothing
    may stand in the way of a route that stops things: it is not ``throttled``.
    """
    allowed = frozenset(roles or EVERYONE)

    async def guard(connection: Connection, _: BaseRouteHandler) -> None:
        user = await authenticate(connection)
        if user.role not in allowed:
            needed = ", ".join(sorted(allowed))
            raise Problem(
                403, "forbidden", "Not allowed", f"The role {user.role.value!r} may not do this; it takes one of: {needed}"
            )
        throttle = connection.app.state.get("throttle")
        if throttled and throttle is not None:
            throttle.take(user.token_id)
        connection.scope["user"] = user

    return guard


async def authenticate(connection: Connection) -> User:
    """Give the bearer of the request's token, or raise ``Problem`` 401."""
    header = connection.headers.get("authorization", "")
    if not header:
        raise _unauthorised("Send the header 'Authorization: Bearer <token>'")
    if header[: len(_SCHEME)].lower() != _SCHEME:
        raise _unauthorised("The Authorization header must read 'Bearer <token>'")
    tokens = cast("Tokens", connection.app.state.tokens)
    secret = header[len(_SCHEME) :].strip()
    user = tokens.remembered(secret) or await tokens.verify(secret)
    if user is None:
        raise _unauthorised("The token is unknown, revoked or expired")
    return user


def _unauthorised(detail: str) -> Problem:
    return Problem(401, "unauthorised", "No valid token", detail, headers={"WWW-Authenticate": "Bearer"})
