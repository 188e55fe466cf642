"""Anchors: heads of the journal's chain, noted in a file that whoever writes the journal cannot rewrite."""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from serve.adapters.chain import time_text


class AnchorsError(ValueError):
    """A file of anchors that cannot be read or written; the message names the line."""


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """The chain's end at a time: one line of JSON."""

    at: str
    seq: int
    hash: str


def append_anchor(path: Path, seq: int, head: str, at: datetime) -> Anchor:
    """Add a line to the file and flush it to disk. Raises ``AnchorsError``."""
    anchor = Anchor(at=time_text(at), seq=seq, hash=head)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as out:
            out.write(msgspec.json.encode(anchor) + b"\n")
            out.flush()
            os.fsync(out.fileno())
    except OSError as exc:
        raise AnchorsError(f"{path} cannot be written: {exc.strerror or exc}") from exc
    return anchor


def read_anchors(path: Path) -> Mapping[int, str]:
    """Give each anchored sequence number's hash. Raises ``AnchorsError``, also where two lines contradict each other."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as exc:
        raise AnchorsError(f"{path} cannot be read: {exc.strerror or exc}") from exc
    noted: dict[int, str] = {}
    for number, line in enumerate(lines, start=1):
        try:
            anchor = msgspec.json.decode(line, type=Anchor)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise AnchorsError(f"{path}:{number}: not an anchor, such as 'sotto audit anchor' writes: {exc}") from exc
        if anchor.seq and noted.setdefault(anchor.seq, anchor.hash) != anchor.hash:
            raise AnchorsError(
                f"{path}:{number}: event {anchor.seq} was anchored with another hash before: one of the two is forged"
            )
    if not lines:
        raise AnchorsError(f"{path} holds no anchor: nothing can be checked against it")
    return noted
