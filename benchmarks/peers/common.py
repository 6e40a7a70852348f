"""What every peer serves: the newest bundle of a task through the same `predict` as ours."""

from collections.abc import Sequence
from typing import Any

from benchmarks.in_process import newest
from service import tasks
from service.tasks.base import predict


class Predictor:
    def __init__(self, name: str) -> None:
        self._task: Any = tasks.load(newest(name))

    def __call__(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """An answer per text, as in `results` of our own."""
        results = predict(self._task, texts, self._task.request(list(texts)))
        return [result.model_dump(mode="json", exclude_none=True) for result in results]
