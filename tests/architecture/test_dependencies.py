"""What is installed: constraints that hold everywhere and name no host."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.architecture.project import pyproject, read

CONSTRAINTS = [line for line in read(Path("constraints.txt")).splitlines() if line.strip()]
PYTHONS = ["3.11.9", "3.12.9", "3.13.2"]


def wanted() -> list[Requirement]:
    project = pyproject()["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    return [Requirement(line) for line in (*project["dependencies"], *extras)]


def pinned(python: str) -> dict[str, Version]:
    """Give the version that the constraints pin for each package on Linux with this Python."""
    environment = {"python_full_version": python, "python_version": python.rpartition(".")[0], "sys_platform": "linux"}
    found: dict[str, Version] = {}
    for line in CONSTRAINTS:
        constraint = Requirement(line)
        if constraint.marker is None or constraint.marker.evaluate(environment):
            name = canonicalize_name(constraint.name)
            assert name not in found, f"{name} is pinned twice for Python {python}"
            found[name] = Version(next(iter(constraint.specifier)).version)
    return found


def test_constraints_are_pins_without_hosts_or_paths() -> None:
    assert [line for line in CONSTRAINTS if not re.fullmatch(r"[a-z0-9._-]+==[\w.!+]+( ; .+)?", line) or "://" in line] == []


@pytest.mark.parametrize("python", PYTHONS)
def test_constraints_cover_every_dependency(python: str) -> None:
    versions = pinned(python)
    uncovered = [
        str(requirement)
        for requirement in wanted()
        if (requirement.marker is None or requirement.marker.evaluate({"sys_platform": "linux"}))
        and not (
            (version := versions.get(canonicalize_name(requirement.name)))
            and requirement.specifier.contains(version, prereleases=True)
        )
    ]
    assert uncovered == []


def test_no_lock_file_that_names_hosts_is_kept() -> None:
    assert "uv.lock" in read(Path(".gitignore")).splitlines()
