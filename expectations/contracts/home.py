"""Where everything lives under ``SOTTO_HOME``: one place for the layout, two parts that keep to it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """The state folder. ``flows`` writes landing, warehouse, quarantine and snapshots; ``serve`` writes the journal."""

    root: Path

    @property
    def landing(self) -> Path:
        """Immutable Parquet by source and table, each batch with its receipt."""
        return self.root / "landing"

    @property
    def quarantine(self) -> Path:
        """Rows refused, as Parquet, with the reason for each."""
        return self.root / "quarantine"

    @property
    def warehouse(self) -> Path:
        """The DuckDB file that dbt builds; only ``flows`` opens it for writing."""
        return self.root / "warehouse.duckdb"

    @property
    def snapshots(self) -> Path:
        """One folder per published snapshot."""
        return self.root / "snapshots"

    @property
    def current(self) -> Path:
        """The file that names the snapshot to serve; replaced atomically."""
        return self.snapshots / "CURRENT"

    @property
    def cited(self) -> Path:
        """Which snapshots the journal's recommendations stand on, as far as ``flows`` has read it; made anew when it is gone."""
        return self.root / "cited_snapshots.json"

    @property
    def journal(self) -> Path:
        """The SQLite file with the hash-chained events; only ``serve`` writes it."""
        return self.root / "journal.db"

    @property
    def fix(self) -> Path:
        """FIX session stores, logs and the trimmed dictionary."""
        return self.root / "fix"

    @property
    def rules(self) -> Path:
        """Every version of the rule book that was in force, each in a folder of its name; only ``serve`` writes it."""
        return self.root / "rules"

    @property
    def tokens(self) -> Path:
        """API tokens: identifiers, roles, desks and hashes; never the secrets."""
        return self.root / "tokens.json"

    @property
    def data_docs(self) -> Path:
        """Self-contained pages that show each gate run."""
        return self.root / "data_docs"

    @property
    def backfill(self) -> Path:
        """Past days' scorecards: a snapshot per day under ``days``, their history under ``scorecards``; CURRENT never names one."""
        return self.root / "backfill"
