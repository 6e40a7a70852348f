"""What the tasks have in common: how a task declares itself, computes, is asked and answers.

A task turns a text into windows (`encode`), windows into outputs in one padded batch (`run`), and outputs
into an answer (`decode`). The windows of many texts may share a batch; no other window in it changes an answer.
Its `TaskSpec` says everything else that others need to know of it. Leaves out the tasks themselves.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Protocol, TypeVar, runtime_checkable

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, create_model

from service.errors import NotFound
from service.registry.bundle import Bundle, Manifest
from service.scheduling.batch import Batch


class Window(Protocol):
    """A piece of a text that fits the network; what a batch is made of."""

    @property
    def length(self) -> int:
        """Tokens."""

    @property
    def unknown(self) -> int:
        """Tokens that the vocabulary does not have."""


W = TypeVar("W", bound=Window)
W_in = TypeVar("W_in", contravariant=True)
O = TypeVar("O")  # noqa: E741
R = TypeVar("R", contravariant=True)
A = TypeVar("A", covariant=True)


class Task(Protocol[R, W, O, A]):
    """One loaded bundle. Safe to use from many threads at once.

    `request` carries the options; its own `text` is not looked at, so that one request may hold many texts.
    """

    bundle: Bundle

    def request(self, text: str | list[str], **options: Any) -> Any:
        """A request to this bundle."""

    def encode(self, text: str, request: R) -> list[W]:
        """The windows of a text, in order; [] if it is blank."""

    def run(self, windows: Sequence[W]) -> list[O]:
        """One output per window, computed in a single batch padded to the longest."""

    def decode(self, text: str, request: R, windows: Sequence[W], outputs: Sequence[O]) -> A:
        """The answer for a text from the outputs of its windows."""


AnyTask = Task[Any, Any, Any, Any]


@runtime_checkable
class Stepwise(Protocol[W_in, O]):
    """A task whose batches take many steps; its `run` takes them all at once."""

    def begin(self) -> Batch[W_in, O]:
        """An empty batch."""


def predict(task: Task[Any, Any, Any, Any], texts: Sequence[str], request: Any) -> list[Any]:
    """The answers for `texts`, in order, computed here and now without a server."""
    encoded = [task.encode(text, request) for text in texts]
    outputs = iter(run_grouped(task.run, [window for windows in encoded for window in windows]))
    return [
        task.decode(text, request, windows, [next(outputs) for _ in windows])
        for text, windows in zip(texts, encoded, strict=True)
    ]


def run_grouped(
    run: Callable[[Sequence[W]], list[O]], windows: Sequence[W], tokens: int = 2048
) -> list[O]:
    """`run` over any number of windows in batches of like length, at most `tokens` padded tokens each.

    The outputs come in the order of the windows.
    """
    order = sorted(range(len(windows)), key=lambda index: windows[index].length)
    outputs: dict[int, O] = {}
    batch: list[int] = []
    for position, index in enumerate(order):
        batch.append(index)
        following = order[position + 1] if position + 1 < len(order) else None
        if following is None or (len(batch) + 1) * windows[following].length > tokens:
            outputs.update(zip(batch, run([windows[i] for i in batch]), strict=True))
            batch = []
    return [outputs[index] for index in range(len(windows))]


class Strict(BaseModel):
    """Unknown fields are refused, so that a typo is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


Text = Annotated[
    str | Annotated[list[str], Field(min_length=1, fail_fast=True)],
    Field(validation_alias=AliasChoices("text", "inputs")),
]


class Request(Strict):
    text: Text
    """One text or a list of texts. `inputs` is another name for it."""
    model: str | None = None
    """Name of a model of this task. Default: the task's default model."""


class Result(Strict):
    """The answer for one text."""

    def predictions(self) -> list[tuple[str, float]]:
        """Label and score of each prediction in it, for the metrics.

        Labels are those of the model, or its languages: never a part of a text.
        """
        raise NotImplementedError


class ModelName(Strict):
    name: str
    version: int


class Usage(Strict):
    characters: int
    """Code points of all texts of the request."""
    tokens: int
    """Tokens that the network read."""


Models = Mapping[str, Sequence[str]]
"""The languages of models, by the models' names."""


@dataclass(frozen=True)
class Plan:
    """Which model answers each text of a request."""

    main: str
    """The model that the answer as a whole names if none has work."""
    parts: Sequence[str | Result]
    """For each text the name of a model; or its result, if no model is needed for it."""
    detected: Sequence[str] = ()
    """The languages of the texts, for the metrics, if they were detected. Never a part of a text."""

    @property
    def models(self) -> list[str]:
        """The models that have work, or the main one if none has. The answer names the first."""
        return [*dict.fromkeys(part for part in self.parts if isinstance(part, str))] or [self.main]

    def texts_of(self, model: str, texts: Sequence[str]) -> list[str]:
        return [text for text, part in zip(texts, self.parts, strict=True) if part == model]

    def join(self, results: Mapping[str, Sequence[Any]]) -> list[Any]:
        """The results in the order of the texts, from those of each model."""
        own = {model: iter(answered) for model, answered in results.items()}
        return [next(own[part]) if isinstance(part, str) else part for part in self.parts]


class Router(Protocol):
    """Decides which model answers which text. A task has one, whatever its models."""

    def load(self) -> None:
        """Load what the plans need; this may take a second."""

    def candidates(self, request: Any, models: Models) -> Models:
        """Of some models, at least one, those that may answer a text of the request.

        Raises InvalidInput if there are none.
        """

    def plan(self, texts: Sequence[str], request: Any, models: Models) -> Plan:
        """Which of the models answers which text. Raises InvalidInput as `candidates` does."""


class OneModel:
    """The router of a task whose request is for one model."""

    def load(self) -> None:
        """It needs nothing."""

    def candidates(self, request: Any, models: Models) -> Models:
        return models

    def plan(self, texts: Sequence[str], request: Any, models: Models) -> Plan:
        (name,) = models
        return Plan(name, [name] * len(texts))


@dataclass(frozen=True, kw_only=True)
class TaskSpec:
    """All that routes, documentation, compatibility APIs, command line, model card and metrics know of a task."""

    name: str
    """Small letters: also its path, its command, and its label in metrics."""
    summary: str
    """What it does, in a few words."""
    description: str
    """What it does, for those who call it."""
    about: str
    """What it does and with which network, for the card of a model."""
    request: type[Request]
    result: type[Result]
    load: Callable[[Bundle], AnyTask]
    """Opens a bundle. Raises if its graphs or its options cannot be used."""
    examples: Mapping[str, Mapping[str, Any]]
    """Requests, by what they show."""
    example_answer: Mapping[str, Any]
    """The answer to the first."""
    by_languages: bool = False
    """Its default models are chosen by the languages in their names: translate-en-fr."""
    router: Callable[[], Router] = OneModel
    check: Callable[[Any, Manifest], None] = lambda request, manifest: None
    """Raises InvalidInput if a request names what the model does not know."""
    fixed: Callable[[Manifest], Mapping[str, str]] = lambda manifest: {}
    """Fields of a request that a model leaves no choice in."""

    @cached_property
    def answer(self) -> type[BaseModel]:
        """The answer to a request."""
        return create_model(
            f"{self.name.capitalize()}Answer",
            __base__=Strict,
            model=ModelName,
            results=list[self.result],  # type: ignore[name-defined]
            usage=Usage,
        )

    def default_languages(self, name: str) -> tuple[str, ...] | None:
        """What the name of a default model says of its languages; None for the name of any other model."""
        if not self.by_languages:
            return () if name == self.name else None
        match = re.fullmatch(rf"{self.name}-([a-z]{{2,3}})-([a-z]{{2,3}})", name)
        return match.groups() if match else None

    def choose(self, name: str | None, models: Models) -> Models:
        """Of the models of this task those that may answer a request: the one that it names, or the defaults.

        Raises NotFound, with what there is.
        """
        if name is not None:
            chosen = {name: models[name]} if name in models else {}
        else:
            chosen = {
                each: languages
                for each, languages in models.items()
                if self.default_languages(each) is not None
            }
        if chosen:
            return chosen
        if not models:
            raise NotFound(f"there is no model for {self.name} here")
        known = ", ".join(models)
        if name is None:
            raise NotFound(f"{self.name} has no default model here; name one as `model`: {known}")
        raise NotFound(f"there is no model {name!r} for {self.name} here; there are: {known}")
