"""What a desk decides by, from its configuration folder; every version that was in force is kept for replay."""

import hashlib
import re
from pathlib import Path

import msgspec
import yaml

from serve.adapters.rules import read_rule_book
from serve.domain.advise import Desk
from serve.domain.liquidity import Thresholds

_VERSION = re.compile(r"[0-9a-f]{16}")
_FILES = ("rules.yml", "scoring.yml")


class DeskConfigRefused(LookupError):
    """A configuration file that is missing or wrong; the message names it."""


def load_desk(rules: Path, scoring: Path) -> Desk:
    """Read the rule book and the thresholds. Raises ``RuleBookRefused`` or ``DeskConfigRefused``.

    The version is a hash over both files: either can change an answer.
    """
    texts = _read(rules), _read(scoring)
    version = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
    return Desk(book=read_rule_book(texts[0], str(rules), version), thresholds=_thresholds(texts[1], scoring), source=texts[0])


def keep_version(kept: Path, rules: Path, scoring: Path, desk: Desk) -> None:
    """Copy the files in force to ``kept/<version>/``, once."""
    folder = kept / desk.book.version
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in zip(_FILES, (rules, scoring), strict=True):
        if not (folder / name).exists():
            (folder / name).write_text(_read(source), encoding="utf-8")


def load_version(kept: Path, version: str) -> Desk:
    """Read a version that was in force. Raises ``DeskConfigRefused`` where it was not kept."""
    folder = kept / version
    if not _VERSION.fullmatch(version) or not folder.is_dir():
        raise DeskConfigRefused(f"version {version} of the rules was not kept under {kept}")
    return load_desk(folder / _FILES[0], folder / _FILES[1])


class DeskFiles:
    """The configuration in force, kept aside at the start so that a replay finds it, and the versions kept before."""

    def __init__(self, rules: Path, scoring: Path, kept: Path) -> None:
        self._kept, self._current = kept, load_desk(rules, scoring)
        self._older: dict[str, Desk] = {}
        keep_version(kept, rules, scoring, self._current)

    def current(self) -> Desk:
        """Give the rules and thresholds in force."""
        return self._current

    def get(self, version: str) -> Desk:
        """Give a version that was in force. Raises ``DeskConfigRefused`` or ``RuleBookRefused`` where it was not kept whole."""
        if version == self._current.book.version:
            return self._current
        if version not in self._older:
            self._older[version] = load_version(self._kept, version)
        return self._older[version]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as exc:
        raise DeskConfigRefused(f"{path} is missing; set SOTTO_CONFIG to the folder that holds it") from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise DeskConfigRefused(f"{path} cannot be read: {exc}") from exc


class _Scoring(msgspec.Struct, forbid_unknown_fields=True):
    illiquid: Thresholds


def _thresholds(text: str, path: Path) -> Thresholds:
    try:
        return msgspec.convert(yaml.safe_load(text), _Scoring).illiquid
    except yaml.YAMLError as exc:
        raise DeskConfigRefused(f"{path}: not valid YAML: {exc}") from exc
    except msgspec.ValidationError as exc:
        raise DeskConfigRefused(f"{path}: {exc}") from exc
