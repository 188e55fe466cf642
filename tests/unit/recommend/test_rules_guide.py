"""The guide to rules: every example is run, every variable is in its table, every error reads as it says."""

import re

import pytest

from serve.adapters.rules import RuleBookRefused, read_rule_book
from serve.adapters.rules_variables import DEALER_VARIABLES, ORDER_VARIABLES
from tests.unit.recommend.cases import CONFIG, HEADER

GUIDE = (CONFIG.parent / "docs" / "guides" / "rules.md").read_text()
GOOD = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
REFUSED = re.findall(r"```yaml refused\n(.*?)```\n```text\n(.*?)```", GUIDE, re.DOTALL)


def faults(text: str) -> list[str]:
    """Check a whole book, or rules under the usual header; places are given within the text."""
    whole = text.startswith("version:")
    book = text if whole else HEADER + re.sub("^", "  ", text, flags=re.MULTILINE).rstrip(" ")
    above, before = (0, 0) if whole else (HEADER.count("\n"), 2)
    try:
        read_rule_book(book, "", "0" * 16)
    except RuleBookRefused as exc:
        in_line = re.compile(r"in line (\d+)")
        return [
            f"{item.line - above}:{item.column - before}: "
            + in_line.sub(lambda found: f"in line {int(found[1]) - above}", item.reason)
            for item in exc.places
        ]
    return []


@pytest.mark.parametrize("example", GOOD)
def test_example_is_accepted(example: str) -> None:
    assert faults(example) == []


@pytest.mark.parametrize(("example", "said"), REFUSED)
def test_bad_example_is_refused_with_the_words_of_the_guide(example: str, said: str) -> None:
    assert faults(example) == said.splitlines()


def test_guide_has_its_examples() -> None:
    assert (len(GOOD), len(REFUSED)) == (4, 10)
    assert GUIDE.count("```yaml") == len(GOOD) + len(REFUSED)


def test_table_lists_every_variable_with_its_meaning() -> None:
    listed = re.findall(r"^\| `((?:order|market|dealer)\.[\w.]+)` \| ([^|]+) \| (.+) \|$", GUIDE, re.MULTILINE)
    variables = {**ORDER_VARIABLES, **DEALER_VARIABLES}
    assert listed == [(name, variable.kind.value, variable.meaning) for name, variable in variables.items()]


def test_one_module_knows_the_condition_library() -> None:
    root = CONFIG.parent
    users = [path.name for path in sorted((root / "serve").rglob("*.py")) if "cel_expr_python" in path.read_text()]
    assert users == ["conditions.py"]
