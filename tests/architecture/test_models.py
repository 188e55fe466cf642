"""dbt: a yml beside every model, no column without words, and the three tests that every mart owes."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.project import data_tests_of, dbt_project, declared, models, read, under

MARTS = models("models/marts")
GLOSSED = re.findall(r"{% docs (\w+) %}", read(Path("dbt/_glossary.md")))
REFS, SOURCES = re.compile(r"\bref\('(\w+)'\)"), re.compile(r"\bsource\('\w+', '(\w+)'\)")
QUOTED = re.compile(r"{{ doc\('(\w+)'\) }}")


def all_descriptions() -> list[str]:
    entries = [
        *declared("models").values(),
        *declared("seeds").values(),
        *declared("sources").values(),
        *declared("exposures").values(),
    ]
    parts = [part for entry in entries for part in (*entry.get("columns", []), *entry.get("tables", []))]
    return [entry["description"] for entry in (*entries, *parts)]


def has_nothing_in(value: Any) -> bool:
    return value is None or value == 0


def test_every_model_has_a_yml_beside_it() -> None:
    assert {name: path.with_suffix(".yml") for name, path in models().items()} == {
        name: model["path"] for name, model in declared("models").items()
    }


@pytest.mark.parametrize("name", models())
def test_a_model_says_what_one_row_is_and_what_each_column_means(name: str) -> None:
    model = declared("models")[name]
    assert model["description"].startswith("One row per ")
    assert [column["name"] for column in model["columns"] if not column.get("description", "").strip()] == []
    # A first line of `-- ...` in the SQL says why; the grain stands in the yml alone.
    assert "One row per" not in read(models()[name])


def test_the_build_stops_at_a_column_that_no_yml_names() -> None:
    # dbt compares every model's columns and types with the yml where the contract is enforced.
    assert dbt_project()["models"]["sotto"]["+contract"] == {"enforced": True}
    assert [path for path in models().values() if "contract" in read(path)] == []
    assert [name for name, model in declared("models").items() if "contract" in model.get("config", {})] == []
    assert [
        name for name, model in declared("models").items() if not all(column.get("data_type") for column in model["columns"])
    ] == []


def test_models_read_only_what_stands_before_them() -> None:
    """Sources are renamed once, in staging; marts stand on what is built; nothing stands on a mart of another kind."""
    reads = {name: (set(SOURCES.findall(read(path))), set(REFS.findall(read(path)))) for name, path in models().items()}
    staged, between = models("models/staging").keys(), models("models/intermediate").keys()
    seeds = declared("seeds").keys()
    for name, (sources, refs) in reads.items():
        if name in staged:
            assert (len(sources), refs) == (1, set()), f"{name} must read one source, and no model"
        else:
            allowed = between | seeds | (staged if name in between else staged | MARTS.keys())
            assert (sources, refs - allowed) == (set(), set()), f"{name} reads what it must not"
            assert refs, f"{name} reads nothing"


def test_every_model_is_read_or_handed_out() -> None:
    """A model that no model, fit or check reads and that is no mart is dead weight in every build."""
    read_by_models = {ref for path in models().values() for ref in REFS.findall(read(path))}
    python = "".join(read(path) for folder in ("flows", "expectations") for path in under(folder, suffix=".py"))
    unread = models().keys() - read_by_models - MARTS.keys()
    assert {name for name in unread if not re.search(rf"\bintermediate\.{name}\b", python)} == set()


def test_names_and_folders_agree() -> None:
    kinds = {"staging": ("stg_",), "intermediate": ("int_",), "marts": ("fct_", "dim_")}
    assert [name for folder, starts in kinds.items() for name in models(f"models/{folder}") if not name.startswith(starts)] == []


def test_every_glossary_block_is_quoted_and_every_quotation_has_its_block() -> None:
    assert len(GLOSSED) == len(set(GLOSSED))
    assert set(GLOSSED) == {name for text in all_descriptions() for name in QUOTED.findall(text)}


def test_words_that_stand_in_several_places_stand_in_the_glossary() -> None:
    plain = [text for text in all_descriptions() if not QUOTED.search(text)]
    assert sorted({text for text in plain if plain.count(text) > 1}) == []


def test_every_model_has_a_key_test() -> None:
    keyed = {
        name
        for name, model in declared("models").items()
        if {"unique", "unique_key"} & {kind for _, kind, _ in data_tests_of(model)}
    }
    assert keyed == models().keys()


@pytest.mark.parametrize("name", MARTS)
def test_a_mart_keeps_an_identity(name: str) -> None:
    assert "holds" in {kind for _, kind, _ in data_tests_of(declared("models")[name])}


@pytest.mark.parametrize("name", MARTS)
def test_a_mart_is_tried_with_a_null_or_a_zero(name: str) -> None:
    tried = [test for test in declared("unit_tests").values() if test["model"] == name]
    given = [row for test in tried for source in test["given"] for row in source["rows"]]
    expected = [row for test in tried for row in test["expect"]["rows"]]
    assert any(has_nothing_in(value) for row in given for value in row.values())
    assert any(has_nothing_in(value) for row in expected for value in row.values())


def test_no_test_is_switched_off() -> None:
    found = [
        str(path)
        for name, path in models().items()
        if "enabled" in read(path) or "enabled" in read(declared("models")[name]["path"])
    ]
    assert found == []
    assert [name for name, test in declared("unit_tests").items() if test.get("config", {}).get("enabled") is False] == []


def test_every_mart_is_exposed_and_nothing_else_is() -> None:
    exposed = {
        name for exposure in declared("exposures").values() for name in re.findall(r"ref\('(\w+)'\)", str(exposure["depends_on"]))
    }
    assert exposed == MARTS.keys()
