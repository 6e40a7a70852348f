"""The pages about models, made from the cards in their bundles: a list of all, and each card with its pictures.

Leaves out how a card is written (training/export/card.py) and what programs read of a model (`/models`).
"""

from functools import lru_cache
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt

from service.errors import NotFound
from service.http.messages import HttpResponse
from service.http.pages import file_response, html_response
from service.http.routing import Endpoint, RoutedRequest
from service.registry.bundle import Bundle
from service.registry.entry import ModelEntry
from service.registry.registry import Registry

CARD = "card.md"

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="{root}playground/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{root}playground/page.css">
</head>
<body>
<header class="top">
  <nav aria-label="Pages">
    <a href="{root}.">Playground</a> <a href="{root}docs">API</a> <a href="{root}playground/models">Models</a>
  </nav>
</header>
<main class="prose">
{content}
</main>
<footer class="bottom"></footer>
</body>
</html>
"""


def list_page(registry: Registry) -> Endpoint:
    """The page that lists the models of the repository, those included that are not ready."""

    async def list_models(_: RoutedRequest) -> HttpResponse:
        rows = "".join(_row(entry) for entry in registry.entries.values())
        heads = "".join(f'<th scope="col">{head}</th>' for head in _HEADS)
        content = (
            f'<h1>Models</h1><div class="wide"><table><thead><tr>{heads}</tr></thead>'
            f"<tbody>{rows}</tbody></table></div>"
            '<p class="soft">The same as JSON: <a href="../models">/models</a>.</p>'
        )
        return html_response(_page("Models", "../", content))

    return list_models


def card_page(registry: Registry) -> Endpoint:
    """The card of a model, and its pictures beside it."""

    async def show(request: RoutedRequest) -> HttpResponse:
        name, wanted = request.parameters["name"], request.parameters["file"]
        entry = registry.entry(name)
        if entry.model is None:
            raise NotFound(f"the model {name} is not ready, so it has no card yet")
        bundle = entry.model.bundle
        if wanted == "card" and CARD in bundle.manifest.files:
            return html_response(_page(name, "../../../", _html(bundle.file(CARD))))
        if wanted.endswith(".png") and wanted in bundle.manifest.files:
            return file_response(bundle.file(wanted), (b"cache-control", b"no-cache"))
        raise NotFound(f"the model {name} has no such page or picture")

    return show


_HEADS = ("Model", "Version", "What it does", "Languages", "Licences of its data", "Status")


def _row(entry: ModelEntry) -> str:
    info = entry.info
    name, about = escape(info.name), ""
    if entry.model is not None and CARD in entry.model.bundle.manifest.files:
        about = _about(entry.model.bundle)
        name = f'<a href="models/{name}/card">{name}</a>'
    status = info.status if info.reason is None else f"{info.status}: {info.reason}"
    languages = ", ".join(info.languages or ())
    licences = "; ".join(info.licences or ())
    cells = [str(info.version), about, languages, licences, status]
    return f"<tr><td>{name}</td>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _about(bundle: Bundle) -> str:
    """What a model does: the first paragraph of its card."""
    parts = bundle.file(CARD).read_text(encoding="utf-8").split("\n\n")
    return next((part for part in parts if part and not part.startswith("#")), "")


@lru_cache(64)
def _html(card: Path) -> str:
    # a card is data: HTML in it is shown as it stands
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.add_render_rule("table_open", lambda *_: '<div class="wide"><table>')
    markdown.add_render_rule("table_close", lambda *_: "</table></div>")
    html: str = markdown.render(card.read_text(encoding="utf-8"))
    return html


def _page(title: str, root: str, content: str) -> bytes:
    return _PAGE.format(title=f"{escape(title)} · TextLoom", root=root, content=content).encode()
