"""Bearer tokens of the firm's own issuer: JWT with an asymmetric signature, by keys from a file or from a URL."""

import asyncio
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, TypeGuard
from urllib.parse import urlsplit

import httpx
import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from serve.adapters.tokens import TokensBroken
from serve.domain.users import Role, User
from serve.ports import Tokens

# Asymmetric only: a verifier that also took a shared secret could be handed the public key as one.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
_LEEWAY_S = 30
_KEYS_KEPT_S = 300.0
_ASK_AGAIN_S = 10.0
_MAX_TOKEN = 8_192
_MAX_REMEMBERED = 1_000
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class IssuerRefused(ValueError):
    """The issuer's settings cannot be used; the message says which and why."""


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a token must say: who issued it and for whom, and in which claims the role and the desk stand."""

    issuer: str
    audience: str
    role: str = "role"
    desk: str = "desk"


class Issuer:
    """Verifies an issuer's tokens. ``keys`` is a JWKS or PEM file, or the https URL of a JWKS.

    Raises ``IssuerRefused`` for a file that holds no public key. A URL is asked when the first token comes.
    """

    def __init__(self, keys: str, claims: Claims) -> None:
        self._where, self._claims = keys, claims
        self._is_url = "://" in keys
        self._keys: dict[str, Any] = {}
        self._read_at = self._asked_at = -_KEYS_KEPT_S
        self._remembered: dict[bytes, tuple[User, float]] = {}
        if not self._is_url:
            self._take(_read_file(Path(keys)))
        elif not _is_safe(keys):
            raise IssuerRefused(f"jwt_keys {keys!r} must be an https URL: keys that anyone on the way can change prove nothing")

    def remembered(self, secret: str) -> User | None:
        """Give the bearer of a token that was verified lately and has not expired."""
        user, until = self._remembered.get(_digest(secret), (None, 0.0))
        return user if user is not None and monotonic() < until and user.expires_at > datetime.now(UTC) else None

    async def verify(self, secret: str) -> User | None:
        """Give the bearer of a token, or ``None`` where anything about it is wrong. Raises ``TokensBroken`` without keys."""
        if len(secret) > _MAX_TOKEN:
            return None
        try:
            key = await self._key(jwt.get_unverified_header(secret))
            if key is None:
                return None
            read = jwt.decode(
                secret,
                key,
                algorithms=_ALGORITHMS,
                issuer=self._claims.issuer,
                audience=self._claims.audience,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
            user = self._user(read)
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, OSError):
            return None
        if user is not None:
            self._remember(secret, user)
        return user

    def _user(self, read: dict[str, Any]) -> User | None:
        name, role, desk = read["sub"], read.get(self._claims.role), read.get(self._claims.desk)
        if role not in list(Role) or not _is_name(desk, 64) or not _is_name(name, 200):
            return None
        # The leeway is for clocks that differ: a token is taken, and forgotten, that much after its own end.
        expires_at = datetime.fromtimestamp(read["exp"], UTC) + timedelta(seconds=_LEEWAY_S)
        bearer = f"{self._claims.issuer}#{name}"
        return User(token_id=bearer, name=name, role=Role(role), desk=desk, expires_at=expires_at)

    def _remember(self, secret: str, user: User) -> None:
        if len(self._remembered) >= _MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[_digest(secret)] = (user, self._read_at + _KEYS_KEPT_S if self._is_url else monotonic() + _KEYS_KEPT_S)

    async def _key(self, header: dict[str, Any]) -> Any:  # noqa: ANN401 - the library's key types share no base
        name = str(header.get("kid", ""))
        now = monotonic()
        stale = now - self._read_at >= _KEYS_KEPT_S
        # A forged token may name any key: the issuer is not asked more often for that.
        if self._is_url and (stale or name not in self._keys) and now - self._asked_at >= _ASK_AGAIN_S:
            self._asked_at = now
            await self._ask()
        if self._is_url and not self._keys:
            raise TokensBroken(f"the issuer's keys at {self._where} could not be read yet")
        if not name and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(name)

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(5), httpx.AsyncClient(follow_redirects=False) as client:
                answer = await client.get(self._where)
                answer.raise_for_status()
            self._take(_keys_in(answer.text, self._where))
        except (httpx.HTTPError, TimeoutError, IssuerRefused) as exc:
            if not self._keys:
                raise TokensBroken(f"the issuer's keys at {self._where} cannot be read: {exc}") from exc

    def _take(self, keys: dict[str, Any]) -> None:
        if set(keys) != set(self._keys):
            self._remembered.clear()
        self._keys, self._read_at = keys, monotonic()


class EitherTokens:
    """The service's own tokens and the issuer's: a secret of ours begins in a way that no JWT does."""

    def __init__(self, own: Tokens, issuer: Issuer) -> None:
        self._own, self._issuer = own, issuer

    def remembered(self, secret: str) -> User | None:
        """Give the bearer of a token that was verified before and is still valid."""
        return self._of(secret).remembered(secret)

    async def verify(self, secret: str) -> User | None:
        """Give the bearer of a token, or ``None``."""
        return await self._of(secret).verify(secret)

    def _of(self, secret: str) -> Tokens:
        return self._issuer if secret.count(".") == 2 else self._own


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return _keys_in(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as exc:
        raise IssuerRefused(f"jwt_keys {path} cannot be read: {exc}") from exc


def _keys_in(text: str, where: str) -> dict[str, Any]:
    try:
        if text.lstrip().startswith("-----BEGIN"):
            return {"": load_pem_public_key(text.encode())}
        keys = {key.key_id or "": key.key for key in jwt.PyJWKSet.from_dict(json.loads(text)).keys if key.key_type != "oct"}
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError, UnsupportedAlgorithm) as exc:
        raise IssuerRefused(f"jwt_keys {where} holds neither a JWKS nor a public key in PEM: {exc}") from exc
    if not keys:
        raise IssuerRefused(f"jwt_keys {where} holds no public key")
    return keys


def _is_name(value: object, most: int) -> TypeGuard[str]:
    return isinstance(value, str) and 1 <= len(value) <= most and value.isprintable()


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
