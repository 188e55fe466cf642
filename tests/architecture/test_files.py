"""Where files stand, how long they are, what they are called, and what must not be written in them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.architecture.project import DBT, ROOT, parsed, pyproject, read, tracked, under

SOURCE = ("demo", "expectations", "flows", "serve", "sim", "benchmarks", "sotto")
MODULE_LINES, TEST_LINES, FUNCTION_LINES, SQL_LINES = 250, 500, 60, 120

# Longer than the house allows: how long at most, and why.
LONG_MODULES = {
    "expectations/contracts/snapshot.py": (300, "the snapshot's contract: its tables declared one after the other, no logic"),
    "expectations/contracts/journal.py": (320, "the journal's contract: its events declared one after the other, no logic"),
    "expectations/contracts/sources.py": (320, "the source contract: its tables declared one after the other, no logic"),
    "serve/api/rfqs.py": (280, "one router: each handler decodes, calls the use case and answers"),
    "serve/domain/advise.py": (270, "the one path from an order to a recommendation, read from top to bottom"),
    "serve/domain/rules.py": (260, "the rule book's values and the one decision over them"),
    "serve/usecases/rule_book.py": (280, "one life cycle, from draft to roll-back, and one lock over it"),
}
LONG_FUNCTIONS = {
    "tests/fakes/recommendation.py:recommendation_made": "one whole recommendation as a literal",
}

# Hosts with a dot that may stand in a URL: this machine, a namespace that is never fetched, and domains that nobody has.
HOSTS = {"127.0.0.1", "www.w3.org"}
FAKE_DOMAINS = (".example", ".example.com", ".firm")

# Written so that the patterns do not match themselves.
REGISTRIES = re.compile(
    r"pypi[.]org|python[h]osted|npmjs[.]|yarnpkg[.]|ghcr[.]io|docker[.]io|/artifact[o]ry|index-ur[l]\s*=", re.IGNORECASE
)
MACHINE_PATHS = re.compile(r"(?<![\w.$}{/-])/(?:work|root|tmp|home|Users)(?=[/\s\"'`,;:)]|$)", re.MULTILINE)
HOW_IT_WAS_MADE = re.compile(
    r"\b[p]rompt(?:s|ed|ing)?\b|\b[C]laude\b|\b[A]nthropic\b|\b[O]penAI\b|\b[L]LMs?\b|\b[G]PT\b|\b[C]opilot\b"
    r"|\b(?:[c]oding|[A]I) (?:agent|assistant|session)s?\b|\b(?:last|next|previous|earlier|later|other) [s]ession\b"
    r"|\b[i]ssues? (?:no\. ?)?#?\d|\b[s]ub-?agents?\b|\b[p]ull request\b|\b(?:see|fix(?:es|ed)?|close[sd]?|resolve[sd]?) [#]\d",
    re.IGNORECASE,
)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def too_long(paths: list[Path], limit: int) -> dict[str, int]:
    lengths = {str(path): len(read(path).splitlines()) for path in paths}
    return {path: lines for path, lines in lengths.items() if lines > limit}


def lines_with(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()[:120]}"
        for path in paths
        for number, line in enumerate(read(path).splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_python_stands_under_dbt() -> None:
    # A package called dbt would hide dbt-core.
    assert [str(path) for path in DBT.rglob("*.py")] == []


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    assert [str(path) for path in tracked() if path.name in {"utils.py", "helpers.py", "common.py"}] == []


def test_modules_stay_readable_in_one_go() -> None:
    found = too_long(under(*SOURCE), MODULE_LINES) | too_long(under("tests"), TEST_LINES)
    assert {path: lines for path, lines in found.items() if lines > LONG_MODULES.get(path, (0, ""))[0]} == {}
    assert [path for path in LONG_MODULES if not (ROOT / path).is_file()] == []


def test_functions_stay_readable_in_one_go() -> None:
    found = {
        f"{path}:{function.name}"
        for path in under(*SOURCE, "tests")
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno >= FUNCTION_LINES
    }
    assert found == LONG_FUNCTIONS.keys()


def test_sql_stays_readable_in_one_go() -> None:
    assert too_long(under("dbt", suffix=".sql"), SQL_LINES) == {}


def test_urls_name_no_foreign_host() -> None:
    found = [
        f"{path}: {url}"
        for path in tracked()
        for url in re.findall(r"\bhttps?://[^\s\"'`)>\]]+", read(path))
        if "{" not in (host := urlsplit(url).hostname or "{")
        and "." in host
        and host not in HOSTS
        and not host.endswith(FAKE_DOMAINS)
    ]
    assert found == []


def test_no_registry_is_named() -> None:
    assert lines_with(REGISTRIES, list(tracked())) == []


def test_no_path_of_one_machine_stands_in_the_source() -> None:
    assert lines_with(MACHINE_PATHS, [path for path in tracked() if path.parts[0] != "tests"]) == []


def test_files_speak_of_the_product_and_not_of_its_making() -> None:
    assert lines_with(HOW_IT_WAS_MADE, [path for path in tracked() if path.suffix not in {".css", ".svg", ".html"}]) == []


@pytest.mark.parametrize(
    ("pattern", "wrong", "right"),
    [
        (
            MACHINE_PATHS,
            ['open("/tm' + 'p/x")', "cd /wor" + "k/main", "`/hom" + "e`"],
            ["//host/wor" + "k", "a/roo" + "t/b", "/workshop"],
        ),
        (
            HOW_IT_WAS_MADE,
            ["see iss" + "ue 2", "as the pro" + "mpt says", "fixes #" + "12"],
            ["a FIX session", "issuer 2", "promptly", "a lost session"],
        ),
        (REGISTRIES, ["index at py" + "pi.org/simple"], ["the registry of dealers"]),
    ],
)
def test_the_patterns_find_what_they_are_for(pattern: re.Pattern[str], wrong: list[str], right: list[str]) -> None:
    assert [text for text in wrong if not pattern.search(text)] == []
    assert [text for text in right if pattern.search(text)] == []


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what runs when a module is imported: everything but the bodies of functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            for part in (*child.decorator_list, *child.args.defaults, *filter(None, child.args.kw_defaults)):
                yield part
                yield from at_import(part)
        elif not isinstance(child, ast.Lambda):
            yield child
            yield from at_import(child)


def reads_the_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in {"environ", "getenv"}
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and any(alias.name in {"environ", "getenv"} for alias in node.names)
    # Settings read the environment when they are made.
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("Settings")


def test_no_environment_variable_is_read_at_import() -> None:
    found = [
        f"{path}:{getattr(node, 'lineno', 0)}"
        for path in under(*SOURCE)
        for node in at_import(parsed(path))
        if reads_the_environment(node)
    ]
    assert found == []


def test_reading_the_environment_at_import_would_be_noticed() -> None:
    text = "import os\nA = os.environ['A']\nclass B:\n    c = os.getenv('C')\ndef f(x=Settings()):\n    return os.environ['D']\n"
    assert sum(reads_the_environment(node) for node in at_import(ast.parse(text))) == 3


def test_every_package_is_installed_and_held_to_these_rules() -> None:
    packages = {path.parts[0] for path in tracked() if path.name == "__init__.py" and len(path.parts) == 2} - {"tests"}
    installed = {name.rstrip("*") for name in pyproject()["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert packages - {"benchmarks"} == installed
    assert packages <= set(SOURCE)
