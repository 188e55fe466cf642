"""Settings of the service, from the environment (``SOTTO_...``) and from the command's own options."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from expectations.contracts.home import Home
from expectations.contracts.snapshot import MAX_AGE_HOURS


class ServiceRole(StrEnum):
    """What a process does: recommend dealers, run RFQs, or both."""

    RECOMMEND = "recommend"
    DESK = "desk"


class Settings(BaseSettings):
    """Where things are and how the service runs. Durations say their unit in the name."""

    model_config = SettingsConfigDict(env_prefix="SOTTO_", frozen=True, extra="ignore")

    home: Path = Path(".sotto")
    config: Path = Path(__file__).resolve().parent.parent / "config"
    host: str = "127.0.0.1"
    port: int = Field(default=8420, ge=0, le=65535)
    roles: Annotated[tuple[ServiceRole, ...], NoDecode] = (ServiceRole.RECOMMEND, ServiceRole.DESK)
    clock_speed: float = Field(default=1.0, gt=0)
    clock_start: datetime | None = None
    venue: str = Field(default="sim", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    fix_host: str | None = None
    fix_port: int | None = Field(default=None, ge=1, le=65535)
    snapshot_poll_s: float = Field(default=1.0, gt=0)
    snapshot_max_age_hours: float = Field(default=MAX_AGE_HOURS, gt=0)
    max_body_bytes: int = Field(default=256 * 1024, gt=0)
    rate_per_s: float = Field(default=1000.0, gt=0)
    rate_burst: float = Field(default=5000.0, ge=1)
    jwt_issuer: str | None = None
    jwt_keys: str | None = None
    jwt_audience: str = "sotto"
    jwt_role_claim: str = "role"
    jwt_desk_claim: str = "desk"
    log_level: str = "INFO"

    @field_validator("roles", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",")] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _issuer_has_keys(self) -> Self:
        if (self.jwt_issuer is None) != (self.jwt_keys is None):
            raise ValueError("jwt_issuer and jwt_keys (a JWKS or PEM file, or a JWKS URL) go together: set both or neither")
        return self

    @property
    def state(self) -> Home:
        """The layout under ``home``."""
        return Home(self.home)

    @property
    def rules_file(self) -> Path:
        """The rule book in force."""
        return self.config / "rules.yml"

    @property
    def scoring_file(self) -> Path:
        """The thresholds in force."""
        return self.config / "scoring.yml"
