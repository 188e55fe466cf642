"""Settings of the flows: environment variables that begin with SOTTO_, read when a flow starts."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from expectations.contracts.home import Home
from expectations.contracts.snapshot import MAX_AGE_HOURS

PROJECT = Path(__file__).resolve().parent.parent


_MEGABYTES = {"K": 0.001, "M": 1, "G": 1000, "T": 1_000_000}


class Basics(BaseSettings):
    """What a notice needs: it must go out even where another setting cannot be used."""

    model_config = SettingsConfigDict(env_prefix="SOTTO_", frozen=True)

    home: Path = Path(".sotto")
    webhook_url: SecretStr | None = None

    @property
    def state(self) -> Home:
        """The state folder's layout, absolute: dbt resolves relative paths from elsewhere."""
        return Home(self.home.resolve())


class FlowSettings(Basics):
    """Where state and configuration live, and how far a delivery may be off before it is held back."""

    config: Path = PROJECT / "config"
    dbt_project: Path = PROJECT / "dbt"
    duckdb_memory: str = Field(default="2500MB", pattern=r"^(?i)[0-9]+([.][0-9]+)? ?[KMGT]i?B$")
    duckdb_threads: int = Field(default=2, ge=1)
    build_step_rows: int = Field(default=4_000_000, ge=1)
    # The service may still decide by the one before the current one.
    keep_snapshots: int = Field(default=50, ge=2)
    snapshot_max_age_hours: float = Field(default=MAX_AGE_HOURS, gt=0)

    @property
    def duckdb_limits(self) -> dict[str, str | bool | int | float | list[str]]:
        """What DuckDB may take, as ``duckdb.connect`` has it."""
        return {"memory_limit": self.duckdb_memory, "threads": self.duckdb_threads}

    def share_of_memory(self, parts: int) -> str:
        """Give one of so many equal parts of ``duckdb_memory``, in whole megabytes."""
        written = self.duckdb_memory.upper().removesuffix("B").removesuffix("I")
        return f"{max(int(float(written[:-1]) * _MEGABYTES[written[-1]] / parts), 1)}MB"
