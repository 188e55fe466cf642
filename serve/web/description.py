"""What the framework cannot know of the API, added to its description: problems, keys, examples, what follows from what."""

from copy import deepcopy
from typing import Any

from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin, SwaggerRenderPlugin

Document = dict[str, Any]

_READ, _ACT = ("400", "401", "403", "429", "503"), ("409", "413", "415", "422")
_SAID = {
    "400": "The request is not valid; errors[] names each bad field",
    "401": "No valid token",
    "403": "The token's role may not do this",
    "404": "There is no such thing, or it is another desk's",
    "409": "It was done before, is being done, or it is too late",
    "413": "The body is too large",
    "415": "The body is not application/json",
    "422": "Understood and refused; detail says why and what to do",
    "429": "Too many requests; Retry-After says when to try again",
    "503": "Not now: no snapshot, no journal, no session, or the kill switch is on",
}
_MUST = {"/v1/rfqs", "/v1/rfqs/{rfq_id}/execute", "/v1/rfqs/{rfq_id}/cancel", "/v1/rfqs/{rfq_id}/settle"}
_ORDER = {
    "order_id": "2026-01-30-117",
    "security_id": "037833DX5",
    "security_id_type": "CUSIP",
    "side": "SELL",
    "quantity": 10_000_000,
    "currency": "USD",
}
_EXAMPLES: dict[str, Any] = {
    "/v1/recommendations": _ORDER,
    "/v1/recommendations:batch": [_ORDER, {**_ORDER, "order_id": "2026-01-30-118", "side": "BUY"}],
    "/v1/recommendations/{recommendation_id}/overrides": {
        "dealers": ["D07", "D03"],
        "reason_code": "known_axe",
        "comment": "D07 has asked for these since Monday",
    },
    "/v1/rfqs": {"recommendation_id": "01a1f977e32771db9af1f4c8e96ddc29"},
    "/v1/rfqs/{rfq_id}/execute": {"quote_id": "01a1f977e328764fa0e91e33fc3c4888"},
    "/v1/rfqs/{rfq_id}/settle": {"traded": True, "price": 98.49, "quantity": 5_000_000, "comment": "J. Smith, by phone at 15:02"},
    "/v1/kill-switch": {"reason": "prices look wrong", "on": True},
}
_RECOMMENDATION = ("V1RecommendationsRecommendationIdRecorded", "V1RecommendationsRecommendationIdReplayReplayed")
_RFQ = (
    "V1RfqsRfqIdShown",
    "V1RfqsRfqIdEvidenceEvidence",
    "V1RfqsRfqIdCancelCancel",
    "V1RfqsRfqIdExecuteExecute",
)


def completed(document: Document) -> Document:
    """Give the description with what every route shares and what some routes need; the one given is left as it is."""
    whole = deepcopy(document)
    components = whole.setdefault("components", {})
    components.setdefault("schemas", {}).update(_schemas())
    for path, item in whole["paths"].items():
        if path.startswith("/v1/"):
            for method, operation in item.items():
                _complete(operation, path, acts=method == "post")
    _link(whole["paths"])
    return whole


def _complete(operation: Document, path: str, *, acts: bool) -> None:
    codes = (*_READ, *(("404",) if "{" in path or acts else ()), *(_ACT if acts else ()))
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    operation["responses"] |= {code: {"description": _SAID[code], "content": problem} for code in sorted(codes)}
    if acts:
        operation.setdefault("parameters", []).append(_key(path))
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body and path in _EXAMPLES:
        body["examples"] = {"usual": {"value": _EXAMPLES[path]}}
    if body and path == "/v1/recommendations:batch":
        body["schema"] = {"type": "array", "items": {"$ref": "#/components/schemas/Order"}, "minItems": 1, "maxItems": 1000}


def _key(path: str) -> Document:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": path in _MUST,
        "description": "Of your own, new for each action: the same key is answered the same and acts once",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    }


def _schemas() -> Document:
    field = {"type": "object", "required": ["field", "detail"], "properties": {"field": _text(), "detail": _text()}}
    properties = {"type": _text(), "title": _text(), "status": {"type": "integer"}, "detail": _text()}
    return {
        "ProblemField": field,
        "Problem": {
            "type": "object",
            "description": "RFC 9457",
            "required": [*properties, "errors"],
            "properties": {**properties, "errors": {"type": "array", "items": {"$ref": "#/components/schemas/ProblemField"}}},
        },
    }


def _text() -> Document:
    return {"type": "string"}


def _link(paths: Document) -> None:
    """Say which answers hold the identifiers that other calls take."""
    made = paths.get("/v1/recommendations", {}).get("post", {}).get("responses", {}).get("200")
    if made:
        made["links"] = {name: _follows(name, "recommendation_id") for name in _RECOMMENDATION}
        if "/v1/rfqs" in paths:
            made["links"]["start"] = {
                "operationId": "V1RfqsStart",
                "requestBody": {"recommendation_id": "$response.body#/recommendation_id"},
            }
    started = paths.get("/v1/rfqs", {}).get("post", {}).get("responses", {}).get("202")
    if started:
        started["links"] = {name: _follows(name, "rfq_id") for name in _RFQ}


def _follows(operation: str, identifier: str) -> Document:
    return {"operationId": operation, "parameters": {identifier: f"$response.body#/{identifier}"}}


class CompletedJson(JsonRenderPlugin):
    """The description as JSON."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: Document) -> bytes:
        """Render it."""
        return super().render(request, completed(openapi_schema))


class CompletedSwagger(SwaggerRenderPlugin):
    """The description as a page."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: Document) -> bytes:
        """Render it."""
        return super().render(request, completed(openapi_schema))
