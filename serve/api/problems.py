"""Errors as ``application/problem+json`` (RFC 9457): what was wrong, which field, what to do."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from serve.usecases.refusals import Refusal

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE_BASE = "urn:sotto:problem:"
_SEE_THE_LOG = "The request could not be served; the log names the reason"
_HINTS = {
    404: "there is nothing here; /schema lists the calls",
    405: "this path takes another method; /schema lists the calls",
    413: "the body is larger than this service takes",
}


class FieldError(msgspec.Struct, frozen=True):
    """One bad field, named by its path (``quantity``, ``dealers[2]``), and what is wrong with it."""

    field: str
    detail: str


class ProblemBody(msgspec.Struct, frozen=True, omit_defaults=False):
    """What goes over the wire."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError]


class Problem(Exception):
    """An answer that is not the one asked for; ``type`` is a slug such as ``unknown-security``."""

    def __init__(
        self,
        status: int,
        type: str,  # noqa: A002 - the RFC's own name
        title: str,
        detail: str,
        errors: Sequence[FieldError] = (),
        *,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{title}: {detail}")
        self.body = ProblemBody(TYPE_BASE + type, title, status, detail, list(errors))
        self.status = status
        self.headers = headers or {}


def not_found(what: str, name: str, field: str) -> Problem:
    """Build the 404 for a thing looked up by ``field`` that is not there."""
    return Problem(
        404, "not-found", f"No such {what}", f"There is no {what} {name!r}", [FieldError(field, f"no {what} has this value")]
    )


def respond(problem: Problem) -> Response[bytes]:
    """Render a problem."""
    return Response(
        content=msgspec.json.encode(problem.body), status_code=problem.status, media_type=MEDIA_TYPE, headers=dict(problem.headers)
    )


def on_problem(_: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    """Handle our own problems."""
    return respond(problem)


def on_validation(_: Request[Any, Any, Any], exc: ValidationException) -> Response[bytes]:
    """Handle a parameter or body that does not fit its type."""
    extra = exc.extra if isinstance(exc.extra, list) else []
    errors = [_field_error(item, exc.detail) for item in extra if isinstance(item, dict)]
    named = "; ".join(f"{error.field}: {error.detail}" for error in errors)
    return respond(Problem(400, "invalid-request", "The request is not valid", named or exc.detail, errors))


def _field_error(item: dict[str, Any], otherwise: str) -> FieldError:
    # The framework names the body after the handler's parameter; a missing one is all that it reports itself.
    if item.get("key") == "data":
        return FieldError("body", "is required")
    return FieldError(str(item.get("key", "body")), str(item.get("message", otherwise)))


def on_refusal(_: Request[Any, Any, Any], refusal: Refusal) -> Response[bytes]:
    """Handle a use case that will not do what it was asked."""
    return respond(from_refusal(refusal))


def from_refusal(refusal: Refusal) -> Problem:
    """Tell a use case's refusal as a problem."""
    errors = [FieldError(place, reason) for place, reason in refusal.errors]
    if refusal.field and not errors:
        errors = [FieldError(refusal.field, refusal.detail)]
    return Problem(refusal.status, refusal.slug, refusal.slug.replace("-", " ").capitalize(), refusal.detail, errors)


def on_http(request: Request[Any, Any, Any], exc: HTTPException) -> Response[bytes]:
    """Handle what the framework refuses: an unknown path, a wrong method, a body that is too large."""
    status = HTTPStatus(exc.status_code)
    hint = _HINTS.get(exc.status_code)
    slug = status.phrase.lower().replace(" ", "-")
    headers = {key: value for key, value in (exc.headers or {}).items() if key.lower() == "allow"}
    detail = f"{request.method} {request.url.path}: {hint}" if hint else exc.detail if status < 500 else _SEE_THE_LOG
    return respond(Problem(exc.status_code, slug, status.phrase, detail or status.phrase, headers=headers))


def on_unexpected(request: Request[Any, Any, Any], exc: Exception) -> Response[bytes]:
    """Handle a defect of ours: logged with its traceback, told without it."""
    log.error("request failed", method=request.method, path=request.url.path, exc_info=exc)
    return respond(
        Problem(500, "internal-error", "The service failed", "The request could not be served; the log names the reason")
    )


HANDLERS: dict[int | type[Exception], Any] = {
    Problem: on_problem,
    Refusal: on_refusal,
    ValidationException: on_validation,
    HTTPException: on_http,
    Exception: on_unexpected,
}
