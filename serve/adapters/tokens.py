"""Tokens on disk: who holds one, for what, until when. Only hashes are kept, so a lost token cannot be read back."""

import asyncio
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from filelock import FileLock, Timeout

from serve.domain.users import Role, User

_PREFIX = "sotto"
# The secret has 256 random bits, so the hash need not be slow to be safe: memory is kept small for many replicas.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_MAX_SECRET = 200
_MAX_REMEMBERED = 1_000
_LOCK_S = 10


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
        self._read_at: tuple[int, ...] = ()
        self._remembered: dict[bytes, User] = {}

    def remembered(self, secret: str) -> User | None:
        """Give the bearer of a token that was verified before and is still valid."""
        self._reload()
        user = self._remembered.get(_digest(secret))
        return user if user and user.expires_at > datetime.now(UTC) else None

    async def verify(self, secret: str) -> User | None:
        """Give the bearer of a token, or ``None`` where it is unknown, revoked or expired."""
        stored = self._valid(secret)
        if stored is None or not await asyncio.to_thread(_matches, stored.hash, secret):
            return None
        # It may have been revoked while it was verified, and the file read since.
        now = self._valid(secret)
        if now is None or now.hash != stored.hash:
            return None
        if len(self._remembered) >= _MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[_digest(secret)] = now.user
        return now.user

    def create(self, name: str, role: Role, desk: str, lasts: timedelta) -> str:
        """Make a token and give its secret, which is shown this once."""
        secret, hashed = _new_secret()
        with self._changing():
            now = datetime.now(UTC)
            token = StoredToken(
                token_id=_id_of(secret), name=name, role=role, desk=desk, created_at=now, expires_at=now + lasts, hash=hashed
            )
            self._write({**self._stored, token.token_id: token})
        return secret

    def rotate(self, token_id: str, lasts: timedelta, overlap: timedelta) -> str | None:
        """Make a token for the same bearer and let the old one go after ``overlap``; give the new secret, shown this once.

        ``None`` where there is no such token. An old one that ends earlier keeps its end.
        """
        if not self._path.exists():
            return None
        secret, hashed = _new_secret()
        with self._changing():
            old = self._stored.get(token_id)
            if old is None:
                return None
            now = datetime.now(UTC)
            ending = msgspec.structs.replace(old, expires_at=min(old.expires_at, now + overlap))
            new = msgspec.structs.replace(old, token_id=_id_of(secret), created_at=now, expires_at=now + lasts, hash=hashed)
            self._write({**self._stored, token_id: ending, new.token_id: new})
        return secret

    def listed(self) -> list[User]:
        """Give every token's bearer, expired ones too, oldest first."""
        self._reload()
        return [token.user for token in sorted(self._stored.values(), key=lambda token: token.created_at)]

    def revoke(self, token_id: str) -> bool:
        """Take a token away for good; say whether there was one."""
        if not self._path.exists():
            return False
        with self._changing():
            if token_id not in self._stored:
                return False
            self._write({key: token for key, token in self._stored.items() if key != token_id})
        return True

    def _valid(self, secret: str) -> StoredToken | None:
        self._reload()
        stored = self._stored.get(_id_of(secret))
        return stored if stored and stored.expires_at > datetime.now(UTC) else None

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Hold the file against every other change, as it now stands: what another process wrote is not undone."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self._path.with_name(f"{self._path.name}.lock"), timeout=_LOCK_S):
                self._reload()
                yield
        except Timeout as exc:
            raise TokensBroken(f"{self._path} is being changed by another process; try again") from exc

    def _reload(self) -> None:
        try:
            seen = self._path.stat()
        except FileNotFoundError:
            self._stored, self._remembered, self._read_at = {}, {}, ()
            return
        # Two changes can fall into one tick of the file system's clock; the second is another file.
        written = (seen.st_mtime_ns, seen.st_ino, seen.st_size)
        if written == self._read_at:
            return
        try:
            tokens = msgspec.json.decode(self._path.read_bytes(), type=list[StoredToken])
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as exc:
            raise TokensBroken(f"{self._path} cannot be read: {exc}; restore it, or remove it and make new tokens") from exc
        self._stored, self._remembered, self._read_at = {token.token_id: token for token in tokens}, {}, written

    def _write(self, tokens: dict[str, StoredToken]) -> None:
        fresh = self._path.with_name(f"{self._path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(msgspec.json.format(msgspec.json.encode(list(tokens.values()))))
        fresh.replace(self._path)
        self._read_at = ()


def _new_secret() -> tuple[str, str]:
    secret = f"{_PREFIX}_{secrets.token_hex(8)}_{secrets.token_urlsafe(32)}"
    return secret, _HASHER.hash(secret)


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
