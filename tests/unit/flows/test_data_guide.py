"""The guide to data: every example in it is read by what reads the real thing, every key in its tables exists."""

import re
from pathlib import Path

import msgspec
import pytest

from flows.sources.config import SourceConfig, load
from flows.sources.mapping import ColumnMap, TableMap, load_mapping
from flows.sources.registry import KINDS
from flows.sources.secrets import names_in

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "guides" / "data.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)


def keys_of(heading: str) -> set[str]:
    """Give the names in the first column of the table under a heading."""
    table = GUIDE[GUIDE.index(heading) :].split("\n\n")[0]
    return {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}


@pytest.mark.parametrize("text", [text for text in EXAMPLES if text.startswith("vendor:")])
def test_a_mapping_of_the_guide_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "example.yml"
    path.write_text(text)
    assert load_mapping(path).vendor == "EXAMPLE"


@pytest.mark.parametrize("text", [text for text in EXAMPLES if text.startswith("sources:")])
def test_a_list_of_the_guide_is_read(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in names_in(text):
        monkeypatch.setenv(name, "sqlite://" if name == "WAREHOUSE_URL" else "x")
    path = tmp_path / "sources.yml"
    path.write_text(text)
    listed = load(path, home=tmp_path)
    assert {source.kind for source in listed} <= KINDS.keys()
    assert len(listed) == text.count("- name:")


def test_the_guide_has_both_sorts_of_examples() -> None:
    assert {text.partition(":")[0] for text in EXAMPLES} == {"vendor", "sources"}


def test_the_guide_names_every_kind_and_every_key() -> None:
    assert keys_of("| kind |") | {"journal"} == set(KINDS)
    assert keys_of("| key |") == {field.name for field in msgspec.structs.fields(SourceConfig)} - {"downloads"}
    table = {field.name for field in msgspec.structs.fields(TableMap)}
    assert keys_of("| of a table |") == table - {"columns", "endpoint", "query", "relation"}
    column = {field.encode_name for field in msgspec.structs.fields(ColumnMap)}
    assert keys_of("| of a column |") == column - {"others", "keep_others"}
