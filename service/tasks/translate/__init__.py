"""Translation: the task (task.py), its beam search, what its network cannot spell, and which text needs which
translator (language.py).

Here belongs what only this task needs. Leaves out how it is trained (training/) and served (scheduling/, http/).
"""

import json
from pathlib import Path

from service.registry.bundle import Manifest
from service.tasks.base import TaskSpec
from service.tasks.translate.language import LanguageRouter
from service.tasks.translate.messages import TranslateRequest, TranslateResult
from service.tasks.translate.task import Translate


def pair(manifest: Manifest) -> dict[str, str]:
    return dict(zip(("source", "target"), manifest.languages, strict=True))


SPEC = TaskSpec(
    name="translate",
    summary="translate",
    description="Translate. With `source: auto`, the language of each text is detected.\n\n"
    "A text in a language that is not served, or already in the target language, comes back unchanged, with its "
    "language as the source and score 0. A text too short to tell (a number, a name, a word or two) is treated "
    "as a source language of the target.",
    about="Translates sentence by sentence: a GRU encoder-decoder with attention over subwords.",
    request=TranslateRequest,
    result=TranslateResult,
    load=Translate,
    by_languages=True,
    router=LanguageRouter,
    fixed=pair,
    examples={
        "French to English": {
            "text": "Vos données ne quittent pas votre serveur.",
            "source": "fr",
            "target": "en",
        },
        "detected, with alternatives": {
            "text": ["Un chien court dans la neige."],
            "source": "auto",
            "target": "en",
            "alternatives": 2,
        },
    },
    example_answer=json.loads(Path(__file__).with_name("example_answer.json").read_text("utf-8")),
)
