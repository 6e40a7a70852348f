"""What the tasks have in common: the shape of a task, and of its requests and answers.

A task turns a text into windows (`encode`), windows into outputs in one padded batch (`run`), and outputs
into an answer (`decode`). The windows of many texts may share a batch; no other window in it changes an answer.
Leaves out the tasks themselves.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Protocol, TypeVar, runtime_checkable

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from service.registry.bundle import Bundle
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

    def encode(self, text: str, request: R) -> list[W]:
        """The windows of a text, in order; [] if it is blank."""

    def run(self, windows: Sequence[W]) -> list[O]:
        """One output per window, computed in a single batch padded to the longest."""

    def decode(self, text: str, request: R, windows: Sequence[W], outputs: Sequence[O]) -> A:
        """The answer for a text from the outputs of its windows."""


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
    """Unknown fields are refused, so that a typing error is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


Text = Annotated[
    str | Annotated[list[str], Field(min_length=1)],
    Field(validation_alias=AliasChoices("text", "inputs")),
]


class Request(Strict):
    text: Text
    """One text or a list of texts. `inputs` is another name for it."""


class ModelName(Strict):
    name: str
    version: int


class Usage(Strict):
    characters: int
    """Code points of all texts of the request."""
    tokens: int
    """Tokens that the network read."""
