"""Translation: the task (task.py), its beam search, what its network cannot spell, and which text needs which
translator (language.py).

Here belongs what only this task needs. Leaves out how it is trained (training/) and served (scheduling/, http/).
"""

import json
from pathlib import Path

from service.registry.bundle import Manifest
from service.tasks.base import TaskSpec
from service.tasks.translate.language import LanguageRouter
from service.tasks.translate.task import Translate, TranslateRequest, TranslateResult


def pair(manifest: Manifest) -> dict[str, str]:
    return dict(zip(("source", "target"), manifest.languages, strict=True))


SPEC = TaskSpec(
    name="translate",
    summary="translate",
    description="Translate; with `source: auto`, each text from the language that it is in.\n\n"
    "A text in a language that is not served, or in the target language already, comes back as it is, with its "
    "language as the source and score 0. One that tells too little (a number, a single name, a word or two) is "
    "read as a source language of that target.",
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
