"""Files that are there, whole, after a power cut too."""

import os
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Write a file and wait until it is on the disk; whoever reads it meanwhile may see a part."""
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def replace(path: Path, content: bytes) -> None:
    """Put a file in its place at once: it is the old one or the new one, whole, for every reader and after a power cut."""
    written = path.with_name(f".{path.name}")
    write(written, content)
    written.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Wait until a file, or what a folder lists, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
