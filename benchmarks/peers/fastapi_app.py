"""FastAPI as most people write it: a plain `def` endpoint, which FastAPI runs in its thread pool."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.peers.common import Predictor


class Query(BaseModel):
    text: str


def _app(task: str) -> FastAPI:
    app, predictor = FastAPI(), Predictor(task)

    @app.post(f"/{task}")
    def answer(query: Query) -> dict[str, Any]:
        return {"results": predictor([query.text])}

    return app


def __getattr__(task: str) -> FastAPI:
    if task in ("ner", "sentiment"):
        return _app(task)
    raise AttributeError(task)
