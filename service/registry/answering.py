"""A request to a task, answered: its texts are shared out among models, and their results put together.

Leaves out HTTP (http/), which model a text needs (a task's router) and how a model answers (loaded_model.py).
"""

import asyncio
from typing import Any

from pydantic import BaseModel

from service.registry.loaded_model import TURN_CHARACTERS
from service.registry.registry import Registry
from service.tasks.base import TaskSpec, Usage
from service.telemetry.call import Call


async def answer(registry: Registry, spec: TaskSpec, query: Any, call: Call) -> BaseModel:
    """The answer to a query of a task. Raises TextLoomError."""
    call.task = spec.name
    texts = [query.text] if isinstance(query.text, str) else query.text
    models = registry.choose(spec, query.model)
    plan = registry.router(spec.name).plan
    if sum(map(len, texts)) <= TURN_CHARACTERS:
        parts = plan(texts, query, models)
    else:
        parts = await asyncio.to_thread(plan, texts, query, models)
    call.detected = parts.detected
    needed = {name: registry.get(name, call) for name in parts.models}
    for model in needed.values():
        spec.check(query, model.manifest)
    results, tokens = {}, 0
    for name, model in needed.items():
        results[name], read = await model.answer(parts.texts_of(name, texts), query, call)
        tokens += read
    return spec.answer(
        model=needed[parts.models[0]].name,
        results=parts.join(results),
        usage=Usage(characters=sum(map(len, texts)), tokens=tokens),
    )
