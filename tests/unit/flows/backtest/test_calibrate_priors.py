"""Priors proposed from history: what foretells better is found, a tie proposes nothing, and the draft changes one value."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from flows.backtest.calibrate_priors import PriorProposal, draft_of_priors, propose_priors
from flows.backtest.foretelling import NOW, SEARCHED, Foretold, candidates_of, foretell
from flows.backtest.scoring import Period
from flows.fit_state import Knobs
from flows.priors import SHIPPED, Priors, read_priors
from flows.refused import Refused
from serve.domain.beliefs import Beliefs, ClassTerms, Figure, unknown
from tests.fakes.snapshot import LIQUID_IG
from tests.unit.flows.backtest.cases import rfq
from tests.unit.recommend.cases import market

CONFIG = Path("config")
TEXT = (CONFIG / "priors.yml").read_text(encoding="utf-8")


def proposed(ahead: dict[str, float]) -> dict[str, PriorProposal]:
    """Search on thirty days on which candidates foretell so much better, each with its own chance."""
    rng = np.random.default_rng(3)

    def days(score: float) -> list[Foretold]:
        noise = rng.normal(0, 0.5, 30)
        return [
            Foretold(f"2025-06-{day + 1:02d}", float(noise[day]) + score, 10, 0.0, 8, 2.0 - score, 4, 0.0, 3) for day in range(30)
        ]

    told = {name: days(ahead.get(name, -0.3)) for name in candidates_of(SHIPPED)} | {NOW: days(0.0)}
    period = Period(since="2025-06-01", until="2025-07-01", rfqs=[], standings={}, unknown=0, foretold=told)
    return {item.name: item for item in propose_priors(SHIPPED, [period])}


def test_what_foretells_better_is_found_and_confirmed_on_unseen_days_and_the_rest_is_kept() -> None:
    found = proposed({"half_life_days=45": 2.0, "leak_half_life_days=360": 1.0})
    assert set(found) == set(SEARCHED)
    assert (found["half_life_days"].value, found["half_life_days"].verdict) == (45.0, "better")
    assert (found["leak_half_life_days"].value, found["leak_half_life_days"].measure) == (360.0, "squared error of drift")
    assert found["response_prior"].verdict in {"keep", "tie"}
    assert found["half_life_days"].searched_to == "2025-06-21"


def test_the_draft_changes_what_was_better_and_no_other_letter() -> None:
    found = proposed({"half_life_days=45": 2.0})
    draft = draft_of_priors(TEXT, list(found.values()))
    assert draft is not None
    before, after = TEXT.splitlines(), draft.splitlines()
    assert [line for line in before if line not in after] == [line for line in before if line.startswith("half_life_days:")]
    assert msgspec.yaml.decode(draft, type=Priors) == msgspec.structs.replace(SHIPPED, half_life_days=45.0)
    assert draft_of_priors(TEXT, [item for item in found.values() if item.verdict != "better"]) is None
    assert draft_of_priors("", list(found.values())) == "half_life_days: 45\n"


def test_too_few_days_propose_nothing() -> None:
    assert propose_priors(SHIPPED, []) == []


def test_beliefs_nearer_to_what_came_have_the_better_log_score() -> None:
    def believed(price: float) -> dict[str, Beliefs]:
        terms = ClassTerms(scorecard_class="CORP_IG", half_spread_bps=10.0, axe_base=0.0)
        mean = np.array([price, 0.7, 0.9])
        return {"CORP_IG": replace(unknown(terms, ("A", "B", "C")), price=Figure(mean, np.full(3, 40.0), mean, mean))}

    came = [rfq({"A": 3.0, "B": 7.0, "C": None}, day=day) for day in range(3)]
    came = [msgspec.structs.replace(item, security_id=LIQUID_IG) for item in came]
    near, far = (foretell(came, market().securities, believed(price)) for price in (0.3, 1.4))
    assert sum(day.quotes for day in near) > sum(day.quotes for day in far)
    assert [day.answers for day in near] == [day.answers for day in far]
    assert (near[0].asked, near[0].quoted, near[0].picks, near[0].drifted) == (3, 2, 1, 0)
    assert near[0].gain_hs > far[0].gain_hs


def test_the_shipped_file_declares_the_shipped_priors_and_a_folder_without_one_has_them(tmp_path: Path) -> None:
    assert read_priors(CONFIG) == SHIPPED == read_priors(tmp_path)
    assert set(msgspec.yaml.decode(TEXT)) == set(msgspec.structs.asdict(SHIPPED))
    assert SHIPPED.knobs == Knobs()
    assert (SHIPPED.of_card.half_life_days, SHIPPED.of_card.response_prior) == (62.0, Knobs().response_prior)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("half_life_days: 0\n", "half_life_days"),
        ("half_live_days: 90\n", "half_live_days"),
        ("price_prior: many\n", "price_prior"),
        ("- 1\n", "Expected `object`"),
        ("half_life_days: [\n", "priors.yml"),
    ],
)
def test_a_bad_file_of_priors_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "priors.yml").write_text(text, encoding="utf-8")
    with pytest.raises(Refused, match=r"priors\.yml") as refused:
        read_priors(tmp_path)
    assert said in str(refused.value)
