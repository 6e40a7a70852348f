"""The client for asynchronous code; client.py says more."""

import asyncio
from asyncio import sleep
from types import TracebackType
from typing import Any, Literal, Self, overload

import httpx

from textloom.answers import (
    AnyResult,
    ModelInfo,
    NerResult,
    SentimentResult,
    TranslateResult,
    Unit,
)
from textloom.exchange import Exchange, Exchanges, R, split


class AsyncClient:
    """A client of a TextLoom server, for asynchronous code.

    Args:
        url: Address of the server, with `http://` or `https://`.
        timeout: Seconds for one request.
        retries: How often a request is repeated.
        key: API key, if the server requires one; by default, the variable `TEXTLOOM_KEY`.
        concurrency: Maximum number of requests at a time, also for the parts of a long list.
        transport: How httpx connects to the server.

    Raises:
        ValueError: The address is invalid.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        *,
        timeout: float = 60,
        retries: int = 4,
        key: str | None = None,
        concurrency: int = 4,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._exchanges = Exchanges(url, timeout, retries, key)
        self._http = httpx.AsyncClient(transport=transport)
        self._free = asyncio.Semaphore(concurrency)

    @overload
    async def ner(
        self,
        text: str,
        *,
        labels: list[str] | None = None,
        min_score: float = 0,
        offsets: Unit = "codepoint",
        values: bool = False,
        redact: bool = False,
        pseudonyms: bool = False,
        model: str | None = None,
    ) -> NerResult: ...
    @overload
    async def ner(
        self, text: list[str], *, labels: list[str] | None = None, min_score: float = 0,
        offsets: Unit = "codepoint", values: bool = False, redact: bool = False,
        pseudonyms: bool = False, model: str | None = None,
    ) -> list[NerResult]: ...  # fmt: skip
    async def ner(self, text: str | list[str], **options: Any) -> Any:
        """Find the names in a text, or in each text of a list.

        Args:
            text: A string, or a list of strings of any length.
            labels: Return only entities with these labels.
            min_score: Return only entities with at least this score, from 0 to 1.
            offsets: Unit of `start` and `end`.
            values: Also return the `value` of dates, times, amounts of money, percentages and quantities.
            redact: Also return the text with each entity replaced by its label.
            pseudonyms: Also return the text with each entity replaced by a numbered label.
            model: Name of a model, if not the task's default.

        Raises:
            Refused: The server answered with an error.
            Unreachable: The server could not be reached.
        """
        return await self._ask("ner", text, options, NerResult)

    @overload
    async def sentiment(
        self,
        text: str,
        *,
        sentences: bool = False,
        offsets: Unit = "codepoint",
        model: str | None = None,
    ) -> SentimentResult: ...
    @overload
    async def sentiment(
        self,
        text: list[str],
        *,
        sentences: bool = False,
        offsets: Unit = "codepoint",
        model: str | None = None,
    ) -> list[SentimentResult]: ...
    async def sentiment(self, text: str | list[str], **options: Any) -> Any:
        """Judge the sentiment of a text, or of each text of a list.

        Args:
            text: A string, or a list of strings of any length.
            sentences: Also judge each sentence.
            offsets: Unit of the sentences' `start` and `end`.
            model: Name of a model, if not the task's default.

        Raises:
            Refused: The server answered with an error.
            Unreachable: The server could not be reached.
        """
        return await self._ask("sentiment", text, options, SentimentResult)

    @overload
    async def translate(
        self,
        text: str,
        *,
        target: str,
        source: str = "auto",
        alternatives: int = 0,
        format: Literal["text", "html"] = "text",
        model: str | None = None,
    ) -> TranslateResult: ...
    @overload
    async def translate(
        self,
        text: list[str],
        *,
        target: str,
        source: str = "auto",
        alternatives: int = 0,
        format: Literal["text", "html"] = "text",
        model: str | None = None,
    ) -> list[TranslateResult]: ...
    async def translate(
        self, text: str | list[str], *, source: str = "auto", **options: Any
    ) -> Any:
        """Translate a text, or each text of a list.

        Args:
            text: A string, or a list of strings of any length.
            target: Language to translate into, as `fr`.
            source: Language of the text, or `auto` to detect it for each text.
            alternatives: Number of further translations, from 0 to 4.
            format: `html` keeps the markup and translates the text in it.
            model: Name of a model, if not the default for the languages.

        Raises:
            Refused: The server answered with an error.
            Unreachable: The server could not be reached.
        """
        return await self._ask("translate", text, {"source": source, **options}, TranslateResult)

    async def ask(self, task: str, text: str | list[str], **options: Any) -> Any:
        """Call any task of the server: an AnyResult for a string, a list of them for a list.

        Args:
            task: Name of the task, as in its path.
            text: A string, or a list of strings of any length.
            options: Fields of the task's request.

        Raises:
            Refused: The server answered with an error.
            Unreachable: The server could not be reached.
        """
        return await self._ask(task, text, options, AnyResult)

    async def models(self) -> list[ModelInfo]:
        """The models of the server; each can be passed as `model` to the method of its task."""
        found: list[ModelInfo] = await self._run(self._exchanges.models())
        return found

    async def close(self) -> None:
        """Close the connections; `async with` does so, too."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _ask(
        self, task: str, text: str | list[str], options: dict[str, Any], kind: type[R]
    ) -> Any:
        if isinstance(text, str):
            return (await self._run(self._exchanges.post(task, [text], options, kind)))[0]
        # a group: if one part fails, the others are not asked for any more
        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(self._run(self._exchanges.post(task, part, options, kind)))
                for part in split(text)
            ]
        return [result for part in asked for result in part.result()]

    async def _run(self, exchange: Exchange) -> Any:
        async with self._free:
            try:
                step = next(exchange)
                while True:
                    if isinstance(step, float):
                        await sleep(step)
                        step = next(exchange)
                        continue
                    try:
                        got: httpx.Response | httpx.TransportError = await self._http.send(step)
                    except httpx.TransportError as error:
                        got = error
                    step = exchange.send(got)
            except StopIteration as end:
                return end.value
