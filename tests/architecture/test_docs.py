"""What the documents say is there: links, commands, options, make targets."""

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

import sotto
from tests.architecture.project import ROOT, pyproject, read, tracked

DOCUMENTS = [path for path in tracked() if path.suffix == ".md"]
# A word that a reader replaces: ORDER.json, <id>, [--option], ...
REPLACED = re.compile(r"[A-Z]|[<>…]|\.\.\.")


def snippets(text: str) -> list[str]:
    """Give the lines of code blocks and the inline code of a document, without what leads to a command."""
    blocks = [line for block in re.findall(r"^```[^\n]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE) for line in block.splitlines()]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    inline = re.findall(r"`([^`\n]+)`", prose)
    return [re.sub(r"^(?:\$ )?(?:\w+=\S+ )*(?:\.venv/bin/)?", "", code.strip()) for code in (*blocks, *inline)]


def commands_named(text: str) -> list[list[str]]:
    """Give each ``sotto ...`` command as words, without brackets of optional parts and without comments."""
    named = [code for code in snippets(text) if re.match(r"sotto [a-z-]", code)]
    return [shlex.split(re.sub(r"[\[\]]", "", code.partition("|")[0]), comments=True)[1:] for code in named]


@cache
def program() -> Any:
    return typer.main.get_command(sotto.app)


def fault(words: list[str]) -> str | None:
    """Say what is wrong with a command line; ``None`` where every subcommand and option exists."""
    command, left = program(), list(words)
    while hasattr(command, "commands") and left and not left[0].startswith("-"):
        name = left.pop(0)
        if name not in command.commands:
            return f"no command {name!r}"
        command = command.commands[name]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    unknown = [word for word in left if word.startswith("--") and word.partition("=")[0] not in known]
    return f"no option {unknown[0]} of {command.name}" if unknown else None


def targets() -> set[str]:
    return set(re.findall(r"^([a-z][\w-]*):", read(Path("Makefile")), re.MULTILINE))


def slug(heading: str) -> str:
    """Write a heading as the anchor that renderers of Markdown give it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower().replace("`", "")).replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"^```.*?^```", "", read(document), flags=re.DOTALL | re.MULTILINE)
    broken = []
    for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        there = (ROOT / document).parent / place if place else ROOT / document
        if not there.exists() or (
            anchor
            and anchor not in {slug(line) for line in re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)}
        ):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_commands_named_exist(document: Path) -> None:
    faults = {" ".join(words): found for words in commands_named(read(document)) if (found := fault(words))}
    assert faults == {}


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_make_targets_named_exist(document: Path) -> None:
    named = [word for code in snippets(read(document)) if code.startswith("make ") for word in code.partition("#")[0].split()[1:]]
    missing = [word for word in named if "=" not in word and not word.startswith("-") and not REPLACED.search(word)]
    assert set(missing) - targets() == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_files_named_exist(document: Path) -> None:
    folders = {path.parts[0] for path in tracked() if len(path.parts) > 1}
    named = {
        code for code in snippets(read(document)) if re.fullmatch(r"[\w.]+/[\w./-]*\w", code) and code.split("/")[0] in folders
    }
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_the_faults_of_a_document_would_be_noticed() -> None:
    text = "Use `sotto refresh --as-of NOW --nope` or\n```console\n$ SOTTO_HOME=x .venv/bin/sotto vanish   # gone\n```\n"
    assert [fault(words) for words in commands_named(text)] == ["no command 'vanish'", "no option --nope of refresh"]


def test_the_readme_is_there_and_names_the_two_commands() -> None:
    named = snippets(read(Path(pyproject()["project"]["readme"])))
    assert {"make demo", "make test"} <= set(named)


def test_make_runs_what_the_checks_promise() -> None:
    assert {"demo", "test", "check", "serve", "bench", "clean"} <= targets()
