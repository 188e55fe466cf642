"""The trader's page, static files, and the OpenAPI pages without anything from outside."""

from pathlib import Path

from litestar import Router, get
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Template
from litestar.static_files import create_static_files_router
from litestar.template.config import TemplateConfig

from serve.web.description import CompletedJson, CompletedSwagger

_HERE = Path(__file__).parent
_OWN_ONLY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

templates = TemplateConfig(directory=_HERE / "templates", engine=JinjaTemplateEngine)
static = create_static_files_router(path="/static", directories=[_HERE / "static"], include_in_schema=False)


@get("/", include_in_schema=False)
async def trader() -> Template:
    """Show the order entry, the recommendation and the live RFQ; the page asks for a token and calls the API with it."""
    headers = {"Content-Security-Policy": _OWN_ONLY, "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
    return Template("trader.html", headers=headers)


router = Router(path="/", route_handlers=[trader, static])


def openapi(version: str) -> OpenAPIConfig:
    """Describe the API at ``/schema``, with the page's files served from here."""
    return OpenAPIConfig(
        title="sotto",
        version=version,
        path="/schema",
        description="Whom to ask for a price, in what order, and how: recommendations and RFQs.",
        security=[{"BearerToken": []}],
        components=Components(security_schemes={"BearerToken": SecurityScheme(type="http", scheme="bearer")}),
        render_plugins=[
            CompletedSwagger(
                path="/swagger",
                js_url="/static/swagger-ui-bundle.js",
                css_url="/static/swagger-ui.css",
                standalone_preset_js_url="/static/swagger-ui-standalone-preset.js",
                favicon="<link rel='icon' type='image/svg+xml' href='/static/favicon.svg'>",
            ),
            CompletedJson(path="/openapi.json"),
        ],
    )
