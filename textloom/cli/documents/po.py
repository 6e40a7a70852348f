"""Gettext: a translation for each entry that has none; comments, references, flags and translations stay.

The library is polib. An entry without an answer is left without a translation.
"""

from collections.abc import Sequence

import polib


class Catalog:
    """The entries of a .po or .pot file that have no translation yet.

    Raises ValueError if it is no such file.
    """

    def __init__(self, content: str) -> None:
        try:
            self._file = polib.pofile(content)
        except OSError as error:
            raise ValueError(str(error)) from error
        self._commented = content.lstrip("\ufeff").startswith("#")
        self._open = [
            entry
            for entry in self._file
            if entry.msgid.strip()
            and not entry.obsolete
            and not (entry.msgstr or any(entry.msgstr_plural.values()))
        ]

    @property
    def texts(self) -> list[str]:
        """Of an entry with a plural, that after it."""
        return [
            text
            for entry in self._open
            for text in [entry.msgid, *filter(None, [entry.msgid_plural])]
        ]

    @property
    def lines(self) -> list[int]:
        return [
            entry.linenum
            for entry in self._open
            for _ in [entry.msgid, *filter(None, [entry.msgid_plural])]
        ]

    def with_texts(self, answers: Sequence[str | None], language: str | None = None) -> str:
        remaining = iter(answers)
        for entry in self._open:
            one = next(remaining)
            many = next(remaining) if entry.msgid_plural else ""
            if one is None or many is None:
                continue
            if entry.msgid_plural:
                forms = sorted(entry.msgstr_plural) or [0, 1]
                ended = _ended(entry.msgid_plural, many)
                entry.msgstr_plural = dict.fromkeys(forms, ended)
                entry.msgstr_plural[0] = _ended(entry.msgid, one)
            else:
                entry.msgstr = _ended(entry.msgid, one)
        if language:
            self._file.metadata["Language"] = language
        written = str(self._file).rstrip("\n") + "\n"
        return written if self._commented else written.removeprefix("#\n")  # polib adds it


def _ended(source: str, answer: str) -> str:
    """The answer, with the line end of its source, which gettext wants."""
    return answer + "\n" if source.endswith("\n") and not answer.endswith("\n") else answer
