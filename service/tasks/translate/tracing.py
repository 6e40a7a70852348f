"""Rewriting a text step by step while knowing from where in the original each character comes."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TracedText:
    """A text, and for each of its characters (and its end) the position in the original that it stands for.

    Without `origins` only the text is kept, which is faster.
    """

    text: str
    origins: Sequence[int] | None = None

    @classmethod
    def of(cls, text: str) -> "TracedText":
        return cls(text, range(len(text) + 1))

    def sub(
        self, pattern: re.Pattern[str], replacement: str | Callable[[re.Match[str]], str]
    ) -> "TracedText":
        """As `re.sub`, but a replacement given as a string is taken literally.

        The characters of a replacement come one by one from those of the match. If there are more, the first of
        them come from where it began; if there are fewer, all do.

        >>> traced = TracedText.of("aXXb").sub(re.compile("X+"), "-")
        >>> traced.text, list(traced.origins)
        ('a-b', [0, 1, 3, 4])
        >>> list(TracedText.of("aXXb").sub(re.compile("X+"), "<xx").origins)
        [0, 1, 1, 2, 3, 4]
        """
        first = pattern.search(self.text)
        if not first:
            return self
        parts: list[str] = []
        origins: list[int] = []
        end = 0
        for match in pattern.finditer(self.text, first.start()):
            start = match.start()
            new = replacement if isinstance(replacement, str) else replacement(match)
            parts += [self.text[end:start], new]
            if self.origins is not None:
                more = len(new) - (match.end() - start)
                origins += self.origins[end:start]
                origins += [self.origins[start]] * (more if more >= 0 else len(new))
                origins += self.origins[start : match.end()] if more >= 0 else []
            end = match.end()
        parts.append(self.text[end:])
        if self.origins is None:
            return TracedText("".join(parts))
        return TracedText("".join(parts), [*origins, *self.origins[end:]])

    def translate(self, table: dict[int, int]) -> "TracedText":
        """As `str.translate`, one character for one."""
        return TracedText(self.text.translate(table), self.origins)

    def stripped(self) -> "TracedText":
        """Without white space at its ends."""
        start = len(self.text) - len(self.text.lstrip())
        end = max(start, len(self.text.rstrip()))
        origins = None if self.origins is None else self.origins[start : end + 1]
        return TracedText(self.text[start:end], origins)
