"""A typed client, generated from the service's own description, used against the running service."""

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.api_client import order
from tests.integration.test_api_bad_input import Served


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture(scope="module")
def package(service: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("client")
    described = httpx.get(f"{service.url}/schema/openapi.json").json()
    (folder / "openapi.json").write_text(json.dumps(described))
    (folder / "config.yml").write_text("project_name_override: sotto-client\npackage_name_override: sotto_client\npost_hooks: []\n")
    command = [
        sys.executable,
        "-m",
        "openapi_python_client",
        "generate",
        "--path",
        "openapi.json",
        "--config",
        "config.yml",
        "--meta",
        "none",
    ]
    made = subprocess.run(
        [*command, "--output-path", "sotto_client", "--fail-on-warning"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    yield "sotto_client"
    sys.path.remove(str(folder))


class Client:
    """The generated package, its calls by the route's own name."""

    def __init__(self, package: str, service: Served) -> None:
        self._package = package
        self.models = importlib.import_module(f"{package}.models")
        made = importlib.import_module(f"{package}.client").AuthenticatedClient
        self._client = made(base_url=service.url, token=service.token)
        folder = Path(str(importlib.import_module(f"{package}.api").__file__)).parent
        self._modules = {path.stem: path.parent.name for path in folder.rglob("v1_*.py")}

    def __enter__(self) -> "Client":
        self._client.__enter__()
        return self

    def __exit__(self, *gone: object) -> None:
        self._client.__exit__(*gone)

    def call(self, name: str, *path: str, **more: Any) -> Any:
        module = importlib.import_module(f"{self._package}.api.{self._modules[name]}.{name}")
        return module.sync(*path, client=self._client, **more)


@pytest.fixture
def client(service: Served, package: str) -> Iterator[Client]:
    with Client(package, service) as opened:
        yield opened


def test_generated_client_recommends_overrides_starts_and_replays(client: Client) -> None:
    models = client.models
    asked = models.Order.from_dict(order(quantity=2_000_000))
    made = client.call("v1_recommendations_recommend", body=asked, idempotency_key="typed-1")
    again = client.call("v1_recommendations_recommend", body=asked, idempotency_key="typed-1")
    assert isinstance(made, models.Recommendation)
    assert made.recommendation_id == again.recommendation_id
    assert [dealer.rank for dealer in made.dealers] == [1, 2, 3, 4]
    assert sum(part.contribution for part in made.dealers[0].components) == made.dealers[0].score
    wish = models.OverrideRequest(dealers=["A"], reason_code=models.OverrideReason.KNOWN_AXE, comment="it called")
    ours = client.call("v1_recommendations_recommendation_id_overrides_override", made.recommendation_id, body=wish)
    start = models.StartRfq(recommendation_id=made.recommendation_id, override_id=ours.override_id)
    rfq = client.call("v1_rfqs_start", body=start, idempotency_key="typed-2")
    assert isinstance(rfq, models.RfqView)
    assert [line.dealer_id for line in client.call("v1_rfqs_rfq_id_shown", rfq.rfq_id).dealers] == ["A"]
    closed = client.call("v1_rfqs_rfq_id_cancel_cancel", rfq.rfq_id, idempotency_key="typed-3")
    assert closed.state == models.RfqState.CANCELLED
    replayed = client.call("v1_recommendations_recommendation_id_replay_replayed", made.recommendation_id)
    assert replayed.identical is True
    pack = client.call("v1_rfqs_rfq_id_evidence_evidence", rfq.rfq_id)
    assert pack.head.seq == client.call("v1_audit_head_head").seq


def test_generated_client_gets_problems_as_values(client: Client) -> None:
    models = client.models
    unknown = client.call("v1_recommendations_recommend", body=models.Order.from_dict(order(currency="EUR")))
    assert isinstance(unknown, models.Problem)
    assert (unknown.status, unknown.errors[0].field) == (422, "currency")
    listed = client.call(
        "v1_recommendations_batch_recommend_all",
        body=[models.Order.from_dict(order()), models.Order.from_dict(order(currency="EUR"))],
    )
    assert isinstance(listed[0], models.Recommendation)
    assert isinstance(listed[1], models.Failed)


def test_description_is_complete(service: Served) -> None:
    described = httpx.get(f"{service.url}/schema/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    for path, item in described["paths"].items():
        for method, operation in item.items():
            if path.startswith("/v1/"):
                problems = {
                    code
                    for code, answer in operation["responses"].items()
                    if "application/problem+json" in answer.get("content", {})
                }
                assert {"400", "401", "403", "429", "503"} <= problems, path
            if path.startswith("/v1/r") and method == "post" and not path.startswith("/v1/rules"):
                keys = [item["name"] for item in operation["parameters"]]
                assert "Idempotency-Key" in keys, path
    example = described["paths"]["/v1/recommendations"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert set(example["usual"]["value"]) == set(order())
    operations = {operation["operationId"] for item in described["paths"].values() for operation in item.values()}
    linked = [
        link["operationId"]
        for item in described["paths"].values()
        for operation in item.values()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert len(linked) > 5
    assert set(linked) <= operations
