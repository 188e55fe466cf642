"""The command, run as a user runs it."""

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def sotto(home: Path, *arguments: str, timeout: float = 280, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run ``sotto`` in the project's folder with its state under ``home``."""
    return subprocess.run(
        [sys.executable, "-m", "sotto", *arguments],
        cwd=PROJECT,
        env={**os.environ, "SOTTO_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
