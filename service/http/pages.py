"""The pages for people: the playground and the documentation, with their scripts, styles and pictures.

Leaves out what the documentation says (openapi.py) and the pages about models (cards.py).
"""

from functools import cache
from importlib.util import find_spec
from mimetypes import guess_type
from pathlib import Path

from service.errors import NotFound
from service.http.messages import HttpResponse
from service.http.routing import RoutedRequest

PLAYGROUND = Path(__file__).parents[1] / "playground"
PLAYGROUND_ASSETS = frozenset(
    path.name for path in PLAYGROUND.iterdir() if path.suffix in (".css", ".js", ".json", ".svg")
)
DOCS_ASSETS = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png")
"""Of the installed package fastapi-offline, so that the page works without a network."""

PLAYGROUND_POLICY = (
    b"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
DOCS_POLICY = b"default-src 'self' 'unsafe-inline' data:"
"""The browser itself then makes sure that no page loads anything from elsewhere."""

# the validator is off: it would send the document to a public service
_DOCS = b"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>TextLoom</title>
<link rel="icon" href="docs/favicon.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script>
SwaggerUIBundle({
  "url": "openapi.json", "dom_id": "#swagger-ui", "deepLinking": true,
  "tryItOutEnabled": true, "validatorUrl": null
})
</script>
</body>
</html>
"""


async def playground(_: RoutedRequest) -> HttpResponse:
    return html_response(_file(PLAYGROUND / "page.html"))


async def playground_asset(request: RoutedRequest) -> HttpResponse:
    name = request.parameters["asset"]
    if name not in PLAYGROUND_ASSETS:
        raise NotFound("there is no such part of the playground")
    return file_response(PLAYGROUND / name, (b"cache-control", b"no-cache"))


async def docs(_: RoutedRequest) -> HttpResponse:
    return html_response(_DOCS, DOCS_POLICY)


async def docs_asset(request: RoutedRequest) -> HttpResponse:
    name = request.parameters["asset"]
    if name not in DOCS_ASSETS:
        raise NotFound("there is no such part of the documentation")
    return file_response(_swagger() / name)


@cache
def _swagger() -> Path:
    """Where its files are. The package is not imported: it would bring all of FastAPI with it."""
    found = find_spec("fastapi_offline")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "static"


def html_response(html: bytes, policy: bytes = PLAYGROUND_POLICY) -> HttpResponse:
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-security-policy", policy),
    ]
    return HttpResponse(200, headers, html)


def file_response(path: Path, *headers: tuple[bytes, bytes]) -> HttpResponse:
    kind = guess_type(path.name)[0] or "application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    return HttpResponse(200, [(b"content-type", kind.encode()), *headers], _file(path))


@cache
def _file(path: Path) -> bytes:
    return path.read_bytes()
