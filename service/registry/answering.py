"""A request to a task, answered: its texts are shared out among models, and their results put together.

Leaves out HTTP (http/), which model a text needs (a task's router) and how a model answers (loaded_model.py).
"""

from typing import Any

from pydantic import BaseModel

from service.registry.registry import Registry
from service.tasks.base import TaskSpec, Usage
from service.telemetry.call import Call


async def answer(registry: Registry, spec: TaskSpec, query: Any, call: Call) -> BaseModel:
    """The answer to a query of a task. Raises TextLoomError."""
    call.task = spec.name
    texts = [query.text] if isinstance(query.text, str) else query.text
    models = registry.choose(spec, query.model)
    plan = registry.router(spec.name).plan(texts, query, models)
    call.detected = plan.detected
    needed = {name: registry.get(name) for name in plan.models}
    for model in needed.values():
        spec.check(query, model.manifest)
    results, tokens = {}, 0
    for name, model in needed.items():
        results[name], read = await model.answer(plan.texts_of(name, texts), query, call)
        tokens += read
    return spec.answer(
        model=needed[plan.models[0]].name,
        results=plan.join(results),
        usage=Usage(characters=sum(map(len, texts)), tokens=tokens),
    )
