"""Tokens on disk: who holds one, for what, until when. Only hashes are kept, so a lost token cannot be read back."""

import asyncio
import hashlib
import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from serve.domain.users import Role, User

_PREFIX = "sotto"
# The secret has 256 random bits, so the hash need not be slow to be safe: memory is kept small for many replicas.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_MAX_SECRET = 200
_MAX_REMEMBERED = 1_000


class TokensBroken(Exception):
    """The tokens file cannot be used; the message says why."""


class StoredToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token as it lies in the file."""

    token_id: str
    name: str
    role: Role
    desk: str
    created_at: datetime
    expires_at: datetime
    hash: str

    @property
    def user(self) -> User:
        """The bearer."""
        return User(token_id=self.token_id, name=self.name, role=self.role, desk=self.desk, expires_at=self.expires_at)


class TokenFile:
    """The tokens of a home folder. A change to the file, by this process or another, is seen at the next request."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stored: dict[str, StoredToken] = {}
        self._read_at = -1
        self._remembered: dict[bytes, User] = {}

    def remembered(self, secret: str) -> User | None:
        """Give the bearer of a token that was verified before and is still valid."""
        self._reload()
        user = self._remembered.get(_digest(secret))
        return user if user and user.expires_at > datetime.now(UTC) else None

    async def verify(self, secret: str) -> User | None:
        """Give the bearer of a token, or ``None`` where it is unknown, revoked or expired."""
        self._reload()
        stored = self._stored.get(_id_of(secret))
        if stored is None or stored.expires_at <= datetime.now(UTC) or not await asyncio.to_thread(_matches, stored.hash, secret):
            return None
        if len(self._remembered) >= _MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[_digest(secret)] = stored.user
        return stored.user

    def create(self, name: str, role: Role, desk: str, lasts: timedelta) -> str:
        """Make a token and give its secret, which is shown this once."""
        self._reload()
        token_id, now = secrets.token_hex(8), datetime.now(UTC)
        secret = f"{_PREFIX}_{token_id}_{secrets.token_urlsafe(32)}"
        token = StoredToken(
            token_id=token_id, name=name, role=role, desk=desk, created_at=now, expires_at=now + lasts, hash=_HASHER.hash(secret)
        )
        self._write({**self._stored, token_id: token})
        return secret

    def rotate(self, token_id: str, lasts: timedelta, overlap: timedelta) -> str | None:
        """Make a token for the same bearer and let the old one go after ``overlap``; give the new secret, shown this once.

        ``None`` where there is no such token. An old one that ends earlier keeps its end.
        """
        self._reload()
        old = self._stored.get(token_id)
        if old is None:
            return None
        secret = self.create(old.name, old.role, old.desk, lasts)
        self._reload()
        ending = msgspec.structs.replace(old, expires_at=min(old.expires_at, datetime.now(UTC) + overlap))
        self._write({**self._stored, token_id: ending})
        return secret

    def listed(self) -> list[User]:
        """Give every token's bearer, expired ones too, oldest first."""
        self._reload()
        return [token.user for token in sorted(self._stored.values(), key=lambda token: token.created_at)]

    def revoke(self, token_id: str) -> bool:
        """Take a token away for good; say whether there was one."""
        self._reload()
        if token_id not in self._stored:
            return False
        self._write({key: token for key, token in self._stored.items() if key != token_id})
        return True

    def _reload(self) -> None:
        try:
            written = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            self._stored, self._remembered, self._read_at = {}, {}, -1
            return
        if written == self._read_at:
            return
        try:
            tokens = msgspec.json.decode(self._path.read_bytes(), type=list[StoredToken])
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as exc:
            raise TokensBroken(f"{self._path} cannot be read: {exc}; restore it, or remove it and make new tokens") from exc
        self._stored, self._remembered, self._read_at = {token.token_id: token for token in tokens}, {}, written

    def _write(self, tokens: dict[str, StoredToken]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(f"{self._path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(msgspec.json.format(msgspec.json.encode(list(tokens.values()))))
        fresh.replace(self._path)
        self._read_at = -1


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _id_of(secret: str) -> str:
    parts = secret.split("_", 2)
    return parts[1] if len(parts) == 3 and parts[0] == _PREFIX and len(secret) <= _MAX_SECRET else ""


def _matches(stored: str, secret: str) -> bool:
    try:
        return _HASHER.verify(stored, secret)
    except (VerificationError, InvalidHashError):
        return False
