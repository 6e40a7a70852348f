"""Turns the formulas of a page, in LaTeX between dollar signs, into MathML, which browsers show by themselves."""

import html
import re
from typing import Any

from latex2mathml.converter import convert

FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


def on_page_content(content: str, **_: Any) -> str:
    """Called by MkDocs with the HTML of each page."""
    return FORMULA.sub(_to_mathml, content)


def _to_mathml(found: re.Match[str]) -> str:
    formula = html.unescape(found[3]).strip()
    return convert(formula, display="inline" if found[2] == "(" else "block")
