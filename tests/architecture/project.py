"""The project as files: what is tracked, what is source, what is a document, what dbt declares."""

import ast
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DBT = ROOT / "dbt"

# Other people's files, kept as they came.
VENDORED = ("swagger-ui",)


@cache
def tracked() -> tuple[Path, ...]:
    """Give every tracked file that is there, relative to the root, other people's apart."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = (Path(name) for name in listed.split("\0") if name)
    return tuple(path for path in paths if (ROOT / path).is_file() and not path.name.startswith(VENDORED))


def under(*folders: str, suffix: str = ".py") -> list[Path]:
    """Give the tracked files with this suffix under these folders, or files of these names."""
    return [path for path in tracked() if path.suffix == suffix and (path.parts[0] in folders or path.name in folders)]


def read(path: Path) -> str:
    """Read one file, named relative to the root; what is not text reads as empty."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def parsed(path: Path) -> ast.Module:
    """Parse one Python file."""
    return ast.parse(read(path), filename=str(path))


def imported(path: Path) -> set[str]:
    """Name the top-level packages that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


@cache
def pyproject() -> dict[str, Any]:
    """Read pyproject.toml."""
    return tomllib.loads(read(Path("pyproject.toml")))


@cache
def dbt_project() -> dict[str, Any]:
    """Read dbt_project.yml."""
    project: dict[str, Any] = yaml.safe_load(read(Path("dbt/dbt_project.yml")))
    return project


@cache
def declared(kind: str) -> dict[str, dict[str, Any]]:
    """Give what the yml files under dbt/ declare of a kind (models, unit_tests, ...), by name."""
    found: dict[str, dict[str, Any]] = {}
    for path in under("dbt", suffix=".yml"):
        for entry in (yaml.safe_load(read(path)) or {}).get(kind, []) if path.name != "dbt_project.yml" else []:
            assert entry["name"] not in found, f"{entry['name']} is declared twice"
            found[entry["name"]] = entry | {"path": path}
    return found


def models(folder: str = "models") -> dict[str, Path]:
    """Give the SQL models under a folder of dbt/ by name."""
    return {path.stem: path for path in under("dbt", suffix=".sql") if path.is_relative_to(Path("dbt") / folder)}


def data_tests_of(model: dict[str, Any]) -> list[tuple[str | None, str, dict[str, Any]]]:
    """List a model's data tests as (column or None, kind, arguments)."""
    listed: list[tuple[str | None, str, dict[str, Any]]] = []
    for column in [{"name": None, "data_tests": model.get("data_tests", [])}, *model["columns"]]:
        for test in column.get("data_tests", []):
            kind, body = next(iter(test.items())) if isinstance(test, dict) else (test, {})
            listed.append((column["name"], kind, body.get("arguments", {})))
    return listed
