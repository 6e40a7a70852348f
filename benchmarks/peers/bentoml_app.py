"""BentoML with adaptive batching: one worker, which is its default, or as many as WORKERS says."""

import os
from typing import Any

import bentoml

from benchmarks.peers.common import Predictor

WORKERS = int(os.environ.get("WORKERS", "1"))


@bentoml.service(name="ner", workers=WORKERS)
class ner:
    def __init__(self) -> None:
        self._predictor = Predictor("ner")

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=1000, route="/ner")
    def answer(self, texts: list[str]) -> list[dict[str, Any]]:
        return self._predictor(texts)


@bentoml.service(name="sentiment", workers=WORKERS)
class sentiment:
    def __init__(self) -> None:
        self._predictor = Predictor("sentiment")

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=1000, route="/sentiment")
    def answer(self, texts: list[str]) -> list[dict[str, Any]]:
        return self._predictor(texts)
