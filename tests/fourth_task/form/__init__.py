"""Tells questions from statements. What a package needs to add a task: this declaration, and its task.py."""

from service.tasks.base import TaskSpec

from .task import Form, FormRequest, FormResult

SPEC = TaskSpec(
    name="form",
    summary="tell questions from statements",
    description="Tell questions from statements, by their letters.",
    about="Tells questions from statements: the mean of embedded bytes.",
    request=FormRequest,
    result=FormResult,
    load=Form,
    examples={
        "one text": {"text": "Where is the station?"},
        "with all scores": {"text": ["It rains.", "Does it rain?"], "every": True},
    },
    example_answer={
        "model": {"name": "form", "version": 1},
        "results": [{"label": "question", "score": 0.98}],
        "usage": {"characters": 21, "tokens": 21},
    },
)
