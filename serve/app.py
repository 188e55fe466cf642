"""The service: both roles composed into one application, and the way to run it."""

import logging
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from typing import Any

import structlog
import uvicorn
from litestar import Litestar, Request, Response, Router

from serve.adapters.desk_config import DeskConfigRefused
from serve.adapters.fix.dictionary import DictionaryError
from serve.adapters.fix.venue import VenueError
from serve.adapters.issuer import IssuerRefused
from serve.adapters.journal import JournalError
from serve.adapters.limits import LimitsError
from serve.adapters.rules import RuleBookRefused
from serve.adapters.tokens import TokensBroken
from serve.api import audit, lookups, recommendations, rfqs, rules, service
from serve.api.bodies import StrictRequest
from serve.api.idempotency import Once
from serve.api.observed import conditional, measured
from serve.api.problems import HANDLERS, Problem, respond
from serve.api.throttle import Throttle
from serve.desk import DeskConfig, answering
from serve.desk_role import dealing, desk_reasons, read_desk_config
from serve.evidence import gatherer
from serve.pace import prefer_answers
from serve.parts import Parts, assemble, journalling, readiness, watching
from serve.rule_role import ruling
from serve.settings import ServiceRole, Settings
from serve.web import pages

log = structlog.get_logger(__name__)

BAD_CONFIGURATION = (RuleBookRefused, DeskConfigRefused, VenueError, LimitsError, IssuerRefused)
CANNOT_START = (JournalError, VenueError, DictionaryError, OSError)


class ServiceError(RuntimeError):
    """The service cannot start; the message is one line for the person who started it."""


def create_app(settings: Settings) -> Litestar:
    """Compose the application. Raises one of ``BAD_CONFIGURATION`` for a file that cannot be used."""
    parts = assemble(settings)
    desk_config = read_desk_config(settings) if ServiceRole.DESK in settings.roles else None
    routes: list[Router] = [service.router, pages.router, audit.router]
    if ServiceRole.RECOMMEND in settings.roles:
        routes += [recommendations.router, lookups.router, rules.router]
    if desk_config:
        routes.append(rfqs.router)
    app = Litestar(
        route_handlers=routes,
        request_class=StrictRequest,
        exception_handlers={**HANDLERS, JournalError: _on_journal, TokensBroken: _on_tokens},
        openapi_config=pages.openapi(version("sotto")),
        template_config=pages.templates,
        request_max_body_size=settings.max_body_bytes,
        middleware=[measured, conditional],
        lifespan=[_lifespan(parts, desk_config)],
        logging_config=None,
    )
    app.state.tokens = parts.tokens
    app.state.throttle = Throttle(settings.rate_per_s, settings.rate_burst)
    app.state.lookups = parts.lookups
    app.state.readiness = lambda: readiness(parts, desk_reasons(app) if desk_config else [])
    return app


def _lifespan(parts: Parts, desk_config: DeskConfig | None) -> Any:  # noqa: ANN401 - the framework takes a callable of its own shape
    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            try:
                journal, use_cases = await stack.enter_async_context(journalling(parts))
                app.state.journal, app.state.recommendations = journal, use_cases
                app.state.evidence = gatherer(parts.settings, journal, parts.desks, parts.snapshots, parts.clock)
                if ServiceRole.RECOMMEND in parts.settings.roles:
                    await ruling(app, parts, journal)
                app.state.once = Once(await stack.enter_async_context(answering(parts.settings.state, parts.clock)), parts.ids)
                await stack.enter_async_context(watching(parts))
                if desk_config:
                    await stack.enter_async_context(dealing(app, parts, desk_config, journal))
            except (*CANNOT_START, *BAD_CONFIGURATION) as exc:
                app.state.failure = str(exc)
                raise
            yield

    return lifespan


def run(settings: Settings) -> None:
    """Serve until stopped. Raises ``ServiceError`` with one clear line where it cannot start."""
    configure_logs(settings.log_level)
    try:
        app = create_app(settings)
    except BAD_CONFIGURATION as exc:
        raise ServiceError(str(exc)) from exc
    listener = _listen(settings)
    if not settings.state.current.exists():
        log.warning("no snapshot yet: not ready until 'sotto refresh' publishes one", home=str(settings.home))
    server = uvicorn.Server(server_config(app))
    try:
        server.run(sockets=[listener])
    except SystemExit as exc:
        raise ServiceError(_why_not(app)) from exc
    finally:
        listener.close()
    if not server.started:
        raise ServiceError(_why_not(app))


def server_config(app: Litestar) -> uvicorn.Config:
    """Say how the application is served, in a process that is made for it."""
    prefer_answers()
    return uvicorn.Config(app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=5)


def configure_logs(level: str) -> None:
    """Write logs as JSON lines on standard error."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    # A failed start is told in one line by who started it; the server would print its traceback besides.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _listen(settings: Settings) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as exc:
        listener.close()
        where = f"{settings.host}:{settings.port}"
        raise ServiceError(f"cannot listen on {where}: {exc.strerror or exc}; choose another with --port or --host") from exc
    return listener


def _why_not(app: Litestar) -> str:
    return str(getattr(app.state, "failure", "") or "the service could not start; the log above names the reason")


def _on_journal(_: Request[Any, Any, Any], exc: JournalError) -> Response[bytes]:
    log.error("journal unavailable", reason=str(exc))
    detail = "The decision could not be written down, so it was not taken; try again, and tell who runs the service"
    return respond(Problem(503, "journal-unavailable", "The journal is not available", detail))


def _on_tokens(_: Request[Any, Any, Any], exc: TokensBroken) -> Response[bytes]:
    log.error("tokens unreadable", reason=str(exc))
    return respond(
        Problem(503, "tokens-unavailable", "Tokens cannot be checked", "Tell who runs the service; the log names the reason")
    )
