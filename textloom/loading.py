"""Models in this process, without a server: `load("ner")` is called with texts as a method of the client is.

    import textloom

    ner = textloom.load("ner")
    print(ner("Ada Lovelace lived in London.").entities)

Results and errors are those of the client. A model is safe to use from several threads, and runs in them side by
side. What is pickled is its name: a process that receives it (of multiprocessing, Ray, Spark) opens the files
itself, once. Leaves out what a model does (local.py).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal, overload

from pydantic import BaseModel

from textloom.answers import AnyResult, NerResult, SentimentResult, TranslateResult, Unit
from textloom.local import LocalModels


class Model:
    """The models of one task, which can be called. `load` makes one."""

    _result: ClassVar[type[BaseModel]]

    def __init__(self, task: str, model: str | None, models: Path | None) -> None:
        self._given = (task, model, models)
        self._local = LocalModels(task, model=model, folder=models)
        self._local.open()

    @property
    def task(self) -> str:
        """Name of the task."""
        return self._given[0]

    @property
    def versions(self) -> list[str]:
        """Names and versions of the loaded models, as `ner 3`."""
        return self._local.names

    def _answer(self, text: str | list[str], options: dict[str, Any]) -> Any:
        given = {name: value for name, value in options.items() if value is not None}
        texts = [text] if isinstance(text, str) else list(text)
        found = self._local.answer(texts, given) if texts else []
        results = [self._result.model_validate(each) for each in found]
        return results[0] if isinstance(text, str) else results

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _load, self._given

    def __repr__(self) -> str:
        return f"<{', '.join(self.versions)}>"


class Ner(Model):
    """The model that `load("ner")` returns."""

    _result = NerResult

    @overload
    def __call__(
        self, text: str, *, labels: list[str] | None = None, min_score: float = 0,
        offsets: Unit = "codepoint", values: bool = False, redact: bool = False,
        pseudonyms: bool = False,
    ) -> NerResult: ...  # fmt: skip
    @overload
    def __call__(
        self, text: list[str], *, labels: list[str] | None = None, min_score: float = 0,
        offsets: Unit = "codepoint", values: bool = False, redact: bool = False,
        pseudonyms: bool = False,
    ) -> list[NerResult]: ...  # fmt: skip
    def __call__(self, text: Any, **options: Any) -> Any:
        """Find the names in a text, or in each text of a list, as `Client.ner` does. Raises Refused."""
        return self._answer(text, options)


class Sentiment(Model):
    """The model that `load("sentiment")` returns."""

    _result = SentimentResult

    @overload
    def __call__(
        self, text: str, *, sentences: bool = False, offsets: Unit = "codepoint"
    ) -> SentimentResult: ...
    @overload
    def __call__(
        self, text: list[str], *, sentences: bool = False, offsets: Unit = "codepoint"
    ) -> list[SentimentResult]: ...
    def __call__(self, text: Any, **options: Any) -> Any:
        """Judge a text, or each text of a list, as `Client.sentiment` does. Raises Refused."""
        return self._answer(text, options)


class Translate(Model):
    """The models that `load("translate")` returns."""

    _result = TranslateResult

    @overload
    def __call__(
        self, text: str, *, target: str, source: str = "auto", alternatives: int = 0,
        format: Literal["text", "html"] = "text",
    ) -> TranslateResult: ...  # fmt: skip
    @overload
    def __call__(
        self, text: list[str], *, target: str, source: str = "auto", alternatives: int = 0,
        format: Literal["text", "html"] = "text",
    ) -> list[TranslateResult]: ...  # fmt: skip
    def __call__(self, text: Any, *, source: str = "auto", **options: Any) -> Any:
        """Translate a text, or each text of a list, as `Client.translate` does. Raises Refused."""
        return self._answer(text, {"source": source, **options})


class AnyModel(Model):
    """Any other task."""

    _result = AnyResult

    def __call__(self, text: Any, **options: Any) -> Any:
        """The result for a text, or for each text of a list: AnyResult, with its fields. Raises Refused."""
        return self._answer(text, options)


CLASSES: dict[str, type[Model]] = {"ner": Ner, "sentiment": Sentiment, "translate": Translate}


@overload
def load(
    task: Literal["ner"], *, model: str | None = None, models: str | Path | None = None
) -> Ner: ...
@overload
def load(
    task: Literal["sentiment"], *, model: str | None = None, models: str | Path | None = None
) -> Sentiment: ...
@overload
def load(
    task: Literal["translate"], *, model: str | None = None, models: str | Path | None = None
) -> Translate: ...
@overload
def load(task: str, *, model: str | None = None, models: str | Path | None = None) -> Any: ...
def load(task: str, *, model: str | None = None, models: str | Path | None = None) -> Any:
    """Load the models of a task into this process, and verify them.

    The result is called with texts and the options of the client's method of the same name. It is thread-safe.
    Pickling it pickles only its name. Versions and pins are those that a server would use.

    Args:
        task: `ner`, `sentiment`, `translate`, or a task of another package.
        model: Name of a model, if not the task's default.
        models: Folder of the models. By default, the variable `TEXTLOOM_MODELS`, the checkout, or the package
            `textloom-models`.

    Raises:
        LoadError: There is no such task or model, its bundle is damaged, or a required package is not installed.
    """
    return _load(task, model, None if models is None else Path(models))


def _load(task: str, model: str | None, models: Path | None) -> Model:
    return CLASSES.get(task, AnyModel)(task, model, models)
