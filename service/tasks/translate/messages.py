"""What a caller asks of a translator, and what it answers."""

from typing import Literal

import numpy as np
from pydantic import Field

from service.tasks.base import Request, Result, Strict


class TranslateRequest(Request):
    source: str
    """Language code of the text, or `auto` to detect the language of each text."""
    target: str
    """Language code to translate into."""
    alternatives: int = Field(default=0, ge=0, le=4)
    """Number of further translations."""
    format: Literal["text", "html"] = "text"
    """`html` keeps the markup, and leaves code and `translate="no"` untranslated."""


class Alternative(Strict):
    translation: str
    score: float


class TranslateResult(Result):
    translation: str
    source: str
    target: str
    score: float
    """Mean log-probability per token of the translation: closer to 0 is better; 0 for what is looked up in the
    lexicon, or not translated."""
    alternatives: list[Alternative] | None = None
    """Best first; only if requested."""

    def predictions(self) -> list[tuple[str, float]]:
        return [(self.target, float(np.exp(self.score)))] if self.translation else []
