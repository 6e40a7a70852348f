"""Golden examples: inputs with the exact answers of a bundle when it was made, replayed whenever it is loaded."""

from service.registry.bundle import Golden
from service.tasks.base import AnyTask, predict

GOLDEN = (
    "",
    "Marie Curie was born in Warsaw and worked in Paris.",
    "The food was good, but the service at Luigi's was terrible.",
    "not bad at all!!! 😀",
    "The meeting is on Tuesday at 10:30.",
    "Where is the nearest railway station?",
    "Le musée est fermé le lundi.\n\nMerci, à bientôt !",
    "EVERYTHING IN CAPITALS, FROM LONDON TO 東京",
    "write to anna.smith@example.org  or see https://example.org/a?b=1",
    "café e\u0301te\u0301 \u200d مرحبا 42 %\r\n\tend",
)
"""Inputs of the golden examples: of no corpus, so that no bundle gives away its owner's texts."""


def golden_examples(task: AnyTask) -> list[Golden]:
    """What the task answers to GOLDEN."""
    answers = predict(task, GOLDEN, task.request(list(GOLDEN)))
    return [
        Golden(input=text, answer=answer.model_dump(mode="json"))
        for text, answer in zip(GOLDEN, answers, strict=True)
    ]
