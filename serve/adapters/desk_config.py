"""What a desk decides by, from its configuration folder or from the journal; every version in force is kept for replay."""

import hashlib
import re
from pathlib import Path

import msgspec
import yaml

from serve.adapters.rule_nodes import MAX_BYTES, too_large
from serve.adapters.rules import read_rule_book
from serve.domain.advise import Desk
from serve.domain.exploration import Exploration
from serve.domain.liquidity import Thresholds

_VERSION = re.compile(r"[0-9a-f]{16}")
_FILES = ("rules.yml", "scoring.yml")
_CONFIGURED = "; set SOTTO_CONFIG to the folder that holds it"


class DeskConfigRefused(LookupError):
    """A configuration file that is missing or wrong; the message names it."""


def read_desk(
    rules: str, scoring: str, *, rules_name: str = "rules", scoring_name: str = "scoring", was_in_force: bool = False
) -> Desk:
    """Read a rule book and thresholds. Raises ``RuleBookRefused`` or ``DeskConfigRefused``.

    The version is a hash over both texts: either can change an answer.
    """
    version = hashlib.sha256(f"{rules}\0{scoring}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
    book = read_rule_book(rules, rules_name, version, was_in_force=was_in_force)
    read = _scoring(scoring, scoring_name)
    return Desk(book=book, thresholds=read.illiquid, source=rules, scoring=scoring, exploration=read.exploration)


def load_desk(rules: Path, scoring: Path) -> Desk:
    """Read the configuration's two files. Raises ``RuleBookRefused`` or ``DeskConfigRefused``."""
    texts = _read(rules, _CONFIGURED), _read(scoring, _CONFIGURED)
    return read_desk(*texts, rules_name=str(rules), scoring_name=str(scoring))


def load_draft(rules: Path, scoring: Path) -> Desk:
    """Read a rule book named by its path, with the configuration's thresholds. Raises like ``load_desk``."""
    texts = _read(rules), _read(scoring, _CONFIGURED)
    return read_desk(*texts, rules_name=str(rules), scoring_name=str(scoring))


def keep_version(kept: Path, desk: Desk) -> None:
    """Write a version's texts to ``kept/<version>/``, once."""
    folder = kept / desk.book.version
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in zip(_FILES, (desk.source, desk.scoring), strict=True):
        if not (folder / name).exists():
            fresh = folder / f"{name}.new"
            fresh.write_text(text, encoding="utf-8", newline="")
            fresh.replace(folder / name)


def load_version(kept: Path, version: str) -> Desk:
    """Read a version that was in force. Raises ``DeskConfigRefused`` where it was not kept."""
    folder = kept / version
    if not _VERSION.fullmatch(version) or not folder.is_dir():
        raise DeskConfigRefused(f"version {version} of the rules was not kept under {kept}")
    paths = folder / _FILES[0], folder / _FILES[1]
    texts = _read(paths[0]), _read(paths[1])
    return read_desk(*texts, rules_name=str(paths[0]), scoring_name=str(paths[1]), was_in_force=True)


class DeskFiles:
    """The version in force, at first that of the configuration files, and those that were in force before."""

    def __init__(self, rules: Path, scoring: Path, kept: Path) -> None:
        self._kept, self._files = kept, load_desk(rules, scoring)
        self._current = self._files
        self._older: dict[str, Desk] = {}
        keep_version(kept, self._files)

    def current(self) -> Desk:
        """Give the rules and thresholds in force."""
        return self._current

    def of_files(self) -> Desk:
        """Give what the configuration files held when this was made."""
        return self._files

    def read(self, rules: str, scoring: str, *, was_in_force: bool = False) -> Desk:
        """Parse and check a version. Raises ``RuleBookRefused`` or ``DeskConfigRefused``."""
        name = "an earlier version of the rules" if was_in_force else "rules"
        return read_desk(rules, scoring, rules_name=name, was_in_force=was_in_force)

    def use(self, desk: Desk) -> None:
        """Keep a version for replay and put it in force."""
        keep_version(self._kept, desk)
        self._current = desk

    def get(self, version: str) -> Desk:
        """Give a version that was in force. Raises ``DeskConfigRefused`` or ``RuleBookRefused`` where it was not kept whole."""
        if version == self._current.book.version:
            return self._current
        if version not in self._older:
            self._older[version] = load_version(self._kept, version)
        return self._older[version]


def _read(path: Path, where_missing: str = "") -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DeskConfigRefused(f"{path}:1:1: {too_large(path.stat().st_size)}")
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError as exc:
        raise DeskConfigRefused(f"{path} is missing{where_missing}") from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise DeskConfigRefused(f"{path} cannot be read: {exc}") from exc


class _Scoring(msgspec.Struct, forbid_unknown_fields=True):
    illiquid: Thresholds
    exploration: Exploration = Exploration()


def _scoring(text: str, name: str) -> _Scoring:
    try:
        return msgspec.convert(yaml.safe_load(text), _Scoring)
    except yaml.YAMLError as exc:
        raise DeskConfigRefused(f"{name}: not valid YAML: {exc}") from exc
    except msgspec.ValidationError as exc:
        raise DeskConfigRefused(f"{name}: {exc}") from exc
