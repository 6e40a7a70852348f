"""The models of one task in this process: chosen from a repository as a server chooses, opened once, and asked.

Leaves out the types of the results (loading.py) and where the repository is (repository.py). What runs a model is
in service/, which is imported only when it is needed: the client does without.
"""

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from textloom import repository
from textloom.errors import LoadError, Refused

MOST_OPEN = 16
"""Bundles that a process keeps open."""


class LocalModels:
    """The models of a task that may answer: the one with this name, or the defaults.

    Safe to use from several threads. folder: the model repository; if it is not given, the one that
    `repository.find` finds. Raises LoadError.
    """

    def __init__(self, task: str, *, model: str | None = None, folder: Path | None = None) -> None:
        specs = _specs()
        if task not in specs:
            raise LoadError(f"there is no task {task!r}; there are: {', '.join(specs)}")
        self._spec = specs[task]
        self._stored = _choose(self._spec, folder or repository.find(), model)
        self._languages = {name: stored.languages for name, stored in self._stored.items()}
        self._router = self._spec.router()

    @property
    def names(self) -> list[str]:
        """Names and versions, as `ner 3`."""
        return [f"{name} {stored.wanted}" for name, stored in self._stored.items()]

    def open(self) -> None:
        """Open and check every bundle, which a call would do otherwise. Raises LoadError."""
        self._router.load()
        for name in self._stored:
            self._task(name)

    def check(self, options: Mapping[str, Any]) -> list[str]:
        """Names and versions of the models that these options leave, unopened. Raises Refused, LoadError."""
        from service.errors import TextLoomError
        from service.registry import bundle

        query = self._query("", options)
        try:
            names = self._router.candidates(query, self._languages)
            for name in names:
                self._spec.check(query, bundle.read_manifest(self._stored[name].folder))
        except TextLoomError as error:
            raise _told(error) from error
        return [f"{name} {self._stored[name].wanted}" for name in names]

    def answer(self, texts: Sequence[str], options: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The results for `texts`, in order, as a server sends them: without null. Raises Refused, LoadError."""
        from service.errors import TextLoomError
        from service.tasks.base import predict

        query = self._query(list(texts), options)
        _check_characters(texts)
        try:
            plan = self._router.plan(texts, query, self._languages)
            needed = {name: self._task(name) for name in plan.models}
            for task in needed.values():
                self._spec.check(query, task.bundle.manifest)
            results = {
                name: predict(task, plan.texts_of(name, texts), query)
                for name, task in needed.items()
            }
        except TextLoomError as error:
            raise _told(error) from error
        return [result.model_dump(mode="json", exclude_none=True) for result in plan.join(results)]

    def _query(self, text: str | list[str], options: Mapping[str, Any]) -> Any:
        try:
            return self._spec.request(text=text, **options)
        except ValidationError as error:
            # of the branches of a union, the last is the list of texts
            wrong = error.errors(include_url=False, include_input=False)[-1]
            place = [str(part) for part in wrong["loc"] if str(part).isalnum() or "_" in str(part)]
            raise _invalid("/".join(place), wrong["msg"]) from None

    def _task(self, name: str) -> Any:
        from service.errors import BundleError

        try:
            return _opened(self._stored[name].folder)
        except BundleError as error:
            raise LoadError(error.detail) from error


def _check_characters(texts: Sequence[str]) -> None:
    """Raises Refused if a text holds half a character."""
    for index, text in enumerate(texts):
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _invalid(f"text/{index}", "a lone surrogate is no character") from None


def stored_models(folder: Path) -> dict[str, Any]:
    """Every StoredModel of a repository, pins of the variable TEXTLOOM_PINS included. Raises LoadError."""
    _specs()
    from service.registry import pins
    from service.registry import repository as stored

    try:
        pinned = pins.parse(os.environ.get("TEXTLOOM_PINS", ""))
    except ValueError as error:
        raise LoadError(f"TEXTLOOM_PINS: {error}") from error
    return dict(stored.scan(folder, pinned)) if folder.is_dir() else {}


@lru_cache(maxsize=MOST_OPEN)
def _opened(folder: Path) -> Any:
    """A bundle, which never changes once written, ready to answer."""
    from service import tasks

    trusted_keys = os.environ.get("TEXTLOOM_TRUSTED_KEYS")
    return tasks.load(folder, Path(trusted_keys) if trusted_keys else None)


def _specs() -> Mapping[str, Any]:
    try:
        from service import tasks

        return tasks.specs()
    except ModuleNotFoundError as error:
        raise LoadError(
            f"to run models in this process, install textloom-service[local]; {error.name} is not there"
        ) from error


def _choose(spec: Any, folder: Path, model: str | None) -> dict[str, Any]:
    from service.errors import TextLoomError

    stored = stored_models(folder)
    known = {name: each.languages for name, each in stored.items() if each.task == spec.name}
    try:
        return {name: stored[name] for name in spec.choose(model, known)}
    except TextLoomError as error:
        raise LoadError(f"{folder}: {error.detail}") from error


def _told(error: Any) -> LoadError | Refused:
    """An error of the service as the client tells it."""
    if error.code == "bundle_error":
        return LoadError(error.detail)
    errors = [{"pointer": each.pointer, "detail": each.detail} for each in error.errors]
    return Refused(error.status, _problem(error.code, error.title, error.detail, errors))


def _invalid(place: str, detail: str) -> Refused:
    errors = [{"pointer": f"/{place}", "detail": detail}]
    return Refused(422, _problem("invalid_input", "Invalid input", f"{place}: {detail}", errors))


def _problem(code: str, title: str, detail: str, errors: list[dict[str, str]]) -> dict[str, Any]:
    return {"code": code, "title": title, "detail": detail, "errors": errors}
