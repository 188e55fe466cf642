"""Settings of the flows: environment variables that begin with SOTTO_, read when a flow starts."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from expectations.contracts.home import Home
from expectations.contracts.snapshot import MAX_AGE_HOURS

PROJECT = Path(__file__).resolve().parent.parent


class FlowSettings(BaseSettings):
    """Where state and configuration live, and how far a delivery may be off before it is held back."""

    model_config = SettingsConfigDict(env_prefix="SOTTO_", frozen=True)

    home: Path = Path(".sotto")
    config: Path = PROJECT / "config"
    dbt_project: Path = PROJECT / "dbt"
    duckdb_memory: str = "2500MB"
    duckdb_threads: int = Field(default=2, ge=1)
    build_step_rows: int = Field(default=4_000_000, ge=1)
    # The service may still decide by the one before the current one.
    keep_snapshots: int = Field(default=50, ge=2)
    webhook_url: SecretStr | None = None
    snapshot_max_age_hours: float = Field(default=MAX_AGE_HOURS, gt=0)

    @property
    def duckdb_limits(self) -> dict[str, str | bool | int | float | list[str]]:
        """What DuckDB may take, as ``duckdb.connect`` has it."""
        return {"memory_limit": self.duckdb_memory, "threads": self.duckdb_threads}

    @property
    def state(self) -> Home:
        """The state folder's layout, absolute: dbt resolves relative paths from elsewhere."""
        return Home(self.home.resolve())
